/** No etcd answers: nobody is there, or what stands before it. */
import {createServer as createHttpServer} from 'node:http'
import {connect, type Socket} from 'node:net'
import {beforeAll, describe, expect, test} from '@jest/globals'
import {OutcomeUnknownError} from '../../../../../src/lib/datastore/errors.js'
import {startEtcd} from '../../../../support/etcd.js'
import {freePorts, listen} from '../../../../support/ports.js'
import {startSilentServer} from '../../../../support/silent-server.js'
import {doorman, failureOf, HANGS_MS, type Open, timed} from './help.js'

export function noEtcd(open: Open): void {
  describe('no etcd there', () => {
    test('connection refused: said at once, with endpoint, origin and next step', async () => {
      const [port = 0] = await freePorts(1)
      const store = await open([`http://127.0.0.1:${port}`], {budgetMs: 10 * HANGS_MS})
      const {value: error, ms} = await timed(() => failureOf(store.get('/a')))
      expect(error).toMatchObject({
        kind: 'unreachable',
        message: `Nothing listens at the etcd endpoint http://127.0.0.1:${port} (from ETCD_ENDPOINTS): connection refused`,
        hint: expect.stringContaining('endpoint health'),
      })
      expect(ms).toBeLessThan(HANGS_MS)
    })

    test('a write that was refused a connection is not a write of unknown outcome', async () => {
      const [port = 0] = await freePorts(1)
      const store = await open([`http://127.0.0.1:${port}`])
      const error = await failureOf(store.transact({then: [{put: '/a', value: ''}]}))
      expect(error).toMatchObject({kind: 'unreachable'})
      expect(error).not.toBeInstanceOf(OutcomeUnknownError)
    })

    test('several endpoints: each is named', async () => {
      const [one = 0, two = 0] = await freePorts(2)
      const store = await open([`http://127.0.0.1:${one}`, `http://127.0.0.1:${two}`])
      expect(await failureOf(store.get('/a'))).toMatchObject({
        kind: 'unreachable',
        message: expect.stringContaining(`127.0.0.1:${one} `),
        details: [expect.stringContaining(`127.0.0.1:${two} `)],
      })
    })

    test('an unknown host name', async () => {
      const store = await open(['http://no-such-host.invalid:2379'])
      expect(await failureOf(store.get('/a'))).toMatchObject({
        kind: 'unreachable',
        message: expect.stringMatching(/^Cannot find the host of the etcd endpoint http:\/\/no-such-host\.invalid:2379 \(from ETCD_ENDPOINTS\)/),
      })
    })

    test('a server that accepts and never answers: within the budget', async () => {
      const silent = await startSilentServer()
      const store = await open([silent.endpoint], {budgetMs: 1_000})
      const {value: error, ms} = await timed(() => failureOf(store.get('/a')))
      expect(error).toMatchObject({kind: 'unreachable', message: expect.stringContaining(`${silent.endpoint} (from ETCD_ENDPOINTS) did not answer`)})
      expect(ms).toBeGreaterThan(900)
      expect(ms).toBeLessThan(HANGS_MS)
      const write = await failureOf((await open([silent.endpoint], {budgetMs: 500})).transact({then: [{put: '/a', value: ''}]}))
      expect(write).not.toBeInstanceOf(OutcomeUnknownError)
      expect(write).toMatchObject({kind: 'unreachable'})
      await silent.stop()
    })

    test('a web server', async () => {
      const web = createHttpServer((_, response) => response.end('hello'))
      const port = await listen(web)
      const error = await failureOf((await open([`http://127.0.0.1:${port}`])).get('/a'))
      expect(error).toMatchObject({kind: 'unreachable', message: expect.stringContaining('is not etcd v3')})
      web.closeAllConnections()
      web.close()
    })

    test('an etcd 2', async () => {
      const old = createHttpServer((_, response) => response.end('{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}'))
      const port = await listen(old)
      const error = await failureOf((await open([`http://127.0.0.1:${port}`])).get('/a'))
      expect(error).toMatchObject({kind: 'unreachable', message: expect.stringContaining('has no v3 API: it is etcd 2.3.8')})
      old.closeAllConnections()
      old.close()
    })
  })

  describe.each(['http', 'https'])('%s, and what answers is not an etcd but what stands before it', (scheme) => {
    const GARBAGE = Buffer.from(Array.from({length: 64}, (_, i) => (i * 89 + 200) % 256))
    const DOORS: readonly (readonly [string, (socket: Socket) => void, string])[] = [
      ['closes', (socket) => socket.end(), 'closes them without an answer'],
      ['closes once something has come', (socket) => socket.once('data', () => socket.end()), 'closes them without an answer'],
      ['resets', (socket) => setImmediate(() => socket.resetAndDestroy()), 'closes them without an answer'],
      ['resets once something has come', (socket) => socket.once('data', () => socket.resetAndDestroy()), 'closes them without an answer'],
      ['sends bytes without meaning', (socket) => socket.end(GARBAGE), 'neither HTTP nor TLS'],
      ['sends a byte now and then', (socket) => {
        const answer = 'HTTP/1.1 200 OK\r\nX-Filler: '
        let at = 0
        const timer = setInterval(() => socket.write(answer[at++] ?? 'x'), 50)
        socket.on('close', () => clearInterval(timer))
      }, ''],
    ]
    /** All of them at once, since they are waited for. A machine too busy to find out more than silence has twice the time, and so on. */
    const asked = new Map<string, {error: unknown; ms: number; budgetMs: number}>()
    beforeAll(async () => {
      await Promise.all(
        DOORS.map(async ([name, act, words]) => {
          const door = await doorman(act)
          for (let budgetMs = 2_000; budgetMs < HANGS_MS; budgetMs *= 2) {
            const {value: error, ms} = await timed(async () => failureOf((await open([`${scheme}://${door.host}`], {budgetMs})).get('/a')))
            asked.set(name, {error, ms, budgetMs})
            if (String(error).includes(words)) break
          }
          door.stop()
        }),
      )
    }, 3 * HANGS_MS)

    test.each(DOORS)('it %s: no answer, asked until the time is up', (name, _, words) => {
      const {error, ms = 0, budgetMs = 0} = asked.get(name) ?? {}
      expect(error).toMatchObject({kind: 'unreachable', message: expect.stringContaining(words)})
      expect(ms).toBeGreaterThan(0.8 * budgetMs)
      expect(ms).toBeLessThan(budgetMs + HANGS_MS)
    })
  })

  test('etcd comes back behind what closes connections: answered', async () => {
    const etcd = await startEtcd()
    let away = true
    const door = await doorman((socket) => {
      if (away) socket.destroy()
      else socket.pipe(connect(Number(new URL(etcd.endpoints[0] ?? '').port), '127.0.0.1')).pipe(socket)
    })
    const read = (await open([`http://${door.host}`])).get('/a')
    while (door.connections() < 3) await new Promise((resolve) => setTimeout(resolve, 10))
    away = false
    expect((await read).kv).toBeUndefined()
    door.stop()
    await etcd.stop()
  })

  test('a proxy that says that nothing is behind it: asked until the time is up', async () => {
    const web = createHttpServer((_, response) => response.writeHead(503).end('no server is available'))
    const port = await listen(web)
    const {value: error, ms} = await timed(async () => failureOf((await open([`http://127.0.0.1:${port}`], {budgetMs: 1_500})).get('/a')))
    expect(error).toMatchObject({kind: 'unreachable', message: expect.stringContaining('is not available')})
    expect(ms).toBeGreaterThan(1_300)
    web.closeAllConnections()
    web.close()
  })
}
