/**
 * Encodes and decodes protocol buffer messages by tables: those of protocol.ts, and for etcd3 those that the build makes from its .proto files
 * (scripts/bundle/protocol.mjs). Does what @grpc/proto-loader does with the options that etcd3 gives it (keepCase, longs and enums as strings, defaults,
 * oneofs), without building descriptors and generating code at every start: that costs 60 ms. A test compares the two on random messages of every type.
 */

/** The wire formats of the fields that occur in etcd's protocol. `int64`, `uint64` and `int32` are varints. */
export type FieldType = 'bytes' | 'string' | 'bool' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'enum' | 'message'

/** One field: its name, number and type; the enum's or message's name; whether it is repeated; the oneof it belongs to. */
export type FieldTable = readonly [name: string, number: number, type: FieldType, ref: string, repeated: 0 | 1, oneof: string]

/** One method: its name, its messages, which of them are streams, and its name in camel case. */
export type MethodTable = readonly [name: string, request: string, response: string, requestStream: boolean, responseStream: boolean, camel: string]

export interface Protocol {
  readonly messages: Readonly<Record<string, readonly FieldTable[]>>
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly services: Readonly<Record<string, readonly MethodTable[]>>
}

/** A message as etcd3 has it: the field names of the .proto file. */
export type Message = Record<string, unknown>

export interface Codec {
  /** @throws TypeError for a value that does not fit its field. */
  encode(message: string, value: Message): Buffer
  /** @throws RangeError or Error for bytes that are no such message. */
  decode(message: string, bytes: Uint8Array): Message
}

interface Field {
  readonly name: string
  readonly number: number
  readonly type: FieldType
  readonly ref: string
  readonly repeated: boolean
  readonly oneof: string
}

interface MessageType {
  readonly name: string
  readonly fields: readonly Field[]
  readonly byNumber: readonly (Field | undefined)[]
}

const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5

/** Bytes of 64 bits, seven in each. */
const LONGEST_VARINT = 10

const EMPTY = Buffer.alloc(0)

export function createCodec({messages, enums}: Pick<Protocol, 'messages' | 'enums'>): Codec {
  const types = new Map<string, MessageType>()
  const enumNames = new Map<string, Map<number, string>>()

  function messageType(name: string): MessageType {
    const known = types.get(name)
    if (known) return known
    const table = messages[name]
    if (table === undefined) throw new TypeError(`the protocol has no message ${name}`)
    const fields = table.map(([field, number, type, ref, repeated, oneof]): Field => ({name: field, number, type, ref, repeated: repeated === 1, oneof}))
    const byNumber: Field[] = []
    for (const field of fields) byNumber[field.number] = field
    const type = {name, fields, byNumber}
    types.set(name, type)
    return type
  }

  function enumNumber({name, ref}: Field, value: unknown): number {
    const number = typeof value === 'string' ? enums[ref]?.[value] : value
    if (typeof number !== 'number') throw new TypeError(`${name}: ${String(value)} is none of its values`)
    return number
  }

  /** The first name of NUMBER, or NUMBER itself where the .proto file has no name for it. */
  function enumName(ref: string, number: number): string | number {
    let names = enumNames.get(ref)
    if (!names) {
      names = new Map()
      for (const [name, value] of Object.entries(enums[ref] ?? {})) if (!names.has(value)) names.set(value, name)
      enumNames.set(ref, names)
    }
    return names.get(number) ?? number
  }

  function writeMessage(writer: Writer, {name, fields}: MessageType, value: unknown): void {
    if (typeof value !== 'object' || value === null) throw new TypeError(`${name}: an object is expected`)
    for (const field of fields) {
      const content = (value as Message)[field.name]
      if (content === undefined || content === null) continue
      if (!field.repeated) writeField(writer, field, content)
      else if (!Array.isArray(content)) throw new TypeError(`${name}.${field.name}: an array is expected`)
      else if (isPacked(field)) {
        if (content.length > 0) writer.delimited(field.number, () => content.forEach((element) => writeScalar(writer, field, element)))
      } else for (const element of content) writeField(writer, field, element)
    }
  }

  function writeField(writer: Writer, field: Field, value: unknown): void {
    switch (field.type) {
      case 'bytes':
        writer.bytes(field.number, typeof value === 'string' ? Buffer.from(value, 'base64') : (value as Uint8Array))
        return
      case 'string':
        writer.string(field.number, String(value))
        return
      case 'message':
        writer.delimited(field.number, () => writeMessage(writer, messageType(field.ref), value))
        return
      default:
        writer.tag(field.number, VARINT)
        writeScalar(writer, field, value)
    }
  }

  function writeScalar(writer: Writer, field: Field, value: unknown): void {
    if (field.type === 'bool') writer.varint(value ? 1 : 0)
    else if (field.type === 'enum') writer.integer(enumNumber(field, value))
    else if (field.type === 'int32') writer.integer(Number(value) | 0)
    else if (field.type === 'uint32') writer.integer(Number(value) >>> 0)
    else writer.integer(value)
  }

  function readMessage(reader: Reader, {fields, byNumber}: MessageType, end: number): Message {
    const message: Message = {}
    for (const field of fields) {
      if (field.repeated) message[field.name] = []
      else if (field.oneof === '') message[field.name] = defaultValue(field)
    }
    while (reader.at < end) {
      const tag = reader.varint()
      const field = byNumber[Math.floor(tag / 8)]
      const wire = tag % 8
      if (field === undefined) reader.skip(wire)
      else if (!field.repeated) {
        message[field.name] = readField(reader, field)
        if (field.oneof !== '') message[field.oneof] = field.name
      } else {
        const elements = message[field.name] as unknown[]
        if (wire === DELIMITED && isPacked(field)) for (const packedEnd = reader.end(); reader.at < packedEnd;) elements.push(readField(reader, field))
        else elements.push(readField(reader, field))
      }
    }
    if (reader.at > end) throw new RangeError('a field ends behind its message')
    return message
  }

  function readField(reader: Reader, field: Field): unknown {
    switch (field.type) {
      case 'bytes':
        return reader.bytes()
      case 'string':
        return reader.string()
      case 'bool':
        return reader.varint() !== 0
      case 'int32':
        return reader.int32()
      case 'uint32':
        return reader.int32() >>> 0
      case 'int64':
        return reader.int64(true)
      case 'uint64':
        return reader.int64(false)
      case 'enum':
        return enumName(field.ref, reader.int32())
      case 'message':
        return readMessage(reader, messageType(field.ref), reader.end())
    }
  }

  function defaultValue({type, ref}: Field): unknown {
    switch (type) {
      case 'bytes':
        return EMPTY
      case 'string':
        return ''
      case 'bool':
        return false
      case 'int32':
      case 'uint32':
        return 0
      case 'int64':
      case 'uint64':
        return '0'
      case 'enum':
        return enumName(ref, 0)
      case 'message':
        return null
    }
  }

  return {
    encode(message, value) {
      const writer = new Writer()
      writeMessage(writer, messageType(message), value)
      return writer.finish()
    },
    decode(message, bytes) {
      const reader = new Reader(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      return readMessage(reader, messageType(message), bytes.length)
    },
  }
}

/** Repeated numbers are written one after the other in one field (proto3's default), and may be read in either form. */
const isPacked = ({repeated, type}: Field): boolean => repeated && type !== 'bytes' && type !== 'string' && type !== 'message'

/** Bytes are written behind each other; a nested message's length is put before it once it is known. */
class Writer {
  private buffer = Buffer.allocUnsafe(1024)
  private length = 0

  tag(number: number, wire: number): void {
    this.varint(number * 8 + wire)
  }

  /** VALUE, a whole number from 0 to 2^53-1. */
  varint(value: number): void {
    this.reserve(8)
    let rest = value
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.buffer[this.length++] = rest
  }

  /** A 64-bit number in any of the forms in which etcd3's callers have one; negative ones in two's complement. */
  integer(value: unknown): void {
    const small = typeof value === 'string' && value.length < 16 ? Number(value) : value
    if (typeof small === 'number' && small >= 0 && Number.isSafeInteger(small)) {
      this.varint(small)
      return
    }
    let rest = BigInt.asUintN(64, BigInt(small as number | bigint | string))
    this.reserve(10)
    while (rest > 127n) {
      this.buffer[this.length++] = Number(rest & 127n) | 0x80
      rest >>= 7n
    }
    this.buffer[this.length++] = Number(rest)
  }

  bytes(number: number, value: Uint8Array): void {
    this.tag(number, DELIMITED)
    this.varint(value.length)
    this.reserve(value.length)
    this.buffer.set(value, this.length)
    this.length += value.length
  }

  string(number: number, value: string): void {
    this.bytes(number, Buffer.from(value))
  }

  /** What WRITE writes, with its tag and length before it. One byte is kept free for the length; a longer one moves what follows. */
  delimited(number: number, write: () => void): void {
    this.tag(number, DELIMITED)
    this.reserve(1)
    const start = this.length++
    write()
    const size = this.length - start - 1
    let more = 0
    for (let rest = size; rest >= 0x80; rest = Math.floor(rest / 128)) more++
    if (more > 0) {
      this.reserve(more)
      this.buffer.copyWithin(start + 1 + more, start + 1, this.length)
    }
    this.length = start
    this.varint(size)
    this.length += size
  }

  finish(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }
}

class Reader {
  at = 0

  constructor(private readonly buffer: Buffer) {}

  /** The end of the delimited field whose length comes next. */
  end(): number {
    const length = this.varint()
    const end = this.at + length
    if (end > this.buffer.length) throw new RangeError(`the message ends within a field of ${length} bytes`)
    return end
  }

  /** A whole number; exact up to 2^53. */
  varint(): number {
    let result = 0
    for (let scale = 1, start = this.at; ; scale *= 128) {
      const byte = this.byte(start)
      result += (byte & 127) * scale
      if (byte < 128) return result
    }
  }

  /** The lower 32 bits of a varint, signed. */
  int32(): number {
    let result = 0
    for (let shift = 0, start = this.at; ; shift += 7) {
      const byte = this.byte(start)
      if (shift < 32) result |= (byte & 127) << shift
      if (byte < 128) return result
    }
  }

  /** A 64-bit number as decimal digits. */
  int64(signed: boolean): string {
    const start = this.at
    while (this.byte(start) >= 128);
    if (this.at - start <= 7) {
      this.at = start
      return String(this.varint())
    }
    let result = 0n
    for (let i = this.at - 1; i >= start; i--) result = (result << 7n) | BigInt((this.buffer[i] ?? 0) & 127)
    return String(signed ? BigInt.asIntN(64, result) : BigInt.asUintN(64, result))
  }

  bytes(): Buffer {
    const end = this.end()
    const result = this.buffer.subarray(this.at, end)
    this.at = end
    return result
  }

  string(): string {
    const end = this.end()
    const result = this.buffer.toString('utf8', this.at, end)
    this.at = end
    return result
  }

  /** Skips a field that this protocol file does not know: a newer server's. */
  skip(wire: number): void {
    if (wire === VARINT) this.int32()
    else if (wire === FIXED64) this.at += 8
    else if (wire === DELIMITED) this.at = this.end()
    else if (wire === FIXED32) this.at += 4
    else throw new Error(`no such wire type: ${wire}`)
  }

  /** The next byte of the number that begins at START. */
  private byte(start: number): number {
    if (this.at - start === LONGEST_VARINT) throw new RangeError(`a number is longer than ${LONGEST_VARINT} bytes`)
    const byte = this.buffer[this.at++]
    if (byte === undefined) throw new RangeError('the message ends within a number')
    return byte
  }
}
