/** container and endpoint commands with a real Docker Engine, a real etcd and real packets. */
import {execFileSync, spawn} from 'node:child_process'
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, expect, test, describe} from '@jest/globals'
import {CALICOCTL, checkBuild, calicoctl as inOwnProcess, type Result, startCalicoctl} from '../support/cli.js'
import {heldToSchema} from '../support/schemas.js'
import {type EngineProxy, startEngine, startEngineProxy, suite, type TestEngine, whyNoEngine} from '../support/docker.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {hostInterfaces, startNamespace} from '../support/namespaces.js'
import {type Proxy, startProxy} from '../support/proxy.js'
import {calicoctl} from '../support/warm.js'

const NODE = 'rack1-host1'
const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const ENDPOINTS = `${RESOURCES}workloadendpoints/`
const IPAM = '/calico/ipam/v2/'

suite('containers', whyNoEngine(), () => {
  let engine: TestEngine
  let etcd: TestEtcd
  let folder: string
  let containers: string[]

  beforeAll(async () => {
    engine = await startEngine()
    etcd = await startEtcd()
    folder = mkdtempSync(join(tmpdir(), 'calicoctl-containers-'))
  }, 300_000)
  afterAll(async () => {
    await etcd.stop()
    await engine.stop()
    rmSync(folder, {recursive: true, force: true})
  }, 300_000)
  beforeEach(async () => {
    containers = []
    await etcd.ctl('del', '--prefix', '/')
  })
  afterEach(async () => {
    if (containers.length > 0) await engine.docker('rm', '-f', ...containers)
    // Interfaces whose container is gone go with it; a moment later.
    await until(() => calicoInterfaces().length === 0)
  }, 300_000)

  const env = (more: Readonly<Record<string, string | undefined>> = {}) => ({ETCD_ENDPOINTS: etcd.endpoints.join(','), DOCKER_HOST: engine.address, HOSTNAME: NODE, ...more})
  const run = (line: string, more: Readonly<Record<string, string | undefined>> = {}): Promise<Result> => calicoctl(line.split(' '), {env: env(more)}).then((result) => heldToSchema(line, result))

  /** Runs LINES, each of which must end in 0. */
  async function given(...lines: string[]): Promise<Result> {
    const results: Result[] = []
    for (const line of lines) {
      const result = await run(line)
      if (result.code !== 0) throw new Error(`${line}: ${result.code ?? ''} ${result.stdout} ${result.stderr}`)
      results.push(result)
    }
    const last = results.at(-1)
    if (!last) throw new Error('no line was given')
    return last
  }

  let counter = 0
  async function container(...options: string[]): Promise<string> {
    const name = `test-${process.pid}-${++counter}`
    await engine.docker('run', '-d', '--name', name, ...(options.some((option) => option.startsWith('--net')) ? options : ['--net=none', ...options]), 'busybox', 'sleep', '1d')
    containers.push(name)
    return name
  }
  const inside = (name: string, ...command: string[]): Promise<string> => engine.inside(name, ...command)
  const idOf = async (name: string): Promise<string> => (await engine.inspect(name)).id

  const keys = async (prefix: string): Promise<string[]> => (await etcd.ctl('get', '--prefix', '--keys-only', prefix)).split('\n').filter((line) => line !== '')
  const values = async (prefix: string): Promise<string[]> => (await etcd.ctl('get', '--prefix', '--print-value-only', prefix)).split('\n').filter((line) => line !== '')
  interface StoredEndpoint {
    metadata: {name: string; uid: string; annotations?: Record<string, string>; labels: Record<string, string>}
    spec: {interfaceName: string; mac: string; ipNetworks?: string[]; profiles?: string[]; endpoint: string; workload: string; orchestrator: string; node: string}
  }
  const endpoints = async (): Promise<StoredEndpoint[]> => (await values(ENDPOINTS)).map((text) => JSON.parse(text) as StoredEndpoint)
  const assigned = async (): Promise<number> =>
    (await values(`${IPAM}assignment/`)).reduce((sum, text) => sum + (JSON.parse(text) as {allocations: (number | null)[]}).allocations.filter((index) => index !== null).length, 0)
  const calicoInterfaces = () => hostInterfaces().filter((name) => name.startsWith('cali'))

  /** Nothing of any container is left in the store or on the host, and IPAM is consistent. */
  async function expectNothingLeft(): Promise<void> {
    expect({endpoints: await keys(ENDPOINTS), handles: await keys(`${IPAM}handle/`), assigned: await assigned(), interfaces: calicoInterfaces()}).toEqual({
      endpoints: [],
      handles: [],
      assigned: 0,
      interfaces: [],
    })
    expect(await run('ipam check')).toMatchObject({code: 0})
  }

  describe('the main job', () => {
    const JOB = [
      'calicoctl pool add 192.168.0.0/16',
      'calicoctl profile add web',
      'docker run -d --net=none --name workload-A busybox sleep 1d',
      'docker run -d --net=none --name workload-B busybox sleep 1d',
      'calicoctl container add workload-A 192.168.0.1',
      'calicoctl container add workload-B ipv4',
      'calicoctl container workload-A profile append web',
      'calicoctl endpoint show --detailed',
      'calicoctl container workload-A ip add 192.168.0.7',
      'calicoctl ipam info 192.168.0.1',
      'calicoctl container remove workload-A',
    ]
    test('typed into bash, word for word', async () => {
      checkBuild()
      containers.push('workload-A', 'workload-B')
      mkdirSync(join(folder, 'bin'), {recursive: true})
      writeFileSync(join(folder, 'bin/calicoctl'), `#!/bin/sh\nexec ${process.execPath} ${CALICOCTL} "$@"\n`)
      chmodSync(join(folder, 'bin/calicoctl'), 0o755)
      const out: Record<string, string> = {}
      for (const line of JOB) {
        out[line] = execFileSync('bash', ['-c', line], {encoding: 'utf8', env: {...env(), PATH: `${folder}/bin:${process.env.PATH ?? ''}`, HOME: folder}})
      }
      const [idA, idB] = [await idOf('workload-A'), await idOf('workload-B')]
      expect(out['calicoctl container add workload-A 192.168.0.1']).toBe('IP 192.168.0.1 added to workload-A\n\n')
      expect(out['calicoctl container add workload-B ipv4']).toMatch(/^IP 192\.168\.\d+\.\d+ added to workload-B\n\n$/)
      expect(out['calicoctl container workload-A profile append web']).toBe('Profile(s) web appended.\n\n')
      const table = out['calicoctl endpoint show --detailed'] ?? ''
      const rows = table.split('\n').filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
      expect(rows[0]).toEqual(['Hostname', 'Orchestrator ID', 'Workload ID', 'Endpoint ID', 'Addresses', 'MAC', 'Profiles', 'State'])
      expect(rows.slice(1).map(([host, orchestrator, workload, , , , profiles, state]) => [host, orchestrator, workload, profiles, state])).toEqual(
        [[NODE, 'docker', idA, 'web', 'active'], [NODE, 'docker', idB, '', 'active']].sort((a, b) => ((a[2] ?? '') < (b[2] ?? '') ? -1 : 1)),
      )
      expect(out['calicoctl container workload-A ip add 192.168.0.7']).toBe('IP 192.168.0.7 added to workload-A\n')
      expect(out['calicoctl ipam info 192.168.0.1']).toContain(NODE)
      expect(out['calicoctl container remove workload-A']).toBe(`Removed Calico from ${idA}\n`)
      expect(await given('container remove workload-B')).toMatchObject({stdout: `Removed Calico from ${idB}\n`})
      await expectNothingLeft()
    }, 300_000)

    test('the endpoint as Calico wants it', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      await given(`container add ${name} 192.168.0.1`)
      const id = await idOf(name)
      const [key = ''] = await keys(ENDPOINTS)
      const [endpoint] = await endpoints()
      const node = NODE.replaceAll('-', '--')
      expect(endpoint?.spec.endpoint).toMatch(/^[0-9a-f]{32}$/)
      expect(key).toBe(`${ENDPOINTS}default/${node}-docker-${id}-${endpoint?.spec.endpoint ?? ''}`)
      expect(endpoint).toMatchObject({
        kind: 'WorkloadEndpoint',
        metadata: {name: key.slice(`${ENDPOINTS}default/`.length), namespace: 'default', labels: {'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'docker'}, annotations: {'calicoctl/container': name}},
        spec: {orchestrator: 'docker', workload: id, node: NODE, ipNetworks: ['192.168.0.1/32'], interfaceName: `cali${endpoint?.spec.endpoint.slice(0, 11) ?? ''}`},
      })
      expect(endpoint?.spec.profiles).toBeUndefined()
      expect(await inside(name, 'cat', '/sys/class/net/eth1/address')).toBe(endpoint?.spec.mac)
      expect(endpoint?.spec.mac).toMatch(/^02:/)
      expect(readFileSync(`/sys/class/net/${endpoint?.spec.interfaceName ?? ''}/address`, 'utf8').trim()).toBe('ee:ee:ee:ee:ee:ee')
      expect(await keys(`${IPAM}handle/`)).toEqual([`${IPAM}handle/docker.${id}`])
      expect(await keys(`${RESOURCES}nodes/`)).toEqual([`${RESOURCES}nodes/${NODE}`])
    }, 300_000)
  })

  describe('packets', () => {
    /** What Felix does for an endpoint's interface: host route, proxy ARP, forwarding; here without policy. */
    async function actAsFelix(): Promise<void> {
      for (const {spec} of await endpoints()) {
        const {interfaceName} = spec
        execFileSync('sysctl', ['-q', `net.ipv4.conf.${interfaceName}.proxy_arp=1`, `net.ipv4.conf.${interfaceName}.forwarding=1`, `net.ipv6.conf.${interfaceName}.forwarding=1`])
        // The kernel delays proxied answers by up to 0.8 s otherwise.
        execFileSync('sysctl', ['-q', `net.ipv4.neigh.${interfaceName}.proxy_delay=0`])
        for (const network of spec.ipNetworks ?? []) execFileSync('ip', ['route', 'replace', network, 'dev', interfaceName])
      }
    }
    const RULES = [['-i', 'cali+'], ['-o', 'cali+']].map((match) => ['FORWARD', ...match, '-j', 'ACCEPT'])
    let forwarding: string
    beforeAll(() => {
      forwarding = readFileSync('/proc/sys/net/ipv6/conf/all/forwarding', 'utf8').trim()
      execFileSync('sysctl', ['-q', 'net.ipv6.conf.all.forwarding=1'])
      for (const rule of RULES) execFileSync('iptables', ['-w', '-I', ...rule])
    })
    afterAll(() => {
      for (const rule of RULES) execFileSync('iptables', ['-w', '-D', ...rule])
      execFileSync('sysctl', ['-q', `net.ipv6.conf.all.forwarding=${forwarding}`])
    })
    const ping = async (name: string, to: string): Promise<boolean> => {
      try {
        await inside(name, 'ping', '-c', '1', '-W', '2', to)
        return true
      } catch {
        return false
      }
    }

    test('two containers reach each other and the host, at every address they have, until it is taken away', async () => {
      await given('pool add 192.168.0.0/16', 'pool add fd80:24e2:f998:72d6::/64')
      const [a, b] = [await container(), await container('--net=bridge')]
      await given(`container add ${a} 192.168.0.1`, `container add ${b} ipv4 --interface=hello`, `container ${a} ip add fd80:24e2:f998:72d6::1`, `container ${b} ip add fd80:24e2:f998:72d6::2 --interface hello`, `container ${a} ip add 192.168.0.77`)
      await actAsFelix()
      const ofB = (await endpoints()).find(({spec}) => spec.ipNetworks?.every((network) => network !== '192.168.0.1/32'))?.spec.ipNetworks?.[0]?.split('/')[0] ?? ''
      expect(await ping(a, ofB)).toBe(true)
      expect(await ping(b, '192.168.0.1')).toBe(true)
      expect(await ping(b, '192.168.0.77')).toBe(true)
      expect(await ping(a, 'fd80:24e2:f998:72d6::2')).toBe(true)
      expect(await ping(b, 'fd80:24e2:f998:72d6::1')).toBe(true)
      await given(`container ${a} ip remove 192.168.0.77`)
      expect(await ping(b, '192.168.0.77')).toBe(false)
      expect(await ping(b, '192.168.0.1')).toBe(true)
      await given(`container remove ${a}`, `container remove ${b}`)
      expect(await ping(b, '192.168.0.1')).toBe(false)
      expect(await inside(a, 'ip', 'route')).toBe('')
      expect(await inside(b, 'ip', 'route')).not.toContain('169.254.1.1')
      expect(execFileSync('ip', ['route'], {encoding: 'utf8'})).not.toContain('cali')
      await expectNothingLeft()
    }, 300_000)

    test('an IPv6 address alone', async () => {
      await given('pool add fd80:24e2:f998:72d6::/64')
      const [a, b] = [await container(), await container()]
      await given(`container add ${a} fd80:24e2:f998:72d6::/64`, `container add ${b} ipv6`)
      await actAsFelix()
      const addresses = (await endpoints()).map(({spec}) => spec.ipNetworks?.[0]?.split('/')[0] ?? '')
      for (const name of [a, b]) for (const to of addresses) expect(await ping(name, to)).toBe(true)
      await given(`container remove ${a}`, `container remove ${b}`)
      await expectNothingLeft()
    }, 300_000)
  })

  describe('again and again', () => {
    test('a second add is refused; of two at once, one wins', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      const both = await Promise.all([run(`container add ${name} ipv4`), run(`container add ${name} ipv4`)])
      expect(both.map(({code}) => code).sort()).toEqual([0, 5])
      expect(both.find(({code}) => code === 5)?.stderr).toContain(`${name} has already been configured with Calico Networking.`)
      expect(await assigned()).toBe(1)
      expect(await run(`container add ${name} 192.168.0.9`)).toMatchObject({code: 5, stdout: ''})
      expect(await assigned()).toBe(1)
      expect(await given(`container remove ${name}`)).toMatchObject({stdout: `Removed Calico from ${await idOf(name)}\n`})
      expect(await given(`container remove ${name}`)).toMatchObject({stdout: `Failed find Calico data for ${await idOf(name)}\n`})
      await expectNothingLeft()
    }, 300_000)

    test('a container that was restarted is connected again, with its address', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      await given(`container add ${name} ipv4`, `container ${name} ip add 192.168.9.9`)
      const [before] = await endpoints()
      await engine.docker('restart', '-t', '0', name)
      expect(await run('endpoint gc')).toMatchObject({code: 10, stdout: expect.stringContaining('is missing; container add restores it') as unknown})
      expect(await run(`container add ${name} 192.168.77.77`)).toMatchObject({code: 5})
      const first = before?.spec.ipNetworks?.[0]?.split('/')[0] ?? ''
      expect(await run(`container ${name} ip add ipv4`)).toMatchObject({code: 1, stderr: expect.stringContaining(`calicoctl container add ${name} ${first}`) as unknown})
      expect(await given(`container add ${name} ipv4`)).toMatchObject({stdout: `IP ${before?.spec.ipNetworks?.[0]?.split('/')[0] ?? ''} added to ${name}\n\n`})
      expect(await endpoints()).toEqual([before])
      expect(await inside(name, 'ip', 'address')).toContain('192.168.9.9/32')
      expect(await run('endpoint gc')).toMatchObject({code: 0})
      await given(`container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)

    test('a stopped container, and one that is gone, can be removed', async () => {
      await given('pool add 192.168.0.0/16')
      const [stopped, gone, stale] = [await container(), await container(), await container()]
      const [, goneId, staleId] = [await idOf(stopped), await idOf(gone), await idOf(stale)]
      for (const name of [stopped, gone, stale]) await given(`container add ${name} ipv4`)
      await engine.docker('stop', '-t', '0', stopped)
      expect(await run('endpoint gc')).toMatchObject({code: 10, stdout: expect.stringContaining('the container is stopped') as unknown})
      await given(`container remove ${stopped}`)
      await engine.docker('rm', '-f', gone, stale)
      containers = containers.filter((name) => name !== gone && name !== stale)
      await until(() => calicoInterfaces().length === 0)
      expect(await given(`container remove ${gone}`)).toMatchObject({stdout: `Removed Calico from ${goneId}\n`})
      expect(await run(`container remove ${gone}`)).toMatchObject({code: 4})
      expect(await run('endpoint gc -o json')).toMatchObject({code: 10, stdout: expect.stringContaining(staleId) as unknown})
      expect(await run('endpoint gc --apply --dry-run')).toMatchObject({code: 0})
      expect(await endpoints()).toHaveLength(1)
      expect(await run('endpoint gc --apply')).toMatchObject({code: 0})
      expect(await given('endpoint gc')).toMatchObject({code: 0})
      await expectNothingLeft()
    }, 300_000)

    test('by the beginning of its id, 4 characters or more, which is said back', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      const id = await idOf(name)
      for (const word of [id.slice(0, 1), id.slice(0, 3)]) {
        expect(await run(`container add ${word} ipv4`)).toMatchObject({code: 4, stdout: '', stderr: expect.stringContaining('first 4 characters') as unknown})
      }
      const said = `${id.slice(0, 4)} is the container ${name} (${id.slice(0, 12)})`
      expect(await run(`container add ${id.slice(0, 4)} ipv4`)).toMatchObject({code: 0, stderr: expect.stringContaining(said) as unknown})
      expect(await run(`container ${id.slice(0, 4)} endpoint show`)).toMatchObject({code: 0, stderr: expect.stringContaining(said) as unknown})
      expect(await run(`container remove ${name}`)).toMatchObject({code: 0, stderr: expect.not.stringContaining('is the container') as unknown})
    }, 300_000)

    test('by the name that it had: not where another has it, or it is called otherwise now, or two had it', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      const id = await idOf(name)
      await given(`container add ${name} ipv4`)
      await engine.docker('rename', name, `${name}-b`)
      containers.push(`${name}-b`)
      expect(await run(`container remove ${name}`)).toMatchObject({code: 5, stderr: expect.stringContaining(`is now named ${name}-b;`) as unknown})
      await engine.docker('rm', '-f', `${name}-b`)
      containers = []
      await engine.docker('run', '-d', '--name', name, '--net=none', 'busybox', 'sleep', '1d')
      expect(await run(`container remove ${name}`)).toMatchObject({code: 0, stdout: expect.stringContaining('Failed find Calico data') as unknown, stderr: expect.stringContaining(id) as unknown})
      const second = await idOf(name)
      await given(`container add ${name} ipv4`)
      await engine.docker('rm', '-f', name)
      await until(() => calicoInterfaces().length === 0)
      expect(await run(`container remove ${name}`)).toMatchObject({code: 5, stderr: expect.stringContaining('Give its id') as unknown})
      await given(`container ${id} profile set`, `container remove ${id}`, `container remove ${name}`)
      expect(await endpoints()).toEqual([])
      expect(await run(`container remove ${second.slice(0, 12)}`)).toMatchObject({code: 4})
      await expectNothingLeft()
    }, 300_000)

    test('ipam info says by whom an address is used, before v0.20\'s line', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      await given(`container add ${name} 192.168.0.1`)
      const id = await idOf(name)
      const [endpoint] = await endpoints()
      expect(await given('ipam info 192.168.0.1')).toMatchObject({
        stdout: `{"node":"${NODE}"}\n`,
        stderr: `Endpoint: ${endpoint?.spec.endpoint ?? ''} of docker workload ${id} on ${NODE}\nContainer: ${name} (${id.slice(0, 12)})\nHandle: docker.${id}\n`,
      })
      expect(JSON.parse((await given('ipam info 192.168.0.1 -o json')).stdout)).toMatchObject({handle: `docker.${id}`, endpoint: {endpoint: endpoint?.spec.endpoint, container: name}})
      await given('ipam assign 192.168.0.9 --handle mine')
      expect((await given('ipam info 192.168.0.9')).stderr).toBe('Endpoint: none\nHandle: mine\n')
      // What the check says mends it: assigned as it was.
      await given('ipam release --handle mine')
      await etcd.ctl('del', '--prefix', IPAM)
      expect((await given('ipam info 192.168.0.1')).stderr).toContain('which is not assigned to it')
      const {problems} = JSON.parse((await run('ipam check -o json')).stdout) as {problems: {class: string; command: string}[]}
      expect(problems).toEqual([expect.objectContaining({class: 'unassigned-address', command: `calicoctl ipam assign 192.168.0.1 --node ${NODE} --handle docker.${id}`})])
      expect((await run('ipam check')).stderr).not.toContain('--repair')
      await given(problems[0]?.command.replace('calicoctl ', '') ?? '', 'ipam check', `container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)

    test('a dry run writes nothing and makes nothing, for anybody who may ask the Engine', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      const before = await etcd.ctl('get', '--prefix', '/')
      expect(await run(`container add ${name} ipv4 --dry-run`)).toMatchObject({code: 0, stdout: expect.stringContaining('WorkloadEndpoint') as unknown})
      expect(await etcd.ctl('get', '--prefix', '/')).toBe(before)
      expect(calicoInterfaces()).toEqual([])
      await given(`container add ${name} 192.168.0.1`)
      const after = await etcd.ctl('get', '--prefix', '/')
      for (const line of [`container ${name} ip add ipv4`, `container ${name} ip remove 192.168.0.1`, `container remove ${name}`, 'endpoint remove 192.168.0.1 --force']) expect(await run(`${line} --dry-run`)).toMatchObject({code: 0})
      expect(await etcd.ctl('get', '--prefix', '/')).toBe(after)
      expect(calicoInterfaces()).toHaveLength(1)
      await given(`container remove ${name}`)
    }, 300_000)
  })

  describe('network namespaces', () => {
    test('have an endpoint of their own orchestrator, by whatever path, and lose all of it', async () => {
      await given('pool add 192.168.0.0/16', 'profile add web')
      const namespace = await startNamespace()
      const named = `test-${process.pid}`
      execFileSync('ip', ['netns', 'add', named])
      try {
        for (const path of [namespace.path, `/var/run/netns/${named}`]) {
          expect(await given(`container add ${path} ipv4`)).toMatchObject({stdout: expect.stringMatching(new RegExp(`^IP 192\\.168\\.[0-9.]+ added to\\s${path}\\n\\n$`)) as unknown})
          expect(await run(`container add ${path} ipv4`)).toMatchObject({code: 5})
          await given(`container ${path} profile append web`, `container ${path} ip add 192.168.5.5`)
          expect((await given(`container ${path} endpoint show`)).stdout).toContain(path.replaceAll('/', '-'))
          expect((await endpoints())[0]).toMatchObject({spec: {orchestrator: 'namespace', profiles: ['web'], node: NODE}, metadata: {annotations: {'calicoctl/workload': path.replaceAll('/', '-'), 'calicoctl/namespace': path}}})
          await given(`container ${path} ip remove 192.168.5.5`)
          expect(await given(`container remove ${path}`)).toMatchObject({stdout: `Removed Calico from ${path}\n`})
          await expectNothingLeft()
        }
        // By its id, which begins with a dash: behind --.
        const id = namespace.path.replaceAll('/', '-')
        await given(`container add ${namespace.path} ipv4`)
        expect(await run(`container ${id} endpoint show`)).toMatchObject({code: 1, stderr: expect.stringContaining('Usage:') as unknown})
        await given(`container -- ${id} profile append web`)
        expect((await given(`container -- ${id} endpoint show`)).stdout).toContain(id)
        expect((await endpoints())[0]).toMatchObject({spec: {profiles: ['web']}})
        expect(await run(`container add -- ${id} ipv4`)).toMatchObject({code: 4, stderr: expect.stringContaining('/proc/PID/ns/net') as unknown})
        await given(`container remove -- ${id}`)
        await expectNothingLeft()
        expect(await run('container add /etc/hostname ipv4')).toMatchObject({code: 1, stderr: expect.stringContaining('is not a network namespace') as unknown})
        expect(await run('container add /proc/self/ns/uts ipv4')).toMatchObject({code: 1})
        expect(await run(`container add /proc/${process.pid}/ns/net ipv4`)).toMatchObject({code: 1, stderr: expect.stringContaining("the host's own") as unknown})
        expect(await run('container add /no/such/path ipv4')).toMatchObject({code: 4, stderr: expect.not.stringContaining('docker ps') as unknown})
        await given(`container add ${namespace.path} ipv4`)
      } finally {
        execFileSync('ip', ['netns', 'delete', named])
        await namespace.stop()
      }
      await until(() => calicoInterfaces().length === 0)
      expect(await run('endpoint gc')).toMatchObject({code: 10, stdout: expect.stringContaining('there is no network namespace') as unknown})
      expect(await run(`container remove ${namespace.path}`)).toMatchObject({code: 0})
      await expectNothingLeft()
    }, 300_000)

    test('of the same path on two hosts do not share an address', async () => {
      await given('pool add 192.168.0.0/16')
      const namespace = await startNamespace()
      try {
        await given(`container add ${namespace.path} ipv4`)
        // One namespace has one endpoint: the other host's is another one, of which only the path is the same.
        execFileSync('ip', ['link', 'delete', calicoInterfaces()[0] ?? ''])
        await given(`container add ${namespace.path} ipv4 --node other`)
        expect(await assigned()).toBe(2)
        await given(`container remove ${namespace.path}`)
        expect(await assigned()).toBe(1)
        await given(`container remove ${namespace.path} --node other`)
        await expectNothingLeft()
      } finally {
        await namespace.stop()
      }
    }, 300_000)

    test('--may-exist and --if-exists: what is so already is not a failure, and the address is printed', async () => {
      await given('pool add 192.168.0.0/16')
      const namespace = await startNamespace()
      const word = namespace.path
      try {
        await given(`container add ${word} 192.168.0.1`)
        for (const wanted of ['192.168.0.1', 'ipv4', '192.168.0.0/16']) {
          for (const how of ['', ' --dry-run']) expect(await run(`container add ${word} ${wanted} --may-exist${how}`)).toMatchObject({code: 0, stdout: how === '' ? '192.168.0.1\n' : ''})
        }
        expect(await run(`container add ${word} ipv4 --may-exist --error-unchanged`)).toMatchObject({code: 3})
        expect(await run(`container add ${word} 192.168.0.2 --may-exist`)).toMatchObject({code: 5})
        await given(`container ${word} ip add 192.168.0.2`)
        expect(await run(`container ${word} ip add 192.168.0.2`)).toMatchObject({code: 5})
        expect(await run(`container ${word} ip add 192.168.0.2 --may-exist`)).toMatchObject({code: 0, stdout: '192.168.0.2\n'})
        await given(`container ${word} ip remove 192.168.0.2`)
        expect(await run(`container ${word} ip remove 192.168.0.2`)).toMatchObject({code: 4})
        expect(await run(`container ${word} ip remove 192.168.0.2 --if-exists`)).toMatchObject({code: 0})
        expect(await assigned()).toBe(1)
        expect(await run(`container remove ${word} --error-unchanged`)).toMatchObject({code: 0})
        expect(await run(`container remove ${word} --error-unchanged`)).toMatchObject({code: 3})
        expect(await run('container remove nosuch --if-exists')).toMatchObject({code: 0})
        await expectNothingLeft()
      } finally {
        await namespace.stop()
      }
    }, 300_000)

    test('is one, by whatever path or name it is reached: it gets one endpoint, and that is found', async () => {
      await given('pool add 192.168.0.0/16', 'profile add web')
      const name = await container('--net=bridge')
      const sharing = await container(`--net=container:${name}`)
      const path = `/proc/${await engine.docker('inspect', '-f', '{{.State.Pid}}', name)}/ns/net`
      const link = join(folder, `namespace-${process.pid}`)
      symlinkSync(path, link)
      const names = [name, path, link, sharing]
      try {
        for (const [first = '', remover = ''] of [[name, path], [link, sharing]]) {
          await given(`container add ${first} 192.168.0.1`)
          const [endpoint] = await endpoints()
          const routes = await inside(name, 'ip', 'route')
          for (const other of names) {
            const second = await run(`container add ${other} ipv4 --interface=eth5`)
            expect({first, other, second}).toMatchObject({second: {code: 5, stdout: '', stderr: expect.stringContaining('already been configured') as unknown}})
            if (other !== first) expect(second.stderr).toContain(endpoint?.spec.endpoint)
          }
          expect(await run(`container add ${names.find((each) => each !== first) ?? ''} ipv4 --dry-run`)).toMatchObject({code: 5})
          expect(await inside(name, 'ip', 'route')).toBe(routes)
          expect((await given(`container ${remover} endpoint show -o name`)).stdout).toBe(`${endpoint?.spec.endpoint ?? ''}\n`)
          await given(`container ${remover} profile set web`, `container ${remover} ip add 192.168.0.7`)
          expect((await given(`container ${remover} profile show`)).stdout).toContain('web')
          expect((await given(`container ${remover} profile show -o json`)).stdout).toContain('EndpointProfileList')
          expect((await given(`container ${remover} endpoint show -o json`)).stdout).toContain('WorkloadEndpointList')
          expect(await inside(name, 'ip', 'address')).toContain('192.168.0.7/32')
          await given(`container ${remover} ip remove 192.168.0.7`, `container remove ${remover}`)
          expect(await inside(name, 'ip', 'route')).not.toContain('169.254.1.1')
          await expectNothingLeft()
        }
        const both = await Promise.all([name, path].map((each) => run(`container add ${each} ipv4`)))
        expect(both.map(({code}) => code).sort()).toEqual([0, 5])
        await given(`container remove ${name}`)
        await expectNothingLeft()
      } finally {
        rmSync(link)
      }
    }, 300_000)

    test('a removal that finds nothing names what may be meant; an interface without endpoint is told', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      const path = `/proc/${await engine.docker('inspect', '-f', '{{.State.Pid}}', name)}/ns/net`
      await given(`container add ${path} ipv4`)
      await engine.docker('restart', '-t', '0', name)
      await until(() => calicoInterfaces().length === 0)
      expect(await run(`container remove ${name}`)).toMatchObject({code: 0, stderr: expect.stringContaining(path) as unknown})
      expect(await given(`container remove ${path}`)).toMatchObject({stderr: expect.not.stringContaining('may be meant') as unknown})
      await given(`container add ${name} ipv4`)
      await etcd.ctl('del', '--prefix', ENDPOINTS)
      const [left = ''] = calicoInterfaces()
      const {code, stderr} = await run(`container add ${name} ipv4`)
      expect({code, stderr}).toEqual({code: 5, stderr: expect.stringContaining(`ip link del ${left}`) as unknown})
      execFileSync('ip', ['link', 'del', left])
      await given(`container add ${name} ipv4`, `container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)

    test('endpoints that v0.20 stored as a container\'s are found too', async () => {
      await given('pool add 192.168.0.0/16')
      const namespace = await startNamespace()
      try {
        await given(`container add ${namespace.path} ipv4`)
        const [key = ''] = await keys(ENDPOINTS)
        const [endpoint] = await endpoints()
        if (!endpoint) throw new Error('no endpoint')
        const name = endpoint.metadata.name.replace('-namespace-', '-docker-')
        await etcd.ctl('put', key.replace('-namespace-', '-docker-'), JSON.stringify({...endpoint, metadata: {...endpoint.metadata, name, labels: {}}, spec: {...endpoint.spec, orchestrator: 'docker'}}))
        await etcd.ctl('del', key)
        expect((await given(`container ${namespace.path} endpoint show -o name`)).stdout).toBe(`${endpoint.spec.endpoint}\n`)
        await given(`container remove ${namespace.path}`)
        await expectNothingLeft()
      } finally {
        await namespace.stop()
      }
    }, 300_000)
  })

  describe('what is refused', () => {
    let name: string
    beforeEach(async () => {
      await given('pool add 192.168.0.0/26', 'pool add 10.9.0.0/26')
      name = await container()
    })
    const refused = async (line: string, code: number, message: string, more: Readonly<Record<string, string | undefined>> = {}): Promise<void> => {
      const result = await run(line, more)
      expect({code: result.code, stdout: result.stdout, stderr: result.stderr}).toEqual({code, stdout: '', stderr: expect.stringContaining(message) as unknown})
      expect(result.stderr).not.toContain('Usage:')
      await expectNothingLeft()
    }

    test('containers that cannot have an endpoint', async () => {
      const host = await container('--net=host')
      await refused('container add nosuch ipv4', 4, 'Container nosuch was not found.')
      await refused(`container add ${host} ipv4`, 1, 'uses the network of the host')
      await refused(`container ${name} ip add ipv4`, 4, `Container ${name} is unknown to Calico.`)
      await refused(`container ${name} ip remove 192.168.0.1`, 4, `Container ${name} is unknown to Calico.`)
      await refused(`container ${name} profile set`, 4, `Container ${name} is unknown to Calico.`)
      await refused('container remove nosuch', 4, 'Container nosuch was not found.')
      await engine.docker('stop', '-t', '0', name)
      await refused(`container add ${name} ipv4`, 1, `${name} is not currently running.`)
      await engine.docker('start', name)
    }, 300_000)

    test('addresses that cannot be had', async () => {
      await refused(`container add ${name} 172.16.0.1`, 1, 'is not in an enabled pool')
      await refused(`container add ${name} 172.16.0.0/24`, 1, 'does not exist, or is disabled')
      await refused(`container add ${name} ipv6`, 8, 'There is no enabled IPv6 pool')
      await refused(`container add ${name} nonsense`, 1, 'is neither an IP address nor a CIDR')
      await refused(`container add ${name} 192.168.0.1 --interface=abcdefghijklmnop`, 1, 'longer than 15 characters')
      await given('ipam assign 192.168.0.0/26 --count 64 --handle filler')
      const before = await etcd.ctl('get', '--prefix', IPAM)
      expect(await run(`container add ${name} 192.168.0.0/26`)).toMatchObject({code: 8, stdout: ''})
      expect(await run(`container add ${name} 192.168.0.5`)).toMatchObject({code: 5, stderr: expect.stringContaining('192.168.0.5 is already assigned') as unknown})
      expect(await etcd.ctl('get', '--prefix', IPAM)).toBe(before)
      expect(await keys(ENDPOINTS)).toEqual([])
      await given('ipam release --handle filler')
    }, 300_000)

    test('interface names that are taken: nothing is leaked', async () => {
      const other = await container('--net=bridge')
      await refused(`container add ${other} ipv4 --interface=eth0`, 5, 'The interface name is already used in the container: eth0')
      expect(await inside(other, 'ip', 'route')).not.toContain('metric')
      await given(`container add ${other} ipv4`)
      const [endpoint] = await endpoints()
      const hostName = endpoint?.spec.interfaceName ?? ''
      await given(`container remove ${other}`)
      execFileSync('ip', ['link', 'add', hostName, 'type', 'bridge'])
      try {
        const {code, stderr} = await run(`container add ${other} ipv4`)
        expect({code, stderr}).toEqual({code: 5, stderr: expect.stringContaining(`The interface name is already used on this host: ${hostName}`) as unknown})
        expect(stderr).not.toContain('ip link del')
      } finally {
        execFileSync('ip', ['link', 'delete', hostName])
      }
      // One that may have been its own: another end, elsewhere.
      execFileSync('ip', ['link', 'add', hostName, 'type', 'veth', 'peer', 'name', 'leftpeer'])
      try {
        expect(await run(`container add ${other} ipv4`)).toMatchObject({code: 5, stderr: expect.stringContaining(`ip link del ${hostName}`) as unknown})
      } finally {
        execFileSync('ip', ['link', 'delete', hostName])
      }
      await expectNothingLeft()
      await given(`container add ${other} ipv4`)
      expect(await run(`container ${other} ip add ipv4 --interface=nosuch`)).toMatchObject({code: 1, stderr: expect.stringContaining('has no interface nosuch') as unknown})
      expect(await assigned()).toBe(1)
      await given(`container remove ${other}`)
    }, 300_000)

    test('addresses of ip add and ip remove', async () => {
      await given(`container add ${name} 192.168.0.1`)
      expect(await run(`container ${name} ip add 192.168.0.1`)).toMatchObject({code: 5})
      expect(await run(`container ${name} ip remove 192.168.0.2`)).toMatchObject({code: 4})
      await given(`container ${name} ip remove 192.168.0.1`)
      expect(await run(`container ${name} ip remove 192.168.0.1`)).toMatchObject({code: 4})
      expect((await endpoints())[0]?.spec.ipNetworks).toBeUndefined()
      await given(`container ${name} ip add 192.168.0.1`, `container remove ${name}`)
    }, 300_000)

    test('not root, no capability, no `ip`', async () => {
      checkBuild()
      const asOther = (how: string, line = `container add ${name} ipv4`): Promise<Result> =>
        new Promise((resolve) => {
          const child = spawn('setpriv', [...how.split(' '), process.execPath, CALICOCTL, ...line.split(' ')], {env: {PATH: process.env.PATH, HOME: '/nonexistent', ...env()}, cwd: '/'})
          let stderr = ''
          child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
          child.on('close', (code, signal) => resolve({code, signal, stdout: '', stderr}))
        })
      expect(await asOther('--reuid=65534 --clear-groups')).toMatchObject({code: 2, stderr: expect.stringContaining('must be run as root') as unknown})
      expect(await asOther('--bounding-set=-net_admin')).toMatchObject({code: 2, stderr: expect.stringContaining('needs CAP_NET_ADMIN') as unknown})
      // Neither are needed only to look, but the Engine's permission is.
      expect(await asOther('--reuid=65534 --clear-groups', `container ${name} endpoint show`)).toMatchObject({code: 1, stderr: expect.stringContaining('Permission denied for the Docker Engine') as unknown})
      const poor = join(folder, 'poor')
      mkdirSync(poor, {recursive: true})
      for (const program of ['nsenter', 'sh']) if (!existsSync(join(poor, program))) symlinkSync(execFileSync('sh', ['-c', `command -v ${program}`], {encoding: 'utf8'}).trim(), join(poor, program))
      await refused(`container add ${name} ipv4`, 1, "The program 'ip' is not on this host", {PATH: poor})
    }, 300_000)

    test('no Engine', async () => {
      const away = {DOCKER_HOST: `unix://${folder}/nosuch.sock`}
      for (const line of [`container add ${name} ipv4`, `container remove ${name}`]) await refused(line, 1, 'is the docker daemon running?', away)
      await given(`container add ${name} ipv4`)
      expect(await run('endpoint gc --apply', away)).toMatchObject({code: 1})
      expect(await endpoints()).toHaveLength(1)
      // By its full id, a container can be removed without the Engine.
      expect(await run(`container remove ${await idOf(name)}`, away)).toMatchObject({code: 0})
      await expectNothingLeft()
    }, 300_000)

    test('a process that is not the container\'s', async () => {
      // As an Engine of another pid namespace would tell of it: the number is that of a process here, but not of this container.
      const server = createServer((socket) => {
        socket.on('error', () => undefined)
        socket.once('data', () => {
          const body = JSON.stringify({Id: 'ab'.repeat(32), Name: '/web', State: {Running: true, Pid: process.ppid, StartedAt: '2020-01-01T00:00:00Z'}, HostConfig: {NetworkMode: 'none'}})
          socket.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
        })
      })
      await new Promise<void>((resolve) => server.listen(join(folder, 'other.sock'), resolve))
      await refused('container add web ipv4', 1, 'does not run on this host', {DOCKER_HOST: `unix://${folder}/other.sock`})
      await new Promise((resolve) => server.close(resolve))
    })

    test('no etcd', async () => {
      const result = await run(`container add ${name} ipv4 --timeout 1s`, {ETCD_ENDPOINTS: 'http://127.0.0.1:1'})
      expect(result).toMatchObject({code: 6, stdout: ''})
      expect(calicoInterfaces()).toEqual([])
    })
  })

  describe('half-way', () => {
    let name: string
    let proxy: EngineProxy
    beforeEach(async () => {
      await given('pool add 192.168.0.0/26')
      name = await container()
      proxy = await startEngineProxy(engine.socket)
    }, 300_000)
    afterEach(() => proxy.stop())

    test.each([
      [1, 'cut'],
      [2, 'cut'],
      [3, 'cut'],
      [2, 'hang'],
      [3, 'hang'],
    ] as const)('the Engine: its answer %d is %s', async (which, how) => {
      proxy.answer = (count) => (count === which ? how : 'pass')
      const result = await run(`container add ${name} ipv4`, {DOCKER_HOST: proxy.address})
      expect(result).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining('Docker Engine') as unknown})
      await expectNothingLeft()
      expect(await inside(name, 'ip', 'link')).not.toContain('eth1')
    }, 300_000)

    test.each([2, 3])('the container stops before the Engine is asked the %d. time', async (which) => {
      proxy.answer = async (count) => {
        if (count === which) await engine.docker('stop', '-t', '0', name)
        return 'pass' as const
      }
      expect(await run(`container add ${name} ipv4 --timeout 50s`, {DOCKER_HOST: proxy.address})).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining('was stopped during the command') as unknown})
      await expectNothingLeft()
    }, 300_000)

    test.each([2, 3])('the container is restarted before the Engine is asked the %d. time', async (which) => {
      proxy.answer = async (count) => {
        if (count === which) await engine.docker('restart', '-t', '0', name)
        return 'pass' as const
      }
      expect(await run(`container add ${name} ipv4 --timeout 50s`, {DOCKER_HOST: proxy.address})).toMatchObject({code: 1, stderr: expect.stringContaining('was restarted during the command') as unknown})
      await expectNothingLeft()
      expect(await inside(name, 'ip', 'link')).not.toContain('eth1')
    }, 300_000)

    test('a signal: told what was done, and how to go on', async () => {
      let asked = (): void => undefined
      const third = new Promise<void>((resolve) => (asked = resolve))
      proxy.answer = (count) => {
        if (count !== 3) return 'pass'
        asked()
        return 'hang'
      }
      const running = startCalicoctl(['container', 'add', name, 'ipv4'], {env: env({DOCKER_HOST: proxy.address})})
      await third
      running.process.kill('SIGTERM')
      const {code, stderr} = await running.result
      expect(code).toBe(143)
      expect(stderr).toContain(`remove it: calicoctl container remove ${name}\n`)
      await given(`container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)

    test('etcd goes when the endpoint is written: told exactly, and the same command completes it', async () => {
      const between = await startProxy(etcd.endpoints[0] ?? '')
      between.before('"kind":"WorkloadEndpoint"', () => between.set('black-hole'))
      try {
        const result = await run(`container add ${name} 192.168.0.1 --timeout 2s`, {ETCD_ENDPOINTS: between.endpoint})
        expect(result).toMatchObject({code: 9, stdout: ''})
        expect(result.stderr).toContain(`docker.${await idOf(name)}`)
        expect(result.stderr).toContain('192.168.0.1')
      } finally {
        await between.stop()
      }
      expect(calicoInterfaces()).toEqual([])
      expect(await run('ipam check')).toMatchObject({code: 10})
      await given(`container add ${name} 192.168.0.1`)
      expect(await run('ipam check')).toMatchObject({code: 0})
      await given(`container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)

    test('etcd goes during a removal: told exactly, and the same command completes it', async () => {
      await given(`container add ${name} 192.168.0.1`)
      const between = await startProxy(etcd.endpoints[0] ?? '')
      between.before(`${IPAM}handle/`, () => between.set('black-hole'))
      try {
        const result = await run(`container remove ${name} --timeout 2s`, {ETCD_ENDPOINTS: between.endpoint})
        expect(result).toMatchObject({code: 9, stdout: '', stderr: expect.stringContaining('Only the interfaces') as unknown})
      } finally {
        await between.stop()
      }
      expect(await endpoints()).toHaveLength(1)
      await given(`container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)
  })

  describe('SIGKILL', () => {
    let bin: string
    let name: string
    let between: Proxy
    /**
     * An `ip` that counts its commands, those of a batch one by one, and kills who called it before (or after) the one that the file kill-at names. Killed
     * before, nothing more is done; after it, the rest of a batch is, as by an `ip` that outlives its caller.
     */
    const SHIM = `#!/bin/sh
here=$(dirname "$0")
read at when < "$here/kill-at"
command() {
  count=$(($(cat "$here/count") + 1))
  echo $count > "$here/count"
  if [ "$count" = "$at" ] && [ "$when" = before ]; then kill -9 $PPID; exit 1; fi
  ${execFileSync('sh', ['-c', 'command -v ip || true'], {encoding: 'utf8'}).trim()} "$@" < /dev/null
  code=$?
  if [ "$count" = "$at" ]; then kill -9 $PPID; fi
  return $code
}
if [ "$1" != -batch ]; then command "$@"; exit; fi
number=0
while read -r line; do
  number=$((number + 1))
  command $line || { echo "Command failed -:$number" >&2; exit $code; }
done
`
    beforeAll(() => {
      bin = join(folder, 'shim')
      mkdirSync(bin, {recursive: true})
      writeFileSync(join(bin, 'ip'), SHIM)
      chmodSync(join(bin, 'ip'), 0o755)
    })
    beforeEach(async () => {
      await given('pool add 192.168.0.0/26')
      name = await container('--net=bridge')
      between = await startProxy(etcd.endpoints[0] ?? '')
    })
    afterEach(() => between.stop())

    /** Runs LINE, killed at the command AT of \`ip\`. How many there were. */
    async function killedAt(line: string, at: number, when: 'before' | 'after'): Promise<{result: Result; calls: number}> {
      writeFileSync(join(bin, 'count'), '0\n')
      writeFileSync(join(bin, 'kill-at'), `${at} ${when}\n`)
      const result = await inOwnProcess(line.split(' '), {env: env({PATH: `${bin}:${process.env.PATH ?? ''}`})})
      return {result, calls: Number(readFileSync(join(bin, 'count'), 'utf8'))}
    }

    /** Runs LINE, killed when it sends a request with TEXT, which etcd gets only if ARRIVES. */
    async function killedWhenSending(line: string, text: string, {arrives}: {arrives: boolean}): Promise<Result> {
      const running = startCalicoctl(line.split(' '), {env: env({ETCD_ENDPOINTS: between.endpoint})})
      between.before(text, () => {
        if (!arrives) between.set('black-hole')
        else between.set('swallow-replies')
        if (arrives) void between.answered().then(() => running.process.kill('SIGKILL'))
        else running.process.kill('SIGKILL')
      })
      const result = await running.result
      between.set('pass')
      return result
    }

    /** Whatever a killed command left is repaired by the same command, and by removal. */
    async function expectRepairable(): Promise<void> {
      const left = {endpoints: (await endpoints()).length, addresses: (await endpoints()).flatMap(({spec}) => spec.ipNetworks ?? []).length, assigned: await assigned(), interfaces: calicoInterfaces().length}
      // An address is never without an owner that is named, and an endpoint never without its address.
      expect(left.assigned).toBeGreaterThanOrEqual(left.addresses)
      if (left.assigned > left.addresses) expect(await run('ipam check')).toMatchObject({code: 10})
      if (left.endpoints > left.interfaces) expect(await run('endpoint gc')).toMatchObject({code: 10})
      if (left.interfaces > 0) expect(left.endpoints).toBe(1)
    }

    test('at every step of the interfaces; the same command completes it', async () => {
      const [, gateway = ''] = /^default via (\S+)/m.exec(await inside(name, 'ip', 'route')) ?? []
      const {calls} = await killedAt(`container add ${name} 192.168.0.1`, 0, 'before')
      expect(calls).toBeGreaterThan(8)
      await given(`container remove ${name}`)
      for (let at = 1; at <= calls; at++) {
        // Back to the default route that the Engine made, which the command has moved.
        await inside(name, 'sh', '-c', `while ip route del default; do :; done 2> /dev/null; ip route add default via ${gateway} dev eth0`)
        const when = at % 2 === 0 ? 'before' : 'after'
        const {result, calls: reached} = await killedAt(`container add ${name} 192.168.0.1`, at, when)
        // Whether the kernel had given a link-local address yet makes a call more or less.
        if (result.signal !== 'SIGKILL') expect({at, signal: result.signal, isBeyondTheLast: reached < at}).toEqual({at, signal: null, isBeyondTheLast: true})
        await expectRepairable()
        if (at % 3 === 0) await given(`container remove ${name}`)
        const again = await run(`container add ${name} 192.168.0.1`)
        // Killed after its very last steps, it was complete.
        if (at >= calls - 2) expect([0, 5]).toContain(again.code)
        else expect({at, code: again.code, stderr: again.stderr}).toMatchObject({at, code: 0})
        expect(await inside(name, 'ip', 'route')).toContain('default via 169.254.1.1 dev eth1')
        expect(await inside(name, 'ip', 'address', 'show', 'dev', 'eth1')).toContain('192.168.0.1/32')
        expect({at, check: (await run('ipam check')).code, gc: (await run('endpoint gc')).code}).toEqual({at, check: 0, gc: 0})
        await given(`container remove ${name}`)
        await expectNothingLeft()
      }
    }, 900_000)

    test.each([
      ['the address', '"block":{', false],
      ['the address', '"block":{', true],
      ['the endpoint', '"kind":"WorkloadEndpoint"', false],
      ['the endpoint', '"kind":"WorkloadEndpoint"', true],
    ] as const)('when %s is written (%s arrives: %s); the same command completes it', async (_, text, arrives) => {
      for (const repair of ['container add', 'container remove']) {
        expect((await killedWhenSending(`container add ${name} ipv4`, text, {arrives})).signal).toBe('SIGKILL')
        await expectRepairable()
        if (repair === 'container add') {
          await given(`container add ${name} ipv4`)
          expect(await run('ipam check')).toMatchObject({code: 0})
          expect(await assigned()).toBe(1)
        }
        await given(`container remove ${name}`)
        await expectNothingLeft()
      }
    }, 300_000)

    test('at every step of ip add, ip remove and remove; the same command completes it', async () => {
      for (const line of [`container ${name} ip add 192.168.0.9`, `container ${name} ip remove 192.168.0.9`, `container remove ${name}`]) {
        const prepare = async (): Promise<void> => {
          await given(`container remove ${name}`, `container add ${name} 192.168.0.1`)
          if (line.includes('ip remove')) await given(`container ${name} ip add 192.168.0.9`)
        }
        await prepare()
        const {calls} = await killedAt(line, 0, 'before')
        for (let at = 1; at <= calls; at++) {
          await prepare()
          expect((await killedAt(line, at, at % 2 === 0 ? 'before' : 'after')).result.signal).toBe('SIGKILL')
          await expectRepairable()
          const again = await run(line)
          // What was done completely is not done again.
          expect([0, ...(line.includes(' ip ') ? [4, 5] : [])]).toContain(again.code)
          expect(await run('ipam check')).toMatchObject({code: 0})
          const shown = line.startsWith('container remove') ? '' : await inside(name, 'ip', 'address', 'show', 'dev', 'eth1')
          expect(shown.includes('192.168.0.9')).toBe(line.includes('ip add'))
        }
        for (const arrives of [false, true]) {
          await prepare()
          await killedWhenSending(line, line.includes('ip add') ? '"kind":"WorkloadEndpoint"' : '"allocations":[', {arrives})
          expect([0, ...(line.includes(' ip ') ? [4, 5] : [])]).toContain((await run(line)).code)
          expect(await run('ipam check')).toMatchObject({code: 0})
          expect(await assigned()).toBe(line.includes('ip add') ? 2 : line.includes('ip remove') ? 1 : 0)
        }
      }
      await given(`container remove ${name}`)
      await expectNothingLeft()
    }, 900_000)
  })

  test('every example of the help of `container` works as it is written', async () => {
    await given('pool add 192.168.0.0/16', 'pool add 10.1.0.0/16', 'pool add fd80:24e2:f998:72d6::/64', 'profile add web', 'profile add client')
    for (const name of ['workload-A', 'workload-B', 'workload-C']) {
      containers.push(name)
      await engine.docker('run', '-d', '--net=none', '--name', name, 'busybox', 'sleep', '1d')
    }
    const help = join(CALICOCTL, '../../dist/help')
    const pages = execFileSync('sh', ['-c', `ls ${help} | grep '\\.container\\.'`], {encoding: 'utf8'}).trim().split('\n')
    const examples = pages.flatMap((page) => [...readFileSync(join(help, page), 'utf8').matchAll(/^\s*\$ calicoctl (.*)$/gm)].map(([, line]) => line ?? ''))
    const order = [' add workload', 'ip add', 'profile append', 'profile', 'endpoint show', 'ip remove', 'remove workload']
    const rank = (line: string): number => order.findIndex((words) => line.includes(words))
    const sorted = [...new Set(examples)].sort((a, b) => rank(a) - rank(b))
    expect(sorted.length).toBeGreaterThan(10)
    for (const line of sorted) {
      if (line.includes('profile remove')) await given('container workload-A profile set web')
      const {code, stderr} = await run(line)
      expect({line, code, stderr}).toEqual({line, code: 0, stderr: expect.not.stringMatching(/Error|Usage:/) as unknown})
    }
  }, 300_000)

  describe('ipam check --docker', () => {
    test('an address that only a running container has is not a leak; once it has stopped, it is, and is released', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      await given(`container add ${name} 192.168.0.5`, 'ipam check --docker')
      await etcd.ctl('del', '--prefix', ENDPOINTS)
      expect(await run('ipam check')).toMatchObject({code: 10, stdout: expect.stringContaining('leaked-address') as unknown})
      const held = await run('ipam check --docker --repair --grace 100ms')
      expect(held.stdout).not.toContain('leaked-address')
      expect(await assigned()).toBe(1)
      await engine.docker('kill', name)
      expect(await run('ipam check --docker --repair --grace 100ms')).toMatchObject({code: 0})
      expect(await assigned()).toBe(0)
    }, 300_000)

    test('an address that a container has given itself is told', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      await given(`container add ${name} 192.168.0.5`)
      await inside(name, 'ip', 'addr', 'add', '192.168.0.6/32', 'dev', 'eth1')
      const {code, stdout} = await run('ipam check --docker')
      expect({code, stdout}).toEqual({code: 10, stdout: expect.stringMatching(/unassigned-address.*192\.168\.0\.6.*container test-/) as unknown})
    }, 300_000)
  })
})

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_400 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 25))
  if (!holds()) throw new Error('it did not come to that')
}
