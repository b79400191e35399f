import {isDeepStrictEqual} from 'node:util'
import {loadSync, type MethodDefinition} from '@grpc/proto-loader'
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {PROTO_FILE, readProtocol} from '../../../../../scripts/bundle/protocol.mjs'
import {createCodec, type FieldTable, type Message} from '../../../../../src/lib/datastore/etcd/unary/protobuf.js'
import {ANY_CHARACTER} from '../../../../support/any-character.js'

const protocol = readProtocol()
const codec = createCodec(protocol)
/** What etcd3 loads without the bundle, with etcd3's options. */
const original = loadSync(PROTO_FILE, {keepCase: true, longs: String, enums: String, defaults: true, oneofs: true})

type Definition = MethodDefinition<object, object>
const methods = Object.entries(protocol.services).flatMap(([service, tables]) => tables.map((table) => ({name: `${service}.${table[0]}`, table, definition: definitionOf(service, table[0])})))

function definitionOf(service: string, method: string): Definition {
  const definition = (original[service] as Record<string, Definition> | undefined)?.[method]
  if (definition === undefined) throw new Error(`@grpc/proto-loader finds no ${service}.${method}`)
  return definition
}

/** Every message that travels, with the original's encoder and decoder for it. */
const messages = new Map(
  methods.flatMap(({table: [, request, response], definition}) => [
    [request, {encode: definition.requestSerialize, decode: definition.requestDeserialize}],
    [response, {encode: definition.responseSerialize, decode: definition.responseDeserialize}],
  ]),
)

const INT64 = ['0', '1', '127', '128', '16383', '16384', '-1', '999999999999999', '1234567890123456', '9007199254740993', '9223372036854775807', '-9223372036854775808']
const int64 = fc.oneof(fc.constantFrom(...INT64, 5, 300, -7), fc.bigInt({min: -(2n ** 63n), max: 2n ** 63n - 1n}).map(String))
const uint64 = fc.oneof(fc.constantFrom('0', '5', '18446744073709551615', 7), fc.bigInt({min: 0n, max: 2n ** 64n - 1n}).map(String))
const bytes = fc.oneof({weight: 5, arbitrary: fc.uint8Array({maxLength: 300})}, fc.integer({min: 16_000, max: 20_000}).map((size) => new Uint8Array(size).fill(7))).map((array) => Buffer.from(array))

/** Random values of MESSAGE, at most DEPTH messages deep; fields are left out at random, and of a oneof at most one is set. */
function messageArbitrary(message: string, depth: number): fc.Arbitrary<Message> {
  const fields = (protocol.messages[message] ?? []).filter(([, , type]) => type !== 'message' || depth > 0)
  const record = Object.fromEntries(fields.map((field) => [field[0], fc.option(fieldArbitrary(field, depth), {nil: undefined})]))
  return fc.tuple(fc.record(record), fc.nat()).map(([value, choice]) => {
    const kept: Message = {}
    const members = new Map<string, string[]>()
    for (const [name, , , , , oneof] of fields) if (oneof && value[name] !== undefined) members.set(oneof, [...(members.get(oneof) ?? []), name])
    for (const [name, , , , , oneof] of fields) {
      const rivals = members.get(oneof) ?? []
      if (value[name] !== undefined && (!oneof || rivals[choice % rivals.length] === name)) kept[name] = value[name]
    }
    return kept
  })
}

function fieldArbitrary([, , type, ref, repeated]: FieldTable, depth: number): fc.Arbitrary<unknown> {
  const element = {
    bytes: () => bytes,
    string: () => fc.oneof(fc.string({unit: ANY_CHARACTER}), fc.constantFrom('', 'äöü€😀', 'x'.repeat(200))),
    bool: () => fc.boolean(),
    int32: () => fc.integer(),
    uint32: () => fc.integer({min: 0, max: 2 ** 32 - 1}),
    int64: () => int64,
    uint64: () => uint64,
    enum: () => fc.constantFrom<unknown>(...Object.keys(protocol.enums[ref] ?? {}), ...Object.values(protocol.enums[ref] ?? {})),
    message: () => messageArbitrary(ref, depth - 1),
  }[type]()
  return repeated ? fc.array<unknown>(element, {maxLength: 4}) : element
}

test('the methods are those that @grpc/proto-loader finds', () => {
  expect(Object.keys(protocol.services).sort()).toEqual(Object.keys(original).filter((name) => !('format' in (original[name] ?? {}))).sort())
  for (const {table: [, , , requestStream, responseStream, originalName], definition} of methods) {
    expect({requestStream, responseStream, originalName}).toEqual({
      requestStream: definition.requestStream,
      responseStream: definition.responseStream,
      originalName: definition.originalName,
    })
  }
})

describe('the codec does what protobufjs does', () => {
  test.each([...messages])('%s', (name, {encode, decode}) => {
    fc.assert(
      fc.property(messageArbitrary(name, 3), (value) => {
        const reference = encode(value)
        const ours = codec.encode(name, value)
        expect(ours.equals(reference)).toBe(true)
        const [decoded, expected] = [codec.decode(name, reference), plain(decode(reference))]
        // Jest's own comparison takes seconds for long buffers.
        if (!isDeepStrictEqual(decoded, expected)) expect(decoded).toEqual(expected)
      }),
      {numRuns: 60},
    )
  })
})

/** protobufjs' objects without their prototypes. */
const plain = (value: unknown): unknown =>
  Buffer.isBuffer(value) || typeof value !== 'object' || value === null
    ? value
    : Array.isArray(value)
      ? value.map(plain)
      : Object.fromEntries(Object.entries(value).map(([name, content]) => [name, plain(content)]))

describe('messages from other servers and broken ones', () => {
  test('fields that the protocol file does not know are passed over, whatever their wire type', () => {
    const unknown = [
      [0xf8, 0x3f, 0xff, 0x01], // a varint in field 1023
      [0xf9, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8],
      [0xfa, 0x3f, 3, 1, 2, 3],
      [0xfd, 0x3f, 1, 2, 3, 4],
    ].flat()
    const known = codec.encode('mvccpb.KeyValue', {key: Buffer.from('a'), version: '3'})
    const decoded = codec.decode('mvccpb.KeyValue', Buffer.concat([Buffer.from(unknown), known, Buffer.from(unknown)]))
    expect(decoded).toMatchObject({key: Buffer.from('a'), version: '3'})
  })

  test('a repeated number is read in the unpacked form too', () => {
    const decoded = codec.decode('etcdserverpb.WatchCreateRequest', Buffer.from([0x28, 1, 0x28, 0]))
    expect(decoded.filters).toEqual(['Nodelete', 'Noput'])
  })

  test.each([
    ['a cut length', [0x0a]],
    ['a field longer than the message', [0x0a, 5, 1, 2]],
    ['a cut number', [0x10, 0x80]],
    ['an unknown wire type', [0x0b]],
  ])('%s is refused', (_, broken) => {
    if (broken[0] === 0x0b) expect(() => codec.decode('mvccpb.KeyValue', Buffer.from([0xfb, 0x3f]))).toThrow('wire type')
    else expect(() => codec.decode('mvccpb.KeyValue', Buffer.from(broken))).toThrow(RangeError)
  })

  const key = codec.encode('mvccpb.KeyValue', {key: Buffer.from('a')})
  test.each([
    ['a number that never ends', Buffer.concat([Buffer.from([0x18]), Buffer.alloc(200_000, 0xff), Buffer.from([1])])],
    ['a field number that never ends', Buffer.alloc(200_000, 0xff)],
    ['an unknown number that never ends', Buffer.concat([Buffer.from([0xf8, 0x3f]), Buffer.alloc(200_000, 0xff)])],
    ['a field that ends behind its message', Buffer.from([0xfd, 0x3f, 1, 2])],
    ['a wire type that there is not', Buffer.from([0xff, 0x3f])],
  ])('%s is refused', (_, bytes) => {
    expect(() => codec.decode('mvccpb.KeyValue', bytes)).toThrow(/longer than 10 bytes|behind its message|no such wire type/)
    expect(codec.decode('mvccpb.KeyValue', key)).toMatchObject({key: Buffer.from('a')})
  })

  test('a field that ends behind the message in which it is, but within the whole', () => {
    const inner = Buffer.from([0x0a, 5])
    expect(() => codec.decode('etcdserverpb.PutResponse', Buffer.concat([Buffer.from([0x12, inner.length]), inner, Buffer.from([0xf8, 0x3f, 1, 0xf8, 0x3f, 1])]))).toThrow('behind its message')
  })

  test('a value of the wrong shape is refused before anything is sent', () => {
    expect(() => codec.encode('etcdserverpb.RangeRequest', {sort_order: 'Sideways'})).toThrow(TypeError)
    expect(() => codec.encode('etcdserverpb.TxnRequest', {compare: {}})).toThrow(TypeError)
    expect(() => codec.encode('etcdserverpb.TxnRequest', {compare: ['x']})).toThrow(TypeError)
  })
})
