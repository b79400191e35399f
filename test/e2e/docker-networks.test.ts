/**
 * Docker networks of every kind, made with the real docker command on a real Engine and a real etcd: the Engine's calls are compared with the record
 * (spec mesos-docker, appendix A), and what it makes of the driver's answers with what containers then have.
 */
import {request} from 'node:http'
import {text} from 'node:stream/consumers'
import {afterAll, afterEach, beforeAll, describe, expect, test} from '@jest/globals'
import {suite} from '../support/docker.js'
import {assigned, calicoInterfaces, type Call, importBusybox, NODE, type Recorder, runDocker, startDriver, startRecorder, stored, type TestDriver, V3} from '../support/plugin.js'
import {until} from '../support/until.js'
import {startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'

/** Not `calico`: the driver is called as its socket is. */
const DRIVER = 'fabric'
const POOL = '192.168.0.0/16'
const POOL6 = 'fd80:24e2:f998:72d6::/64'
const SPACE = 'CalicoLocalAddressSpace'
const ENDPOINT_OPTIONS = {'com.docker.network.endpoint.exposedports': [], 'com.docker.network.portmap': []}
const ANY_POOL4 = {AddressSpace: SPACE, Gateway: '0.0.0.0/0', Pool: '0.0.0.0/0'}
const OF_ENDPOINT = {NetworkID: '<network>', EndpointID: '<endpoint>'}

const HANDSHAKE = ['Plugin.Activate', 'NetworkDriver.GetCapabilities', 'IpamDriver.GetCapabilities', 'IpamDriver.GetDefaultAddressSpaces']

type Recorded = readonly [name: string, body: unknown]

const REQUEST_POOL4: Recorded = ['IpamDriver.RequestPool', {AddressSpace: SPACE, Pool: '', SubPool: '', Options: {}, V6: false}]
const created = (more: object = {}, options: object = {}): Recorded => [
  'NetworkDriver.CreateNetwork',
  {NetworkID: '<network>', Options: {'com.docker.network.enable_ipv6': false, 'com.docker.network.generic': {}, ...options}, IPv4Data: [ANY_POOL4], IPv6Data: [], ...more},
]
const requested = (PoolID: string, Address = ''): Recorded => ['IpamDriver.RequestAddress', {PoolID, Address, Options: null}]
const endpointMade = (Interface: object, options: object = {}): Recorded => [
  'NetworkDriver.CreateEndpoint',
  {...OF_ENDPOINT, Interface: {Address: expect.stringMatching(/^192\.168\.\d+\.\d+\/32$/), AddressIPv6: '', MacAddress: '', ...Interface}, Options: {...ENDPOINT_OPTIONS, ...options}},
]
const joined = (options: object = {}): Recorded[] => [
  ['NetworkDriver.Join', {...OF_ENDPOINT, SandboxKey: expect.stringMatching(/\/netns\/[0-9a-f]{12}$/), Options: {...ENDPOINT_OPTIONS, ...options}}],
  ['NetworkDriver.ProgramExternalConnectivity', {...OF_ENDPOINT, Options: {...ENDPOINT_OPTIONS, ...options}}],
  ['NetworkDriver.EndpointOperInfo', OF_ENDPOINT],
  ['NetworkDriver.EndpointOperInfo', OF_ENDPOINT],
]
const LEFT: Recorded[] = ['RevokeExternalConnectivity', 'Leave', 'DeleteEndpoint'].map((name) => [`NetworkDriver.${name}`, OF_ENDPOINT])
const released = (PoolID: string, Address: unknown): Recorded => ['IpamDriver.ReleaseAddress', {PoolID, Address}]
const poolReleased = (PoolID: string): Recorded => ['IpamDriver.ReleasePool', {PoolID}]
const DELETED: Recorded = ['NetworkDriver.DeleteNetwork', {NetworkID: '<network>'}]

/** CALLS as the record has them: what Docker makes up at random has a name. */
const normal = (calls: readonly Call[]): Recorded[] =>
  calls.map(({name, body}) => {
    const ids = {...(body !== undefined && 'NetworkID' in Object(body) ? {NetworkID: '<network>'} : {}), ...(body !== undefined && 'EndpointID' in Object(body) ? {EndpointID: '<endpoint>'} : {})}
    return [name, body === undefined ? undefined : {...(body as object), ...ids}]
  })

interface Endpoint {
  readonly metadata: {readonly labels: Readonly<Record<string, string>>; readonly annotations: Readonly<Record<string, string>>}
  readonly spec: {readonly endpoint: string; readonly interfaceName: string; readonly ipNetworks: readonly string[]; readonly mac: string; readonly profiles: readonly string[]}
}

suite('Docker networks', whyNoHost(), () => {
  let host: TestHost
  let driver: TestDriver
  let recorder: Recorder

  beforeAll(async () => {
    host = await startHost()
    await Promise.all([host.startEtcd(), host.startEngine()])
    importBusybox(host)
    const upstream = `${host.folder}/driver/${DRIVER}.sock`
    driver = await startDriver(host, {socket: upstream})
    recorder = await startRecorder(host, {name: DRIVER, upstream})
    // The handshake comes with the first question after each start.
    await docker('network', 'create', '-d', DRIVER, '--subnet', '10.99.0.0/24', 'first')
    expect(normal(recorder.take()).map(([name]) => name)).toEqual([...HANDSHAKE, 'NetworkDriver.CreateNetwork'])
    await docker('network', 'rm', 'first')
    recorder.take()
  }, 300_000)
  afterAll(async () => {
    try {
      // While it removes containers, the Engine needs the driver, and the recorder this process: host.stop() would block it.
      await clear()
    } finally {
      await Promise.all([recorder.stop(), driver.stop()])
      await host.stop()
    }
  }, 300_000)

  afterEach(async () => {
    await clear()
    const networks = await docker('network', 'ls', '-q', '--filter', 'type=custom')
    if (networks !== '') await docker('network', 'rm', ...networks.split('\n'))
    const found = {endpoints: stored(host, `${V3}workloadendpoints/`), addresses: assigned(host), handles: stored(host, 'ipam/v2/handle/'), interfaces: calicoInterfaces(host), files: networkFiles()}
    host.etcdctl('del', '--prefix', `/calico/${V3}profiles/`)
    host.etcdctl('del', '--prefix', `/calico/${V3}ippools/`)
    host.etcdctl('del', '--prefix', '/calico/ipam/v2/')
    recorder.take()
    expect(found).toEqual({endpoints: {}, addresses: {}, handles: {}, interfaces: [], files: ''})
  }, 300_000)

  /** What it writes; it must end in 0. */
  async function docker(...args: string[]): Promise<string> {
    const {code, stdout, stderr} = await runDocker(host, args)
    if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${code}: ${stderr}`)
    return stdout
  }
  async function calicoctl(line: string): Promise<string> {
    const {code, stdout, stderr} = await host.calicoctl(line.split(' '))
    if (code !== 0) throw new Error(`${line} ended with ${String(code)}: ${stderr}`)
    return stdout
  }
  async function clear(): Promise<void> {
    const ids = await docker('ps', '-aq')
    if (ids !== '') await docker('rm', '-f', ...ids.split('\n'))
  }
  /** What the Engine answers to a POST with BODY. */
  function api(path: string, body: object): Promise<{Id: string}> {
    return new Promise((resolve, reject) => {
      const question = request({socketPath: host.socket, method: 'POST', path: `/v1.41/${path}`, headers: {'Content-Type': 'application/json'}}, (response) => {
        void text(response).then((answer) => resolve(JSON.parse(answer) as {Id: string}), reject)
      })
      question.once('error', reject)
      question.end(JSON.stringify(body))
    })
  }
  const networkFiles = (): string => host.run('sh', '-c', 'ls /var/lib/calico/calicoctl/networks 2>/dev/null || true')
  const create = (name: string, ...options: string[]): Promise<string> => docker('network', 'create', '-d', DRIVER, '--ipam-driver', DRIVER, ...options, name)
  const start = (name: string, network: string, ...options: string[]): Promise<string> => docker('run', '-d', '--name', name, '--net', network, ...options, 'busybox', 'sleep', '1d')
  const inside = (container: string, ...command: string[]): Promise<string> => docker('exec', container, ...command)
  const routes = async (container: string, family = '-4'): Promise<string[]> => (await inside(container, 'ip', family, 'route')).split('\n').map((line) => line.trim()).sort()
  const inspect = async (what: 'network' | 'container', name: string): Promise<unknown> => (JSON.parse(await docker(what, 'inspect', name)) as unknown[])[0]
  const networkOf = async (container: string, network: string) => ((await inspect('container', container)) as {NetworkSettings: {Networks: Record<string, {IPAddress: string; GlobalIPv6Address: string; MacAddress: string; EndpointID: string; Gateway: string}>}}).NetworkSettings.Networks[network]
  const endpoints = (): Endpoint[] => Object.values(stored(host, `${V3}workloadendpoints/`)) as Endpoint[]
  const profiles = (): Record<string, {spec: object}> => stored(host, `${V3}profiles/`) as Record<string, {spec: object}>
  const CALICO_ROUTES = ['169.254.1.1 dev cali0 scope link', 'default via 169.254.1.1 dev cali0']

  describe('of Calico\'s IPAM', () => {
    test('plain: calls, effects, names, packets once Felix has done its part', async () => {
      await calicoctl(`pool add ${POOL}`)
      const id = await create('net1')
      await start('db', 'net1', '--network-alias', 'database')
      const ofDb = await networkOf('db', 'net1')
      const [endpoint] = endpoints()
      expect(normal(recorder.take())).toEqual([REQUEST_POOL4, created(), requested('CalicoPoolIPv4'), endpointMade({}), ...joined()])
      expect(await inspect('network', 'net1')).toMatchObject({
        Scope: 'local', Driver: DRIVER, EnableIPv6: false, Internal: false, IPAM: {Driver: DRIVER, Config: [{Subnet: '0.0.0.0/0', Gateway: '0.0.0.0'}]},
      })
      expect(ofDb).toMatchObject({IPPrefixLen: 32, MacAddress: 'ee:ee:ee:ee:ee:ee', Gateway: '169.254.1.1', NetworkID: id, EndpointID: endpoint?.spec.endpoint})
      expect(await routes('db')).toEqual(CALICO_ROUTES)
      expect(await inside('db', 'ls', '/sys/class/net')).toBe('cali0\nlo')

      await start('app', 'net1')
      for (const name of ['db', 'db.net1', 'database']) expect(await inside('app', 'nslookup', name, '127.0.0.11')).toContain(`Address: ${ofDb?.IPAddress ?? ''}`)
      playFelix()
      expect(await inside('app', 'ping', '-c', '1', '-W', '5', 'db')).toContain(`PING db (${ofDb?.IPAddress ?? ''})`)

      recorder.take()
      await docker('rm', '-f', 'db')
      expect(normal(recorder.take())).toEqual([...LEFT, released('CalicoPoolIPv4', ofDb?.IPAddress)])
      await docker('rm', '-f', 'app')
      recorder.take()
      await docker('network', 'rm', 'net1')
      expect(normal(recorder.take())).toEqual([released('CalicoPoolIPv4', '0.0.0.0'), poolReleased('CalicoPoolIPv4'), DELETED])
    }, 300_000)

    /** What Felix does when endpoints appear: routes to them, and answers to ARP for 169.254.1.1. */
    function playFelix(): void {
      for (const {spec} of endpoints()) {
        host.run('ip', 'route', 'replace', spec.ipNetworks[0] ?? '', 'dev', spec.interfaceName)
        host.run('sh', '-c', `echo 1 >/proc/sys/net/ipv4/conf/${spec.interfaceName}/proxy_arp; echo 0 >/proc/sys/net/ipv4/neigh/${spec.interfaceName}/proxy_delay`)
      }
      host.run('ip', 'route', 'replace', 'default', 'dev', 'eth0')
      host.run('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward')
    }

    test('--subnet and --ip', async () => {
      await calicoctl(`pool add 10.1.0.0/16`)
      await calicoctl(`pool add ${POOL}`)
      await create('net1', '--subnet', POOL)
      await start('any', 'net1')
      await start('fixed', 'net1', '--ip', '192.168.5.5')
      expect(normal(recorder.take())).toEqual([
        ['IpamDriver.RequestPool', {AddressSpace: SPACE, Pool: POOL, SubPool: '', Options: {}, V6: false}],
        created({IPv4Data: [{AddressSpace: SPACE, Gateway: '0.0.0.0/0', Pool: POOL}]}),
        ...[requested(POOL), endpointMade({}), ...joined()],
        ...[requested(POOL, '192.168.5.5'), endpointMade({Address: '192.168.5.5/32'}), ...joined()],
      ])
      expect(await networkOf('fixed', 'net1')).toMatchObject({IPAddress: '192.168.5.5', IPPrefixLen: 32})
      expect(await routes('fixed')).toEqual(CALICO_ROUTES)
      expect(await inspect('network', 'net1')).toMatchObject({IPAM: {Config: [{Subnet: POOL}]}})
      await docker('rm', '-f', 'any', 'fixed')
      recorder.take()
      await docker('network', 'rm', 'net1')
      expect(normal(recorder.take())).toEqual([released(POOL, '0.0.0.0'), poolReleased(POOL), DELETED])
    }, 300_000)

    test('--ipv6: both families, the default route by the host end\'s link-local address', async () => {
      await calicoctl(`pool add ${POOL}`)
      await calicoctl(`pool add ${POOL6}`)
      await create('net10', '--ipv6', '--subnet', POOL6)
      await start('six', 'net10')
      const {GlobalIPv6Address = '', IPAddress = ''} = (await networkOf('six', 'net10')) ?? {}
      expect(normal(recorder.take())).toEqual([
        REQUEST_POOL4,
        ['IpamDriver.RequestPool', {AddressSpace: SPACE, Pool: POOL6, SubPool: '', Options: {}, V6: true}],
        created({IPv6Data: [{AddressSpace: SPACE, Gateway: '::/0', Pool: POOL6}]}, {'com.docker.network.enable_ipv6': true}),
        requested('CalicoPoolIPv4'),
        requested(POOL6),
        endpointMade({AddressIPv6: expect.stringMatching(/^fd80:24e2:f998:72d6:.*\/128$/) as unknown}),
        ...joined(),
      ])
      const [endpoint] = endpoints()
      expect(endpoint?.spec.ipNetworks).toEqual([`${IPAddress}/32`, `${GlobalIPv6Address}/128`])
      const [link] = JSON.parse(host.run('ip', '-j', '-6', 'addr', 'show', 'dev', endpoint?.spec.interfaceName ?? '', 'scope', 'link')) as {addr_info: {local: string}[]}[]
      const gateway = link?.addr_info[0]?.local ?? ''
      expect(await inside('six', 'ip', '-6', '-o', 'addr', 'show', 'dev', 'cali0')).toContain(`inet6 ${GlobalIPv6Address}/128 `)
      const six = await routes('six', '-6')
      expect(six.filter((line) => line.startsWith('default'))).toEqual([expect.stringContaining(`default via ${gateway} dev cali0`)])
      expect(six).toContainEqual(expect.stringMatching(new RegExp(`^${gateway} dev cali0`)))
      expect(await routes('six')).toEqual(CALICO_ROUTES)
      await until('the gateway answers', async () => (await runDocker(host, ['exec', 'six', 'ping', '-6', '-c', '1', '-W', '1', `${gateway}%cali0`])).code === 0)

      recorder.take()
      await docker('rm', '-f', 'six')
      expect(normal(recorder.take())).toEqual([...LEFT, released('CalicoPoolIPv4', IPAddress), released(POOL6, GlobalIPv6Address)])
      await docker('network', 'rm', 'net10')
      expect(normal(recorder.take())).toEqual([released('CalicoPoolIPv4', '0.0.0.0'), poolReleased('CalicoPoolIPv4'), released(POOL6, '::'), poolReleased(POOL6), DELETED])
    }, 300_000)

    test('a MAC address of the user\'s', async () => {
      await calicoctl(`pool add ${POOL}`)
      await create('net1')
      // This docker command gives a MAC address to engines from 25 on only.
      await api('containers/create?name=own', {Image: 'busybox', Cmd: ['sleep', '1d'], MacAddress: '02:11:22:33:44:55', HostConfig: {NetworkMode: 'net1'}})
      await docker('start', 'own')
      const option = {'com.docker.network.endpoint.macaddress': 'AhEiM0RV'}
      expect(normal(recorder.take()).slice(3)).toEqual([endpointMade({MacAddress: '02:11:22:33:44:55'}, option), ...joined()])
      expect(endpoints()[0]?.spec.mac).toBe('02:11:22:33:44:55')
      expect(await inside('own', 'cat', '/sys/class/net/cali0/address')).toBe('02:11:22:33:44:55')
      expect(await networkOf('own', 'net1')).toMatchObject({MacAddress: '02:11:22:33:44:55'})
    }, 300_000)

    test('the IPAM twin under its own name', async () => {
      await calicoctl(`pool add ${POOL}`)
      await docker('network', 'create', '-d', DRIVER, '--ipam-driver', `${DRIVER}-ipam`, 'net1')
      await start('db', 'net1')
      expect(normal(recorder.take()).filter(([name]) => name !== 'Plugin.Activate' && !name.endsWith('.GetCapabilities') && !name.endsWith('Spaces'))).toEqual([
        ...[REQUEST_POOL4, created(), requested('CalicoPoolIPv4'), endpointMade({}), ...joined()],
      ])
      expect(await routes('db')).toEqual(CALICO_ROUTES)
    }, 300_000)

    test('--opt profile, labels, mtu', async () => {
      await calicoctl(`pool add ${POOL}`)
      await create('net1', '--opt', 'profile=web', '--opt', 'labels=true', '--opt', 'com.docker.network.driver.mtu=1400')
      expect(normal(recorder.take())[1]).toEqual(created({}, {'com.docker.network.generic': {profile: 'web', labels: 'true', 'com.docker.network.driver.mtu': '1400'}}))
      expect(Object.keys(profiles())).toEqual(['web'])
      await start('db', 'net1', '--label', 'org.projectcalico.label.role=db', '--label', 'other=x')
      await until('the endpoint has the label', () => endpoints()[0]?.metadata.labels.role === 'db')
      expect(endpoints()[0]).toMatchObject({metadata: {labels: {role: 'db', 'projectcalico.org/orchestrator': 'libnetwork'}, annotations: {'calicoctl/container': 'db'}}, spec: {profiles: ['web']}})
      expect(Object.keys(endpoints()[0]?.metadata.labels ?? {})).not.toContain('other')
      expect(await inside('db', 'cat', '/sys/class/net/cali0/mtu')).toBe('1400')
      expect(host.run('cat', `/sys/class/net/${endpoints()[0]?.spec.interfaceName ?? ''}/mtu`).trim()).toBe('1400')
      expect(Object.keys(profiles())).toEqual(['web'])
    }, 300_000)

    test('--opt nat-outgoing and ipip, where the pool is so', async () => {
      await calicoctl(`pool add ${POOL} --ipip --nat-outgoing`)
      await create('net1', '--opt', 'nat-outgoing=true', '--opt', 'ipip=true')
      expect(normal(recorder.take())).toEqual([REQUEST_POOL4, created({}, {'com.docker.network.generic': {'nat-outgoing': 'true', ipip: 'true'}})])
    }, 300_000)

    test.each<[string, readonly string[], RegExp]>([
      ['--ip-range', ['--subnet', POOL, '--ip-range', '192.168.7.0/24'], /IpamDriver\.RequestPool: Calico IPAM does not support sub pool configuration on 'docker create network'\. Calico IP Pools should be configured first/],
      ['--gateway', ['--subnet', POOL, '--gateway', '192.168.0.1'], /^Error response from daemon: failed to allocate gateway \(192\.168\.0\.1\): IpamDriver\.RequestAddress: Calico IPAM does not support specifying a gateway\./],
      ['--ipam-opt', ['--ipam-opt', 'x=y'], /IpamDriver\.RequestPool: Arbitrary options are not supported/],
      ['--internal', ['--internal'], /NetworkDriver\.CreateNetwork: Calico driver does not support the flag --internal\./],
      ['an unknown --opt', ['--opt', 'speed=fast', '--opt', 'REJECT=1'], /CreateNetwork: Calico driver does not support the flags REJECT, speed\./],
      ['--opt ipip on a pool without', ['--opt', 'ipip=true'], /CreateNetwork: .*calicoctl pool add 192\.168\.0\.0\/16 --ipip/],
      ['--opt nat-outgoing=yes', ['--opt', 'nat-outgoing=yes'], /nat-outgoing=yes: only true and false are allowed/],
      ['--opt labels=1', ['--opt', 'labels=1'], /labels=1: only true and false are allowed/],
      ['--opt profile that is not a name', ['--opt', 'profile=a b'], /profile=a b: .*is not a valid profile name/],
      ['a subnet that is not a pool', ['--subnet', '192.168.0.0/24'], /The requested subnet must match the CIDR of a configured Calico IP Pool.*192\.168\.0\.0\/16/],
      ['an IPv6 subnet that is not a pool', ['--ipv6', '--subnet', POOL6], /The requested subnet must match the CIDR of a configured Calico IP Pool.*There is no IPv6 pool/],
      ['two subnets', ['--subnet', POOL, '--subnet', '10.1.0.0/16'], /multiple Gateways defined for IPv4|must match the CIDR/],
    ])('refused, with nothing left: %s', async (_, options, message) => {
      await calicoctl(`pool add ${POOL}`)
      const before = host.etcdctl('get', '--prefix', '/calico/')
      const {code, stdout, stderr} = await runDocker(host, ['network', 'create', '-d', DRIVER, '--ipam-driver', DRIVER, ...options, 'net1'])
      expect({code, stdout, stderr}).toEqual({code: 1, stdout: '', stderr: expect.stringMatching(message) as unknown})
      expect(stderr).toMatch(/^Error response from daemon: [^\n]+$/)
      expect(await docker('network', 'ls', '-q', '--filter', 'type=custom')).toBe('')
      expect(host.etcdctl('get', '--prefix', '/calico/')).toBe(before)
      expect(networkFiles()).toBe('')
    }, 300_000)

    test('connect and disconnect while the container runs; a second Calico network is refused', async () => {
      await calicoctl(`pool add ${POOL}`)
      await docker('network', 'create', '-d', 'bridge', 'plain')
      await start('db', 'plain')
      await create('net1')
      await create('net2')
      recorder.take()
      await docker('network', 'connect', 'net1', 'db')
      const [endpoint] = endpoints()
      expect(normal(recorder.take())).toEqual([requested('CalicoPoolIPv4'), endpointMade({}), ...joined()])
      expect((await inside('db', 'ls', '/sys/class/net')).split('\n').sort()).toEqual(['cali0', 'eth0', 'lo'])
      const second = await runDocker(host, ['network', 'connect', 'net2', 'db'])
      expect(second).toMatchObject({code: 1, stderr: expect.stringMatching(/NetworkDriver\.Join: A container can be in one Calico network only.* of the Docker network net1 .*docker network disconnect net1 CONTAINER/) as unknown})
      expect(second.stderr).toContain(endpoint?.spec.endpoint)
      expect(endpoints().map(({spec}) => spec.endpoint)).toEqual([endpoint?.spec.endpoint])
      expect(Object.keys(assigned(host))).toHaveLength(1)
      expect(calicoInterfaces(host)).toEqual([endpoint?.spec.interfaceName])
      recorder.take()
      await docker('network', 'disconnect', 'net1', 'db')
      expect(normal(recorder.take())).toEqual([...LEFT, released('CalicoPoolIPv4', endpoint?.spec.ipNetworks[0]?.split('/')[0])])
      expect((await inside('db', 'ls', '/sys/class/net')).split('\n').sort()).toEqual(['eth0', 'lo'])
      expect(assigned(host)).toEqual({})
      await docker('network', 'connect', 'net2', 'db')
      // Docker goes on counting.
      expect(await routes('db')).toContainEqual(expect.stringMatching(/^169\.254\.1\.1 dev cali\d scope link$/))
      expect(endpoints().map(({spec}) => spec.profiles)).toEqual([['net2']])
    }, 300_000)

    test('a container in a network, by its name: its profiles and endpoint; its addresses and connection are Docker\'s', async () => {
      await calicoctl(`pool add ${POOL}`)
      await calicoctl('profile add web')
      await create('net1')
      await start('db', 'net1')
      const [endpoint] = endpoints()
      const id = endpoint?.spec.endpoint ?? ''
      const before = await routes('db')
      const path = `/proc/${(await docker('inspect', '-f', '{{.State.Pid}}', 'db')).trim()}/ns/net`
      const container = (await docker('inspect', '-f', '{{.Id}}', 'db')).trim()
      for (const name of ['db', container, container.slice(0, 4), path]) {
        expect(await calicoctl(`container ${name} endpoint show -o name`)).toBe(`${id}\n`)
        await calicoctl(`container ${name} profile append web`)
        expect((await calicoctl(`container ${name} profile show -o name`)).split('\n').sort()).toEqual(['', 'net1', 'web'])
        await calicoctl(`container ${name} profile remove web`)
        for (const words of [`add ${name} ipv4`, `add ${name} ipv4 --dry-run`, `${name} ip add ipv4`, `${name} ip remove ${endpoint?.spec.ipNetworks[0]?.split('/')[0] ?? ''}`, `remove ${name}`]) {
          const {code, stdout, stderr} = await host.calicoctl(`container ${words}`.split(' '))
          // By the path of a namespace, it is a namespace that has an endpoint; by name, a container that is in a network.
          expect({words, code, stdout, stderr}).toEqual({words, code: words.startsWith('add /') ? 5 : 8, stdout: words.includes('dry-run') ? expect.anything() : '', stderr: expect.stringContaining(id) as unknown})
          expect(stderr).toContain(name === path ? endpoint?.metadata.annotations['calicoctl/network']?.slice(0, 12) : 'docker network disconnect net1')
        }
      }
      expect(await routes('db')).toEqual(before)
      expect(endpoints().map(({spec}) => spec)).toEqual([endpoint?.spec])
      await docker('run', '-d', '--name', 'other', '--net', 'none', 'busybox', 'sleep', '1d')
      await calicoctl('container add other ipv4')
      const refused = await runDocker(host, ['network', 'connect', 'net1', 'other'])
      // The Engine keeps a container of --net=none out of every network itself.
      expect(refused.code).toBe(1)
      await docker('network', 'create', '-d', 'bridge', 'plain')
      await start('third', 'plain')
      await calicoctl('container add third ipv4')
      expect(await runDocker(host, ['network', 'connect', 'net1', 'third'])).toMatchObject({code: 1, stderr: expect.stringMatching(/A container can be in one Calico network only.*calicoctl container remove CONTAINER/) as unknown})
      await calicoctl('container remove third')
      await docker('network', 'connect', 'net1', 'third')
      await calicoctl('container remove other')
    }, 300_000)

    test('the same name twice, by id: one profile', async () => {
      await calicoctl(`pool add ${POOL}`)
      // The docker command asks the Engine to refuse that; others do not.
      const make = () => api('networks/create', {Name: 'twin', Driver: DRIVER, IPAM: {Driver: DRIVER}, CheckDuplicate: false})
      const ids = [(await make()).Id, (await make()).Id]
      expect(new Set(ids).size).toBe(2)
      await docker('network', 'create', '-d', 'bridge', 'plain')
      for (const [i, id] of ids.entries()) {
        await start(`c${i}`, 'plain')
        await docker('network', 'connect', id, `c${i}`)
      }
      expect(endpoints().map(({spec, metadata}) => [metadata.annotations['calicoctl/network'], spec.profiles]).sort()).toEqual(ids.map((id) => [id, ['twin']]).sort())
      expect(Object.keys(profiles())).toEqual(['twin'])
    }, 300_000)

    test('a name that v3 cannot hold; and the id of a network for its profile', async () => {
      await calicoctl(`pool add ${POOL}`)
      const id = await create('Data_Tier')
      await start('db', 'Data_Tier')
      const [name, profile] = Object.entries(profiles())[0] ?? []
      expect(name).toMatch(/^[a-z0-9][a-z0-9.-]*$/)
      expect(profile?.spec).toMatchObject({labelsToApply: {Data_Tier: ''}, ingress: [{action: 'Allow', source: {selector: 'has(Data_Tier)'}}]})
      expect(endpoints()[0]?.spec.profiles).toEqual([name])
      const shown = 'Inbound rules:\n   1 allow from tag Data_Tier\nOutbound rules:\n   1 allow\n'
      expect(await calicoctl('profile Data_Tier rule show')).toBe(shown)
      expect(await calicoctl(`profile ${id} rule show`)).toBe(shown)
      await calicoctl(`profile ${id} rule add inbound allow tcp to ports 80`)
      expect(await calicoctl('profile Data_Tier rule show')).toContain('   2 allow tcp to ports 80\n')
      expect(await calicoctl('endpoint show --detailed')).toMatch(new RegExp(`\\| ${NODE} .* Data_Tier .*\\| active`))
    }, 300_000)
  })

  describe('of Docker\'s own IPAM', () => {
    test('--opt nat-outgoing and ipip: a disabled pool, the bridge for the rest, gone with the network', async () => {
      const id = await docker('network', 'create', '-d', DRIVER, '--subnet', '192.168.40.0/24', '--opt', 'nat-outgoing=true', '--opt', 'ipip=true', 'net1')
      expect(Object.values(stored(host, `${V3}ippools/`))).toMatchObject([
        {metadata: {annotations: {'calicoctl/network': id}}, spec: {cidr: '192.168.40.0/24', ipipMode: 'Always', natOutgoing: true, disabled: true}},
      ])
      await start('db', 'net1')
      expect(normal(recorder.take())).toEqual([
        created(
          {IPv4Data: [{AddressSpace: 'LocalDefault', Gateway: '192.168.40.1/24', Pool: '192.168.40.0/24'}]},
          {'com.docker.network.generic': {'nat-outgoing': 'true', ipip: 'true'}},
        ),
        endpointMade({Address: '192.168.40.2/24'}),
        // What is outside is the bridge driver's.
        ...joined().slice(0, 1),
      ])
      expect(endpoints()[0]?.spec).toMatchObject({ipNetworks: ['192.168.40.2/32'], profiles: ['net1'], mac: 'ee:ee:ee:ee:ee:ee'})
      expect(assigned(host)).toEqual({})
      const found = await routes('db')
      expect(found.filter((line) => line.includes('cali0'))).toEqual([expect.stringMatching(/^192\.168\.40\.0\/24 dev cali0 scope link {2}src 192\.168\.40\.2/)])
      expect(found.filter((line) => line.startsWith('default'))).toEqual([expect.stringContaining('dev eth0')])
      recorder.take()
      await docker('rm', '-f', 'db')
      await docker('network', 'rm', 'net1')
      expect(normal(recorder.take())).toEqual([...LEFT.slice(1), DELETED])
      expect(stored(host, `${V3}ippools/`)).toEqual({})
    }, 300_000)

    test('without options; a subnet that overlaps a pool, and ipip=false', async () => {
      await calicoctl(`pool add ${POOL}`)
      const {code, stderr} = await runDocker(host, ['network', 'create', '-d', DRIVER, '--subnet', '192.168.40.0/24', 'net1'])
      expect({code, stderr}).toEqual({code: 1, stderr: expect.stringMatching(/CreateNetwork: The subnet 192\.168\.40\.0\/24 overlaps the Calico pool 192\.168\.0\.0\/16/) as unknown})
      expect(networkFiles()).toBe('')
      await docker('network', 'create', '-d', DRIVER, '--subnet', '10.40.0.0/24', '--opt', 'ipip=false', 'net1')
      expect(Object.values(stored(host, `${V3}ippools/`))).toContainEqual(expect.objectContaining({spec: expect.objectContaining({cidr: '10.40.0.0/24', ipipMode: 'Never', disabled: true}) as unknown}))
      // Nobody gets an address of it by Calico's IPAM.
      const refused = await runDocker(host, ['network', 'create', '-d', DRIVER, '--ipam-driver', DRIVER, '--subnet', '10.40.0.0/24', 'net2'])
      expect(refused).toMatchObject({code: 1, stderr: expect.stringContaining("belongs to the Docker network") as unknown})
    }, 300_000)
  })

  test('a driver for all labels, beside the other; and one of global scope, without a cluster', async () => {
    await calicoctl(`pool add ${POOL}`)
    const labelled = await startDriver(host, {socket: '/run/docker/plugins/labelled.sock', args: ['--label-endpoints']})
    const global = await startDriver(host, {socket: '/run/docker/plugins/everywhere.sock', args: ['--scope', 'global']})
    try {
      await docker('network', 'create', '-d', 'labelled', '--ipam-driver', 'labelled', 'net1')
      await start('db', 'net1', '--label', 'org.projectcalico.label.role=db')
      await until('the endpoint has the label', () => endpoints()[0]?.metadata.labels.role === 'db')
      await docker('rm', '-f', 'db')
      await docker('network', 'rm', 'net1')
      const {code, stderr} = await runDocker(host, ['network', 'create', '-d', 'everywhere', '--ipam-driver', 'everywhere', 'net2'])
      expect({code, stderr}).toEqual({code: 1, stderr: expect.stringContaining('This node is not a swarm manager') as unknown})
      expect(networkFiles()).toBe('')
    } finally {
      expect(await labelled.stop()).toBe(0)
      expect(await global.stop()).toBe(0)
    }
  }, 300_000)
})
