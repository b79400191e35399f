/** The server over real Unix sockets, with fakes behind its table of methods. */
import {mkdtempSync, rmSync} from 'node:fs'
import {Agent} from 'node:http'
import {connect} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {CalicoError} from '../../../src/lib/errors.js'
import {newDriver, type Parts} from '../../../src/lib/libnetwork/driver.js'
import {newMetrics} from '../../../src/lib/libnetwork/metrics.js'
import {CONTENT_TYPE} from '../../../src/lib/libnetwork/protocol.js'
import {errorLine, newPluginServer, type PluginServer, type ServerOptions} from '../../../src/lib/libnetwork/server.js'
import {fakeParts, listedLog} from '../../support/driver-parts.js'
import {callPlugin, type PluginReply} from '../../support/plugin-client.js'

const NETWORK = 'a4d2'.repeat(16)
const ENDPOINT = '0d69a0124353'.padEnd(64, '0')
const IDS = {NetworkID: NETWORK, EndpointID: ENDPOINT}
const CREATE = {...IDS, Interface: {Address: '192.168.0.1/32'}, Options: {}}

let folder: string
const started: PluginServer[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-server-'))
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop(100)))
  rmSync(folder, {recursive: true, force: true})
})

async function start(changes: Partial<Parts> = {}, options: Partial<ServerOptions> = {}) {
  const parts = fakeParts(changes)
  const log = listedLog()
  const metrics = newMetrics()
  const server = newPluginServer({driver: newDriver(parts, {scope: 'local', log}), log, metrics, limitMs: () => 5_000, whyLate: () => 'Why.', ...options})
  started.push(server)
  const path = join(folder, 'calico.sock')
  const ipam = join(folder, 'ipam.sock')
  await new Promise<void>((resolve) => server.serve({Implements: ['NetworkDriver', 'IpamDriver']}).listen(path, resolve))
  await new Promise<void>((resolve) => server.serve({Implements: ['IpamDriver']}).listen(ipam, resolve))
  return {
    parts,
    log,
    metrics,
    server,
    path,
    call: (name: string, body?: unknown): Promise<PluginReply> => callPlugin(path, name, body),
    callIpam: (name: string, body?: unknown): Promise<PluginReply> => callPlugin(ipam, name, body),
  }
}

/** A promise with its ends outside. */
function gate() {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return {open, opened}
}

describe('HTTP', () => {
  test('the handshake has no body; each socket says what it is', async () => {
    const {call, callIpam} = await start()
    const reply = await call('Plugin.Activate')
    expect(reply).toMatchObject({status: 200, body: {Implements: ['NetworkDriver', 'IpamDriver']}})
    expect(reply.headers['content-type']).toBe(CONTENT_TYPE)
    expect(await callIpam('Plugin.Activate')).toMatchObject({status: 200, body: {Implements: ['IpamDriver']}})
    expect(await callIpam('IpamDriver.GetCapabilities')).toMatchObject({status: 200})
    expect(await callIpam('NetworkDriver.GetCapabilities')).toMatchObject({status: 404})
  })

  test.each([
    ['an unknown method', 'NetworkDriver.Unknown', {}, 404, 'The method NetworkDriver.Unknown is not known'],
    ['what only an object\'s prototype has', 'constructor', {}, 404, 'The method constructor is not known'],
    ['no name', '', {}, 404, 'The method  is not known'],
    ['malformed JSON', 'NetworkDriver.Join', '{"NetworkID":', 400, 'Bad request: not JSON: '],
    ['options 100,000 deep', 'NetworkDriver.CreateNetwork', `{"NetworkID":"${NETWORK}","Options":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`, 400, 'Bad request: its JSON is nested more than 100 levels deep'],
    ['a missing member', 'NetworkDriver.Join', {NetworkID: NETWORK}, 400, 'Bad request: EndpointID is missing'],
    ['no body where one is needed', 'NetworkDriver.Join', undefined, 400, 'Bad request: NetworkID is missing; EndpointID is missing. The request is empty: Docker sends an empty request after a driver was stopped before its answer. Try again.'],
    ['not an object', 'NetworkDriver.Join', [1], 400, 'Bad request: the request is not a JSON object'],
  ])('%s', async (_, name, body, status, text) => {
    const {call, parts} = await start()
    const reply = await call(name, body)
    expect(reply).toMatchObject({status, body: {Err: expect.stringContaining(text) as unknown}})
    expect(reply.headers['content-type']).toBe(CONTENT_TYPE)
    expect(parts.calls).toEqual([])
  })

  test('other verbs', async () => {
    const {path} = await start()
    expect(await callPlugin(path, 'Plugin.Activate', undefined, {verb: 'GET'})).toMatchObject({status: 405, body: {Err: expect.stringContaining('POST') as unknown}})
  })

  test('a body of 1 MiB is read, a larger one refused, and the server goes on', async () => {
    const {call} = await start()
    const padded = (length: number) => JSON.stringify({...IDS, Padding: ''}).replace('"Padding":""', `"Padding":"${'x'.repeat(length - JSON.stringify({...IDS, Padding: ''}).length)}"`)
    expect(padded(1024 * 1024)).toHaveLength(1024 * 1024)
    expect(await call('NetworkDriver.Leave', padded(1024 * 1024))).toMatchObject({status: 200, body: {}})
    expect(await call('NetworkDriver.Leave', padded(1024 * 1024 + 1))).toMatchObject({status: 413, body: {Err: expect.stringContaining('more than 1 MiB') as unknown}})
    expect(await call('NetworkDriver.Leave', IDS)).toMatchObject({status: 200})
  })

  test('a connection on which a request was not read to its end carries no other one', async () => {
    const {path} = await start()
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(path, () => socket.write(`POST /NetworkDriver.Leave HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n${'x'.repeat(1024 * 1024 + 1)}`))
      socket.once('data', (data: Buffer) => {
        resolve(data.toString())
        socket.destroy()
      })
    })
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toMatch(/^Connection: close\r$/m)
  })

  test('a request that breaks off does no harm', async () => {
    const {call, path, log} = await start()
    const socket = connect(path)
    socket.write(`POST /NetworkDriver.Leave HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"NetworkID":`)
    await sleep(20)
    socket.destroy()
    const noise = connect(path)
    noise.on('error', () => undefined)
    noise.write('\u0000\u0001 no HTTP at all\r\n\r\n')
    await sleep(20)
    noise.destroy()
    expect(await call('NetworkDriver.Leave', IDS)).toMatchObject({status: 200})
    expect(log.lines.filter((line) => line.includes('fault'))).toEqual([])
  })

  test('one connection carries many requests, and stays', async () => {
    const {path} = await start()
    const agent = new Agent({keepAlive: true, maxSockets: 1})
    for (let i = 0; i < 20; i++) expect((await callPlugin(path, 'NetworkDriver.EndpointOperInfo', IDS, {agent})).body).toEqual({Value: {}})
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1)
    agent.destroy()
  })
})

describe('errors', () => {
  test('nothing in it steers the terminal of whoever typed the docker command', () => {
    expect(errorLine(new CalicoError('invalid', 'a\u202eb\u001b[2J', {details: ['c\u0085d']}))).toBe('a\\u202eb\\x1b[2J: c\\x85d')
  })

  test('message, details and hint in one line; never a stack', async () => {
    const error = new CalicoError('refused', 'There is no pool.', {details: ['a: used', 'b:\n  full'], hint: 'To add one: calicoctl pool add'})
    const {call, log} = await start({requestAddress: () => Promise.reject(error)})
    const text = 'There is no pool. a: used; b: full. To add one: calicoctl pool add'
    expect(await call('IpamDriver.RequestAddress', {PoolID: 'P', Address: '', Options: null})).toMatchObject({status: 500, body: {Err: text}})
    expect(log.lines).toEqual([expect.stringMatching(/^error IpamDriver\.RequestAddress an address of P: There is no pool\. .* \(500, \d+ ms\)$/)])
  })

  test.each([
    [{}, 'It failed'],
    [{hint: 'Do this.'}, 'It failed. Do this.'],
    [{details: ['x']}, 'It failed: x'],
    [{details: ['x.', 'y']}, 'It failed: x. y'],
  ])('errorLine of %j', (more, text) => expect(errorLine(new CalicoError('failed', 'It failed', more))).toBe(text))

  test('a recorded text stays as it is, with its full stop', () => {
    const text = 'The requested subnet must match the CIDR of a configured Calico IP Pool.'
    expect(errorLine(new CalicoError('not-found', text, {details: ['There is no IPv4 pool.'], hint: 'Add one.'}))).toBe(`${text} There is no IPv4 pool. Add one.`)
  })

  test('a fault of ours is told as such, its stack in the log alone', async () => {
    const {call, log} = await start({findNetwork: () => Promise.reject(new TypeError('x is undefined'))})
    expect(await call('NetworkDriver.CreateEndpoint', CREATE)).toMatchObject({status: 500, body: {Err: 'x is undefined. This is a bug in calicoctl; its log has more.'}})
    expect(log.lines.some((line) => line.includes('server.test'))).toBe(true)
  })

  test('counted by method and outcome; names from outside are not', async () => {
    const {call, metrics} = await start({deleteEndpoint: () => Promise.reject(new CalicoError('unreachable', 'away'))})
    await call('NetworkDriver.DeleteEndpoint', IDS)
    await call('NetworkDriver.Leave', IDS)
    await call('NetworkDriver.Leave', {})
    await call('evil%22%7D', {})
    await call('Unknown', {})
    const samples = metrics.text().split('\n').filter((line) => line.startsWith('calicoctl_libnetwork_requests_total{'))
    expect(samples).toEqual([
      'calicoctl_libnetwork_requests_total{method="NetworkDriver.DeleteEndpoint",outcome="error"} 1',
      'calicoctl_libnetwork_requests_total{method="NetworkDriver.Leave",outcome="ok"} 1',
      'calicoctl_libnetwork_requests_total{method="NetworkDriver.Leave",outcome="refused"} 1',
      'calicoctl_libnetwork_requests_total{method="unknown",outcome="refused"} 2',
    ])
  })
})

describe('order (R16)', () => {
  test('requests for one endpoint are done one after another, in the order of their coming; others at the same time', async () => {
    const {open, opened} = gate()
    const {call, parts} = await start({
      async findNetwork(id) {
        await opened
        return {id, profile: 'x', fromCalico: true, labels: false}
      },
    })
    const create = call('NetworkDriver.CreateEndpoint', CREATE)
    await sleep(10)
    const join = call('NetworkDriver.Join', IDS)
    await sleep(10)
    const remove = call('NetworkDriver.DeleteEndpoint', IDS)
    expect(await call('NetworkDriver.DeleteEndpoint', {...IDS, EndpointID: 'f'.repeat(64)})).toMatchObject({status: 200})
    expect(parts.calls.filter((line) => line.includes(ENDPOINT))).toEqual([])
    open()
    await Promise.all([create, join, remove])
    expect(parts.calls.filter((line) => line.includes(ENDPOINT)).map((line) => line.split(' ')[0])).toEqual(['createEndpoint', 'findEndpoint', 'refuseConnected', 'makeLink', 'describeLater', 'removeLink', 'deleteEndpoint'])
  })

  test('the same call twice at once: one after the other', async () => {
    let running = 0
    const most: number[] = []
    const {call} = await start({
      async createEndpoint() {
        most.push(++running)
        await sleep(10)
        running--
        return {created: most.length === 1, createdProfile: false, createdNode: false}
      },
    })
    const replies = await Promise.all([call('NetworkDriver.CreateEndpoint', CREATE), call('NetworkDriver.CreateEndpoint', CREATE)])
    expect(replies.map(({status}) => status)).toEqual([200, 200])
    expect(most).toEqual([1, 1])
  })

  test('a hundred requests at once', async () => {
    const {open, opened} = gate()
    let running = 0
    const {call} = await start({
      async requestAddress() {
        if (++running === 100) open()
        await opened
        return {Address: '192.168.0.1/32', Data: {}}
      },
    })
    const replies = await Promise.all(Array.from({length: 100}, () => call('IpamDriver.RequestAddress', {PoolID: 'P', Address: '', Options: null})))
    expect(replies.every(({status}) => status === 200)).toBe(true)
  })
})

describe('deadlines', () => {
  const LATE = {limitMs: () => 50}

  test('a request that is not done in time is an error; what it did then is taken back, before the next one for that endpoint', async () => {
    const {open, opened} = gate()
    const {call, parts, log, metrics} = await start({
      async createEndpoint() {
        await opened
        return {created: true, createdProfile: false, createdNode: false}
      },
    }, LATE)
    expect(await call('NetworkDriver.CreateEndpoint', CREATE)).toMatchObject({status: 500, body: {Err: 'Not finished within 0.05 s. Why.'}})
    const remove = call('NetworkDriver.DeleteEndpoint', IDS)
    await sleep(10)
    open()
    expect(await remove).toMatchObject({status: 200})
    expect(parts.calls.slice(2)).toEqual([`removeEndpoint "${ENDPOINT}"`, `removeLink "${ENDPOINT}"`, `deleteEndpoint "${ENDPOINT}"`])
    expect(log.lines).toContain('warn Rolled back, because the request had timed out: endpoint 0d69a0124353')
    expect(metrics.text()).toContain('requests_total{method="NetworkDriver.CreateEndpoint",outcome="timeout"} 1')
  })

  test('what has not begun in time never begins', async () => {
    const {open, opened} = gate()
    const {call, parts} = await start({
      async findNetwork(id) {
        await opened
        return {id, profile: 'x', fromCalico: true, labels: false}
      },
    }, LATE)
    const replies = await Promise.all([call('NetworkDriver.CreateEndpoint', CREATE), call('NetworkDriver.DeleteEndpoint', IDS)])
    expect(replies.map(({status}) => status)).toEqual([500, 500])
    open()
    await sleep(20)
    expect(parts.calls.filter((line) => line.startsWith('deleteEndpoint'))).toEqual([])
  })

  test('that it cannot be taken back is told; that it fails late ends nothing', async () => {
    let count = 0
    const {call, log} = await start({
      async requestAddress() {
        await sleep(80)
        if (count++ > 0) throw new CalicoError('unreachable', 'away')
        return {Address: '192.168.0.1/32', Data: {}}
      },
      releaseAddress: () => Promise.reject(new CalicoError('unreachable', 'away')),
    }, LATE)
    for (let i = 0; i < 2; i++) expect(await call('IpamDriver.RequestAddress', {PoolID: 'P', Address: '', Options: null})).toMatchObject({status: 500})
    await sleep(100)
    expect(log.lines.filter((line) => line.startsWith('warn'))).toEqual(['warn The request had timed out, and its changes were not rolled back: an address of P: away. Reconciliation will remove them.'])
    expect(log.lines.filter((line) => line.startsWith('debug'))).toEqual(['debug an address of P, which was not finished in time, has failed: away'])
  })
})

describe('stop', () => {
  test('finishes what is being done, and accepts no more', async () => {
    const {open, opened} = gate()
    const {call, server} = await start({
      async deleteEndpoint() {
        await opened
        return true
      },
    })
    const agentless = call('NetworkDriver.DeleteEndpoint', IDS)
    await sleep(20)
    const stopped = server.stop(60_000)
    await expect(call('Plugin.Activate')).rejects.toThrow()
    open()
    expect(await agentless).toMatchObject({status: 200, headers: {connection: 'close'}})
    expect(await stopped).toBe(true)
  })

  test('an idle connection does not hold it up', async () => {
    const {path, server} = await start()
    const agent = new Agent({keepAlive: true})
    await callPlugin(path, 'Plugin.Activate', undefined, {agent})
    const began = performance.now()
    expect(await server.stop(60_000)).toBe(true)
    expect(performance.now() - began).toBeLessThan(30_000)
    agent.destroy()
  })

  test('it waits for what is taken back', async () => {
    const order: string[] = []
    const {call, server} = await start({
      async requestAddress() {
        await sleep(80)
        return {Address: '192.168.0.1/32', Data: {}}
      },
      async releaseAddress() {
        await sleep(50)
        order.push('released')
        return 'released'
      },
    }, {limitMs: () => 20})
    await call('IpamDriver.RequestAddress', {PoolID: 'P', Address: '', Options: null})
    expect(await server.stop(60_000)).toBe(true)
    expect(order).toEqual(['released'])
  })

  test('what takes too long is cut off', async () => {
    const {open, opened} = gate()
    const {call, server} = await start({
      async deleteEndpoint() {
        await opened
        return true
      },
    })
    const cut = call('NetworkDriver.DeleteEndpoint', IDS).catch((error: unknown) => error)
    await sleep(20)
    expect(await server.stop(50)).toBe(false)
    expect(await cut).toMatchObject({code: 'ECONNRESET'})
    open()
  })
})
