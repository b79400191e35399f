/** `mesos config`, `mesos check` and `mesos gc` as processes: on roots of their own, with a real etcd, with real interfaces and namespaces. */
import {execFile, execFileSync, spawn} from 'node:child_process'
import {chmodSync, existsSync, readdirSync, readFileSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {newSession} from '../../src/lib/client/session.js'
import {openDatastore} from '../../src/lib/datastore/open.js'
import {findGone, removeGone} from '../../src/lib/mesos/agent/gone.js'
import {CALICOCTL, checkBuild, type Result} from '../support/cli.js'
import {heldToSchema} from '../support/schemas.js'
import {suite} from '../support/docker.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {putAgent, type TestRoot, testRoot} from '../support/mesos-agent.js'
import {hostInterfaces, startNamespace, type TestNamespace, whyNoNamespaces} from '../support/namespaces.js'
import {calicoctl} from '../support/warm.js'

const NODE = 'agent1'
const asRoot = process.geteuid?.() === 0
let etcd: TestEtcd
let root: TestRoot

beforeAll(async () => {
  checkBuild()
  etcd = await startEtcd()
})
afterAll(() => etcd.stop())
beforeEach(async () => {
  root = testRoot()
  await etcd.ctl('del', '--prefix', '/')
})
afterEach(() => root.remove())

const env = (): Record<string, string> => ({ETCD_ENDPOINTS: etcd.endpoints.join(','), HOSTNAME: NODE})
const run = (line: string, more: Record<string, string> = {}): Promise<Result> => calicoctl(line.split(' '), {env: {...env(), ...more}}).then((result) => heldToSchema(line, result))
const below = (line: string, more: Record<string, string> = {}): Promise<Result> => run(`${line} --root ${root.folder}`, more)
const textOf = (path: string): string => readFileSync(join(root.folder, path), 'utf8')
const authority = (): string => (etcd.endpoints[0] ?? '').slice('http://'.length)

/** Every file of the root with its text. */
function tree(folder = root.folder): Record<string, string> {
  return Object.fromEntries(readdirSync(folder, {recursive: true, withFileTypes: true}).flatMap((entry) => (entry.isFile() ? [[join(entry.parentPath, entry.name).slice(folder.length), readFileSync(join(entry.parentPath, entry.name), 'utf8')]] : [])))
}

describe('mesos config', () => {
  test.each(['rpm', 'manual', 'dcos'])('%s: written, found good, and unchanged by a second run', async (style) => {
    const first = await below(`mesos config --style ${style} --yes`)
    expect(first).toMatchObject({code: 0, stdout: expect.stringContaining(`+ETCD_AUTHORITY=${authority()}`) as unknown, stderr: expect.stringContaining('systemctl restart') as unknown})
    const written = tree()
    const second = await below(`mesos config --style ${style}`)
    expect(second).toMatchObject({code: 0, stdout: '', stderr: expect.stringContaining(' unchanged\n') as unknown})
    expect(second.stderr).not.toContain('systemctl')
    expect(tree()).toEqual(written)

    root.put('/calico/calico_mesos', '#!/bin/sh\n', 0o755)
    root.put(style === 'dcos' ? '/opt/mesosphere/lib/libmesos_network_isolator.so' : '/usr/lib/mesos/libmesos_network_isolator.so', '')
    root.put('/etc/mesos/zk', 'zk://10.0.0.1:2181/mesos\n')
    await run('pool add 192.168.0.0/16')
    await putNode()
    expect(await below('mesos check')).toMatchObject({code: 0, stdout: ''})
  })
  test('--dry-run: the diff, and nothing written', async () => {
    root.put('/etc/default/mesos-slave', '# mine\nMASTER=zk://10.0.0.1:2181/mesos\n')
    const before = tree()
    const {code, stdout, stderr} = await below('mesos config --style rpm --dry-run')
    expect({code, tree: tree()}).toEqual({code: 0, tree: before})
    expect(stdout).toContain(`--- /etc/default/mesos-slave\n+++ /etc/default/mesos-slave\n@@ -1,2 +1,3 @@\n # mine\n MASTER=zk://10.0.0.1:2181/mesos\n+ETCD_AUTHORITY=${authority()}\n`)
    expect(stderr).toContain('/calico/modules.json would be created')
  })
  test('without a terminal and --yes: the diff, an error that names the flag, nothing written', async () => {
    const {code, stdout, stderr} = await below('mesos config --style manual')
    expect({code, tree: tree()}).toEqual({code: 8, tree: {}})
    expect(stdout).toContain('+++ /calico/modules.json')
    expect(stderr).toContain('--yes')
  })
  test.each([['y\r', 0], ['n\r', 8]])('on a terminal it asks after the diff: %j', async (answer, expected) => {
    const {code, screen} = await onTerminal(`mesos config --style rpm --root ${root.folder}`, answer)
    expect({code, written: existsSync(join(root.folder, 'calico/modules.json'))}).toEqual({code: expected, written: expected === 0})
    expect(screen.indexOf('+++ /etc/mesos-slave/isolation')).toBeGreaterThan(0)
    expect(screen.indexOf('Write these 5 files?')).toBeGreaterThan(screen.indexOf('+++ /etc/mesos-slave/isolation'))
  })
  test('what others wrote stays, modes too', async () => {
    root.put('/calico/modules.json', '{"libraries":[{"file":"/usr/lib/liblog.so","modules":[{"name":"org_x_Logger"}]}],"mine":true}', 0o600)
    root.put('/etc/mesos-slave/isolation', 'cgroups/cpu,cgroups/mem\n')
    root.put('/etc/default/mesos-slave', 'export MESOS_HOOKS=\'org_x_Hook\' # ours\nMESOS_RESOURCES="ports(*):[31000-31100]"', 0o640)
    expect((await below('mesos config --style rpm --yes')).code).toBe(0)
    expect(JSON.parse(textOf('/calico/modules.json'))).toMatchObject({mine: true, libraries: [{file: '/usr/lib/liblog.so', modules: [{name: 'org_x_Logger'}]}, {file: '/usr/lib/mesos/libmesos_network_isolator.so'}]})
    expect(textOf('/etc/mesos-slave/isolation')).toBe('cgroups/cpu,cgroups/mem,com_mesosphere_mesos_NetworkIsolator\n')
    expect(textOf('/etc/default/mesos-slave')).toBe(`export MESOS_HOOKS=org_x_Hook,com_mesosphere_mesos_NetworkHook # ours\nMESOS_RESOURCES="ports(*):[31000-31100]"\nETCD_AUTHORITY=${authority()}\n`)
    expect(existsSync(join(root.folder, 'etc/mesos-slave/hooks'))).toBe(false)
    expect([statSync(join(root.folder, 'calico/modules.json')).mode & 0o777, statSync(join(root.folder, 'etc/default/mesos-slave')).mode & 0o777]).toEqual([0o600, 0o640])
  })
  test('a password: never shown, never where everybody reads', async () => {
    const secret = {ETCD_USERNAME: 'calico', ETCD_PASSWORD: 'hush-hush'}
    root.put('/etc/default/mesos-slave', '', 0o644)
    const refused = await below('mesos config --style rpm --yes', secret)
    expect(refused).toMatchObject({code: 8, stderr: expect.stringContaining('chmod o-r /etc/default/mesos-slave') as unknown})
    expect(existsSync(join(root.folder, 'calico'))).toBe(false)
    root.put('/etc/default/mesos-slave', undefined)
    const {code, stdout, stderr} = await below('mesos config --style rpm --yes', secret)
    expect(code).toBe(0)
    expect(stdout + stderr + refused.stdout + refused.stderr).not.toContain('hush')
    expect(textOf('/etc/default/mesos-slave')).toContain('ETCD_PASSWORD=hush-hush\n')
    expect(statSync(join(root.folder, 'etc/default/mesos-slave')).mode & 0o777).toBe(0o600)
    const changed = await below('mesos config --style rpm --yes', {...secret, ETCD_PASSWORD: 'hush-again'})
    expect(changed).toMatchObject({code: 0, stdout: '/etc/default/mesos-slave: a secret changes; it is not shown\n'})
    const moved = await below('mesos config --style rpm --yes', {...secret, ETCD_PASSWORD: 'hush-again', ETCD_ENDPOINTS: 'http://10.9.9.9:2379'})
    expect(moved).toMatchObject({code: 0, stderr: expect.not.stringContaining('everybody') as unknown})
    expect(moved.stdout).not.toContain('hush')
  })
  test('TLS by the names that programs read', async () => {
    root.put('/ca.pem', '-----BEGIN CERTIFICATE-----\n')
    const ca = join(root.folder, 'ca.pem')
    const {code} = await below('mesos config --style rpm --yes', {ETCD_ENDPOINTS: '', ETCD_AUTHORITY: 'etcd.example:2379', ETCD_SCHEME: 'https', ETCD_CA_CERT_FILE: ca})
    expect(code).toBe(0)
    expect(textOf('/etc/default/mesos-slave')).toBe(`ETCD_AUTHORITY=etcd.example:2379\nETCD_SCHEME=https\nETCD_CA_CERT_FILE=${ca}\n`)
  })
  test.each([
    ['mesos config', 1, '--style is missing'],
    ['mesos config --style apt', 1, 'rpm, manual, dcos'],
    ['mesos config --style rpm --plugin calico_mesos', 1, 'is not an absolute path'],
    ['mesos config --style rpm --root /no/such/folder', 1, 'no folder /no/such/folder'],
    ['mesos config --style rpm --datastore embedded:/tmp/none.json', 1, 'requires etcd'],
    ['mesos config rpm', 1, 'Usage:'],
    ['mesos', 1, 'Usage:'],
  ])('%s: %d', async (line, code, words) => {
    expect(await run(line)).toMatchObject({code, stdout: '', stderr: expect.stringContaining(words) as unknown})
  })
  test('files that cannot be edited: nothing is written', async () => {
    root.put('/calico/modules.json', '{"libraries": [')
    const before = tree()
    expect(await below('mesos config --style rpm --yes')).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining('modules.json cannot be edited') as unknown})
    expect(tree()).toEqual(before)
  })
  suite('not root', asRoot ? undefined : 'only root may become somebody else', () => {
    test('files that may not be read or written: 2', async () => {
      chmodSync(root.folder, 0o755)
      expect(await asNobody('mesos config --style rpm --yes')).toMatchObject({code: 2, stderr: expect.stringContaining('sudo -E') as unknown})
      root.put('/etc/default/mesos-slave', 'A=b\n', 0o600)
      expect(await asNobody('mesos config --style rpm --yes')).toMatchObject({code: 2, stderr: expect.stringContaining('/etc/default/mesos-slave cannot be read: permission denied') as unknown})
      expect(await asNobody('mesos check -o name')).toMatchObject({code: 10, stdout: expect.stringContaining('unreadable') as unknown})
    })
  })
})

describe('mesos check', () => {
  test('a good set-up: 0, and not a word on stdout', async () => {
    putAgent(root, 'manual', authority())
    await run('pool add 192.168.0.0/16')
    await putNode()
    expect(await below('mesos check')).toMatchObject({code: 0, stdout: '', stderr: expect.stringContaining('style manual (detected from its files)') as unknown})
  })
  test('what is wrong, in each format; 10', async () => {
    putAgent(root, 'rpm', authority())
    root.put('/calico/calico_mesos', undefined)
    root.put('/etc/mesos-slave/hooks', 'com_mesosphere_mesos_NetworkHooks\n')
    await run('pool add 192.168.0.0/16')
    const table = await below('mesos check')
    expect(table.code).toBe(10)
    expect(table.stdout).toContain('error plugin-missing, /calico/modules.json\n  isolator_command is /calico/calico_mesos, which is missing.\n')
    expect(table.stdout).toContain('Did you mean com_mesosphere_mesos_NetworkHook?')
    expect(table.stderr).toContain('3 problems were found')
    expect((await below('mesos check -o name')).stdout).toBe('plugin-missing\nflag-name\nnode-missing\n')
    expect((await below('mesos check -o wide')).stdout).toMatch(/\| Severity +\| Finding +\| File +\|/)
    expect((await below('mesos check -o plain')).stdout).toMatch(/^error\tplugin-missing\t\/calico\/modules\.json\t/)
    const json = JSON.parse((await below('mesos check -o json')).stdout) as {kind: string; style: string; findings: object[]}
    expect(json).toMatchObject({apiVersion: 'calicoctl/v1', kind: 'MesosAgentCheck', style: 'rpm'})
    expect(json.findings[0]).toEqual({
      id: 'plugin-missing',
      severity: 'error',
      file: '/calico/modules.json',
      what: expect.stringContaining('/calico/calico_mesos') as unknown,
      why: expect.stringContaining('disables itself') as unknown,
      remedy: expect.stringContaining('ln -s') as unknown,
      guides: ['5.5', '5.6', '5.13'],
    })
    expect(json.findings[2]).toMatchObject({id: 'node-missing', file: null})
  })
  test('without etcd: the files are checked all the same, and that the rest is not is said', async () => {
    putAgent(root, 'manual', '127.0.0.1:1')
    const {code, stdout} = await below('mesos check', {ETCD_ENDPOINTS: 'http://127.0.0.1:1'})
    expect(code).toBe(0)
    expect(stdout).toMatch(/^note not-compared\n {2}Not compared with the datastore: .*127\.0\.0\.1:1/)
    root.put('/etc/mesos-slave/hooks', undefined)
    expect((await below('mesos check -o name', {ETCD_ENDPOINTS: 'http://127.0.0.1:1'})).stdout).toBe('hooks-missing\nnot-compared\n')
  })
  test('wrong settings of calicoctl\'s own: a warning', async () => {
    putAgent(root)
    expect(await below('mesos check', {ETCD_ENDPOINTS: 'ftp://x'})).toMatchObject({code: 0, stderr: expect.stringMatching(/^Warning: .*ETCD_ENDPOINTS: 'ftp/) as unknown})
  })
  test('another datastore than the agent\'s; other names', async () => {
    putAgent(root, 'manual', '10.255.255.1:4001')
    root.put('/etc/mesos-slave/hostname', '172.24.197.102\n')
    await run('pool add 192.168.0.0/16')
    await putNode()
    expect((await below('mesos check -o name')).stdout).toBe('etcd-differs\netcd-port\nhost-name\n')
    expect((await below('mesos check -o name --node agent2')).stdout).toContain('node-missing')
  })
  test('nothing there; a style that is not that of the files', async () => {
    expect((await below('mesos check -o name', {ETCD_ENDPOINTS: 'http://127.0.0.1:1'})).stdout).toContain('no-setup\n')
    putAgent(root, 'manual', authority())
    expect((await below('mesos check --style dcos')).stdout).toContain('There are no files of a Mesos agent of style dcos')
    expect(await below('mesos check --style apt')).toMatchObject({code: 1})
  })
  test('what an image names is never run on this host', async () => {
    putAgent(root, 'manual', authority())
    const plugin = join(root.folder, 'plugin')
    root.put('/plugin', `#!/bin/sh\ntouch ${root.folder}/asked\n`, 0o755)
    root.put(plugin, '#!/bin/sh\n', 0o755)
    root.put('/calico/modules.json', textOf('/calico/modules.json').replaceAll('/calico/calico_mesos', plugin))
    expect((await below('mesos check')).code).toBe(10)
    expect(await below('mesos check --ask-plugin')).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining('--ask-plugin and --root cannot be combined') as unknown})
    expect(existsSync(join(root.folder, 'asked'))).toBe(false)
  })
})

const ENDPOINTS = '/calico/resources/v3/projectcalico.org/workloadendpoints/default/'
const CONTAINER = 'ba11f1de-fc4d-46fd-9f15-424f4ef05a3a'

async function putNode(): Promise<void> {
  await etcd.ctl('put', `/calico/resources/v3/projectcalico.org/nodes/${NODE}`, JSON.stringify({kind: 'Node', apiVersion: 'projectcalico.org/v3', metadata: {name: NODE, uid: 'n', creationTimestamp: '2026-01-01T00:00:00Z'}, spec: {}}))
}

/** Stores the endpoint of a container, as the plugin does. */
async function putEndpoint(id: string, {address, handle, interfaceName = `cali${id}`, node = NODE, orchestrator = 'mesos'}: {address: string; handle?: string; interfaceName?: string; node?: string; orchestrator?: string}): Promise<void> {
  const workload = `${CONTAINER.slice(0, -id.length)}${id}`
  const name = [node, orchestrator, workload, id].map((part) => part.replaceAll('-', '--')).join('-')
  await etcd.ctl(
    'put',
    `${ENDPOINTS}${name}`,
    JSON.stringify({
      kind: 'WorkloadEndpoint',
      apiVersion: 'projectcalico.org/v3',
      metadata: {name, namespace: 'default', uid: id, creationTimestamp: '2026-01-01T00:00:00Z', ...(handle !== undefined && {annotations: {'calicoctl/ipam-handle': handle}})},
      spec: {orchestrator, workload, node, endpoint: id, ipNetworks: [`${address}/32`], profiles: [], interfaceName},
    }),
  )
}
const ids = async (): Promise<string[]> => (await run('endpoint show -o name')).stdout.trim().split('\n').sort()
const isFree = async (address: string): Promise<boolean> => (await run(`ipam info ${address}`)).stdout.includes('not')

describe('mesos gc', () => {
  beforeEach(async () => {
    expect((await run('pool add 192.168.0.0/16')).code).toBe(0)
    await putNode()
    for (const [address, handle] of [['192.168.0.1', 'uid-1'], ['192.168.0.2', 'uid-1'], ['192.168.0.3', 'uid-3']]) {
      expect(await run(`ipam assign ${address ?? ''} --handle ${handle ?? ''}`)).toMatchObject({code: 0})
    }
  })
  test('nothing: 0', async () => expect(await run('mesos gc')).toMatchObject({code: 0, stdout: ''}))
  test('what has no interface is listed, and stays without --apply', async () => {
    await putEndpoint('e1', {address: '192.168.0.1', handle: 'uid-1'})
    await putEndpoint('e2', {address: '192.168.0.3', node: 'agent2'})
    await putEndpoint('e3', {address: '192.168.0.3', orchestrator: 'docker'})
    // The name of this one begins like those of mesos.
    await putEndpoint('e4', {address: '192.168.0.3', orchestrator: 'mesos-x'})
    const {code, stdout, stderr} = await run('mesos gc')
    expect(code).toBe(10)
    expect(stdout).toMatch(/\| ba11f1de-\S+e1 +\| 192\.168\.0\.1\/32 \| \d+d \d+h +\| +its interface calie1 is missing +\|/)
    expect(stderr).toContain('mesos gc --apply')
    expect((await run('mesos gc -o name')).stdout).toBe('e1\n')
    expect(JSON.parse((await run('mesos gc -o json')).stdout)).toMatchObject({kind: 'StaleEndpointList', items: [{orchestrator: 'mesos', endpoint: 'e1', addresses: ['192.168.0.1/32'], creationTimestamp: '2026-01-01T00:00:00Z', reason: 'its interface calie1 is missing'}]})
    expect(await ids()).toEqual(['e1', 'e2', 'e3', 'e4'])
  })
  suite('--apply', whyNoNamespaces(), () => {
    test('the endpoint and all addresses of its handle go together; those of others stay', async () => {
      await putEndpoint('e1', {address: '192.168.0.1', handle: 'uid-1'})
      await putEndpoint('e2', {address: '192.168.0.3', handle: 'uid-2'})
      const dry = await run('mesos gc --apply --dry-run')
      expect(dry).toMatchObject({code: 0, stderr: expect.stringContaining('192.168.0.2 would be released') as unknown})
      expect(await ids()).toEqual(['e1', 'e2'])
      const {code, stderr} = await run('mesos gc --apply')
      expect({code, ids: await ids()}).toEqual({code: 0, ids: ['']})
      expect(stderr).toContain('192.168.0.1 released')
      expect(stderr).toContain('192.168.0.2 released')
      expect(stderr).toContain('192.168.0.3 was not released')
      expect([await isFree('192.168.0.1'), await isFree('192.168.0.2'), await isFree('192.168.0.3')]).toEqual([true, true, false])
      expect(await run('mesos gc --apply')).toMatchObject({code: 0, stdout: ''})
    })
    describe('with interfaces', () => {
      let namespace: TestNamespace
      const name = `calig${process.pid % 10_000}`
      beforeEach(async () => {
        namespace = await startNamespace()
      })
      afterEach(async () => {
        // The kernel deletes it too, some time after the namespace has ended.
        if (hostInterfaces().includes(name)) execFileSync('ip', ['link', 'delete', name])
        await namespace.stop() // more than once does no harm
      })
      const connect = (pid: number) => execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)])

      test('a living container is left alone', async () => {
        connect(namespace.pid)
        await putEndpoint('e1', {address: '192.168.0.1', handle: 'uid-1', interfaceName: name})
        expect(await run('mesos gc --apply')).toMatchObject({code: 0, stdout: ''})
        expect(await ids()).toEqual(['e1'])
        expect(hostInterfaces()).toContain(name)
      })
      test('a namespace that nothing but a descriptor keeps: its interface goes with it', async () => {
        connect(namespace.pid)
        await putEndpoint('e1', {address: '192.168.0.1', handle: 'uid-1', interfaceName: name})
        const keeper = spawn('sh', ['-c', `exec 9< /proc/${namespace.pid}/ns/net; echo held; exec sleep 60`], {stdio: ['ignore', 'pipe', 'ignore']})
        try {
          await new Promise((resolve) => keeper.stdout.once('data', resolve))
          await namespace.stop()
          expect(await run('mesos gc')).toMatchObject({code: 10, stdout: expect.stringContaining('no process uses the network') as unknown})
          if (asRoot) expect(await asNobody('mesos gc', '')).toMatchObject({code: 0, stdout: ''})
          expect((await run('mesos gc --apply')).code).toBe(0)
          expect(hostInterfaces()).not.toContain(name)
          expect(await ids()).toEqual([''])
        } finally {
          keeper.kill('SIGKILL')
        }
      })
      test('a container that is connected between the look and the removal keeps its endpoint', async () => {
        await putEndpoint('e1', {address: '192.168.0.1', handle: 'uid-1', interfaceName: name})
        const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin: 'the test'}}}, {perRequest: true})
        try {
          const session = newSession(store, {warn: () => undefined})
          const [gone] = await findGone(session, NODE)
          connect(namespace.pid)
          expect(gone && (await removeGone(session, gone))).toBeUndefined()
          expect(gone?.endpoint.id).toBe('e1')
        } finally {
          store.close()
        }
        expect(await ids()).toEqual(['e1'])
        expect(hostInterfaces()).toContain(name)
      })
      test('an interface that leads to the host itself', async () => {
        execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`])
        await putEndpoint('e1', {address: '192.168.0.1', handle: 'uid-1', interfaceName: name})
        expect(await run('mesos gc')).toMatchObject({code: 10, stdout: expect.stringContaining('leads to no container') as unknown})
        expect((await run('mesos gc --apply')).code).toBe(0)
        expect(hostInterfaces()).not.toContain(name)
      })
    })
    test('a container that the plugin connected, and of which the agent knows nothing any more', async () => {
      const namespace = await startNamespace()
      const folder = testRoot()
      const plugin = (request: object): {error: string | null; ipv4?: string[]} =>
        JSON.parse(execFileSync(join(CALICOCTL, '../calico_mesos'), {input: JSON.stringify(request), env: {PATH: process.env.PATH, ...env(), CALICO_MESOS_LOG_FILE: join(folder.folder, 'log')}, encoding: 'utf8'})) as {error: string | null; ipv4?: string[]}
      try {
        const {ipv4 = []} = plugin({command: 'allocate', args: {hostname: NODE, num_ipv4: 2, num_ipv6: 0, uid: 'u1', netgroups: ['g']}})
        expect(plugin({command: 'isolate', args: {container_id: CONTAINER, hostname: NODE, ipv4_addrs: ipv4, netgroups: ['g'], pid: namespace.pid}})).toEqual({error: null})
        expect(await run('mesos gc')).toMatchObject({code: 0, stdout: ''})
        await namespace.stop()
        // The kernel takes the interface away some time later: until then, nobody has its other end's namespace.
        expect((await run('mesos gc')).stdout).toContain(CONTAINER)
        expect((await run('mesos gc --apply')).code).toBe(0)
        expect(await ids()).toEqual([''])
        for (const address of ipv4) expect(await isFree(address)).toBe(true)
        // Those of this suite's own `ipam assign` are the user's, and no problem.
        expect((await run('ipam check')).code).toBe(0)
      } finally {
        await namespace.stop()
        folder.remove()
      }
    })
    test('not root: only --apply is refused', async () => {
      await putEndpoint('e1', {address: '192.168.0.1', handle: 'uid-1'})
      expect(await asNobody('mesos gc', '')).toMatchObject({code: 10})
      expect(await asNobody('mesos gc --apply', '')).toMatchObject({code: 2})
      expect(await ids()).toEqual(['e1'])
    })
  })
  test('etcd away: 6', async () => expect(await run('mesos gc', {ETCD_ENDPOINTS: 'http://127.0.0.1:1'})).toMatchObject({code: 6, stdout: ''}))
  test('endpoint gc leaves them to it', async () => {
    await putEndpoint('e1', {address: '192.168.0.1', handle: 'uid-1'})
    expect((await run('endpoint gc')).stdout).not.toContain('mesos')
  })
})

describe('every example of the help works as it is written', () => {
  const help = join(CALICOCTL, '../../dist/help')
  const pages = readdirSync(help).filter((page) => page.split('.')[1] === 'mesos')
  const examples = [...new Set(pages.flatMap((page) => [...readFileSync(join(help, page), 'utf8').matchAll(/^\s*\$ calicoctl (.*)$/gm)].map(([, line]) => line ?? '')))]
  test('there are some', () => expect(examples.length).toBeGreaterThan(8))
  test.each(examples)('%s', async (line) => {
    putAgent(root, line.includes('dcos') ? 'dcos' : 'manual', authority())
    await run('pool add 192.168.0.0/16')
    await putNode()
    // This very host is not written to: its files are those of the root, unless the example has one of its own.
    const safe = line.includes('/mnt/image') ? line.replace('/mnt/image', root.folder) : line.startsWith('mesos gc') ? line : `${line} --root ${root.folder}`
    const {code, stderr} = await run(safe)
    expect({code, stderr}).toEqual({code: 0, stderr: expect.not.stringMatching(/Error|Usage:/) as unknown})
  })
})

/** Runs `calicoctl LINE` as a user who owns nothing. */
function asNobody(line: string, folder = root.folder): Promise<{code: number; stdout: string; stderr: string}> {
  const args = [...line.split(' '), ...(folder === '' ? [] : ['--root', folder])]
  return new Promise((settle) => {
    execFile('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, CALICOCTL, ...args], {env: {PATH: process.env.PATH, HOME: '/nonexistent', ...env()}}, (error, stdout, stderr) => settle({code: error === null ? 0 : Number(error.code), stdout, stderr}))
  })
}

/** Runs `calicoctl LINE` on a terminal; ANSWER is typed once the question stands there. */
function onTerminal(line: string, answer: string): Promise<{code: number | null; screen: string}> {
  const child = spawn('script', ['-qefc', `${process.execPath} ${CALICOCTL} ${line}`, '/dev/null'], {env: {PATH: process.env.PATH, TERM: 'xterm', ...env()}})
  let screen = ''
  child.stdout.on('data', (data: Buffer) => {
    const asked = screen.includes('(y/N)')
    screen += data.toString()
    if (!asked && screen.includes('(y/N)')) child.stdin.write(answer)
  })
  return new Promise((settle) => child.on('close', (code) => settle({code, screen})))
}
