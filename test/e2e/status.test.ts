/**
 * `status` as a process. The Engine answers with a real one's bytes, BIRD from transcripts of calico/node's own, etcd is real. What Felix does is
 * not proved here: only what is shown of its answers.
 */
import {execFile, execFileSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {startBird, startTranscriptServer, type TestBird, type TranscriptServer, whyNoBird} from '../support/bird.js'
import {CALICOCTL, type Result, startCalicoctl} from '../support/cli.js'
import {heldToSchema} from '../support/schemas.js'
import {startEngine, suite, type TestEngine, whyNoEngine} from '../support/docker.js'
import {type ListedContainer, type ReplayEngine, startReplayEngine} from '../support/docker-replay.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {startNamespace, type TestNamespace, whyNoNamespaces} from '../support/namespaces.js'
import {calicoctl} from '../support/warm.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org'
const golden = (name: string): string => readFileSync(resolve(import.meta.dirname, '../fixtures/golden/bird', name), 'utf8')
const root = process.geteuid?.() === 0

let etcd: TestEtcd
let engine: ReplayEngine
let folder: string
let birds: TranscriptServer[]

beforeAll(async () => {
  etcd = await startEtcd()
})
afterAll(() => etcd.stop())

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-status-'))
  mkdirSync(join(folder, 'run/endpoint-status'), {recursive: true})
  engine = await startReplayEngine(join(folder, 'docker.sock'))
  for (const mount of engine.inspected.Mounts) if (mount.Destination === '/var/run/calico') mount.Source = join(folder, 'run')
  engine.exec = (command) => ({exitCode: 0, output: command.endsWith(' -v') ? 'v3.32.1\n' : ''})
  birds = []
  await etcd.ctl('del', '--prefix', '/')
  await calicoctl(['profile', 'add', 'web'], {env: {ETCD_ENDPOINTS: etcd.endpoints.join(',')}})
  await put('nodes/h1', 'Node', 'h1', {bgp: {ipv4Address: '10.201.0.1/24', ipv6Address: 'fd01:201::1/64'}})
})
afterEach(async () => {
  for (const bird of birds) await bird.stop()
  await engine.stop()
  rmSync(folder, {recursive: true, force: true})
})

const put = (path: string, kind: string, name: string, spec: object): Promise<string> =>
  etcd.ctl('put', `${RESOURCES}/${path}`, JSON.stringify({kind, apiVersion: 'projectcalico.org/v3', metadata: {name, ...(kind === 'WorkloadEndpoint' ? {namespace: 'default'} : {})}, spec}))
const env = (): Record<string, string> => ({ETCD_ENDPOINTS: etcd.endpoints.join(','), NODENAME: 'h1', DOCKER_HOST: engine.address})
const run = (line = 'status', more: Record<string, string> = {}): Promise<Result> => calicoctl(line.split(' '), {env: {...env(), ...more}}).then((result) => heldToSchema(line, result))
/** calico-node in the Engine's list. */
function listed(): ListedContainer {
  const found = engine.containers.find(({Names}) => Names.includes('/calico-node'))
  if (!found) throw new Error('calico-node is not in the golden list')
  return found
}
async function transcripts(v4: string, v6?: string): Promise<void> {
  birds.push(await startTranscriptServer(join(folder, 'run/bird.ctl'), golden(v4)))
  if (v6 !== undefined) birds.push(await startTranscriptServer(join(folder, 'run/bird6.ctl'), golden(v6)))
}
async function endpoint(workload: string, id: string, {up}: {up: boolean}): Promise<void> {
  const name = `h1-libnetwork-${workload}-${id}`
  await put(`workloadendpoints/default/${name}`, 'WorkloadEndpoint', name, {node: 'h1', orchestrator: 'libnetwork', workload, endpoint: id, interfaceName: `cali${id}`, ipNetworks: ['192.168.0.1/32']})
  if (up) writeFileSync(join(folder, 'run/endpoint-status', `libnetwork default%2F${workload} ${id}`), '{}')
}

describe('all is well', () => {
  test('v0.20\'s lines and tables first, then ours; 0', async () => {
    await transcripts('03-mesh-established.v4.txt', '03-mesh-established.v6.txt')
    await endpoint('w1', 'e1', {up: true})
    const {code, stdout, stderr} = await run()
    expect({code, stderr}).toEqual({code: 0, stderr: ''})
    const [old, ours = ''] = stdout.split('Node:')
    expect(old).toBe(
      [
        'calico-node container is running. Status: Up 3 minutes',
        'Running felix version v3.32.1',
        '',
        'IPv4 BGP status',
        'IP: 10.201.0.1    AS Number: 64512 (inherited)',
        '+--------------+-------------------+-------+----------+-------------+',
        '| Peer address |     Peer type     | State |  Since   |     Info    |',
        '+--------------+-------------------+-------+----------+-------------+',
        '|  10.201.0.3  | node-to-node mesh |   up  | 09:37:55 | Established |',
        '+--------------+-------------------+-------+----------+-------------+',
        '',
        'IPv6 BGP status',
        'IP: fd01:201::1    AS Number: 64512 (inherited)',
        '+--------------+-------------------+-------+----------+-------------+',
        '| Peer address |     Peer type     | State |  Since   |     Info    |',
        '+--------------+-------------------+-------+----------+-------------+',
        '| fd01:201::3  | node-to-node mesh |   up  | 09:37:55 | Established |',
        '+--------------+-------------------+-------+----------+-------------+',
        '',
        '',
      ].join('\n'),
    )
    expect(ours).toMatch(/^ {7}h1\nContainer: {2}running, 0 restarts, up \S+\nImage: {6}quay\.io\/calico\/node:v3\.32\.1\nFelix: {6}ready\nBIRD: {7}ready, v0\.3\.3\+birdv1\.6\.8\nDatastore: {2}reachable, cluster \S+\nEndpoints: {2}1 up, 0 down\nLibnetwork: not installed(, but another driver answers)?\n$/)
    expect(ours).not.toContain('|')
    expect([...engine.started].sort()).toEqual(['calico-node -bird-ready', 'calico-node -felix-ready', 'calico-node -v'])
  })
  test('the passive side of a pair is not a fault, and says so', async () => {
    await transcripts('02-mesh-passive.v4.txt', '02-mesh-passive.v6.txt')
    const {code, stdout} = await run()
    expect(code).toBe(0)
    expect(stdout).toContain('Remark:     10.201.0.3: normal on this side: it waits for the peer to connect\n')
  })
  test('no IPv6 address: BIRD is not asked for it', async () => {
    await put('nodes/h1', 'Node', 'h1', {bgp: {ipv4Address: '10.201.0.1/24', asNumber: 64600}})
    await transcripts('01-no-peers.v4.txt')
    const {code, stdout} = await run()
    expect(code).toBe(0)
    expect(stdout).toContain('AS Number: 64600\n')
    expect(stdout).toContain('IPv6 BGP status\nNo IPv6 address configured.\n\n')
  })
  test('BGP is off by the container\'s own settings', async () => {
    engine.inspected.Config.Env.push('CALICO_NETWORKING_BACKEND=none')
    const {code, stdout} = await run()
    expect(code).toBe(0)
    expect(stdout).toContain('BIRD is off on this node.')
    expect(engine.started).not.toContain('calico-node -bird-ready')
  })
  test('json: the same for programs', async () => {
    await transcripts('03-mesh-established.v4.txt', '03-mesh-established.v6.txt')
    const {code, stdout} = await run('status -o json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      apiVersion: 'calicoctl/v1',
      kind: 'NodeStatus',
      node: 'h1',
      container: {state: 'running', restarts: 0, startedAt: '2026-11-21T09:37:48.402678114Z', image: 'quay.io/calico/node:v3.32.1'},
      readiness: {felix: {state: 'ready'}, bird: {state: 'ready'}},
      versions: {felix: 'v3.32.1', bird: 'v0.3.3+birdv1.6.8'},
      datastore: {state: 'answers', nodeExists: true, datastoreReady: true},
      bgp: {ipv4: {address: '10.201.0.1', asNumber: 64512, asInherited: true, bird: 'answers', peers: [{address: '10.201.0.3', type: 'node-to-node mesh', bgpState: 'Established', health: 'established'}]}},
      endpoints: {reported: true, up: 0, down: [], left: []},
      libnetwork: {form: 'none', running: false, state: '', since: null, restarts: 0},
      problems: [],
    })
  })
})

describe('something is wrong: 10, and each thing told', () => {
  test('peers that are down, one disabled, one on a port', async () => {
    await transcripts('10-global-bad-peer-as.v4.txt', '08-global-opening-3.v6.txt')
    const {code, stdout, stderr} = await run()
    expect(code).toBe(10)
    expect(stdout).toMatch(/\| +10\.201\.0\.9:1790 +\| +node specific +\| start \| 09:39:36 \| Active +Socket: Connection refused +\|/)
    expect(stderr).toContain('4 problems were found:')
    expect(stderr).toContain('No BGP session with 10.201.0.9 (global): Active, BGP Error: Bad peer AS.')
  })
  test('a disabled peer is shown', async () => {
    await transcripts('04-mesh-down-disabled.v4.txt', '03-mesh-established.v6.txt')
    const {code, stdout} = await run()
    expect(code).toBe(10)
    expect(stdout).toMatch(/\| +10\.201\.0\.3 +\| node-to-node mesh \| +down +\| 09:38:37 \| +\|/)
  })
  test('Felix and BIRD, each by itself', async () => {
    await transcripts('03-mesh-established.v4.txt', '03-mesh-established.v6.txt')
    engine.exec = (command) =>
      command.endsWith('-felix-ready') ? {exitCode: 1, output: '2026-11-21 [INFO] noise\ncalico/node is not ready: felix is not ready: readiness probe reporting 503\n'} : {exitCode: 0, output: ''}
    const {code, stdout, stderr} = await run()
    expect(code).toBe(10)
    expect(stdout).toContain('Felix:      not ready (felix is not ready: readiness probe reporting 503)\nBIRD:       ready')
    expect(stdout).toContain('Running felix version v3.32.1\n') // the image's label, where the program does not say
    expect(stderr).toContain('Felix is not ready: felix is not ready: readiness probe reporting 503.')
  })
  test('a program that does not answer -v: the version is unknown, and not waited for', async () => {
    await transcripts('03-mesh-established.v4.txt', '03-mesh-established.v6.txt')
    engine.inspected.Config.Labels = {}
    engine.exec = (command) => (command.endsWith(' -v') ? {exitCode: null, output: ''} : {exitCode: 0, output: ''})
    const start = performance.now()
    expect(await run()).toMatchObject({code: 0, stdout: expect.stringContaining('Running felix version unknown\n') as unknown})
    expect(performance.now() - start).toBeLessThan(40_000)
    expect(JSON.parse((await run('status -o json')).stdout)).toMatchObject({versions: {felix: null}})
  })
  test('an image without calico-node', async () => {
    await transcripts('03-mesh-established.v4.txt', '03-mesh-established.v6.txt')
    engine.exec = () => ({exitCode: 127, output: 'OCI runtime exec failed: exec failed: unable to start container process: exec: "calico-node": executable file not found in $PATH: unknown\n'})
    const {code, stderr} = await run()
    expect({code, stderr}).toEqual({code: 10, stderr: expect.stringContaining('Felix is not ready: the image quay.io/calico/node:v3.32.1 is not calico/node: it does not contain the program calico-node.') as unknown})
    expect(stderr).not.toContain('OCI runtime')
  })
  test('a crash loop', async () => {
    Object.assign(listed(), {State: 'restarting', Status: 'Restarting (1) 5 seconds ago'})
    Object.assign(engine.inspected.State, {Status: 'restarting', ExitCode: 1})
    engine.inspected.RestartCount = 7
    const {code, stdout, stderr} = await run()
    expect(code).toBe(10)
    expect(stdout).toContain('calico-node container is running. Status: Restarting (1) 5 seconds ago\n')
    expect(stderr).toContain('The container is restarting; it was restarted 7 times, its last exit code is 1.')
    expect(engine.started).toEqual([])
  })
  test('no BIRD: v0.20\'s line, and why', async () => {
    const {code, stdout, stderr} = await run()
    expect(code).toBe(10)
    expect(stdout).toContain('AS Number: 64512 (inherited)\nCouldn\'t connect to bird.\nIPv6 BGP status\n')
    expect(stderr).toContain('bird.ctl does not exist')
  })
  test('BIRD says something else: shown as it came, escaped', async () => {
    birds.push(await startTranscriptServer(join(folder, 'run/bird.ctl'), '0001 BIRD 9 ready.\n9001 \u001b[31msyntax error\n'))
    const {code, stdout, stderr} = await run()
    expect(code).toBe(10)
    expect(stdout).toContain('\\x1b[31msyntax error\n\nIPv6')
    expect(stdout + stderr).not.toContain('\u001b')
  })
  test('the datastore is away: said, and the rest goes on', async () => {
    await transcripts('03-mesh-established.v4.txt', '03-mesh-established.v6.txt')
    await endpoint('w1', 'e1', {up: true})
    const {code, stdout, stderr} = await run('status', {ETCD_ENDPOINTS: 'http://127.0.0.1:1'})
    expect(code).toBe(10)
    expect(stdout).toContain('IP: unknown    AS Number: unknown\n')
    expect(stdout).toContain('|  10.201.0.3  | node-to-node mesh |')
    expect(stdout).toContain('error connecting to etcd')
    expect(stdout).toContain('Endpoints:  1 up, down unknown\n')
    expect(stderr).toContain('The datastore:')
  })
  test('endpoints that Felix has not programmed, and files of those that are gone', async () => {
    await transcripts('03-mesh-established.v4.txt', '03-mesh-established.v6.txt')
    await endpoint('w1', 'e1', {up: true})
    await endpoint('w2', 'e2', {up: false})
    writeFileSync(join(folder, 'run/endpoint-status', 'docker default%2Fgone e9'), '{}')
    writeFileSync(join(folder, 'run/endpoint-status', 'no%endpoint'), '{}')
    const {code, stdout, stderr} = await run()
    expect(code).toBe(10)
    expect(stdout).toContain('Endpoints:  1 up, 1 down, 1 no longer in the datastore\n')
    expect(stderr).toContain('Felix has not programmed 1 endpoint of this host: default/w2 (e2).')
  })
  test('no Node object', async () => {
    await etcd.ctl('del', `${RESOURCES}/nodes/h1`)
    const {code, stdout, stderr} = await run()
    expect(code).toBe(10)
    expect(stdout).toContain('No IPv4 address configured.\n\nIPv6 BGP status\nNo IPv6 address configured.\n\n')
    expect(stderr).toContain('The node h1 does not exist in the datastore, or cannot be read.')
  })
  test('values that cannot be read do not end it', async () => {
    await transcripts('03-mesh-established.v4.txt', '03-mesh-established.v6.txt')
    await etcd.ctl('put', `${RESOURCES}/bgpconfigurations/default`, '{"kind":')
    const {code, stdout, stderr} = await run()
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringMatching(/^Warning: .*bgpconfigurations\/default.*\n$/) as unknown})
    expect(stdout).toContain('AS Number: 64512 (inherited)')
    await etcd.ctl('put', `${RESOURCES}/nodes/h1`, '[]')
    expect(await run()).toMatchObject({code: 10, stdout: expect.stringContaining('No IPv4 address configured.') as unknown})
  })
})

describe('no calico-node, no Engine, no rkt: 1', () => {
  test('only a container whose name contains it', async () => {
    engine.containers = engine.containers.filter(({Names}) => Names.includes('/calico-node-2'))
    expect(await run()).toMatchObject({code: 1, stdout: 'calico-node container not running\n'})
    const {code, stdout} = await run('status -o json')
    expect({code, document: JSON.parse(stdout) as unknown}).toMatchObject({code: 1, document: {kind: 'NodeStatus', container: null}})
  })
  test('one that has ended', async () => {
    listed().State = 'exited'
    Object.assign(engine.inspected.State, {Status: 'exited', Running: false, ExitCode: 3, FinishedAt: '2026-11-21T10:00:00Z'})
    const {code, stdout, stderr} = await run()
    expect({code, stdout}).toEqual({code: 1, stdout: 'calico-node container not running\n'})
    expect(stderr).toContain('The container calico-node ended at 2026-11-21T10:00:00Z with exit code 3.')
    expect(JSON.parse((await run('status -o json')).stdout)).toMatchObject({container: {state: 'exited', exitCode: 3}})
    expect((await run('status -o yaml')).stdout).toContain('container:\n  state: exited\n')
  })
  test('no Engine', async () => {
    const {code, stdout, stderr} = await run('status', {DOCKER_HOST: `unix://${folder}/none.sock`})
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    expect(stderr).toContain('Cannot connect to the Docker Engine')
  })
  test('another host\'s Engine', async () => {
    expect((await run('status', {DOCKER_HOST: 'tcp://192.0.2.1:2375'})).stderr).toContain('refers to the Docker Engine of another host')
  })
  test.each([['rkt', 'rkt has been abandoned'], ['none', '\'none\' is not a runtime'], ['', '\'\' is not a runtime']])('--runtime=%s', async (runtime, text) => {
    const {code, stdout, stderr} = await run(`status --runtime=${runtime}`)
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    expect(stderr).toContain(text)
    expect(stderr).not.toContain('Usage:')
  })
})

describe('--all: every node, from the datastore alone', () => {
  const all = (line = 'status --all'): Promise<Result> => run(line, {DOCKER_HOST: `unix://${folder}/none.sock`})
  const report = (node: string, word: string, time: string): Promise<string> => etcd.ctl('put', `/calico/felix/v2/no-region/host/${node}/${word}`, JSON.stringify({time, uptime: 1.5, first_update: false}))

  test('addresses, endpoints, and who reports', async () => {
    await put('nodes/h2', 'Node', 'h2', {})
    await put('nodes/h3', 'Node', 'h3', {})
    await endpoint('w1', 'e1', {up: false})
    await report('h1', 'status', '2026-11-21T09:00:00Z')
    await report('h1', 'last_reported_status', '2026-11-21T09:00:00Z')
    expect(await all()).toMatchObject({code: 0, stderr: ''})
    await report('h3', 'last_reported_status', '2026-11-20T09:00:00Z')
    const {code, stdout, stderr} = await all('status --all -o plain')
    expect({code, stdout}).toEqual({
      code: 10,
      stdout:
        'h1\t10.201.0.1\tfd01:201::1\t64512 (inherited)\t1\treports (2026-11-21T09:00:00Z)\n' +
        'h2\t\t\t64512 (inherited)\t0\tdoes not report\nh3\t\t\t64512 (inherited)\t0\tsilent since 2026-11-20T09:00:00Z\n',
    })
    expect(stderr).toContain('Felix of h3 has been silent since 2026-11-20T09:00:00Z.')
  })
  test('json', async () => {
    const {code, stdout} = await all('status --all -o json')
    expect({code, document: JSON.parse(stdout) as unknown}).toMatchObject({code: 0, document: {kind: 'ClusterStatus', nodes: [{name: 'h1', ipv4: '10.201.0.1', felix: null}], problems: []}})
  })
  test('without the datastore there is nothing to show: 6', async () => {
    expect(await run('status --all', {ETCD_ENDPOINTS: 'http://127.0.0.1:1'})).toMatchObject({code: 6, stdout: ''})
  })
})

describe('--watch', () => {
  test('appends where nobody looks, goes on when calico-node is gone, and ends on Ctrl-C with 130', async () => {
    await transcripts('03-mesh-established.v4.txt', '03-mesh-established.v6.txt')
    const {process: child, result} = startCalicoctl(['status', '--watch'], {env: env()})
    let output = ''
    const until = (text: string): Promise<void> =>
      new Promise((done) => {
        child.stdout?.on('data', (data: Buffer) => {
          output += data.toString()
          if (output.includes(text)) done()
        })
      })
    await until('Endpoints:')
    engine.containers = []
    await until('container not running')
    child.kill('SIGINT')
    const {code, stdout, stderr} = await result
    expect(code).toBe(130)
    expect(stdout).not.toContain('\u001b')
    expect(stdout.indexOf('container is running')).toBeLessThan(stdout.indexOf('container not running'))
    expect(stderr).toContain('Interrupted')
  })
})

describe('--watch, further', () => {
  test('clears a terminal before each round', () => {
    const line = `timeout -s INT 2 ${process.execPath} ${CALICOCTL} status --watch; exit 0`
    const output = execFileSync('script', ['-qec', line, '/dev/null'], {encoding: 'utf8', env: {PATH: process.env.PATH, HOME: folder, TERM: 'xterm', ...env(), DOCKER_HOST: `unix://${folder}/none.sock`}, stdio: ['ignore', 'pipe', 'pipe']})
    expect(output).toContain('\u001b[H\u001b[2J')
    expect(output).toContain('Cannot connect to the Docker Engine')
  })
  test('without a datastore too', async () => {
    const {process: child, result} = startCalicoctl(['status', '--watch'], {env: {...env(), ETCD_ENDPOINTS: 'http://127.0.0.1:1'}})
    await new Promise<void>((done) => child.stdout?.on('data', (data: Buffer) => data.toString().includes('error connecting to etcd') && done()))
    child.kill('SIGINT')
    expect(await result).toMatchObject({code: 130})
  })
})

describe('the examples of the help', () => {
  test.each(['status', 'status -o json', 'status --all'])('%s', async (line) => {
    await transcripts('03-mesh-established.v4.txt', '03-mesh-established.v6.txt')
    expect((await run(line)).code).toBe(0)
    expect((await calicoctl(['help', 'status'])).stdout).toContain(`$ calicoctl ${line}\n`)
  })
})

suite('not root', root ? undefined : 'only root may drop its rights', () => {
  test('all but the sessions, and 2', async () => {
    await transcripts('03-mesh-established.v4.txt', '03-mesh-established.v6.txt')
    for (const path of [folder, join(folder, 'run')]) execFileSync('chmod', ['755', path])
    execFileSync('chmod', ['666', join(folder, 'docker.sock')])
    const {code, stdout, stderr} = await new Promise<{code: number; stdout: string; stderr: string}>((done) => {
      execFile(process.execPath, [CALICOCTL, 'status'], {uid: 65534, gid: 65534, cwd: '/', env: {PATH: process.env.PATH, HOME: '/', ...env()}}, (error, out, err) => done({code: Number(error?.code ?? 0), stdout: out, stderr: err}))
    })
    expect(code).toBe(2)
    expect(stdout).toContain('calico-node container is running.')
    expect(stdout).not.toContain('|')
    expect(stderr).toContain('root')
    expect(birds.flatMap(({questions}) => questions)).toEqual([])
  })
})

/** What the container has in place of calico/node's program: it answers as that does, and is ready when a file says so. */
const STAND_IN = `#!/bin/sh
case "$1" in
  -v) echo v3.32.1 ;;
  -felix-ready) if [ ! -e /var/run/calico/felix-is-ready ]; then echo 'calico/node is not ready: felix is not ready: no file'; exit 1; fi ;;
esac
`

suite('a real Engine, a stand-in for calico/node in it, and Debian\'s BIRD', whyNoEngine() ?? whyNoNamespaces() ?? whyNoBird(), () => {
  let real: TestEngine
  let namespace: TestNamespace
  let bird: TestBird
  beforeAll(async () => {
    real = await startEngine()
    namespace = await startNamespace()
    namespace.run('ip', 'address', 'add', '10.201.0.1/24', 'dev', 'lo')
    bird = await startBird(
      namespace,
      `router id 10.201.0.1; protocol device { }
       protocol bgp Mesh_10_201_0_3 { local 10.201.0.1 as 64512; neighbor 10.201.0.3 as 64512; multihop; passive; }`,
    )
  })
  afterAll(async () => {
    await bird.stop()
    await namespace.stop()
    await real.docker('rm', '-f', 'calico-node')
    await real.stop()
  })

  test('runs, is not ready, is ready, is stopped', async () => {
    await put('nodes/h1', 'Node', 'h1', {bgp: {ipv4Address: '10.201.0.1/24'}})
    symlinkSync(bird.path, join(folder, 'run/bird.ctl'))
    writeFileSync(join(folder, 'calico-node'), STAND_IN, {mode: 0o755})
    const more = {DOCKER_HOST: real.address}
    expect(await run('status', more)).toMatchObject({code: 1, stdout: 'calico-node container not running\n'})

    await real.docker('run', '-d', '--name', 'calico-node', '--network', 'none', '-v', `${join(folder, 'run')}:/var/run/calico`, '-v', `${join(folder, 'calico-node')}:/bin/calico-node:ro`, 'busybox', 'sleep', '86400')
    const early = await run('status', more)
    expect(early).toMatchObject({code: 10, stderr: expect.stringContaining('Felix is not ready: felix is not ready: no file.') as unknown})

    writeFileSync(join(folder, 'run/felix-is-ready'), '')
    // A version that takes more than 2 s is not waited for: a machine that is busy needs a second look.
    let {code, stdout} = await run('status', more)
    for (let looks = 1; looks < 8 && stdout.includes('felix version unknown'); looks++) ({code, stdout} = await run('status', more))
    expect(stdout).toMatch(/^calico-node container is running\. Status: Up .*\nRunning felix version v3\.32\.1\n/)
    expect(stdout).toMatch(/\| +10\.201\.0\.3 +\| node-to-node mesh \| start \| \S+ +\| Passive +\|/)
    expect(stdout).toContain('BIRD:       ready, 1.')
    expect(code).toBe(0)

    await real.docker('kill', 'calico-node')
    expect(await run('status', more)).toMatchObject({code: 1, stdout: 'calico-node container not running\n'})
  })
})
