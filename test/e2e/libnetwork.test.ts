/** `libnetwork serve` as a process: how it starts, what it says, how it ends; and with a real Docker Engine. */
import {execFile} from 'node:child_process'
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {CALICOCTL, startCalicoctl, type Result, type Running} from '../support/cli.js'
import {startEngine, suite, whyNoEngine, type TestEngine} from '../support/docker.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {whyNoNamespaces} from '../support/namespaces.js'
import {callPlugin} from '../support/plugin-client.js'
import {calicoctl} from '../support/warm.js'

const NOBODY = 'http://127.0.0.1:1'
const PLUGINS = '/run/docker/plugins'

let folder: string
let socket: string
const running: Running[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-serve-'))
  socket = join(folder, 'plugins/calico.sock')
})
afterEach(async () => {
  for (const each of running.splice(0)) {
    each.process.kill('SIGKILL')
    await each.result.catch(() => undefined)
  }
  rmSync(folder, {recursive: true, force: true})
})

/** Starts the service and waits until it serves. */
async function serve(args: readonly string[] = [], env: Record<string, string> = {}, {at = socket}: {at?: string} = {}): Promise<Running & {readonly pid: number}> {
  const started = startCalicoctl(['libnetwork', 'serve', '--socket', at, '--node', 'host1', ...args], {env: {ETCD_ENDPOINTS: NOBODY, ...env}, timeoutMs: 100_000})
  running.push(started)
  let ended: Result | undefined
  void started.result.then((result) => (ended = result), () => undefined)
  for (let i = 0; i < 3_000 && !(await callPlugin(at, 'Plugin.Activate').catch(() => undefined)); i++) {
    if (ended) throw new Error(ended.stderr)
    await sleep(20)
  }
  return {...started, pid: started.process.pid ?? 0}
}

async function stop(started: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<Result> {
  started.process.kill(signal)
  return started.result
}

suite('the service without a datastore', whyNoNamespaces(), () => {
  test('starts, answers, tells that the datastore is away, and ends with 0 after SIGTERM', async () => {
    const started = await serve()
    expect(await callPlugin(socket, 'NetworkDriver.GetCapabilities')).toMatchObject({status: 200, body: {Scope: 'local'}})
    expect(await callPlugin(socket, 'IpamDriver.RequestAddress', {PoolID: 'CalicoPoolIPv4', Address: '', Options: null})).toMatchObject({status: 500, body: {Err: expect.stringContaining(NOBODY) as unknown}})
    const {code, stdout, stderr} = await stop(started)
    expect({code, stdout}).toEqual({code: 0, stdout: ''})
    expect(stderr).toContain(`Serving Docker on ${socket} and ${socket.replace('.sock', '-ipam.sock')}, scope local\n`)
    expect(stderr).toContain(`Node host1; etcd at ${NOBODY}`)
    expect(stderr).toContain('warning: The datastore does not answer')
    expect(stderr).toMatch(/error: IpamDriver\.RequestAddress an address of CalicoPoolIPv4: .* \(500, \d+ ms\)\n/)
    expect(stderr).toMatch(/SIGTERM: .*\n.* Stopped\n$/)
    expect(stderr).not.toContain('debug')
    expect(existsSync(socket)).toBe(false)
  })

  test('Ctrl-C ends it with 130', async () => expect(await stop(await serve(), 'SIGINT')).toMatchObject({code: 130}))

  test('--scope, --quiet, --debug and --metrics', async () => {
    const metrics = join(folder, 'calico.prom')
    const started = await serve(['--scope', 'global', '--quiet', '--metrics', metrics])
    expect(await callPlugin(socket, 'NetworkDriver.GetCapabilities')).toMatchObject({body: {Scope: 'global'}})
    const {stderr} = await stop(started)
    expect(stderr.split('\n').filter((line) => !/ (warning|error): /.test(line))).toEqual([''])
    expect(readFileSync(metrics, 'utf8')).toContain('requests_total{method="NetworkDriver.GetCapabilities",outcome="ok"} 1\n')
    expect((await stop(await serve(['--debug']))).stderr).toMatch(/debug: Plugin\.Activate: done in \d+ ms\n/)
  })

  test('killed, it leaves its sockets; the next one replaces them', async () => {
    const first = await serve()
    await stop(first, 'SIGKILL')
    expect(existsSync(socket)).toBe(true)
    expect(await stop(await serve())).toMatchObject({code: 0})
  })

  test('a second one is refused with 8, and the first goes on', async () => {
    await serve()
    const {code, stdout, stderr} = await calicoctl(['libnetwork', 'serve', '--socket', socket, '--node', 'host1'], {env: {ETCD_ENDPOINTS: NOBODY}})
    expect({code, stdout, stderr}).toEqual({code: 8, stdout: '', stderr: `Error: Another plugin already serves ${socket}.\nStop that plugin first (systemctl status calico-libnetwork; docker ps), or choose another path with --socket.\n`})
    expect(await callPlugin(socket, 'Plugin.Activate')).toMatchObject({status: 200})
  })

  test('an embedded datastore is for trying, and is told so', async () => {
    const started = await serve([], {CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`})
    expect((await stop(started)).stderr).toContain('warning: calico-node cannot read an embedded datastore')
  })

  test.each<[string, readonly string[], Record<string, string>, RegExp]>([
    ['a folder that no file system makes', ['--socket', '/proc/x/c.sock'], {}, /^Error: The folder \/proc\/x cannot be created: the file system does not allow folders there\.\n/],
    ['a socket that is none', ['--socket', 'calico.sock'], {}, /^Error: --socket: 'calico\.sock' is not the path of a plugin socket/],
    ['a scope that is none', ['--scope', 'world'], {}, /--scope: 'world' is not valid. Valid values: local, global/],
    ['an MTU that is none', [], {CALICO_LIBNETWORK_VETH_MTU: '67'}, /^Error: CALICO_LIBNETWORK_VETH_MTU: '67' is not an MTU: 68 to 65535\.\n$/],
    ['a duration that is none', [], {CALICO_LIBNETWORK_LABEL_POLL_TIMEOUT: 'soon'}, /^Error: CALICO_LIBNETWORK_LABEL_POLL_TIMEOUT: 'soon' is not a duration/],
    ['a node that is none', ['--node', 'A_b'], {}, /^Error: --node: "A_b" is not a valid node name/],
    ['a word too many', ['now'], {}, /^Usage:\n {2}calicoctl libnetwork serve \[options\]\n\nError: Unexpected word 'now'\./],
  ])('%s', async (_, args, env, text) => {
    const {code, stderr} = await calicoctl(['libnetwork', 'serve', ...(args.includes('--socket') ? [] : ['--socket', socket]), ...args], {env: {ETCD_ENDPOINTS: NOBODY, NODENAME: 'host1', ...env}})
    expect(stderr).toMatch(text)
    expect(code).toBe(1)
    expect(existsSync(socket)).toBe(false)
  })

  test('a folder that others may write', async () => {
    mkdirSync(join(folder, 'plugins'))
    chmodSync(join(folder, 'plugins'), 0o777)
    const {code, stderr} = await calicoctl(['libnetwork', 'serve', '--socket', socket, '--node', 'host1'], {env: {ETCD_ENDPOINTS: NOBODY}})
    expect({code, stderr}).toEqual({code: 1, stderr: `Error: The folder of the socket, ${folder}/plugins, is writable by other users.\nTo restrict it: chmod go-w ${folder}/plugins\n`})
  })

  test('not root: 2', async () => {
    const {code, stderr} = await new Promise<{code: number; stderr: string}>((settle) => {
      execFile('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, CALICOCTL, 'libnetwork', 'serve'], {env: {PATH: process.env.PATH, HOME: '/nonexistent'}, cwd: '/'}, (error, _, text) => settle({code: Number(error?.code), stderr: text}))
    })
    expect({code, stderr}).toEqual({code: 2, stderr: 'Error: calicoctl libnetwork serve must be run as root.\nRun it with sudo; keep its settings with: sudo -E\n'})
  })
})

describe('help', () => {
  test('names what Docker users type, and what the codes mean', async () => {
    const {stdout} = await calicoctl(['libnetwork', 'serve', '--help'])
    for (const text of ['--driver calico', '--ipam-driver calico', '/run/docker/plugins/calico.sock', 'CALICO_LIBNETWORK_LABEL_ENDPOINTS', '8    Another plugin']) expect(stdout.replaceAll(/\s+/g, ' ')).toContain(text.replaceAll(/\s+/g, ' '))
  })
})

suite('with a real Docker Engine', whyNoEngine(), () => {
  let engine: TestEngine
  let etcd: TestEtcd
  const driver = `calico-${process.pid}`
  const at = join(PLUGINS, `${driver}.sock`)
  const env = (): Record<string, string> => ({ETCD_ENDPOINTS: etcd.endpoints.join(','), DOCKER_HOST: engine.address, NODENAME: 'host1'})
  const run = async (line: string): Promise<string> => {
    const {code, stdout, stderr} = await calicoctl(line.split(' '), {env: env()})
    if (code !== 0) throw new Error(`${line}: ${stderr}`)
    return stdout
  }
  const isDescribed = async (text: string): Promise<void> => {
    for (let i = 0; i < 1_200 && !(await run('get workloadendpoint -A -o json')).includes(text); i++) await sleep(50)
    expect(await run('get workloadendpoint -A -o json')).toContain(text)
  }

  beforeAll(async () => {
    ;[engine, etcd] = [await startEngine(), await startEtcd()]
    await run('pool add 192.168.0.0/16')
  }, 300_000)
  afterAll(async () => {
    await engine.docker('rm', '-f', 'db', 'app').catch(() => undefined)
    await engine.docker('network', 'rm', 'databases', 'applications').catch(() => undefined)
    await engine.stop()
    await etcd.stop()
    for (const path of [at, at.replace('.sock', '-ipam.sock')]) rmSync(path, {force: true}) // of a service that this test had to kill
  })

  test('a network and its container, over a restart of the service; then nothing is left', async () => {
    const first = await serve([], env(), {at})
    await engine.docker('network', 'create', '--driver', driver, '--ipam-driver', driver, 'databases')
    await engine.docker('network', 'create', '--driver', driver, '--ipam-driver', `${driver}-ipam`, '--subnet', '192.168.0.0/16', '--opt', 'labels=true', 'applications')
    await engine.docker('run', '-d', '--net', 'databases', '--name', 'db', 'busybox', 'sleep', '1000')
    expect((await stop(first)).code).toBe(0)
    const second = await serve([], env(), {at})
    await engine.docker('run', '-d', '--net', 'applications', '--ip', '192.168.0.77', '--label', 'org.projectcalico.label.role=app', '--name', 'app', 'busybox', 'sleep', '1000')
    expect(await engine.docker('exec', 'app', 'ip', 'route')).toBe('default via 169.254.1.1 dev cali0 \n169.254.1.1 dev cali0 scope link')
    expect(await run('endpoint show --detailed')).toMatch(/192\.168\.0\.77\/32 .* applications/)
    await isDescribed('"role": "app"')
    await isDescribed('"calicoctl/container": "db"')
    expect(await run('ipam check --docker')).not.toContain('orphan')
    await expect(engine.docker('run', '--net', 'applications', '--ip', '192.168.0.77', 'busybox', 'true')).rejects.toThrow('IpamDriver.RequestAddress: The address 192.168.0.77 is already in use')
    await engine.docker('rm', '-f', 'db', 'app')
    await engine.docker('network', 'rm', 'databases', 'applications')
    expect(JSON.parse(await run('get workloadendpoint -A -o json'))).toMatchObject({items: []})
    expect(await run('ipam check --docker')).toBe('')
    const {stderr} = await stop(second)
    expect(stderr.split('\n').filter((line) => line.includes('fault'))).toEqual([])
  })
})
