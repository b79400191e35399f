/** `checksystem` as a process, as root on this very machine, with a real etcd; of the Docker Engine only its versions, in a real one's bytes. */
import {execFile} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {createServer, type Server} from 'node:http'
import {hostname, networkInterfaces, tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {CALICOCTL, type Result} from '../support/cli.js'
import {heldToSchema} from '../support/schemas.js'
import {suite} from '../support/docker.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {startSilentServer} from '../support/silent-server.js'
import {onTerminal} from '../support/terminal.js'
import {startNamespace, type TestNamespace, whyNoNamespaces} from '../support/namespaces.js'
import {calicoctl} from '../support/warm.js'

interface ShownCheck {
  readonly name: string
  readonly required: boolean
  readonly state: 'ok' | 'failed' | 'warning' | 'skipped'
  readonly found: string
  readonly remedy: string | null
}

const root = process.geteuid?.() === 0
const RESOURCES = '/calico/resources/v3/projectcalico.org'
const VERSION = readFileSync(resolve(import.meta.dirname, '../fixtures/golden/docker/00-version-ping.txt'), 'utf8')
const ALL = ['capabilities', 'kernel', 'modules', 'feature-modules', 'docker', 'etcd', 'etcd-members', 'datastore', 'clock', 'node-name', 'nodename-file', 'node-address', 'forwarding', 'rp-filter', 'conntrack', 'mtu', 'ports', 'firewall', 'network-manager']

let etcd: TestEtcd
let folder: string
let engine: Server
/** The API that the Engine says it has. */
let api: string

beforeAll(async () => {
  etcd = await startEtcd()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-checksystem-'))
  const body = JSON.parse(/^\{.*\}$/m.exec(VERSION)?.[0] ?? '') as object
  engine = createServer((request, response) => {
    const found = request.url === '/version'
    response.writeHead(found ? 200 : 404, {'Content-Type': 'application/json'}).end(JSON.stringify(found ? {...body, ApiVersion: api} : {message: 'page not found'}))
  })
  await new Promise<void>((done) => engine.listen(join(folder, 'docker.sock'), done))
})
afterAll(async () => {
  engine.closeAllConnections()
  await new Promise((done) => engine.close(done))
  await etcd.stop()
  rmSync(folder, {recursive: true, force: true})
})
beforeEach(async () => {
  api = '1.41'
  await etcd.ctl('del', '--prefix', '/')
})

test('on a terminal: no line is wider than it, and sentences stand beside the names', async () => {
  const {screen} = await onTerminal(['checksystem'], {env: {...env(), HOME: folder}, columns: 60})
  const lines = screen.trimEnd().split('\n')
  expect(Math.max(...lines.filter((line) => !line.startsWith('Error:')).map(({length}) => length))).toBeLessThanOrEqual(60)
  expect(lines.filter((line) => !line.startsWith('Error:') && !/^(ok|FAILED|warning|skipped) +[a-z-]+ +\S/.test(line) && !/^ {25}\S/.test(line))).toEqual([])
  const {stderr} = await run()
  expect(stderr.replaceAll(/\s/g, '')).toBe(screen.replaceAll(/\u001b\[\d+m/g, '').replaceAll(/\s/g, ''))
})

const env = (): Record<string, string> => ({ETCD_ENDPOINTS: etcd.endpoints.join(','), NODENAME: 'h1', DOCKER_HOST: `unix://${folder}/docker.sock`})
const run = (line = 'checksystem', more: Record<string, string> = {}): Promise<Result> => calicoctl(line.split(' '), {env: {...env(), ...more}}).then((result) => heldToSchema(line, result))
/** The checks by name, and how it ended. */
async function checks(line = 'checksystem', more: Record<string, string> = {}): Promise<{code: number | null; shown: Record<string, ShownCheck | undefined>}> {
  const {code, stdout} = await run(`${line} -o json`, more)
  const {checks: list} = JSON.parse(stdout) as {checks: ShownCheck[]}
  return {code, shown: Object.fromEntries(list.map((each) => [each.name, each]))}
}
const failed = (shown: Record<string, ShownCheck | undefined>): string[] => Object.values(shown).flatMap((each) => (each?.state === 'failed' ? [each.name] : []))

suite('checksystem', root ? undefined : 'only root may run it', () => {
  test('all good: nothing on stdout, as v0.20; each check on stderr; 0', async () => {
    const {code, stdout, stderr} = await run()
    expect({code, stdout}).toEqual({code: 0, stdout: ''})
    const lines = stderr.trimEnd().split('\n')
    expect(lines.map((line) => line.slice(8).split(' ', 1)[0])).toEqual(ALL)
    expect(stderr).not.toContain('FAILED')
    expect(stderr).toMatch(/^ok {6}docker {11}Docker 20\.10\.24\+dfsg1, API 1\.41\.$/m)
    expect(stderr).toMatch(/^ok {6}etcd {13}etcd 3\.\d+\.\d+ is healthy \(http:\/\/127\.0\.0\.1:\d+\)\.$/m)
    for (const line of lines) expect(line).toMatch(/^(ok|skipped) {1,6}\S+ +[^\s].*\.$|^warning \S+ +\S.*\. [A-Za-z].*$/)
  })
  test('-q: not a word', async () => expect(await run('checksystem -q')).toMatchObject({code: 0, stdout: '', stderr: ''}))
  test('nothing is written', async () => {
    const before = readFileSync('/proc/sys/net/ipv6/conf/all/forwarding', 'utf8')
    await run()
    expect(await etcd.ctl('get', '--prefix', '', '--keys-only')).toBe('')
    expect(readFileSync('/proc/sys/net/ipv6/conf/all/forwarding', 'utf8')).toBe(before)
  })
  test('--fix is a warning', async () => {
    const {code, stdout, stderr} = await run('checksystem --fix')
    expect({code, stdout}).toEqual({code: 0, stdout: ''})
    expect(stderr).toContain('Warning: --fix is deprecated')
  })
  test('the formats', async () => {
    const table = await run('checksystem -o table')
    expect(table).toMatchObject({code: 0, stderr: ''})
    expect(table.stdout).toMatch(/^\+-+\+.*\n\| Check +\| Result +\| Required \| Found +\| Remedy +\|\n/)
    expect((await run('checksystem -o name')).stdout).toBe(`${ALL.join('\n')}\n`)
    expect((await run('checksystem -o plain')).stdout).toMatch(/^kernel\tok\tyes\tLinux \S+\t$/m)
    const json = await run('checksystem --json')
    expect(JSON.parse(json.stdout)).toMatchObject({apiVersion: 'calicoctl/v1', kind: 'SystemCheck', checks: expect.arrayContaining([{name: 'docker', required: true, state: 'ok', found: 'Docker 20.10.24+dfsg1, API 1.41', remedy: null}]) as unknown})
  })
  test('wrong words and runtimes: 1, before anything is looked at', async () => {
    for (const [line, words] of [['checksystem --runtime=rkt', 'abandoned'], ['checksystem --runtime=podman', 'neither docker nor none'], ['checksystem now', 'Usage:']] as const) {
      expect(await run(line, {ETCD_ENDPOINTS: 'http://127.0.0.1:1'})).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining(words) as unknown})
    }
  })

  test('--runtime=none: Docker is skipped, and that is said; not with --libnetwork', async () => {
    const away = {DOCKER_HOST: `unix://${folder}/none.sock`}
    const {code, stderr} = await run('checksystem --runtime=none', away)
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringMatching(/^skipped docker +with --runtime=none, /m) as unknown})
    expect(await run('checksystem --runtime=none --libnetwork', away)).toMatchObject({code: 10, stderr: expect.stringContaining('1 required check failed: docker') as unknown})
  })

  describe('Docker', () => {
    test('too old for networks, with --libnetwork only', async () => {
      api = '1.20'
      expect((await run()).code).toBe(0)
      const {code, stderr} = await run('checksystem --libnetwork')
      expect(code).toBe(10)
      expect(stderr).toMatch(/^FAILED {2}docker .* 1\.21 is needed\. Install a newer/m)
      expect(stderr).toContain('Error: 1 required check failed: docker')
    })
    test('away', async () => {
      const {code, stdout, stderr} = await run('checksystem -q', {DOCKER_HOST: `unix://${folder}/none.sock`})
      expect({code, stdout}).toEqual({code: 10, stdout: ''})
      expect(stderr).toContain('Cannot connect to the Docker Engine')
      expect(stderr).not.toContain('kernel')
    })
    test('something else', async () => {
      const {code, shown} = await checks('checksystem', {DOCKER_HOST: etcd.endpoints[0]?.replace('http', 'tcp') ?? ''})
      expect({code, failed: failed(shown)}).toEqual({code: 10, failed: ['docker']})
      expect(shown.docker?.found).toContain('not a Docker Engine')
    })
  })

  describe('etcd', () => {
    test('away: two failed checks and no more; 10, not 6', async () => {
      const {code, shown} = await checks('checksystem', {ETCD_ENDPOINTS: 'http://127.0.0.1:1'})
      expect({code, failed: failed(shown)}).toEqual({code: 10, failed: ['etcd', 'datastore']})
      expect(shown['node-address']?.state).toBe('skipped')
      expect(shown.datastore?.found).toContain('connection refused')
    })
    test('silent: no longer than --timeout', async () => {
      const silent = await startSilentServer()
      const start = Date.now()
      const {code, shown} = await checks('checksystem --timeout 1s', {ETCD_ENDPOINTS: silent.endpoint})
      expect({code, failed: failed(shown)}).toEqual({code: 10, failed: ['etcd', 'datastore']})
      expect(shown.etcd?.found).toContain('no answer within 1 s')
      expect(Date.now() - start).toBeLessThan(30_000)
      await silent.stop()
    })
    test('one endpoint of two away warns', async () => {
      const {code, shown} = await checks('checksystem', {ETCD_ENDPOINTS: `http://127.0.0.1:1,${etcd.endpoints.join(',')}`})
      expect({code, etcd: shown.etcd?.state, members: shown['etcd-members']?.state}).toEqual({code: 0, etcd: 'ok', members: 'warning'})
    })
    test('not Calico\'s, locked, another cluster', async () => {
      await etcd.ctl('put', `${RESOURCES}/profiles/web`, '{}')
      expect((await checks()).shown.datastore).toMatchObject({state: 'failed', found: expect.stringContaining('not a Calico datastore') as unknown})
      await etcd.ctl('put', `${RESOURCES}/clusterinformations/default`, '{"spec":{"clusterGUID":"abc","datastoreReady":false}}')
      expect((await checks()).shown.datastore).toMatchObject({state: 'failed', found: expect.stringContaining('locked') as unknown})
      await etcd.ctl('put', `${RESOURCES}/clusterinformations/default`, '{"spec":{"clusterGUID":"abc","datastoreReady":true}}')
      expect((await checks()).code).toBe(0)
      expect((await checks('checksystem --expect-cluster def')).shown.datastore).toMatchObject({state: 'failed', found: expect.stringContaining('not the expected cluster') as unknown})
    })
    test('the embedded store is none for calico-node', async () => {
      const {code, shown} = await checks('checksystem', {ETCD_ENDPOINTS: '', CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`})
      expect({code, failed: failed(shown)}).toEqual({code: 10, failed: ['etcd']})
    })
    test('wrong settings are the user\'s: 1', async () => {
      expect(await run('checksystem', {ETCD_ENDPOINTS: 'ftp://127.0.0.1:1'})).toMatchObject({code: 1, stdout: ''})
    })
    test('a clock that is wrong warns', async () => {
      const proxy = createServer((request, response) => {
        const body = request.url === '/version' ? '{"etcdserver":"3.4.23"}' : '{"health":"true"}'
        response.writeHead(200, {Date: new Date(Date.now() - 3_600_000).toUTCString()}).end(body)
      })
      await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
      const {port} = proxy.address() as {port: number}
      const {shown} = await checks('checksystem --timeout 1s', {ETCD_ENDPOINTS: `http://127.0.0.1:${port}`})
      expect(shown.clock).toMatchObject({state: 'warning', required: false, found: expect.stringMatching(/^the clock of \S+ is (3599|3600) s behind this host's$/) as unknown})
      proxy.closeAllConnections()
      await new Promise((done) => proxy.close(done))
    })
  })

  describe('names', () => {
    const node = (name: string, ipv4Address: string): Promise<string> =>
      etcd.ctl('put', `${RESOURCES}/nodes/${name}`, JSON.stringify({kind: 'Node', apiVersion: 'projectcalico.org/v3', metadata: {name}, spec: {bgp: {ipv4Address}}}))
    beforeEach(async () => {
      await calicoctl(['profile', 'add', 'web'], {env: env()})
    })
    test('the system\'s name in capitals is taken in lower case; one that cannot be is wrong', async () => {
      expect((await checks('checksystem', {NODENAME: '', HOSTNAME: 'Rack1-Host1'})).shown['node-name']).toMatchObject({state: 'ok', found: 'rack1-host1 (from HOSTNAME)'})
      const {code, shown} = await checks('checksystem', {NODENAME: 'rack_1'})
      expect({code, failed: failed(shown), address: shown['node-address']?.state}).toEqual({code: 10, failed: ['node-name'], address: 'skipped'})
      expect((await checks('checksystem --node h9')).shown['node-name']?.found).toBe('h9 (from --node)')
    })
    test('another host has the name', async () => {
      await node('h1', '203.0.113.7/24')
      const {code, shown} = await checks()
      expect({code, failed: failed(shown)}).toEqual({code: 10, failed: ['node-address']})
    })
    test('another node has the address; its own node does not disturb', async () => {
      const address = Object.entries(networkInterfaces())
        .filter(([name]) => !/^(lo|docker|veth|br-|cali|virbr)/.test(name))
        .flatMap(([, list = []]) => list.filter(({family}) => family === 'IPv4'))[0]?.address
      if (address === undefined) throw new Error(`${hostname()} has no IPv4 address to test with`)
      await node('h1', `${address}/24`)
      expect((await checks()).code).toBe(0)
      await etcd.ctl('del', `${RESOURCES}/nodes/h1`)
      await node('h2', `${address}/24`)
      expect((await checks()).shown['node-address']).toMatchObject({state: 'failed', found: `The address ${address} belongs to node h2 already`})
    })
  })

  test('rights that root lacks', async () => {
    const {stdout} = await new Promise<{stdout: string}>((done) => {
      execFile('setpriv', ['--bounding-set=-net_admin', process.execPath, CALICOCTL, 'checksystem', '-o', 'json'], {env: {PATH: process.env.PATH, HOME: folder, ...env()}}, (_error, out) => done({stdout: out}))
    })
    const {checks: list} = JSON.parse(stdout) as {checks: ShownCheck[]}
    expect(list.find(({name}) => name === 'capabilities')).toMatchObject({state: 'failed', found: expect.stringContaining('CAP_NET_ADMIN') as unknown})
  })
  test('not root: 2, after the line was judged', async () => {
    const asNobody = (...words: string[]) =>
      new Promise<{code: number; stdout: string; stderr: string}>((done) => {
        execFile(process.execPath, [CALICOCTL, ...words], {uid: 65534, gid: 65534, cwd: '/', env: {PATH: process.env.PATH, HOME: '/', ...env()}}, (error, stdout, stderr) => done({code: Number(error?.code ?? 0), stdout, stderr}))
      })
    expect(await asNobody('checksystem')).toMatchObject({code: 2, stdout: '', stderr: expect.stringContaining('root') as unknown})
    expect((await asNobody('checksystem', '--runtime=rkt')).code).toBe(1)
  })

  test.each(['checksystem', 'checksystem --libnetwork', 'checksystem -o table'])('the example of the help: %s', async (line) => {
    expect((await run(line)).code).toBe(0)
    expect((await calicoctl(['help', 'checksystem'])).stdout).toContain(`$ calicoctl ${line}\n`)
  })
})

suite('a host of its own', whyNoNamespaces(), () => {
  let namespace: TestNamespace
  beforeAll(async () => {
    namespace = await startNamespace()
  })
  afterAll(() => namespace.stop())

  test('a port that calico-node needs is taken, forwarding is off, the filter is loose', async () => {
    namespace.run('sysctl', '-qw', 'net.ipv4.ip_forward=0', 'net.ipv4.conf.all.rp_filter=2')
    const program = join(folder, 'listen.mjs')
    writeFileSync(program, `import {createServer} from 'node:net'\ncreateServer().listen(179, () => console.log('listens'))\n`)
    const taker = execFile('nsenter', [`--net=${namespace.path}`, process.execPath, program])
    await new Promise((done) => taker.stdout?.once('data', done))
    try {
      const {stdout, code} = await new Promise<{stdout: string; code: number}>((done) => {
        execFile('nsenter', [`--net=${namespace.path}`, process.execPath, CALICOCTL, 'checksystem', '-o', 'json', '--timeout', '1s'], {env: {PATH: process.env.PATH, HOME: folder, ...env()}}, (error, out) => done({stdout: out, code: Number(error?.code ?? 0)}))
      })
      const {checks: list} = JSON.parse(stdout) as {checks: ShownCheck[]}
      const shown = Object.fromEntries(list.map((each) => [each.name, each]))
      expect(code).toBe(10)
      expect(shown.ports).toMatchObject({state: 'failed', found: expect.stringMatching(/^179 \(BGP\) is used by \S+$/) as unknown})
      expect(shown.forwarding).toMatchObject({state: 'warning', found: expect.stringContaining('ip_forward') as unknown})
      expect(shown['rp-filter']?.state).toBe('warning')
      expect(shown.mtu?.state).toBe('skipped')
    } finally {
      taker.kill('SIGKILL')
    }
  })
})
