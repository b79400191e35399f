import {decodeHuffman} from './huffman.js'

/**
 * HPACK (RFC 7541): the fields of HTTP/2's headers and trailers as bytes. What is sent refers to no table and is not compressed: requests are few. What comes may
 * use all of it.
 */
export type Fields = Readonly<Record<string, string>>

/** Fields that no table on the way may keep (§7.1.3). */
const SECRET: ReadonlySet<string> = new Set(['token'])
const LITERAL = 0x00
const NEVER_INDEXED = 0x10

/** The bytes of FIELDS, in their order. */
export function encodeFields(fields: Fields): Buffer {
  const parts: Buffer[] = []
  for (const [name, value] of Object.entries(fields)) parts.push(Buffer.of(SECRET.has(name) ? NEVER_INDEXED : LITERAL), text(name), text(value))
  return Buffer.concat(parts)
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  return Buffer.concat([integer(bytes.length), bytes])
}

/** A length with a prefix of seven bits (§5.1). */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.of(value)
  const bytes = [127]
  let rest = value - 127
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128)
  return Buffer.of(...bytes, rest)
}

type Entry = readonly [name: string, value: string]

/** Appendix A, from 1 on. */
const STATIC: readonly Entry[] = [
  [':authority', ''],
  ...[':method GET', ':method POST', ':path /', ':path /index.html', ':scheme http', ':scheme https'].map(pair),
  ...['200', '204', '206', '304', '400', '404', '500'].map((status): Entry => [':status', status]),
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ...(
    'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control content-disposition content-encoding ' +
    'content-language content-length content-location content-range content-type cookie date etag expect expires from host if-match if-modified-since ' +
    'if-none-match if-range if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh ' +
    'retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate'
  )
    .split(' ')
    .map((name): Entry => [name, '']),
]

function pair(line: string): Entry {
  const [name = '', value = ''] = line.split(' ')
  return [name, value]
}

/** Bytes that an entry counts beyond its texts (§4.1). */
const OVERHEAD = 32
/** The size of the dynamic table as long as no one changes it, which we do not (RFC 9113 §6.5.2). */
const TABLE_SIZE = 4_096
/** All fields of a block, as entries count: more is no answer of etcd's. */
const LARGEST_BLOCK = 256 * 1024

/** Reads the blocks of one connection, all of them and in order: they share a table. */
export interface FieldReader {
  /** The fields of a block; of several with one name the first. @throws RangeError for bytes that are no block */
  readonly read: (block: Uint8Array) => Fields
}

export function createFieldReader(): FieldReader {
  /** The latest first. */
  const dynamic: Entry[] = []
  let size = 0
  let limit = TABLE_SIZE

  function entry(index: number): Entry {
    const found = index <= STATIC.length ? STATIC[index - 1] : dynamic[index - 1 - STATIC.length]
    if (found === undefined) throw new RangeError(`a field of no table: ${index}`)
    return found
  }

  function shrinkTo(most: number): void {
    while (size > most) size -= sizeOf(dynamic.pop())
  }

  function add(added: Entry): void {
    const own = sizeOf(added)
    shrinkTo(Math.max(0, limit - own))
    if (own > limit) return
    dynamic.unshift(added)
    size += own
  }

  function read(block: Uint8Array): Fields {
    const fields: Record<string, string> = Object.create(null) as Record<string, string>
    const bytes = readBytes(block)
    let total = 0
    while (bytes.more()) {
      const first = bytes.peek()
      if ((first & 0xe0) === 0x20) {
        limit = bytes.integer(5)
        if (limit > TABLE_SIZE) throw new RangeError(`a table of ${limit} bytes`)
        shrinkTo(limit)
        continue
      }
      const field = first & 0x80 ? entry(bytes.integer(7)) : literal(bytes, bytes.integer(first & 0x40 ? 6 : 4))
      if ((first & 0xc0) === 0x40) add(field)
      total += sizeOf(field)
      if (total > LARGEST_BLOCK) throw new RangeError('too many fields')
      fields[field[0]] ??= field[1]
    }
    return fields
  }

  const literal = (bytes: Bytes, index: number): Entry => [index === 0 ? bytes.text() : entry(index)[0], bytes.text()]

  return {read}
}

const sizeOf = (entry: Entry | undefined): number => (entry ? entry[0].length + entry[1].length + OVERHEAD : 0)

interface Bytes {
  readonly more: () => boolean
  readonly peek: () => number
  /** An integer with a prefix of BITS. */
  readonly integer: (bits: number) => number
  readonly text: () => string
}

function readBytes(block: Uint8Array): Bytes {
  let at = 0

  function next(): number {
    const byte = block[at++]
    if (byte === undefined) throw new RangeError('a block of fields is cut off')
    return byte
  }

  function integer(bits: number): number {
    const most = 2 ** bits - 1
    let value = next() & most
    if (value < most) return value
    for (let factor = 1; ; factor *= 128) {
      const byte = next()
      value += (byte & 127) * factor
      if (value > block.length + LARGEST_BLOCK) throw new RangeError('a number in a block of fields is too large')
      if (byte < 128) return value
    }
  }

  function text(): string {
    const compressed = (block[at] ?? 0) & 0x80
    const length = integer(7)
    if (at + length > block.length) throw new RangeError('a block of fields is cut off')
    const bytes = block.subarray(at, (at += length))
    return compressed ? decodeHuffman(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  }

  return {more: () => at < block.length, peek: () => block[at] ?? 0, integer, text}
}
