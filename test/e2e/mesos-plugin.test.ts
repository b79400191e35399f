/** The Mesos plugin as net-modules calls it: the executable, a real etcd, real network namespaces (mesos-docker §1, §2.3, §2.4, §2.7). */
import {execFileSync} from 'node:child_process'
import {randomUUID} from 'node:crypto'
import {cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {listEndpoints} from '../../src/lib/client/endpoints.js'
import {nodeNameInputs, resolveNodeName} from '../../src/lib/client/node-name.js'
import {listResources} from '../../src/lib/client/resources.js'
import {newSession, type Session} from '../../src/lib/client/session.js'
import type {Datastore} from '../../src/lib/datastore/datastore.js'
import {openDatastore} from '../../src/lib/datastore/open.js'
import {hostInterfaceName} from '../../src/lib/host/interfaces.js'
import {type AddressRecord, lookUpAddress} from '../../src/lib/ipam/lookup.js'
import {endpointId} from '../../src/lib/model/hash.js'
import {convertName} from '../../src/lib/model/names.js'
import {evaluate, parseSelector} from '../../src/lib/model/selector/index.js'
import type {EntityRule, Node, Profile, WorkloadEndpoint} from '../../src/lib/model/types.js'
import {contains, parseAddress, parseCidr} from '../../src/lib/net/index.js'
import {suite} from '../support/docker.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {allAssigned, createObject, unsound} from '../support/ipam.js'
import {hostInterfaces, startNamespace, type TestNamespace, whyNoNamespaces} from '../support/namespaces.js'
import {CALICO_MESOS, type Label, type NetModules, netModules, plugin, type PluginOptions, type PluginResult, startPlugin} from '../support/net-modules.js'
import {freePorts} from '../support/ports.js'
import {type Proxy, startProxy} from '../support/proxy.js'
import {startSilentServer} from '../support/silent-server.js'
import {calicoctl} from '../support/warm.js'

/** As the plugin names this host: calico/node's own file goes before the environment. */
const NODE = resolveNodeName({...nodeNameInputs(), env: {CALICO_NODENAME: `mesos-${process.pid}`}}, {fileFirst: true}).name
const HOSTNAME = 'slave-H3A-1'
const PREFIX = '/calico/'

let etcd: TestEtcd
let store: Datastore
let session: Session
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calico-mesos-'))
  etcd = await startEtcd()
  store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin: 'the test'}}}, {perRequest: true})
})
afterAll(async () => {
  store.close()
  await etcd.stop()
  rmSync(folder, {recursive: true, force: true})
})
beforeEach(async () => {
  await etcd.ctl('del', '--prefix', PREFIX)
  session = newSession(store, {warn: () => undefined})
})

const options = (env: Readonly<Record<string, string | undefined>> = {}): PluginOptions => ({env: {ETCD_ENDPOINTS: etcd.endpoints.join(','), CALICO_NODENAME: NODE, ...env}})
const pool = (cidr = '192.168.0.0/16', name = 'pool', spec: object = {}): Promise<void> => createObject(session, 'IPPool', name, {cidr, ...spec})
const call = (command: string, args: object, env?: Readonly<Record<string, string | undefined>>): Promise<PluginResult> => plugin({command, args}, options(env))
const parsed = ({stdout}: PluginResult): {error: string | null; ipv4: string[]; ipv6: string[]} => JSON.parse(stdout) as never
const SUCCESS = {code: 0, stdout: '{"error":null}', stderr: ''}
const failure = (error: string) => ({code: 1, stdout: JSON.stringify({error}), stderr: ''})
const allocation = (uid: string, args: object = {}, env?: Readonly<Record<string, string | undefined>>): Promise<PluginResult> => call('allocate', {hostname: HOSTNAME, num_ipv4: 1, num_ipv6: 0, uid, ...args}, env)
const reservation = (uid: string, ...addresses: string[]): Promise<PluginResult> => call('reserve', {hostname: HOSTNAME, ipv4_addrs: addresses, uid})

async function allocated(uid: string, args: object = {}): Promise<string[]> {
  const result = await allocation(uid, args)
  if (result.code !== 0) throw new Error(result.stdout)
  return parsed(result).ipv4
}

async function endpoints(): Promise<WorkloadEndpoint[]> {
  const found: WorkloadEndpoint[] = []
  for await (const {stored} of listEndpoints(session, {})) found.push(stored.resource)
  return found
}

async function endpointOf(container: string): Promise<WorkloadEndpoint> {
  const [found, ...more] = (await endpoints()).filter(({spec}) => spec.workload === container)
  if (!found || more.length > 0) throw new Error(`${container} has ${more.length + (found ? 1 : 0)} endpoints`)
  return found
}

async function profiles(): Promise<Map<string, Profile>> {
  const found = new Map<string, Profile>()
  for await (const {resource} of listResources<Profile>(session, 'Profile')) found.set(resource.metadata.name, resource)
  return found
}

async function assignmentOf(text: string): Promise<AddressRecord['assignment']> {
  const address = parseAddress(text)
  return address && (await lookUpAddress(session, address)).assignment
}

/** Nothing in the store contradicts itself, and no address is assigned. */
async function expectNothingLeft(): Promise<void> {
  expect(await endpoints()).toEqual([])
  expect(await allAssigned(store)).toEqual([])
  expect(await unsound(store)).toEqual([])
}

describe('an answer, always', () => {
  const lonely = {ETCD_ENDPOINTS: 'http://127.0.0.1:1'}

  test.each([
    ['', 'Unexpected end of JSON input'],
    ['{"args":{}}', 'Missing command'],
    ['{"command":"isolate"}', 'Missing args'],
    ['{"command":"pause","args":{}}', 'Unknown command: pause'],
    ['{"command":"release","args":{"uid":"u","ips":["10.0.0.1"]}}', 'Supply either uid or ips, not both.'],
  ])('%j: %s, whether or not there is an etcd', async (input, error) => {
    expect(await plugin(input, options(lonely))).toMatchObject(failure(error))
  })

  test('neither the answer nor the log has anything in it that is not printable', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'calicoctl-log-')), 'log')
    const {stdout} = await plugin(JSON.stringify({command: 'pa\u202e\u009b31m\u001b\nu\u2028se', args: {}}), options({...lonely, CALICO_MESOS_LOG_FILE: file}))
    const log = readFileSync(file, 'utf8')
    rmSync(dirname(file), {recursive: true})
    expect(log.split('\n')).toHaveLength(5)
    expect(log.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
    expect(stdout).toMatch(/^[\x20-\x7e]+$/)
    expect((JSON.parse(stdout) as {error: string}).error).toBe('Unknown command: pa\\u202e\\x9b31m\\x1b u\\u2028se')
  })

  test('a request that is too long', async () => {
    expect(await plugin(' '.repeat(1_100_000), options(lonely))).toMatchObject(failure('The request is longer than 1048576 bytes.'))
  })

  test('bytes that are no text: two names must not become one', async () => {
    const input = Buffer.from('{"command":"cleanup","args":{"container_id":"c\xff","hostname":"h"}}', 'latin1')
    expect(await plugin(input, options(lonely))).toMatchObject(failure('The request is not UTF-8 text.'))
  })

  test('files of its settings that are pipes or folders do not hold it up', async () => {
    const pipe = join(folder, 'certificate')
    execFileSync('mkfifo', [pipe])
    const call = (file: string) => plugin('{"command":"release","args":{"uid":"u"}}', options({ETCD_ENDPOINTS: undefined, ETCD_AUTHORITY: 'h:2379', ETCD_SCHEME: 'https', ETCD_CA_CERT_FILE: file}))
    expect(await call(pipe)).toMatchObject(failure(`ETCD_CA_CERT_FILE: the CA certificate ${pipe} cannot be read: it is not a regular file`))
    expect(await call(folder)).toMatchObject(failure(`ETCD_CA_CERT_FILE: the CA certificate ${folder} cannot be read: it is a folder`))
    expect(await call(join(folder, 'gone'))).toMatchObject(failure(`ETCD_CA_CERT_FILE: the CA certificate ${join(folder, 'gone')} cannot be read: there is no such file`))
  })

  test('what it repeats of a request fits into what net-modules reads', async () => {
    for (const input of [{command: 'x'.repeat(500_000), args: {}}, {command: 'isolate', args: {container_id: 'c', hostname: 'h', pid: 1, ipv4_addrs: ['\n'.repeat(500_000)]}}]) {
      const {code, stdout} = await plugin(input, options(lonely))
      expect([code, stdout.length < 40_960, typeof (JSON.parse(stdout) as {error: unknown}).error]).toEqual([1, true, 'string'])
    }
    const deep = await plugin(`{"command":"allocate","args":{"uid":${'['.repeat(300_000)}${']'.repeat(300_000)}}}`, options(lonely))
    expect([deep.code, deep.stderr, typeof parsed(deep).error]).toEqual([1, '', 'string'])
  })

  test('SIGTERM before the request is complete', async () => {
    const {process: child, result} = startPlugin(undefined, options())
    // More than the socket holds: once all of it is written, the plugin has begun to read.
    await new Promise((settle) => child.stdin?.write(`{"command":${' '.repeat(700_000)}`, settle))
    child.kill('SIGTERM')
    expect(await result).toMatchObject(failure('calico_mesos was ended by SIGTERM before the request was complete; nothing was changed'))
  })

  test('SIGTERM while etcd does not answer', async () => {
    const silent = await startSilentServer()
    try {
      const connected = silent.connected()
      const {process: child, result} = startPlugin(JSON.stringify({command: 'allocate', args: {hostname: 'h', num_ipv4: 1, num_ipv6: 0, uid: 'u'}}), options({ETCD_ENDPOINTS: silent.endpoint}))
      await connected
      child.kill('SIGTERM')
      expect(await result).toMatchObject(failure('calico_mesos was ended by SIGTERM; what it was doing may or may not be done'))
    } finally {
      await silent.stop()
    }
  })

  test('SIGTERM while it works: it finishes', async () => {
    await pool()
    const proxy = await startProxy(etcd.endpoints[0] ?? '')
    try {
      const {process: child, result} = startPlugin(JSON.stringify({command: 'reserve', args: {hostname: 'h', ipv4_addrs: ['192.168.5.5'], uid: 'u'}}), options({ETCD_ENDPOINTS: proxy.endpoint}))
      proxy.before('requestedAt', () => child.kill('SIGTERM'))
      expect(await result).toMatchObject(SUCCESS)
      expect(await allAssigned(store)).toEqual(['192.168.5.5'])
    } finally {
      await proxy.stop()
    }
  })

  test('nobody reads stdout: addresses that nobody heard of are given back', async () => {
    await pool()
    const {process: child, result} = startPlugin(undefined, options())
    child.stdout?.destroy()
    child.stdin?.end(JSON.stringify({command: 'allocate', args: {hostname: 'h', num_ipv4: 2, num_ipv6: 0, uid: 'u', labels: [{key: 'ipv4_addrs', value: "['192.168.7.7']"}]}}))
    expect(await result).toMatchObject({code: 1, stderr: ''})
    await expectNothingLeft()
    const reserving = startPlugin(undefined, options())
    reserving.process.stdout?.destroy()
    reserving.process.stdin?.end(JSON.stringify({command: 'reserve', args: {hostname: 'h', ipv4_addrs: ['192.168.7.7'], uid: 'u'}}))
    expect(await reserving.result).toMatchObject({code: 1, stderr: ''})
    await expectNothingLeft()
  })

  test('the package without a build, a build that is damaged, a copy of the executable alone', async () => {
    const broken = mkdtempSync(join(folder, 'package-'))
    cpSync(dirname(CALICO_MESOS), join(broken, 'bin'), {recursive: true})
    const copy: PluginOptions = {...options(), command: join(broken, 'bin/calico_mesos')}
    expect(await plugin('{}', copy)).toMatchObject(failure(`calico_mesos has not been built or installed at ${join(broken, 'dist')}. Link to it instead of copying it.`))
    mkdirSync(join(broken, 'dist'))
    writeFileSync(join(broken, 'dist/chunks.json'), '{"mesos":"mesos.js"}')
    expect(parsed(await plugin('{}', copy)).error).toMatch(/^Unhandled error ENOENT: [^\n]*mesos\.js'$/)
    writeFileSync(join(broken, 'dist/mesos.js'), '(function (exports) { exports.answerMesos = () => { throw new Error("first\\n  second") } })')
    expect(await plugin('{}', copy)).toMatchObject(failure('Unhandled error first second'))
    writeFileSync(join(broken, 'dist/mesos.js'), '(function (exports) { exports.answerMesos = () => new Promise(() => undefined); process.nextTick(() => { throw new Error("thrown") }) })')
    expect(await plugin('{}', copy)).toMatchObject(failure('Unhandled error thrown'))
    rmSync(join(broken, 'bin/mesos-plugin.js'))
    expect(await plugin('{}', copy)).toMatchObject(failure(`calico_mesos is not installed whole: there is no ${join(broken, 'bin/mesos-plugin.js')}. Link to it instead of copying it.`))
  })

  test('started through a link, as the guides put it at /calico/calico_mesos', async () => {
    const link = join(folder, 'calico_mesos')
    symlinkSync(CALICO_MESOS, link)
    expect(await plugin('{"args":{}}', {...options(), command: link})).toMatchObject(failure('Missing command'))
  })

  test('settings that are wrong are told after the request was judged', async () => {
    expect(await plugin('{"args":{}}', options({ETCD_ENDPOINTS: 'nonsense'}))).toMatchObject(failure('Missing command'))
    expect(await call('reserve', {hostname: 'h', ipv4_addrs: ['10.0.0.1'], uid: 'u'}, {ETCD_ENDPOINTS: undefined, ETCD_AUTHORITY: '10.0.0.1:99999'})).toMatchObject(
      failure("ETCD_AUTHORITY: '99999' in '10.0.0.1:99999' is not a port between 1 and 65535"),
    )
    expect(parsed(await allocation('u', {}, {CALICO_MESOS_NETGROUP_PREFIX: 'a/b'})).error).toContain('CALICO_MESOS_NETGROUP_PREFIX')
    expect(parsed(await allocation('u', {}, {CALICO_MESOS_IDEMPOTENT_CLEANUP: 'maybe'})).error).toBe("CALICO_MESOS_IDEMPOTENT_CLEANUP: 'maybe' is neither true nor false")
  })
})

describe('etcd is away', () => {
  const REQUESTS = {
    allocate: {hostname: 'h', num_ipv4: 1, num_ipv6: 0, uid: 'u'},
    reserve: {hostname: 'h', ipv4_addrs: ['192.168.0.1'], uid: 'u'},
    release: {ips: ['192.168.0.1']},
    isolate: {container_id: 'c', hostname: 'h', pid: process.pid, ipv4_addrs: ['192.168.0.1']},
    cleanup: {container_id: 'c', hostname: 'h'},
  }

  test.each(Object.entries(REQUESTS))('%s', async (command, args) => {
    const [port] = await freePorts(1)
    const authority = `127.0.0.1:${port ?? 0}`
    const away = (what: string, variable: string) => failure(`Failed to communicate with etcd at '${what}'. Ensure that it is up and running or change ${variable} environment variable used by the mesos-agent process.`)
    expect(await call(command, args, {ETCD_ENDPOINTS: undefined, ETCD_AUTHORITY: authority})).toMatchObject(away(authority, 'ETCD_AUTHORITY'))
    expect(await call(command, args, {ETCD_ENDPOINTS: `http://${authority}`})).toMatchObject(away(`http://${authority}`, 'ETCD_ENDPOINTS'))
  })

  test('no variable is set', async () => {
    const inNamespace = await startNamespace()
    try {
      const script = join(folder, 'in-namespace')
      // Of its own, so that there is nothing at 127.0.0.1:2379.
      writeFileSync(script, `#!/bin/sh\nexec nsenter --net=${inNamespace.path} ${CALICO_MESOS}\n`, {mode: 0o755})
      const result = await plugin({command: 'cleanup', args: REQUESTS.cleanup}, {...options({ETCD_ENDPOINTS: undefined}), command: script})
      expect(result).toMatchObject(failure('Failed to communicate with etcd. ETCD_AUTHORITY is not set for this agent process.'))
    } finally {
      await inNamespace.stop()
    }
  })

  test('a server that never answers does not hold up the agent', async () => {
    const silent = await startSilentServer()
    const start = Date.now()
    try {
      expect(parsed(await allocation('u', {}, {ETCD_ENDPOINTS: silent.endpoint})).error).toMatch(/^Failed to communicate with etcd at 'http:/)
      expect(Date.now() - start).toBeLessThan(60_000)
    } finally {
      await silent.stop()
    }
  })

  test('the answer to a write is lost: it says so', async () => {
    await pool()
    const proxy = await startProxy(etcd.endpoints[0] ?? '')
    try {
      proxy.before('requestedAt', () => proxy.set('swallow-replies'))
      const {error} = parsed(await allocation('u', {}, {ETCD_ENDPOINTS: proxy.endpoint}))
      expect(error).toMatch(/not known whether/)
      expect(error).not.toContain('\n')
    } finally {
      await proxy.stop()
    }
  })
})

describe('addresses', () => {
  test('the line of the guide: an address, its handle is the uid, the Node of this host is made', async () => {
    await pool()
    const result = await plugin('{"command":"allocate","args":{"hostname":"agent1","num_ipv4":1,"num_ipv6":0,"uid":"u1","netgroups":["my-group-1"]}}', options())
    const {error, ipv4, ipv6} = parsed(result)
    expect([result.code, error, ipv4.length, ipv6]).toEqual([0, null, 1, []])
    expect(await assignmentOf(ipv4[0] ?? '')).toMatchObject({handle: 'u1', attributes: {node: NODE, type: 'mesos', requestedAt: expect.stringMatching(/^\d{4}-.*Z$/)}})
    const nodes: string[] = []
    for await (const {resource} of listResources<Node>(session, 'Node')) nodes.push(resource.metadata.name)
    expect(nodes).toEqual([NODE])
    expect(await unsound(store)).toEqual([])
  })

  test('several, of both families', async () => {
    await pool()
    await pool('fd00:1::/64', 'pool6')
    const {ipv4, ipv6} = parsed(await allocation('u', {num_ipv4: 3, num_ipv6: 2}))
    expect([new Set(ipv4).size, new Set(ipv6).size]).toEqual([3, 2])
  })

  test('static ones by label come behind those that were chosen', async () => {
    await pool()
    const labels: Label[] = [{key: 'ipv4_addrs', value: "['192.168.3.1']"}]
    expect(await allocated('u', {labels})).toEqual(['192.168.3.1'])
    const three = await allocated('v', {labels: [{key: 'ipv4_addrs', value: "['192.168.3.2', '192.168.3.3']"}], num_ipv4: 3})
    expect(three.slice(1)).toEqual(['192.168.3.2', '192.168.3.3'])
    expect(await allocation('w', {labels: [{key: 'ipv4_addrs', value: "['192.168.3.4', '192.168.3.1']"}], num_ipv4: 3})).toMatchObject(failure("IP '192.168.3.1' already in use."))
    expect((await allAssigned(store)).sort()).toEqual([...['192.168.3.1'], ...three].sort())
  })

  test('no pool, an exhausted one, a family without one: a reason, and nothing stays assigned', async () => {
    expect(parsed(await allocation('u')).error).toMatch(/pool/)
    await pool('10.9.0.0/30', 'small', {blockSize: 30})
    expect(await allocated('u', {num_ipv4: 6})).toHaveLength(4)
    expect(parsed(await allocation('v')).error).toMatch(/no address is free in pool 10\.9\.0\.0\/30/)
    await call('release', {uid: 'u'})
    expect(parsed(await allocation('w', {num_ipv6: 1})).error).toMatch(/pool/)
    expect(parsed(await allocation('x', {labels: [{key: 'ipv4_addrs', value: "['10.9.0.1']"}], num_ipv4: 1, num_ipv6: 1})).error).toMatch(/pool/)
    await expectNothingLeft()
  })

  test('reserve: all or none', async () => {
    await pool()
    expect(await reservation('u', '192.168.0.5', '192.168.9.9')).toMatchObject(SUCCESS)
    expect(await reservation('v', '192.168.0.6', '192.168.20.1', '192.168.9.9')).toMatchObject(failure("IP '192.168.9.9' already in use."))
    expect(await reservation('v', '192.168.0.6', '10.0.0.1')).toMatchObject(failure('10.0.0.1 is not in an enabled pool. To see the pools: calicoctl pool show'))
    expect((await allAssigned(store)).sort()).toEqual(['192.168.0.5', '192.168.9.9'])
    expect(await unsound(store)).toEqual([])
  })

  test('of ten that want one address, one gets it', async () => {
    await pool()
    const all = await Promise.all(Array.from({length: 10}, (_, i) => reservation(`u${i}`, '192.168.0.5', `192.168.1.${i}`)))
    expect(all.filter(({code}) => code === 0)).toHaveLength(1)
    for (const {code, stdout} of all) if (code !== 0) expect(JSON.parse(stdout)).toEqual({error: "IP '192.168.0.5' already in use."})
    expect(await allAssigned(store)).toHaveLength(2)
  })

  test('release by address: free, foreign and unknown ones do not matter', async () => {
    await pool()
    await reservation('u', '192.168.0.5', '192.168.0.6')
    await calicoctl(['ipam', 'assign', '192.168.0.7'], options())
    await plugin({command: 'reserve', args: {hostname: 'h', ipv4_addrs: ['192.168.0.8'], uid: 'other'}}, options({CALICO_NODENAME: 'another-agent'}))
    expect(await call('release', {ips: ['192.168.0.5', '192.168.0.7', '192.168.0.8', '192.168.0.9', '10.1.2.3', 'fd00::1', '192.168.0.5']})).toMatchObject(SUCCESS)
    const own = existsSync('/var/lib/calico/nodename') ? [] : ['192.168.0.8']
    expect((await allAssigned(store)).sort()).toEqual(['192.168.0.6', '192.168.0.7', ...own])
    expect(await unsound(store)).toEqual([])
  })

  test('release by uid; an unknown one is released already; a handle that is not a task\'s is left alone', async () => {
    await pool()
    await reservation('u', '192.168.0.5', '192.168.4.6')
    await calicoctl(['ipam', 'assign', '192.168.0.7', '--handle', 'vm'], options())
    expect(await call('release', {uid: 'u'})).toMatchObject(SUCCESS)
    expect(await call('release', {uid: 'u'})).toMatchObject(SUCCESS)
    expect(await call('release', {uid: 'vm'})).toMatchObject(SUCCESS)
    expect(await allAssigned(store)).toEqual(['192.168.0.7'])
  })
})

suite('containers', whyNoNamespaces(), () => {
  let namespaces: TestNamespace[]
  let agent: NetModules

  beforeEach(async () => {
    namespaces = []
    agent = netModules(HOSTNAME, options())
    await pool()
  })
  afterEach(async () => {
    await Promise.all(namespaces.map((each) => each.stop()))
    await until(() => calicoInterfaces().length === 0)
  })

  async function namespace(): Promise<TestNamespace> {
    const made = await startNamespace()
    namespaces.push(made)
    return made
  }

  interface Task {
    readonly id: string
    readonly space: TestNamespace
    readonly addresses: readonly string[]
    readonly uid: string
  }

  /** A task as Mesos starts one. */
  async function launch(groups: readonly string[], ipAddresses: readonly {readonly ipAddress?: string}[] = [{}], labels: readonly Label[] = []): Promise<Task> {
    const id = randomUUID()
    const {addresses, uid} = await agent.prepare(id, {ipAddresses, groups, labels})
    const space = await namespace()
    isolated.add(id)
    await agent.isolate(id, space.pid)
    return {id, space, addresses, uid}
  }

  function isolation(id: string, pid: number, addresses: readonly string[], args: object = {}): Promise<PluginResult> {
    isolated.add(id)
    return call('isolate', {container_id: id, hostname: HOSTNAME, pid, ipv4_addrs: addresses, ...args})
  }

  /** What the container and the host have is what the endpoint says. */
  async function expectWired({id, space, addresses}: Pick<Task, 'id' | 'space' | 'addresses'>): Promise<void> {
    const {metadata, spec} = await endpointOf(id)
    expect(spec).toMatchObject({orchestrator: 'mesos', node: NODE, ipNetworks: addresses.map((each) => (each.includes(':') ? `${each}/128` : `${each}/32`))})
    const [eth0] = JSON.parse(space.run('ip', '-j', '-d', 'address', 'show', 'dev', 'eth0')) as [{address: string; flags: string[]; link_index: number; addr_info: {local: string; prefixlen: number; scope: string}[]}]
    expect(eth0.address).toBe(spec.mac)
    expect(eth0.flags).toContain('UP')
    const own = eth0.addr_info.filter(({scope}) => scope === 'global').map(({local, prefixlen}) => `${local}/${prefixlen}`)
    expect(own.sort()).toEqual([...(spec.ipNetworks ?? [])].sort())
    const routes = JSON.parse(space.run('ip', '-j', '-4', 'route')) as {dst: string; gateway?: string; dev: string; scope?: string}[]
    expect(routes).toEqual([expect.objectContaining({dst: 'default', gateway: '169.254.1.1', dev: 'eth0'}), expect.objectContaining({dst: '169.254.1.1', dev: 'eth0', scope: 'link'})])
    const [host] = JSON.parse(execFileSync('ip', ['-j', '-d', 'link', 'show', 'dev', spec.interfaceName ?? ''], {encoding: 'utf8'})) as [{ifindex: number; flags: string[]; address: string}]
    expect(spec.interfaceName).toBe(`cali${(spec.endpoint ?? '').slice(0, 11)}`)
    expect([host.ifindex, host.flags.includes('UP'), host.address]).toEqual([eth0.link_index, true, 'ee:ee:ee:ee:ee:ee'])
    expect(metadata.annotations).toHaveProperty('calicoctl/ipam-handle')
    for (const address of addresses) expect(await allAssigned(store)).toContain(address)
  }

  /** Whether the profiles of TO let FROM in: what Felix makes of them. */
  async function reaches(from: Task, to: Task): Promise<boolean> {
    const stored = await profiles()
    const of = async ({id}: Task): Promise<Profile[]> => ((await endpointOf(id)).spec.profiles ?? []).flatMap((name) => stored.get(name) ?? [])
    const labels = Object.assign({}, ...(await of(from)).map(({spec}) => spec.labelsToApply)) as Record<string, string>
    const [address] = from.addresses.map((text) => parseAddress(text))
    const matches = ({selector, nets}: EntityRule = {}): boolean =>
      (selector === undefined || evaluate(parseSelector(selector), labels)) && (nets === undefined || nets.some((net) => address !== undefined && contains(parseCidr(net) as never, address)))
    return (await of(to)).some(({spec}) => (spec.ingress ?? []).some(({action, source}) => action === 'Allow' && matches(source)))
  }

  async function matrix(tasks: readonly Task[]): Promise<string[]> {
    const rows: string[] = []
    for (const to of tasks) {
      let row = ''
      for (const from of tasks) row += from === to ? '-' : (await reaches(from, to)) ? 'x' : '.'
      rows.push(row)
    }
    return rows
  }

  describe('the scenarios of the test framework', () => {
    test('same group, different groups, two groups; nothing is left after them', async () => {
      const tasks = [await launch(['a']), await launch(['a']), await launch(['b']), await launch(['a', 'b'])]
      for (const task of tasks) await expectWired(task)
      expect(await matrix(tasks)).toEqual([
        '-x.x', //
        'x-.x',
        '..-x',
        'xxx-',
      ])
      expect([...(await profiles()).values()].map(({metadata}) => metadata.annotations?.['calicoctl/name'] ?? metadata.name).sort()).toEqual(['a', 'b', `default_${HOSTNAME}`])
      const check = await calicoctl(['ipam', 'check'], options())
      expect(check).toMatchObject({code: 0, stdout: ''})
      for (const {id} of tasks) await agent.cleanup(id)
      await expectNothingLeft()
      expect(calicoInterfaces()).toEqual([])
    }, 300_000)

    test('isolated stars with a collector in public', async () => {
      const [a, b, c, d] = [await launch(['star-1']), await launch(['star-1']), await launch(['star-2']), await launch(['star-2'])]
      const collector = await launch(['star-1', 'star-2', 'public'])
      expect(await matrix([a, b, c, d, collector])).toEqual(['-x..x', 'x-..x', '..-xx', '..x-x', 'xxxx-'])
      const {spec} = await endpointOf(collector.id)
      const stored = await profiles()
      expect(spec.profiles?.map((name) => stored.get(name)?.metadata.annotations?.['calicoctl/name'] ?? name)).toEqual([`default_${HOSTNAME}`, 'public', 'star-1', 'star-2'])
    }, 300_000)

    test.each([
      ['several automatic', [{}, {}, {}]],
      ['static', [{ipAddress: '192.168.28.23'}, {ipAddress: '192.168.28.34'}]],
      ['mixed', [{ipAddress: '192.168.28.23'}, {}, {ipAddress: '192.168.28.34'}, {}]],
    ])('%s addresses', async (_, ipAddresses) => {
      const task = await launch(['g'], ipAddresses)
      const fixed = ipAddresses.flatMap((each) => ('ipAddress' in each ? each.ipAddress : []))
      expect(task.addresses.slice(0, fixed.length)).toEqual(fixed)
      expect(new Set(task.addresses).size).toBe(ipAddresses.length)
      await expectWired(task)
      await agent.cleanup(task.id)
      await expectNothingLeft()
    })

    test('a static address by label', async () => {
      const task = await launch(['g'], [{}], [{key: 'rack', value: '3A'}, {key: 'ipv4_addrs', value: "['192.168.28.23']"}])
      expect(task.addresses).toEqual(['192.168.28.23'])
      await expectWired(task)
    })

    test('no group: its own agent, and nothing else', async () => {
      const [task, other] = [await launch([]), await launch([])]
      expect(await matrix([task, other])).toEqual(['-.', '.-'])
    })
  })

  describe('isolate', () => {
    test('a second time, and the same addresses for another container', async () => {
      const task = await launch(['g'])
      expect(await isolation(task.id, task.space.pid, task.addresses)).toMatchObject(failure('This container has already been configured with Calico Networking.'))
      const other = await namespace()
      expect(await isolation('other', other.pid, task.addresses)).toMatchObject(failure(`IP '${task.addresses[0] ?? ''}' belongs to container ${task.id}, which has an endpoint with it.`))
      expect(calicoInterfaces()).toHaveLength(1)
      await expectWired(task)
    })

    test('two containers at once with one address: one of them', async () => {
      const addresses = await allocated('u')
      const spaces = await Promise.all([namespace(), namespace(), namespace(), namespace()])
      const results = await Promise.all(spaces.map(({pid}, i) => isolation(`c${i}`, pid, addresses)))
      expect(results.map(({code}) => code).sort()).toEqual([0, 1, 1, 1])
      expect(await endpoints()).toHaveLength(1)
      expect(calicoInterfaces()).toHaveLength(1)
    })

    test('one container at once, several times: one of them', async () => {
      const addresses = await allocated('u')
      const space = await namespace()
      const results = await Promise.all([1, 2, 3, 4].map(() => isolation('c', space.pid, addresses)))
      expect(results.filter(({code}) => code === 0)).toHaveLength(1)
      for (const {code, stdout} of results) if (code !== 0) expect(stdout).toBe(failure('This container has already been configured with Calico Networking.').stdout)
      await expectWired({id: 'c', space, addresses})
    })

    test('addresses outside the pools, somebody else\'s, or of two tasks', async () => {
      const {pid} = await namespace()
      await calicoctl(['ipam', 'assign', '192.168.0.7', '--handle', 'vm'], options())
      await reservation('u', '192.168.1.1')
      await reservation('v', '192.168.1.2')
      expect(parsed(await isolation('c', pid, ['10.0.0.1'])).error).toMatch(/^10\.0\.0\.1 is not in an enabled pool/)
      expect(parsed(await isolation('c', pid, ['192.168.1.1', '10.0.0.1'])).error).toMatch(/^10\.0\.0\.1 is not in an enabled pool/)
      expect(parsed(await isolation('c', pid, ['192.168.0.7'])).error).toBe("IP '192.168.0.7' is assigned to vm, not to a task of this agent.")
      expect(parsed(await isolation('c', pid, ['192.168.1.1', '192.168.1.2'])).error).toMatch(/belong to different tasks/)
      expect([calicoInterfaces(), await endpoints(), [...(await profiles()).keys()]]).toEqual([[], [], []])
    })

    test('addresses that nobody has asked for: assigned with the endpoint, and released with it', async () => {
      const [first, second] = [await namespace(), await namespace()]
      expect(await isolation('c', first.pid, ['192.168.200.1', '192.168.200.2'])).toMatchObject(SUCCESS)
      await expectWired({id: 'c', space: first, addresses: ['192.168.200.1', '192.168.200.2']})
      expect(parsed(await isolation('d', second.pid, ['192.168.200.2'])).error).toMatch(/^IP '192\.168\.200\.2' belongs to container c/)
      await reservation('u', '192.168.1.1')
      expect(await isolation('d', second.pid, ['192.168.1.1', '192.168.200.3'])).toMatchObject(SUCCESS)
      await expectWired({id: 'd', space: second, addresses: ['192.168.1.1', '192.168.200.3']})
      for (const id of ['c', 'd']) expect(await call('cleanup', {container_id: id, hostname: HOSTNAME})).toMatchObject(SUCCESS)
      await expectNothingLeft()
    })

    test('IPv6 only, and both families', async () => {
      await pool('fd00:1::/64', 'pool6')
      const {ipv6} = parsed(await allocation('six', {num_ipv4: 0, num_ipv6: 1}))
      const [one, two] = [await namespace(), await namespace()]
      expect(await isolation('six', one.pid, [], {ipv4_addrs: undefined, ipv6_addrs: ipv6})).toMatchObject(SUCCESS)
      await expectWired({id: 'six', space: one, addresses: ipv6})
      expect(one.run('ip', '-6', 'route')).toMatch(/default via fe80:\S+ dev eth0/)
      const both = parsed(await allocation('both', {num_ipv6: 1}))
      expect(await isolation('both', two.pid, both.ipv4, {ipv6_addrs: both.ipv6})).toMatchObject(SUCCESS)
      await expectWired({id: 'both', space: two, addresses: [...both.ipv4, ...both.ipv6]})
      expect(await call('cleanup', {container_id: 'six', hostname: 'h'})).toMatchObject(SUCCESS)
      expect(await call('cleanup', {container_id: 'both', hostname: 'h'})).toMatchObject(SUCCESS)
      await expectNothingLeft()
    })

    test('the process is gone, the namespace is the host\'s, the interface exists: nothing stays', async () => {
      const addresses = await allocated('u')
      const gone = await startNamespace()
      await gone.stop()
      expect(await isolation('c', gone.pid, addresses)).toMatchObject(failure(`Namespace pseudofile /proc/${gone.pid}/ns/net does not exist.`))
      expect(parsed(await isolation('c', process.pid, addresses)).error).toMatch(/is the host's own network namespace/)
      const space = await namespace()
      space.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other')
      expect(await isolation('c', space.pid, addresses)).toMatchObject(failure('The interface name is already used in the container: eth0'))
      expect([calicoInterfaces(), await endpoints(), [...(await profiles()).keys()]]).toEqual([[], [], []])
      space.run('ip', 'link', 'del', 'eth0')
      expect(await isolation('c', space.pid, addresses)).toMatchObject(SUCCESS)
    })

    test('the interface of its name is another container\'s: that one stays', async () => {
      const addresses = await allocated('u')
      const [space, other] = [await namespace(), await namespace()]
      const name = hostInterfaceName(endpointId(NODE, 'mesos', 'c'))
      execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(other.pid)])
      expect(parsed(await isolation('c', space.pid, addresses)).error).toContain(`The interface name is already used on this host: ${name}`)
      expect([calicoInterfaces(), await endpoints()]).toEqual([[name], []])
    })

    test('net-groups are looked at before anything is made', async () => {
      const addresses = await allocated('u')
      const {pid} = await namespace()
      expect(parsed(await isolation('c', pid, addresses, {netgroups: ['good', 'b/d']})).error).toMatch(/^'b\/d' is not allowed for key 'src_tag'/)
      expect([calicoInterfaces(), await endpoints(), [...(await profiles()).keys()]]).toEqual([[], [], []])
    })

    test('names that v3 cannot hold: converted, and found under what was typed', async () => {
      const addresses = await allocated('u')
      const {pid} = await namespace()
      expect(await isolation('My/Container', pid, addresses, {netgroups: ['_Odd_', 'UPPER']})).toMatchObject(SUCCESS)
      const shown = await calicoctl(['endpoint', 'show', '--detailed'], options())
      expect(shown.stdout).toContain('My/Container')
      expect(shown.stdout).toContain(`default_${HOSTNAME},_Odd_,UPPER`)
      const all = [...(await profiles()).values()]
      const odd = all.find(({metadata}) => metadata.annotations?.['calicoctl/name'] === '_Odd_')
      const [tag = ''] = Object.keys(odd?.spec.labelsToApply ?? {})
      expect(tag).toBe(odd?.metadata.name)
      expect(odd?.spec.ingress?.[0]?.source?.selector).toContain(tag)
      expect(await call('cleanup', {container_id: 'My/Container', hostname: 'h'})).toMatchObject(SUCCESS)
      await expectNothingLeft()
    })

    test('the profiles of §1.6, written whole; those that exist stay as the operator made them', async () => {
      await createObject(session, 'Node', NODE, {bgp: {ipv4Address: '10.1.2.3/24'}})
      await calicoctl(['profile', 'add', 'mine'], options())
      await calicoctl(['profile', 'mine', 'rule', 'add', 'inbound', 'deny'], options())
      const before = (await profiles()).get('mine')
      await launch(['mine', 'public', 'other', 'mine', 'public'])
      const stored = await profiles()
      expect(stored.get('mine')).toEqual(before)
      const any = {source: {}, destination: {}}
      const host = [...stored.values()].find(({metadata}) => metadata.annotations?.['calicoctl/name'] === `default_${HOSTNAME}`)
      expect(host?.spec).toMatchObject({
        ingress: [{action: 'Allow', source: {nets: ['10.1.2.3/32']}}],
        egress: [{action: 'Allow', destination: {nets: ['10.1.2.3/32']}}],
      })
      expect(stored.get('public')?.spec).toMatchObject({ingress: [{action: 'Allow', ...any}], egress: [{action: 'Allow', ...any}], labelsToApply: {public: ''}})
      expect(stored.get('other')?.spec).toMatchObject({ingress: [{action: 'Allow', source: {selector: 'has(other)'}}], egress: [{action: 'Allow', ...any}], labelsToApply: {other: ''}})
      const [endpoint] = await endpoints()
      expect(endpoint?.spec.profiles).toEqual([host?.metadata.name, 'public', 'mine', 'other'])
    })

    test('the names of v0.1.5', async () => {
      agent = netModules(HOSTNAME, options({CALICO_MESOS_NETGROUP_PREFIX: 'ng_'}))
      const tasks = [await launch(['g', 'public']), await launch(['g']), await launch(['h'])]
      const names = [...(await profiles()).values()].map(({metadata}) => metadata.annotations?.['calicoctl/name'] ?? metadata.name)
      expect(names.sort()).toEqual([`default_${HOSTNAME}`, 'ng_g', 'ng_h', 'public'])
      expect(await matrix(tasks)).toEqual(['-xx', 'x-.', '..-'])
    })
  })

  describe('cleanup', () => {
    test('a container without endpoint; a setting makes that a success', async () => {
      expect(await call('cleanup', {container_id: 'c', hostname: 'h'})).toMatchObject(failure('No endpoint found with container-id: c'))
      expect(await call('cleanup', {container_id: 'c', hostname: 'h'}, {CALICO_MESOS_IDEMPOTENT_CLEANUP: 'true'})).toMatchObject(SUCCESS)
    })

    test('between release and cleanup, the address is nobody else\'s', async () => {
      const task = await launch(['g'], [{ipAddress: '192.168.5.5'}])
      expect(await call('release', {ips: ['192.168.5.5']})).toMatchObject(SUCCESS)
      expect(await reservation('other', '192.168.5.5')).toMatchObject(failure("IP '192.168.5.5' already in use."))
      expect(await call('cleanup', {container_id: task.id, hostname: HOSTNAME})).toMatchObject(SUCCESS)
      expect(await reservation('other', '192.168.5.5')).toMatchObject(SUCCESS)
    })

    test('an address that somebody else has by now stays his', async () => {
      const task = await launch(['g'], [{ipAddress: '192.168.5.5'}])
      await calicoctl(['ipam', 'release', '192.168.5.5', '--force'], options())
      await calicoctl(['ipam', 'assign', '192.168.5.5', '--handle', 'vm'], options())
      await agent.cleanup(task.id)
      expect(await allAssigned(store)).toEqual(['192.168.5.5'])
      expect(await assignmentOf('192.168.5.5')).toMatchObject({handle: 'vm'})
      expect(await endpoints()).toEqual([])
    })

    test('the container is dead, its addresses were released, the agent was restarted meanwhile', async () => {
      const task = await launch(['g'])
      agent.restart()
      await agent.cleanup(task.id)
      expect(await endpoints()).toHaveLength(1)
      await task.space.stop()
      await call('release', {ips: task.addresses})
      expect(await call('cleanup', {container_id: task.id, hostname: HOSTNAME})).toMatchObject(SUCCESS)
      await expectNothingLeft()
    })

    test('a stale endpoint of a container that Mesos forgot does not keep another task\'s address', async () => {
      const stale = await launch(['g'], [{ipAddress: '192.168.5.5'}])
      await calicoctl(['ipam', 'release', '192.168.5.5', '--force'], options())
      const {addresses} = await agent.prepare('new', {ipAddresses: [{ipAddress: '192.168.5.5'}]})
      const {pid} = await namespace()
      isolated.add('new')
      await expect(agent.isolate('new', pid)).rejects.toThrow(`belongs to container ${stale.id}`)
      expect(await call('release', {ips: addresses})).toMatchObject(SUCCESS)
      expect(await allAssigned(store)).toEqual([])
    })

    test('other containers keep theirs', async () => {
      const [task, other] = [await launch(['g']), await launch(['g'])]
      await agent.cleanup(task.id)
      await expectWired(other)
      expect(await allAssigned(store)).toEqual(other.addresses)
    })
  })

  test('ten containers at once, started and ended', async () => {
    const start = async (i: number): Promise<Task> => launch([i % 2 === 0 ? 'even' : 'odd'], i % 3 === 0 ? [{}, {}] : [{}])
    const tasks = await Promise.all(Array.from({length: 10}, (_, i) => start(i)))
    for (const task of tasks) await expectWired(task)
    expect(new Set(tasks.flatMap(({addresses}) => addresses)).size).toBe(14)
    expect([...(await profiles()).keys()]).toHaveLength(3)
    await Promise.all(tasks.map(({id}) => agent.cleanup(id)))
    await expectNothingLeft()
  }, 300_000)

  describe('another call comes between the look and the transaction', () => {
    let proxy: Proxy
    beforeEach(async () => {
      proxy = await startProxy(etcd.endpoints[0] ?? '')
    })
    afterEach(() => proxy.stop())

    /** An isolate whose transaction reaches etcd later than what MEANWHILE does. */
    async function overtaken(id: string, pid: number, addresses: readonly string[], meanwhile: () => Promise<void>): Promise<PluginResult> {
      isolated.add(id)
      const {result} = startPlugin(JSON.stringify({command: 'isolate', args: {container_id: id, hostname: HOSTNAME, pid, ipv4_addrs: addresses, netgroups: ['g']}}), options({ETCD_ENDPOINTS: proxy.endpoint}))
      await new Promise<void>((settle) =>
        proxy.before('"kind":"WorkloadEndpoint"', () => {
          proxy.delay(3_000)
          settle()
        }),
      )
      await meanwhile()
      proxy.delay(0)
      return result
    }

    test('another container with the same address: the later one loses', async () => {
      // Node and profiles are there already: nothing but the address is common to the two.
      await agent.cleanup((await launch(['g'])).id)
      const addresses = await allocated('u')
      const [one, two] = [await namespace(), await namespace()]
      const late = await overtaken('late', one.pid, addresses, async () => expect(await isolation('early', two.pid, addresses, {netgroups: ['g']})).toMatchObject(SUCCESS))
      expect(late).toMatchObject(failure(`IP '${addresses[0] ?? ''}' belongs to container early, which has an endpoint with it.`))
      await expectWired({id: 'early', space: two, addresses})
      expect(calicoInterfaces()).toHaveLength(1)
    })

    test('a release: the container does not get what is free', async () => {
      const addresses = await allocated('u')
      const {pid} = await namespace()
      const late = await overtaken('late', pid, addresses, async () => expect(await call('release', {ips: addresses})).toMatchObject(SUCCESS))
      expect(parsed(late).error).toMatch(/^There is no handle u|has been released since then/)
      expect(calicoInterfaces()).toEqual([])
      await expectNothingLeft()
    })

    test('an operator removes a profile: it is made again with the endpoint that names it', async () => {
      await calicoctl(['profile', 'add', 'g'], options())
      const addresses = await allocated('u')
      const space = await namespace()
      const late = await overtaken('late', space.pid, addresses, async () => expect(await calicoctl(['profile', 'remove', 'g'], options())).toMatchObject({code: 0}))
      expect(late).toMatchObject(SUCCESS)
      expect([...(await profiles()).keys()]).toContain('g')
      await expectWired({id: 'late', space, addresses})
    })
  })

  describe('killed in the middle', () => {
    let proxy: Proxy
    beforeEach(async () => {
      proxy = await startProxy(etcd.endpoints[0] ?? '')
    })
    afterEach(() => proxy.stop())

    function isolate(id: string, pid: number, addresses: readonly string[]): ReturnType<typeof startPlugin> {
      isolated.add(id)
      return startPlugin(JSON.stringify({command: 'isolate', args: {container_id: id, hostname: HOSTNAME, pid, ipv4_addrs: addresses}}), options({ETCD_ENDPOINTS: proxy.endpoint}))
    }

    test('isolate, with its interfaces made and its endpoint not stored: the same request completes it', async () => {
      const addresses = await allocated('u')
      const space = await namespace()
      const {process: child, result} = isolate('c', space.pid, addresses)
      proxy.before('"kind":"WorkloadEndpoint"', () => {
        proxy.set('black-hole')
        child.kill('SIGKILL')
      })
      expect((await result).signal).toBe('SIGKILL')
      expect(calicoInterfaces()).toHaveLength(1)
      expect(await isolation('c', space.pid, addresses)).toMatchObject(SUCCESS)
      await expectWired({id: 'c', space, addresses})
    })

    test('isolate, with its interfaces made, and net-modules gives up: nothing is left', async () => {
      const addresses = await allocated('u')
      const space = await namespace()
      const {process: child, result} = isolate('c', space.pid, addresses)
      proxy.before('"kind":"WorkloadEndpoint"', () => {
        proxy.set('black-hole')
        child.kill('SIGKILL')
      })
      await result
      await space.stop()
      expect(await call('release', {ips: addresses})).toMatchObject(SUCCESS)
      expect(await call('cleanup', {container_id: 'c', hostname: 'h'})).toMatchObject(failure('No endpoint found with container-id: c'))
      await expectNothingLeft()
      await until(() => calicoInterfaces().length === 0)
    })

    test('the answer to the endpoint\'s transaction is lost: it is told, and the interfaces are gone', async () => {
      const addresses = await allocated('u')
      const {pid} = await namespace()
      const {result} = isolate('c', pid, addresses)
      proxy.before('"kind":"WorkloadEndpoint"', () => proxy.set('swallow-replies'))
      expect(parsed(await result).error).toMatch(/not known whether/)
      expect(calicoInterfaces()).toEqual([])
      await call('release', {ips: addresses})
      expect(await call('cleanup', {container_id: 'c', hostname: 'h'})).toMatchObject(SUCCESS)
      await expectNothingLeft()
    })

    test('etcd goes away between the interfaces and the endpoint: they are gone again', async () => {
      const addresses = await allocated('u')
      const {pid} = await namespace()
      const {result} = isolate('c', pid, addresses)
      proxy.before('"kind":"WorkloadEndpoint"', () => {
        proxy.set('black-hole')
        proxy.reset()
      })
      expect(parsed(await result).error).not.toBeNull()
      expect([calicoInterfaces(), await endpoints()]).toEqual([[], []])
    })

    test('at any moment: a repetition or a cleanup ends it', async () => {
      for (let delay = 60; delay <= 200; delay += 10) {
        const id = randomUUID()
        const addresses = await allocated(id)
        const space = await namespace()
        const isolating = isolate(id, space.pid, addresses)
        await new Promise((settle) => setTimeout(settle, delay))
        isolating.process.kill('SIGKILL')
        await isolating.result
        const again = await isolation(id, space.pid, addresses)
        if (again.code !== 0) expect(again).toMatchObject(failure('This container has already been configured with Calico Networking.'))
        await expectWired({id, space, addresses})
        const cleaning = startPlugin(JSON.stringify({command: 'cleanup', args: {container_id: id, hostname: HOSTNAME}}), options())
        await new Promise((settle) => setTimeout(settle, delay / 2))
        cleaning.process.kill('SIGKILL')
        await cleaning.result
        expect(await call('cleanup', {container_id: id, hostname: HOSTNAME}, {CALICO_MESOS_IDEMPOTENT_CLEANUP: 'true'})).toMatchObject(SUCCESS)
        await expectNothingLeft()
        expect(calicoInterfaces()).toEqual([])
      }
    }, 300_000)
  })

  test('without the rights for it: told, and nothing is made', async () => {
    const addresses = await allocated('u')
    const {pid} = await namespace()
    const script = join(folder, 'unprivileged')
    writeFileSync(script, `#!/bin/sh\nexec setpriv --bounding-set -net_admin,-sys_admin ${CALICO_MESOS}\n`, {mode: 0o755})
    const result = await plugin({command: 'isolate', args: {container_id: 'c', hostname: 'h', pid, ipv4_addrs: addresses}}, {...options(), command: script})
    expect(parsed(result).error).toMatch(/CAP_NET_ADMIN/)
    expect(await endpoints()).toEqual([])
  })
})

describe('the log', () => {
  const log = (name: string): string => join(folder, 'logs', name, 'isolator.log')
  beforeAll(() => mkdirSync(join(folder, 'logs')))
  const into = (file: string): Readonly<Record<string, string>> => ({CALICO_MESOS_LOG_FILE: file})

  test('version and datastore first, request and answer; readable by root and its group; no password', async () => {
    const file = log('plain')
    await pool()
    await allocation('u', {}, {...into(file), ETCD_USERNAME: 'someone', ETCD_PASSWORD: 'a-secret'})
    const text = readFileSync(file, 'utf8')
    const {version} = JSON.parse(readFileSync(join(dirname(CALICO_MESOS), '../package.json'), 'utf8')) as {version: string}
    const [first, second] = text.split('\n')
    expect(first).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \[\d+\] calico_mesos /)
    expect(first).toContain(`calico_mesos ${version}, datastore etcd ${etcd.endpoints[0] ?? ''} (from ETCD_ENDPOINTS)`)
    expect(second).toContain('request {"command":"allocate"')
    expect(text).toMatch(/answer \{"error":.*\}\n$/)
    expect(text).not.toContain('a-secret')
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  test('a request of several lines is one line', async () => {
    const file = log('lines')
    await plugin('{\n"args":\n{}}\n2026-01-01T00:00:00.000Z [1] answer {"error":null}', options(into(file)))
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(4)
  })

  test('one file for a day, ten old ones', async () => {
    const file = log('rotated')
    mkdirSync(dirname(file))
    for (let day = 10; day < 22; day++) writeFileSync(`${file}.2020-01-${day}`, '')
    writeFileSync(`${file}.notes`, '')
    writeFileSync(file, 'yesterday\n')
    utimesSync(file, new Date('2020-02-03T12:00:00Z'), new Date('2020-02-03T12:00:00Z'))
    await plugin('{}', options(into(file)))
    const names = readdirSync(dirname(file)).sort()
    expect(names.filter((name) => /\d$/.test(name))).toEqual([...Array.from({length: 9}, (_, i) => `isolator.log.2020-01-${13 + i}`), 'isolator.log.2020-02-03'])
    expect(names).toContain('isolator.log.notes')
    expect(readFileSync(`${file}.2020-02-03`, 'utf8')).toBe('yesterday\n')
    expect(readFileSync(file, 'utf8')).not.toContain('yesterday')
  })

  test('where none can be written, there is none', async () => {
    const target = join(folder, 'target')
    writeFileSync(target, '')
    mkdirSync(join(folder, 'logs', 'linked'))
    symlinkSync(target, log('linked'))
    execFileSync('mkfifo', [join(folder, 'pipe')])
    for (const file of ['/proc/nonsense/isolator.log', folder, log('linked'), join(folder, 'pipe')]) {
      expect(await plugin('{"args":{}}', options(into(file)))).toMatchObject(failure('Missing command'))
    }
    expect(readFileSync(target, 'utf8')).toBe('')
  })
})

/** Containers that this file has isolated: other tests make interfaces too. */
const isolated = new Set<string>()
const interfaceOf = (id: string): string => hostInterfaceName(endpointId(NODE, 'mesos', convertName(id)))
function calicoInterfaces(): string[] {
  const own = new Set([...isolated].map(interfaceOf))
  return hostInterfaces().filter((name) => own.has(name))
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 2_400) throw new Error('it does not come true')
    await new Promise((settle) => setTimeout(settle, 25))
  }
}
