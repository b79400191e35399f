/** The stand-in for calico-node fails where the real one fails (calico-node.md §4, §9): without that, the tests that use it prove nothing. */
import {spawnSync} from 'node:child_process'
import {afterAll, beforeAll, beforeEach, expect, test} from '@jest/globals'
import {suite} from '../support/docker.js'
import {ETCD, startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'
import {importStandIn, STAND_IN} from '../support/stand-in/image.js'

suite('the stand-in for calico-node', whyNoHost(), () => {
  let host: TestHost
  beforeAll(async () => {
    host = await startHost()
    await Promise.all([host.startEtcd(), host.startEngine()])
    importStandIn(host.docker)
  })
  afterAll(() => host.stop(), 60_000)
  beforeEach(() => void host.etcdctl('del', '--prefix', '/'))

  const GOOD = {NODENAME: 'vm', ETCD_ENDPOINTS: ETCD, IP: '192.0.2.2'}
  /** Runs it for at most TIMEOUT ms. Docker 20.10 may hang for good where a container is removed that it is still starting: a busy machine needs seconds for that. */
  function run(env: Record<string, string | undefined>, timeout = 60_000) {
    const variables = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : ['-e', `${name}=${value}`]))
    const {status, stdout, stderr} = spawnSync('docker', ['run', '--rm', '--net=host', '--name=tried', ...variables, STAND_IN], {encoding: 'utf8', timeout, killSignal: 'SIGKILL', env: {PATH: process.env.PATH, DOCKER_HOST: `unix://${host.socket}`}})
    if (status === null) host.docker('rm', '-f', 'tried')
    return {status, stdout, stderr}
  }

  test.each<[string, Record<string, string | undefined>]>([
    ['a name with capitals', {NODENAME: 'Rack1'}],
    ['a name with _', {NODENAME: 'rack_1'}],
    ['a short IP', {IP: '1.2.3'}],
    ['an IPv6 as IP', {IP: 'fd00::2'}],
    ['a wrong IP6', {IP6: 'x'}],
    ['a wrong AS', {AS: 'foo'}],
    ['an AS that is too large', {AS: '4294967296'}],
    ['an unknown method', {IP: 'autodetect', IP_AUTODETECTION_METHOD: 'guess'}],
    ['no etcd named', {ETCD_ENDPOINTS: undefined}],
    ['no default pools and a pool\'s CIDR', {NO_DEFAULT_POOLS: 'true', CALICO_IPV4POOL_CIDR: '10.0.0.0/16'}],
    ['no BGP and no Node', {CALICO_NETWORKING_BACKEND: 'none'}],
    ['a CA file that is missing', {ETCD_CA_CERT_FILE: '/nowhere.crt'}],
  ])('fails: %s', (_, env) => {
    expect(run({...GOOD, ...env})).toMatchObject({status: 1, stderr: expect.stringContaining('Calico node failed to start') as unknown})
  })

  test('fails with the address of another node', () => {
    host.etcdctl('put', '/calico/resources/v3/projectcalico.org/nodes/other', '{"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"other"},"spec":{"bgp":{"ipv4Address":"192.0.2.2/24"}}}')
    expect(run(GOOD)).toMatchObject({status: 1, stdout: expect.stringContaining("Calico node 'other' is already using the IPv4 address") as unknown})
  })

  test('hangs in silence without etcd', () => {
    expect(run({...GOOD, ETCD_ENDPOINTS: 'http://192.0.2.2:1'}, 15_000)).toEqual({status: null, stdout: '', stderr: ''})
  })

  test('starts, writes what is missing, is ready after BIRD\'s 2 s, and ends at once', async () => {
    const started = Date.now()
    host.docker('run', '-d', '--net=host', '--name=good', ...Object.entries({...GOOD, FELIX_HEALTHENABLED: 'true'}).flatMap(([name, value]) => ['-e', `${name}=${value}`]), '-v', '/run:/run', STAND_IN)
    const ready = (...what: string[]): boolean => {
      try {
        host.docker('exec', 'good', 'calico-node', ...what)
        return true
      } catch {
        return false
      }
    }
    // Felix is ready at once. BIRD is not before its 2 s are over, however long the machine takes for a look.
    const until = Date.now() + 60_000
    while (!ready('-felix-ready') && Date.now() < until) await new Promise((resume) => setTimeout(resume, 100))
    expect(ready('-felix-ready')).toBe(true)
    while (!ready('-bird-ready') && Date.now() < until) await new Promise((resume) => setTimeout(resume, 100))
    expect(Date.now() - started).toBeGreaterThanOrEqual(2_000)
    expect(ready('-felix-ready', '-bird-ready')).toBe(true)
    const kinds = host.etcdctl('get', '--prefix', '/calico/', '--keys-only').split('\n').filter((key) => key !== '').map((key) => key.split('/')[5])
    expect([...new Set(kinds)]).toEqual(['bgpconfigurations', 'clusterinformations', 'felixconfigurations', 'ippools', 'nodes', 'tiers'])
    host.docker('stop', '--time', '60', 'good')
    // 137 if the Engine had to kill it.
    expect(host.docker('inspect', '-f', '{{.State.ExitCode}}', 'good')).toBe('0')
    expect(host.run('ls', '/run/calico').split('\n')).toEqual(expect.arrayContaining(['bird.ctl', 'bird6.ctl']))
    host.docker('rm', 'good')
  })
})
