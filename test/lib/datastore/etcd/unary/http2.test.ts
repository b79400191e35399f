/** HTTP/2 as the unary calls speak it, against node:http2's server: all fields, however they are compressed, and bodies through windows of any size. */
import {createServer, constants, type Http2Server, type ServerHttp2Stream, type ServerOptions} from 'node:http2'
import {afterEach, describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {createFieldReader, encodeFields, type Fields} from '../../../../../src/lib/datastore/etcd/unary/hpack.js'
import * as h2 from '../../../../../src/lib/datastore/etcd/unary/frames.js'
import {openSession, type Session} from '../../../../../src/lib/datastore/etcd/unary/session.js'
import type {Ended} from '../../../../../src/lib/datastore/etcd/unary/status.js'
import {listen} from '../../../../support/ports.js'
import {scripted} from '../../../../support/scripted-session.js'

const SOON = (): number => Date.now() + 60_000

const running: Http2Server[] = []
const sessions: Session[] = []
afterEach(async () => {
  for (const session of sessions.splice(0)) session.retire()
  await Promise.all(running.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

/** A connection to a server that does ACT with each request. */
async function connectTo(act: (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>) => void, options: ServerOptions = {}): Promise<Session> {
  const server = createServer({maxSendHeaderBlockLength: 1_000_000, ...options})
  running.push(server)
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    act(stream, headers)
  })
  const session = openSession(`http://127.0.0.1:${await listen(server)}`)
  sessions.push(session)
  await session.opened(SOON())
  return session
}

const HEADERS = {':method': 'POST', ':path': '/x'}

/** What came of one call. */
const ask = (session: Session, headers: Fields = {}, body = Buffer.from('x')): Promise<Ended & {body: Buffer}> =>
  new Promise((resolve) => {
    session.begin({...HEADERS, ...headers}, body, (end, received) => resolve({...end, body: Buffer.concat(received)}))
  })

/** Answers with all that was asked. */
const echo = (stream: ServerHttp2Stream): void => {
  stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0'}))
  stream.respond({':status': 200}, {waitForTrailers: true})
  stream.pipe(stream)
}

describe('fields', () => {
  /** Bytes that may be in a value: all but control characters. */
  const VALUE_BYTES = Array.from({length: 256}, (_, byte) => byte).filter((byte) => byte >= 0x20 && byte !== 0x7f)

  test('every byte of a value, compressed', async () => {
    const sent = Object.fromEntries(VALUE_BYTES.map((byte) => [`x-${byte}`, `${'e'.repeat(40)}${String.fromCharCode(byte)}a`]))
    const session = await connectTo((stream) => stream.respond({':status': 200, ...sent}, {endStream: true}))
    const {trailers} = await ask(session)
    expect(Object.fromEntries(Object.keys(sent).map((name) => [name, trailers?.[name]]))).toEqual(sent)
  })

  test('fields of the tables, and whatever else, in many answers of one connection', async () => {
    const names = ['accept', 'age', 'allow', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'link', 'server', 'vary', 'www-authenticate', 'grpc-status', 'grpc-message', 'x-one', 'x-two']
    const value = fc.oneof(fc.constantFrom('', '0', 'application/grpc', 'a'.repeat(5_000)), fc.stringMatching(/^[\x21-\x7e]{0,300}$/))
    const fields = fc.dictionary(fc.constantFrom(...names), value, {maxKeys: 12})
    let sent: Fields = {}
    const session = await connectTo((stream) => stream.respond({':status': 204, ...sent}, {endStream: true, sendDate: false} as object))
    await fc.assert(
      fc.asyncProperty(fields, async (own) => {
        sent = {...own, 'content-length': '0'}
        const {trailers, reason} = await ask(session)
        expect(reason).toBeUndefined()
        const {date, ':status': status, ...rest} = trailers ?? {}
        expect([status, rest]).toEqual(['204', sent])
      }),
      {numRuns: 300},
    )
  })

  test('what we send arrives: long values too', async () => {
    const seen: Readonly<Record<string, unknown>>[] = []
    const session = await connectTo((stream, headers) => {
      seen.push(headers)
      stream.respond({':status': 200}, {endStream: true})
    }, {settings: {maxHeaderListSize: 1_000_000}})
    const sent = {token: 'a'.repeat(126), one: 'b'.repeat(127), two: 'c'.repeat(128), three: 'd'.repeat(300), four: 'e'.repeat(40_000)}
    await ask(session, sent)
    expect(seen[0]).toMatchObject({...sent, ':method': 'POST', ':path': '/x', ':scheme': 'http', ':authority': expect.stringContaining('127.0.0.1:')})
  })

  test('a token is in no table of others', () => {
    expect(encodeFields({token: 'x'})[0]).toBe(0x10)
    expect(encodeFields({te: 'x'})[0]).toBe(0)
  })

  test('the examples of RFC 7541, C.6: a table that throws out', () => {
    const {read} = createFieldReader()
    const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
    // The table of the examples has 256 bytes.
    const first = read(hex('3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3'))
    expect(first).toEqual({':status': '302', 'cache-control': 'private', date: 'Mon, 21 Oct 2013 20:13:21 GMT', location: 'https://www.example.com'})
    expect(read(hex('4883 640e ffc1 c0bf'))).toEqual({...first, ':status': '307'})
    expect(read(hex('88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07'))).toEqual({
      ':status': '200',
      'cache-control': 'private',
      date: 'Mon, 21 Oct 2013 20:13:22 GMT',
      location: 'https://www.example.com',
      'content-encoding': 'gzip',
      'set-cookie': 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    })
    // Three are left of those before.
    expect(read(hex('c0'))).toMatchObject({date: 'Mon, 21 Oct 2013 20:13:22 GMT'})
    expect(() => read(hex('c1'))).toThrow('a field of no table: 65')
  })

  test('of a field that comes twice the first counts', () => {
    expect(createFieldReader().read(Buffer.concat([encodeFields({a: '1'}), encodeFields({a: '2'})]))).toEqual({a: '1'})
  })

  test.each([
    ['a field of no table', [0xff, 0x00]],
    ['the field 0', [0x80]],
    ['a text that is cut off', [0x00, 0x05, 0x61]],
    ['a number that is cut off', [0xff]],
    ['a number without end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['a larger table than there is', [0x3f, 0xe2, 0x1f]],
    ['a Huffman code that is cut off', [0x00, 0x01, 0x61, 0x81, 0xfe]],
    ['the end of a text within it', [0x00, 0x01, 0x61, 0x84, 0xff, 0xff, 0xff, 0xff]],
    ['fields without end', [...Array.from({length: 10_000}, () => 0x90)]],
  ])('%s is refused', (_, bytes) => {
    expect(() => createFieldReader().read(Buffer.from(bytes))).toThrow(RangeError)
  })
})

describe('windows and streams', () => {
  test.each([1_000, 16_384, 65_535, 5_000_000])('a server that takes %d bytes at a time gets all of a body, and we all of its answer', async (initialWindowSize) => {
    const session = await connectTo(echo, {settings: {initialWindowSize}})
    const body = Buffer.alloc(3_000_000, 'abcdefghijk')
    const {body: found, trailers} = await ask(session, {}, body)
    expect(found.equals(body)).toBe(true)
    expect(trailers).toMatchObject({'grpc-status': '0'})
  })

  test('frames with padding', async () => {
    const session = await connectTo(echo, {paddingStrategy: constants.PADDING_STRATEGY_MAX})
    const body = Buffer.alloc(200_001, 'abc')
    expect((await ask(session, {}, body)).body.equals(body)).toBe(true)
  })

  test('headers before the headers', async () => {
    const session = await connectTo((stream) => {
      stream.additionalHeaders({':status': 103})
      echo(stream)
    })
    expect(await ask(session)).toMatchObject({httpStatus: 200, trailers: {'grpc-status': '0'}})
  })

  test('a server that takes two calls at a time has no more, and gets all', async () => {
    let open = 0
    let most = 0
    const session = await connectTo((stream) => {
      most = Math.max(most, ++open)
      setImmediate(() => {
        open--
        echo(stream)
      })
    }, {settings: {maxConcurrentStreams: 2}})
    const answers = await Promise.all(Array.from({length: 20}, () => ask(session)))
    expect(answers.map(({trailers}) => trailers?.['grpc-status'])).toEqual(answers.map(() => '0'))
    expect(most).toBe(2)
  })

  test('a call that waits for its turn certainly was not executed', async () => {
    const session = await connectTo((stream) => setImmediate(() => stream.session?.destroy()), {settings: {maxConcurrentStreams: 1}})
    const [first, second] = await Promise.all([ask(session), ask(session)])
    expect([first.passedOver, second.passedOver]).toEqual([false, true])
  })
})

const NOTHING = Buffer.alloc(0)
const SETTINGS = h2.settings([])
const fieldsFrame = (flags: number, stream = 1, fields: Fields = {':status': '200'}): Buffer => h2.frame(h2.HEADERS, flags, stream, encodeFields(fields))

describe('what is not HTTP/2 ends the connection', () => {
  test.each<[string, Buffer[], string]>([
    ['no settings first', [h2.frame(h2.PING, 0, 0, Buffer.alloc(8))], 'it begins with a frame of type 6'],
    ['a frame that is too long', [SETTINGS, Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1])], 'a frame of 16385 bytes'],
    ['settings that are cut off', [h2.frame(h2.SETTINGS, 0, 0, Buffer.alloc(5))], 'SETTINGS are cut off'],
    ['data of no stream', [SETTINGS, h2.frame(h2.DATA, 0, 0, NOTHING)], 'for stream 0'],
    ['headers of a stream that never began', [SETTINGS, fieldsFrame(h2.END_HEADERS, 3)], 'for stream 3'],
    ['headers of a stream of the server', [SETTINGS, fieldsFrame(h2.END_HEADERS, 2)], 'for stream 2'],
    ['a push', [SETTINGS, h2.frame(h2.PUSH_PROMISE, 0, 1, Buffer.alloc(4))], 'push'],
    ['headers that are interrupted', [SETTINGS, fieldsFrame(0), h2.frame(h2.PING, 0, 0, Buffer.alloc(8))], 'interrupted'],
    ['headers that go on in another stream', [SETTINGS, fieldsFrame(0), h2.frame(h2.CONTINUATION, h2.END_HEADERS, 3, NOTHING)], 'interrupted'],
    ['headers that go on without a beginning', [SETTINGS, h2.frame(h2.CONTINUATION, h2.END_HEADERS, 1, NOTHING)], 'interrupted'],
    ['headers without end', [SETTINGS, fieldsFrame(0), ...Array.from({length: 20}, () => h2.frame(h2.CONTINUATION, 0, 1, Buffer.alloc(16_000)))], 'without end'],
    ['headers behind headers', [SETTINGS, fieldsFrame(h2.END_HEADERS), fieldsFrame(h2.END_HEADERS)], 'behind headers'],
    ['headers that are none', [SETTINGS, h2.frame(h2.HEADERS, h2.END_HEADERS, 1, Buffer.from([0x80]))], 'a field of no table'],
    ['more padding than there is', [SETTINGS, h2.frame(h2.DATA, 8, 1, Buffer.from([9, 0]))], 'padding'],
    ['a ping of another length', [SETTINGS, h2.frame(h2.PING, 0, 0, Buffer.alloc(7))], 'a ping of 7 bytes'],
    ['a window that is cut off', [SETTINGS, h2.frame(h2.WINDOW_UPDATE, 0, 0, Buffer.alloc(3))], 'cut off'],
  ])('%s', async (_, frames, words) => {
    const {session, comes} = scripted()
    const ended = ask(session)
    comes(...frames)
    expect(session.usable()).toBe(false)
    expect(session.reason()).toContain(words)
    // A request that was sent may have been executed.
    expect(await ended).toMatchObject({trailers: undefined, passedOver: false, reason: expect.stringContaining('what the server sends is not HTTP/2')})
  })

  test('whatever way the bytes are cut, the same comes of them', async () => {
    const data = Buffer.alloc(300, 'x')
    const bytes = Buffer.concat([
      SETTINGS,
      h2.frame(h2.PING, 0, 0, Buffer.from('12345678')),
      fieldsFrame(0),
      h2.frame(h2.CONTINUATION, h2.END_HEADERS, 1, encodeFields({a: 'b'})),
      h2.frame(h2.DATA, 0, 1, data),
      h2.frame(0x77, 0, 1, data),
      fieldsFrame(h2.END_HEADERS | h2.END_STREAM, 1, {'grpc-status': '0'}),
    ])
    for (const size of [1, 2, 7, 100, bytes.length]) {
      const {session, comes, sent} = scripted()
      const ended = ask(session)
      for (let at = 0; at < bytes.length; at += size) comes(bytes.subarray(at, at + size))
      expect(await ended).toMatchObject({httpStatus: 200, trailers: {'grpc-status': '0'}, body: data, reason: undefined})
      expect(sent().includes(h2.frame(h2.PING, h2.ACK, 0, Buffer.from('12345678')))).toBe(true)
      expect(sent().includes(h2.frame(h2.SETTINGS, h2.ACK, 0, NOTHING))).toBe(true)
    }
  })

  test('a server that asks and does not read is given up', () => {
    const {session, comes} = scripted({reads: false})
    comes(SETTINGS)
    for (let n = 0; n < 1_001 && session.usable(); n++) comes(h2.frame(h2.PING, 0, 0, Buffer.alloc(8)))
    expect(session.reason()).toContain('not read')
  })

  test('the server answers before it has read the request: the rest is not sent', async () => {
    const {session, comes, sent} = scripted()
    const ended = ask(session, {}, Buffer.alloc(100_000))
    comes(SETTINGS, fieldsFrame(h2.END_HEADERS | h2.END_STREAM, 1, {':status': '200', 'grpc-status': '8'}))
    expect(await ended).toMatchObject({httpStatus: 200, trailers: {'grpc-status': '8'}})
    expect(sent().subarray(-13).equals(h2.frame(h2.RST_STREAM, 0, 1, h2.numbers(8)))).toBe(true)
    const before = sent().length
    comes(h2.frame(h2.WINDOW_UPDATE, 0, 0, h2.numbers(1_000_000)), h2.frame(h2.WINDOW_UPDATE, 0, 1, h2.numbers(1_000_000)))
    expect(sent().length).toBe(before)
  })

  test('a call that is cancelled is reset, once, and ends no more; one that waits for its turn is never sent', async () => {
    const {session, comes, sent} = scripted()
    const one = h2.settings([[3, 1]])
    comes(one)
    const ends: string[] = []
    const begin = (name: string): (() => void) => session.begin(HEADERS, Buffer.from(name), () => void ends.push(name))
    const [cancelFirst, cancelSecond] = [begin('first'), begin('second')]
    const third = ask(session, {}, Buffer.from('third'))
    cancelSecond()
    expect(['first', 'second', 'third'].map((name) => sent().includes(name))).toEqual([true, false, false])
    cancelFirst()
    cancelFirst()
    const resets = (): number => sent().toString('latin1').split(h2.frame(h2.RST_STREAM, 0, 1, h2.numbers(8)).toString('latin1')).length - 1
    expect([resets(), sent().includes('third'), sent().includes('second')]).toEqual([1, true, false])
    const answer = (stream: number): Buffer => fieldsFrame(h2.END_HEADERS | h2.END_STREAM, stream, {':status': '200', 'grpc-status': '0'})
    comes(answer(1), answer(3))
    expect(await third).toMatchObject({trailers: {'grpc-status': '0'}})
    expect([ends, resets()]).toEqual([[], 1])
  })

  test('GOAWAY with an error ends all calls; those that it passes over were not executed', async () => {
    const {session, comes} = scripted()
    const ended = Promise.all([ask(session), ask(session)])
    comes(SETTINGS, h2.frame(h2.GOAWAY, 0, 0, h2.numbers(1, 11)))
    expect(await ended).toMatchObject([{passedOver: false, reason: 'the server has ended the connection with code 11'}, {passedOver: true}])
  })
})
