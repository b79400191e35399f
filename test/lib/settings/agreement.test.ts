/** Whoever is told of the datastore by variables that calicoctl writes works on the same one: calico-node's container, the driver, the plugin of a Mesos agent. */
import {describe, expect, test} from '@jest/globals'
import {planContainer} from '../../../src/lib/calico-node/container.js'
import {driverVariables} from '../../../src/lib/calico-node/libnetwork-service/plan.js'
import {readNodeOptions} from '../../../src/lib/calico-node/options.js'
import {environmentOf} from '../../../src/lib/mesos/agent/environment-file.js'
import {planAgent} from '../../../src/lib/mesos/agent/plan.js'
import {resolveSettings} from '../../../src/lib/settings/settings.js'
import type {EtcdSettings, Settings} from '../../../src/lib/settings/types.js'

const CONFIG = '/etc/calico/calicoctl.cfg'
const AGENT = '/etc/default/mesos-slave'
const PEM = '-----BEGIN CERTIFICATE-----\n'

type Environment = Readonly<Record<string, string>>

const settings = (env: Environment, file?: string): Promise<Settings> =>
  resolveSettings({
    flags: {},
    env,
    directory: () => '/',
    home: () => '/root',
    readFile(path) {
      const text = path === CONFIG ? file : PEM
      if (text === undefined) throw Object.assign(new Error(path), {code: 'ENOENT'})
      return text
    },
  })

function etcdOf({datastore}: Settings): EtcdSettings {
  if (datastore.type !== 'etcd') throw new Error('not etcd')
  return datastore
}

/** What a program needs to know, without where it was said and what its files are called. */
const essence = (all: Settings): object => {
  const {endpoints, username, password, ca, cert, key} = etcdOf(all)
  return {endpoints: endpoints.value, username: username?.value, password: password?.value, tls: [ca, cert, key].map((each) => each !== undefined)}
}

const environmentFrom = (variables: readonly {readonly name: string; readonly value: string}[]): Environment => Object.fromEntries(variables.map(({name, value}) => [name, value]))

const TLS = {CALICO_ETCD_CA_CERT_FILE: '/ca', ETCD_CERT_FILE: '/cert', CALICO_ETCD_KEY_FILE: '/key', CALICO_ETCD_USERNAME: 'u', CALICO_ETCD_PASSWORD: 'p'}
const SAID: [string, Environment, string?][] = [
  ['CALICO_ETCD_ENDPOINTS, slashes at the end', {CALICO_ETCD_ENDPOINTS: 'http://a:1/,http://b:2/', ETCD_ENDPOINTS: 'http://old:1'}],
  ['CALICO_ETCD_AUTHORITY', {CALICO_ETCD_AUTHORITY: 'a:1', ETCD_SCHEME: ''}],
  ['CALICO_ETCD_SCHEME and TLS', {ETCD_AUTHORITY: 'a:1', CALICO_ETCD_SCHEME: 'https', ...TLS}],
  ['CALICO_DATASTORE', {CALICO_DATASTORE: 'http://a:1', ETCD_ENDPOINTS: 'http://old:1'}],
  ['the configuration file', {ETCD_ENDPOINTS: ''}, `apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec: {etcdEndpoints: http://a:1/, etcdUsername: u, etcdPassword: p}\n`],
]

describe.each(SAID)('%s', (_, env, file) => {
  test('the container of calico-node', async () => {
    const own = await settings(env, file)
    const options = readNodeOptions({ip: '192.0.2.2'}, {}, () => undefined)
    const {environment} = planContainer({node: 'n', options, etcd: etcdOf(own), ip: undefined, ip6: undefined})
    expect(essence(await settings(environmentFrom(environment)))).toEqual(essence(own))
  })

  test('the driver', async () => {
    const own = await settings(env, file)
    const variables = driverVariables({node: 'n', etcd: etcdOf(own), expectCluster: undefined, env})
    expect(essence(await settings(environmentFrom(variables), file))).toEqual(essence(own))
  })

  const clean = 'ETCD_USERNAME=\nETCD_PASSWORD=\n'
  test.each([
    ['', clean, 'ETCD_ENDPOINTS=http://old:1\n', 'CALICO_ETCD_ENDPOINTS=http://old:1\n', 'ETCD_AUTHORITY=old:1\nETCD_SCHEME=https\n', 'CALICO_ETCD_AUTHORITY=old:1\nCALICO_ETCD_SCHEME=https\n'],
    ['CALICO_DATASTORE=embedded\n', 'CALICO_DATASTORE_TYPE=kubernetes\n', 'CALICO_ETCD_USERNAME=old\nCALICO_ETCD_PASSWORD=old\nETCD_USERNAME=u\nETCD_PASSWORD=p\n', 'ETCD_ENDPOINTS=\nCALICO_ETCD_AUTHORITY=\n'],
  ].flat().map((text) => [text]))('the plugin of an agent whose environment is %j', async (before) => {
    const own = await settings(env, file)
    // What an agent has of credentials is kept where no others are known.
    if (etcdOf(own).username === undefined && /USERNAME=\w/.test(before)) return
    const wanted = {style: 'rpm' as const, library: undefined, plugin: undefined, settings: own, absolute: (path: string) => path}
    const {edits} = planAgent(wanted, (path) => (path === AGENT && before !== '' ? {state: 'file', text: before, mode: 0o644} : {state: 'missing'}))
    const after = edits.find(({path}) => path === AGENT)?.after ?? before
    expect(essence(await settings(environmentOf(after), file))).toEqual(essence(own))
  })
})
