import {execFileSync} from 'node:child_process'
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {type ContainerPlan, dockerRunLine, environmentFile, planContainer, systemdUnit} from '../../../src/lib/calico-node/container.js'
import {readNodeOptions} from '../../../src/lib/calico-node/options.js'
import type {EtcdSettings} from '../../../src/lib/settings/types.js'

const options = readNodeOptions({ip: '192.0.2.2', as: '64600'}, {}, () => undefined)
const plain: EtcdSettings = {type: 'etcd', endpoints: {value: ['http://192.0.2.1:2379'], origin: 'ETCD_ENDPOINTS'}}
const pem = (file: string) => ({value: {file, pem: '-----BEGIN X'}, origin: 'ETCD_CERT_FILE'})
const secure: EtcdSettings = {
  ...plain,
  endpoints: {value: ['https://a:2379', 'https://b:2379'], origin: 'ETCD_ENDPOINTS'},
  ca: pem('/tls/ca.crt'), cert: pem('/tls/both.pem'), key: pem('/tls/both.pem'),
  username: {value: 'root', origin: 'ETCD_USERNAME'}, password: {value: 'to$p "secret', origin: 'ETCD_PASSWORD'},
}
const plan = (etcd: EtcdSettings): ContainerPlan => planContainer({node: 'rack1-host1', options, etcd, ip: {value: '192.0.2.2/24'}, ip6: undefined})

test('environment and mounts of the usual node', () => {
  const {environment, mounts, image} = plan(plain)
  expect(image).toBe('quay.io/calico/node:v3.32.1')
  expect(Object.fromEntries(environment.map(({name, value}) => [name, value]))).toEqual({
    NODENAME: 'rack1-host1', DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: 'http://192.0.2.1:2379', CALICO_NETWORKING_BACKEND: 'bird', CALICO_MANAGE_CNI: 'false',
    FELIX_HEALTHENABLED: 'true', IP: '192.0.2.2/24', AS: '64600', NO_DEFAULT_POOLS: 'true',
  })
  expect(mounts.map(({source, target}) => `${source}:${target}`)).toEqual(['/var/log/calico:/var/log/calico', '/var/run/calico:/var/run/calico', '/var/lib/calico:/var/lib/calico', '/lib/modules:/lib/modules', '/run:/run'])
})

describe('with TLS and a password', () => {
  test('one file for two roles is mounted twice, read-only', () => {
    expect(plan(secure).mounts.filter(({readOnly}) => readOnly)).toEqual([
      {source: '/tls/ca.crt', target: '/etc/calico/certs/ca_cert.crt', readOnly: true},
      {source: '/tls/both.pem', target: '/etc/calico/certs/key.pem', readOnly: true},
      {source: '/tls/both.pem', target: '/etc/calico/certs/cert.crt', readOnly: true},
    ])
  })
  test('the password is in the environment and in no line that is printed', () => {
    expect(plan(secure).environment).toContainEqual({name: 'ETCD_PASSWORD', value: 'to$p "secret', secret: true})
    expect(dockerRunLine(plan(secure), {detach: true})).toMatch(/ -e ETCD_PASSWORD -e /)
    expect(dockerRunLine(plan(secure), {detach: true})).not.toContain('secret')
    expect(systemdUnit(plan(secure))).not.toContain('secret')
    expect(environmentFile(plan(secure))).not.toContain('secret')
    expect(environmentFile(plan(secure))).toMatch(/^# Add the line ETCD_PASSWORD=/m)
  })
  test('certificates that are in no file, or a relative one, are refused together', () => {
    expect(() => plan({...secure, ca: pem('inline'), key: pem('key.pem')})).toThrow(expect.objectContaining({kind: 'invalid', details: [expect.stringContaining('ETCD_CA_CERT_FILE'), expect.stringContaining('key.pem')]}))
  })
})

test('the docker run line', () => {
  const line = dockerRunLine(plan(plain), {detach: true})
  expect(line).toMatch(/^docker run -d --restart=unless-stopped --net=host --privileged --name=calico-node -e NODENAME=rack1-host1 /)
  expect(line).toMatch(/ -v \/run:\/run quay\.io\/calico\/node:v3\.32\.1$/)
  expect(dockerRunLine(plan(plain), {detach: false})).not.toContain(' -d ')
})

test('the docker run line is read by a shell as it was meant', () => {
  fc.assert(fc.property(fc.string({maxLength: 20}).filter((text) => !text.includes('\0')), (value) => {
    const line = dockerRunLine({image: 'i', environment: [{name: 'X', value}], mounts: []}, {detach: true})
    const words = execFileSync('sh', ['-c', `set -- ${line}; for word; do printf '%s\\0' "$word"; done`], {encoding: 'utf8'}).split('\0')
    expect(words[words.indexOf('-e') + 1]).toBe(`X=${value}`)
  }), {numRuns: 30})
})

test('the systemd unit takes every variable from its environment file', () => {
  const unit = systemdUnit(plan(secure))
  expect(unit).toMatch(/^ExecStart=\/usr\/bin\/docker run --rm --net=host --privileged --name=calico-node -e NODENAME -e DATASTORE_TYPE /m)
  expect(unit).toMatch(/^EnvironmentFile=\/etc\/calico\/calico\.env$/m)
  for (const name of [...unit.matchAll(/ -e (\S+)/g)].map(([, each]) => each)) expect(environmentFile(plan(secure))).toMatch(new RegExp(`^(# Add the line )?${name}=`, 'm'))
})
