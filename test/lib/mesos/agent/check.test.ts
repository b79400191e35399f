/** Each way in which a set-up can be wrong, made in a good one: exactly what is wrong is found. */
import {symlinkSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {checkAgent, type Surroundings} from '../../../../src/lib/mesos/agent/check.js'
import {zookeeperHosts} from '../../../../src/lib/mesos/agent/check-flags.js'
import {hostFiles} from '../../../../src/lib/mesos/agent/files.js'
import {FINDING_CLASSES, type FindingId} from '../../../../src/lib/mesos/agent/findings.js'
import {detectStyle, readSetup} from '../../../../src/lib/mesos/agent/setup.js'
import type {Settings} from '../../../../src/lib/settings/types.js'
import {modulesJson, putAgent, type TestRoot, testRoot} from '../../../support/mesos-agent.js'

let root: TestRoot
beforeEach(() => {
  root = testRoot()
})
afterEach(() => root.remove())

const etcd = (...endpoints: string[]): Settings => ({datastore: {type: 'etcd', endpoints: {value: endpoints, origin: 'ETCD_ENDPOINTS'}}, warnings: []})
const names = {node: 'agent1', addresses: ['10.0.0.1']}
const store = {nodes: [{name: 'agent1', addresses: ['10.0.0.1']}], hasPool: true, stale: 0}
const docker = {calicoNode: 'running', driver: true} as const
/** All is well. */
const AROUND: Surroundings = {settings: etcd('http://127.0.0.1:2379'), names, store, docker, agentPort: {port: 5051, listeners: ['mesos-slave']}, askPlugin: () => Promise.resolve({})}

async function found(around: Surroundings = AROUND): Promise<string[]> {
  const files = hostFiles(root.folder)
  return (await checkAgent(readSetup(files), around)).map(({id, file}) => `${id} ${file}`.trim()).sort()
}

test.each(['manual', 'rpm', 'dcos'] as const)('a good set-up of style %s: nothing, and its style is known', async (style) => {
  putAgent(root, style)
  expect(detectStyle(hostFiles(root.folder))).toBe(style)
  expect(await found()).toEqual([])
  expect(await found({})).toEqual([])
})

type Case = readonly [expected: readonly string[], change: (put: TestRoot['put']) => void, around?: Surroundings]
const MODULES = '/calico/modules.json'
const DEFAULTS = '/etc/default/mesos-slave'
const COMMON = '/opt/mesosphere/etc/mesos-slave-common'
const isolator = (parameters: unknown, more: object[] = [{name: 'com_mesosphere_mesos_NetworkHook'}]): string =>
  JSON.stringify({libraries: [{file: '/usr/lib/mesos/libmesos_network_isolator.so', modules: [{name: 'com_mesosphere_mesos_NetworkIsolator', parameters}, ...more]}]})
const both = [{key: 'isolator_command', value: '/calico/calico_mesos'}, {key: 'ipam_command', value: '/calico/calico_mesos'}]

const MANUAL: readonly Case[] = [
  [['modules-flag-missing /etc/mesos-slave/modules'], (put) => put('/etc/mesos-slave/modules', undefined)],
  [['modules-flag-form /etc/mesos-slave/modules'], (put) => put('/etc/mesos-slave/modules', 'calico/modules.json')],
  [['modules-folder /etc/mesos-slave/modules_dir'], (put) => put('/etc/mesos-slave/modules_dir', '/etc/mesos/d')],
  [[`modules-file-missing ${MODULES}`], (put) => put(MODULES, undefined)],
  [[`modules-json-invalid ${MODULES}`], (put) => put(MODULES, '{"libraries": [')],
  [[`modules-json-comment ${MODULES}`], (put) => put(MODULES, `# by hand\n${modulesJson()}`)],
  [[`modules-json-shape ${MODULES}`], (put) => put(MODULES, '{"library": []}')],
  [['modules-json-shape /etc/mesos-slave/modules'], (put) => put('/etc/mesos-slave/modules', '{"library": []}')],
  [[], (put) => put('/etc/mesos-slave/modules', modulesJson())],
  [[], (put) => put('/etc/mesos-slave/modules', '/calico/modules.json')],
  [[`unreadable ${MODULES}`], (put) => {
    put(MODULES, undefined)
    put(`${MODULES}/x`, '')
  }],
  [[`library-missing ${MODULES}`], (put) => put('/usr/lib/mesos/libmesos_network_isolator.so', undefined)],
  [[`library-path ${MODULES}`], (put) => {
    put('/opt/mesosphere/lib/libmesos_network_isolator.so', '')
    put(MODULES, modulesJson({library: '/opt/mesosphere/lib/libmesos_network_isolator.so'}))
  }],
  [[`library-path ${MODULES}`], (put) => {
    put('/usr/lib/mesos/libother.so', '')
    put(MODULES, modulesJson({library: '/usr/lib/mesos/libother.so'}))
  }],
  [[], (put) => {
    put('/opt/net-modules/libmesos_network_isolator.so', '')
    put(MODULES, modulesJson({library: '/opt/net-modules/libmesos_network_isolator.so'}))
  }],
  [[`library-version ${MODULES}`], (put) => {
    put('/usr/lib/mesos/libmesos_network_isolator-0.1.0.so', '')
    put('/usr/lib/libmesos-0.28.1.so', '')
    put(MODULES, modulesJson({library: '/usr/lib/mesos/libmesos_network_isolator-0.1.0.so'}))
  }],
  [[], (put) => {
    put('/usr/lib/mesos/libmesos_network_isolator-0.2.0.so', '')
    put('/usr/lib/libmesos-0.28.1.so', '')
    put(MODULES, modulesJson({library: '/usr/lib/mesos/libmesos_network_isolator-0.2.0.so'}))
  }],
  [[`mesos-cni ${MODULES}`], (put) => put('/usr/lib/libmesos-1.0.1.so', '')],
  [[`module-missing ${MODULES}`], (put) => put(MODULES, isolator(both, []))],
  [[`module-name ${MODULES}`], (put) => put(MODULES, isolator(both, [{name: 'com_mesosphere_mesos_NetworkHok'}]))],
  [[`module-twice ${MODULES}`], (put) => put(MODULES, isolator(both, [{name: 'com_mesosphere_mesos_NetworkHook'}, {name: 'com_mesosphere_mesos_NetworkHook'}]))],
  [[`old-generation ${MODULES}`, `old-generation ${MODULES}`], (put) => put(MODULES, isolator([...both, {key: 'initialization_command', value: '/x'}, {key: 'cleanup_command', value: '/x'}]))],
  [[`old-generation ${MODULES}`], (put) => put(MODULES, isolator(both, [{name: 'com_mesosphere_mesos_CalicoHook'}]))],
  [[`command-missing ${MODULES}`], (put) => put(MODULES, isolator(both.slice(0, 1)))],
  [[`command-missing ${MODULES}`, `command-missing ${MODULES}`], (put) => put(MODULES, isolator([{key: 'isolator_command', value: ' '}]))],
  [[`commands-differ ${MODULES}`], (put) => {
    put('/calico/other', '#!/bin/sh\n', 0o755)
    put(MODULES, isolator([both[0], {key: 'ipam_command', value: '/calico/other'}]))
  }],
  [[`plugin-missing ${MODULES}`], (put) => put('/calico/calico_mesos', undefined)],
  [[`plugin-missing ${MODULES}`], (put) => put(MODULES, modulesJson({plugin: 'calico_mesos'}))],
  [[`plugin-not-executable ${MODULES}`], (put) => put('/calico/calico_mesos', '#!/bin/sh\n', 0o644)],
  [[`plugin-old ${MODULES}`], (put) => put('/calico/calico_mesos', '\u007fELF…', 0o755)],
  [[], (put) => put(MODULES, modulesJson({plugin: '/calico/calico_mesos --quietly'}))],
  [['plugin-silent'], () => undefined, {...AROUND, askPlugin: (command) => Promise.resolve({problem: `${command} is silent`})}],

  [['isolation-missing /etc/mesos-slave/isolation'], (put) => put('/etc/mesos-slave/isolation', 'cgroups/cpu,cgroups/mem\n')],
  [['isolation-missing /etc/mesos-slave/isolation'], (put) => put('/etc/mesos-slave/isolation', undefined)],
  [['hooks-missing /etc/mesos-slave/hooks'], (put) => put('/etc/mesos-slave/hooks', undefined)],
  [['flag-name /etc/mesos-slave/hooks'], (put) => put('/etc/mesos-slave/hooks', 'com_mesosphere_mesos_NetworkHooks')],
  [['flag-name /etc/mesos-slave/isolation'], (put) => put('/etc/mesos-slave/isolation', 'cgroups/cpu,NetworkIsolator')],
  [['flag-name /etc/mesos-slave/hooks'], (put) => put('/etc/mesos-slave/hooks', 'com_mesosphere_mesos_NetworkIsolator,com_mesosphere_mesos_NetworkHook')],
  [['flag-name /etc/mesos-slave/hooks'], (put) => put('/etc/mesos-slave/hooks', 'com_example_Other,com_mesosphere_mesos_NetworkHook')],
  [[], (put) => {
    put('/etc/mesos-slave/hooks', 'com_example_Other,com_mesosphere_mesos_NetworkHook')
    put(MODULES, isolator(both, [{name: 'com_mesosphere_mesos_NetworkHook'}, {name: 'com_example_Other'}]))
  }],
  [['flag-name /etc/mesos-slave/isolation'], (put) => put('/etc/mesos-slave/isolation', 'com_mesosphere_mesos_NetworkIsolator,com_mesosphere_mesos_NetworkHook')],
  [['line-ends /etc/mesos-slave/isolation'], (put) => put('/etc/mesos-slave/isolation', 'com_mesosphere_mesos_NetworkIsolator\r\n')],
  [[`line-ends ${DEFAULTS}`], (put) => put(DEFAULTS, 'MASTER=zk://10.0.0.1:2181/mesos\r\nETCD_AUTHORITY=127.0.0.1:2379\r\n')],
  // What cannot be read may say it.
  [[`unreadable ${DEFAULTS}`], (put) => {
    put(DEFAULTS, undefined)
    put(`${DEFAULTS}/x`, '')
    for (const flag of ['modules', 'isolation', 'hooks']) put(`/etc/mesos-slave/${flag}`, undefined)
    put('/etc/mesos/zk', undefined)
  }],
  [['unreadable /etc/mesos-slave'], (put) => put('/etc/mesos-slave', 'no folder')],
  [['unreadable /etc/mesos-slave/hooks'], (put) => {
    put('/etc/mesos-slave/hooks', undefined)
    put('/etc/mesos-slave/hooks/x', '')
  }],
  [['old-generation /etc/mesos-slave/isolation'], (put) => put('/etc/mesos-slave/isolation', 'com_mesosphere_mesos_CalicoIsolator')],
  [[`flags-differ ${DEFAULTS}`], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=127.0.0.1:2379\nMESOS_ISOLATION=cgroups/cpu\n')],
  [[], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=127.0.0.1:2379\nMESOS_HOOKS=com_mesosphere_mesos_NetworkHook\n')],
  [[], (put) => {
    put('/etc/mesos-slave/isolation', undefined)
    put(DEFAULTS, 'ETCD_AUTHORITY=127.0.0.1:2379\nMESOS_ISOLATION="$(cat /etc/isolation),com_mesosphere_mesos_NetworkIsolator"\n')
  }],
  [['containerizers-mesos /etc/mesos-slave/containerizers'], (put) => put('/etc/mesos-slave/containerizers', 'docker')],
  [['containerizers-docker /etc/mesos-slave/containerizers'], (put) => put('/etc/mesos-slave/containerizers', 'mesos')],
  [[], (put) => put('/etc/mesos-slave/containerizers', 'mesos,docker')],
  [['docker-driver'], (put) => put('/etc/mesos-slave/containerizers', 'docker,mesos'), {...AROUND, docker: {calicoNode: 'running', driver: false}}],
  [['master-missing /etc/mesos/zk'], (put) => put('/etc/mesos/zk', undefined)],
  [[`zookeeper-port ${DEFAULTS}`], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=127.0.0.1:2379\nMASTER=zk://10.0.0.1:2181,10.0.0.2:8080/mesos\n')],
  [[], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=127.0.0.1:2379\nMASTER=10.0.0.1:5050\n')],

  [[`etcd-missing ${DEFAULTS}`], (put) => put(DEFAULTS, 'MASTER=zk://10.0.0.1:2181/mesos\n')],
  [[`etcd-invalid ${DEFAULTS}`], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=[etcd-ip:port]\n')],
  [[`etcd-ca-name ${DEFAULTS}`], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=127.0.0.1:2379\nETCD_SCHEME=https\nETCD_CA_FILE=/ca.pem\n')],
  [['etcd-ca-name /etc/sysconfig/calico'], (put) => put('/etc/sysconfig/calico', 'ETCD_AUTHORITY=10.0.0.1:2379\nETCD_CA_FILE="/ca.pem"\n')],
  [[], (put) => put('/etc/sysconfig/calico', 'ETCD_AUTHORITY=10.0.0.1:2379\nETCD_CA_FILE=""\n')],
  [[`etcd-https-ip ${DEFAULTS}`], (put) => {
    put('/ca.pem', '-----BEGIN CERTIFICATE-----')
    put(DEFAULTS, 'ETCD_AUTHORITY=10.0.0.5:2379\nETCD_SCHEME=https\nETCD_CA_CERT_FILE=/ca.pem\n')
  }, {...AROUND, settings: etcd('https://10.0.0.5:2379')}],
  [[`etcd-invalid ${DEFAULTS}`], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=etcd:2379\nETCD_SCHEME=https\nETCD_CA_CERT_FILE=/gone.pem\n')],
  [[`etcd-port ${DEFAULTS}`], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=10.0.0.5:4001\n'), {...AROUND, settings: etcd('http://10.0.0.5:4001')}],
  [[`etcd-port ${DEFAULTS}`], (put) => put(DEFAULTS, 'CALICO_ETCD_AUTHORITY=10.0.0.5:4001\nETCD_AUTHORITY=127.0.0.1:2379\n'), {...AROUND, settings: etcd('http://10.0.0.5:4001')}],
  [[`etcd-differs ${DEFAULTS}`], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=10.0.0.5:2379\n')],
  [[], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=localhost:2379\n')],
  [[], (put) => {
    put(DEFAULTS, 'MASTER=zk://10.0.0.1:2181/mesos\n')
    put('/etc/calico/calicoctl.cfg', 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec: {etcdEndpoints: "http://127.0.0.1:2379"}\n')
  }],
  [[`password-exposed ${DEFAULTS}`], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=127.0.0.1:2379\nETCD_USERNAME=u\nETCD_PASSWORD=p\n')],
  [[], (put) => put(DEFAULTS, 'ETCD_AUTHORITY=127.0.0.1:2379\nETCD_USERNAME=u\nETCD_PASSWORD=p\n', 0o640)],

  [['host-name /etc/mesos-slave/hostname'], (put) => put('/etc/mesos-slave/hostname', '10.0.0.1\n')],
  [[], (put) => put('/etc/mesos-slave/hostname', 'Agent1\n')],
  [[], (put) => put('/etc/mesos-slave/credential/x', 'a folder is none of ours')],
  [['node-missing'], () => undefined, {...AROUND, store: {...store, nodes: []}}],
  [['node-address-taken'], () => undefined, {...AROUND, store: {...store, nodes: [...store.nodes, {name: 'agent2', addresses: ['10.0.0.1']}]}}],
  [['node-address-taken', 'node-missing'], () => undefined, {...AROUND, store: {...store, nodes: [{name: 'agent2', addresses: ['10.0.0.1']}]}}],
  [['node-name-taken'], () => undefined, {...AROUND, store: {...store, nodes: [{name: 'agent1', addresses: ['10.0.0.9']}]}}],
  [[], () => undefined, {...AROUND, names: {node: 'agent1', addresses: undefined}, store: {...store, nodes: [{name: 'agent1', addresses: ['10.0.0.9']}]}}],
  [['no-pool'], () => undefined, {...AROUND, store: {...store, hasPool: false}}],
  [['stale-endpoints'], () => undefined, {...AROUND, store: {...store, stale: 2}}],
  [['not-compared'], () => undefined, {...AROUND, store: {away: 'gone'}}],
  [['not-asked'], () => undefined, {...AROUND, docker: {away: 'gone'}}],
  [['calico-node-down'], () => undefined, {...AROUND, docker: {calicoNode: undefined, driver: false}}],
  [['calico-node-down'], () => undefined, {...AROUND, docker: {calicoNode: 'stopped', driver: false}}],
  [['zookeeper-away'], () => undefined, {...AROUND, zookeeper: ['10.0.0.1:2181']}],
  [['agent-port'], () => undefined, {...AROUND, agentPort: {port: 5051, listeners: ['nginx']}}],
  [['mesos-dns /etc/sysconfig/mesos-dns'], (put) => put('/etc/sysconfig/mesos-dns', '{"IPSources": ["mesos", "host"]}')],
  [['mesos-dns /etc/mesos-dns/config.json'], (put) => put('/etc/mesos-dns/config.json', '{"IPSources": ["host", "netinfo"]}')],
  [['unreadable /etc/mesos-dns/config.json'], (put) => put('/etc/mesos-dns/config.json', '{"IPSources": "host"}')],
  [[], (put) => put('/etc/mesos-dns/config.json', '{"zk": "x"}')],
  [['cluster-store /etc/docker/daemon.json'], (put) => put('/etc/docker/daemon.json', '{"cluster-store": "etcd://127.0.0.1:2379"}')],
  [['cluster-store /etc/default/docker'], (put) => put('/etc/default/docker', '#DOCKER_OPTS="--cluster-store=x"\nDOCKER_OPTS="--cluster-store=etcd://10.0.0.1:2379"\n')],
  [[], (put) => put('/etc/default/docker', '#DOCKER_OPTS="--cluster-store=x"\n')],
  [['cluster-store /usr/lib/systemd/system/docker.service.d/docker.conf'], (put) => put('/usr/lib/systemd/system/docker.service.d/docker.conf', '[Service]\nExecStart=\nExecStart=/usr/bin/docker daemon -H fd:// --cluster-store=etcd://${ETCD_AUTHORITY}\n')],
]

describe('by hand', () => {
  beforeEach(() => putAgent(root))
  test.each(MANUAL.map((each, at) => [`${at}: ${each[0].join(', ') || 'nothing'}`, each] as const))('%s', async (_, [expected, change, around]) => {
    change(root.put)
    expect(await found(around)).toEqual([...expected].sort())
  })
  test('a hint names what was probably meant', async () => {
    root.put('/etc/mesos-slave/hooks', 'com_mesosphere_mesos_NetworkHooks')
    const [hook] = await checkAgent(readSetup(hostFiles(root.folder)))
    expect(hook).toMatchObject({id: 'flag-name', remedy: 'Did you mean com_mesosphere_mesos_NetworkHook?'})
  })
  test('a certificate that this user may not read is not a fault of the set-up', async () => {
    root.put(DEFAULTS, 'ETCD_AUTHORITY=etcd:2379\nETCD_SCHEME=https\nETCD_CA_CERT_FILE=/ca.pem\n')
    const files = hostFiles(root.folder)
    const read: typeof files.read = (path) => (path === '/ca.pem' ? {state: 'unreadable', why: 'permission denied', denied: true} : files.read(path))
    expect((await checkAgent(readSetup({...files, read}))).map(({id, file}) => [id, file])).toEqual([['unreadable', '/ca.pem']])
  })
  test('another user is the remedy for a permission alone', async () => {
    root.put('/etc/mesos-slave', 'no folder')
    const files = hostFiles(root.folder)
    const read: typeof files.read = (path) => (path === DEFAULTS ? {state: 'unreadable', why: 'permission denied', denied: true} : files.read(path))
    expect((await checkAgent(readSetup({...files, read}))).map(({file, remedy}) => [file, remedy])).toEqual([[DEFAULTS, expect.stringContaining('sudo')], ['/etc/mesos-slave', 'Correct the file.']])
  })
  test('links within the root are followed there', async () => {
    root.put('/calico/calico_mesos', undefined)
    symlinkSync('/opt/calicoctl/calico_mesos', join(root.folder, 'calico/calico_mesos'))
    expect(await found()).toEqual([`plugin-missing ${MODULES}`])
    root.put('/opt/calicoctl/calico_mesos', '#!/bin/sh\n', 0o755)
    expect(await found()).toEqual([])
  })
})

const DCOS: readonly Case[] = [
  [['library-version /opt/mesosphere/etc/mesos-slave-modules.json'], (put) => {
    const library = '/opt/mesosphere/lib/libmesos_network_isolator-0.28.0-centos7-x86_64.so'
    put(library, '')
    put('/opt/mesosphere/lib/libmesos-0.28.1.so', '')
    put('/opt/mesosphere/etc/mesos-slave-modules.json', modulesJson({library}))
  }],
  [['mesos-dns /opt/mesosphere/etc/mesos-dns.json'], (put) => put('/opt/mesosphere/etc/mesos-dns.json', '{"IPSources": ["host", "netinfo"]}')],
  [[`modules-flag-missing ${COMMON}`, `isolation-missing ${COMMON}`, `hooks-missing ${COMMON}`], (put) => put(COMMON, 'ETCD_AUTHORITY=127.0.0.1:2379\n')],
  [['library-path /opt/mesosphere/etc/mesos-slave-modules.json'], (put) => {
    put('/usr/lib/mesos/libmesos_network_isolator.so', '')
    put('/opt/mesosphere/etc/mesos-slave-modules.json', modulesJson())
  }],
]
test.each(DCOS.map((each, at) => [`${at}: ${each[0].join(', ')}`, each] as const))('DC/OS %s', async (_, [expected, change, around]) => {
  putAgent(root, 'dcos')
  change(root.put)
  expect(await found(around)).toEqual([...expected].sort())
})

test.each([
  ['zk://10.0.0.1:2181,10.0.0.2/mesos', ['10.0.0.1:2181', '10.0.0.2:2181']],
  ['zk://user:secret@zk.example:2182/mesos', ['zk.example:2182']],
  ['10.0.0.1:5050', []],
  ['zk://,:/', []],
])('ZooKeeper in %s', (master, hosts) => {
  root.put('/etc/default/mesos-slave', `MASTER=${master}\n`)
  expect(zookeeperHosts(readSetup(hostFiles(root.folder))).map(({host, port}) => `${host}:${port}`)).toEqual(hosts)
})

test('nothing at all', async () => expect(await found({})).toEqual(['no-setup']))

test('a host for Docker containers alone needs nothing of net-modules', async () => {
  root.put('/etc/mesos-slave/containerizers', 'docker\n')
  expect(await found()).toEqual([])
  expect(await found({...AROUND, docker: {calicoNode: 'running', driver: false}})).toEqual(['docker-driver'])
})

test('every finding is made by one of these tests, and every guide has its own', () => {
  const made = new Set([...MANUAL, ...DCOS].flatMap(([expected]) => expected.map((each) => each.split(' ', 1)[0])).concat('no-setup'))
  expect(Object.keys(FINDING_CLASSES).filter((id) => !made.has(id))).toEqual([])
  const guides = new Set<string>(Object.values(FINDING_CLASSES).flatMap(({guides: sections}) => sections))
  for (const section of ['5.1', '5.2', '5.3', '5.4', '5.5', '5.6', '5.7', '5.8', '5.9', '5.13']) expect(guides).toContain(section)
})

test.each(Object.keys(FINDING_CLASSES) as FindingId[])('%s: whole sentences', (id) => {
  const {why, remedy} = FINDING_CLASSES[id]
  expect(why).toMatch(/^([A-Z]|etcd |net-modules |calico-node ).*\.$/)
  expect(remedy).toMatch(/^[A-Z]/)
})
