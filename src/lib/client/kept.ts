/** Many stored objects that are needed again later: their bytes are kept outside of the heap, whose size would otherwise grow by four times as much. */
import type {KeyValue} from '../datastore/datastore.js'

/** Bytes that are taken at once. */
const BLOCK = 1024 * 1024

export interface Kept {
  /** Keeps KV, as the next one after those before. */
  readonly add: (kv: KeyValue) => void
  /** The one with NUMBER, from 0. */
  readonly at: (number: number) => KeyValue
}

export function newKept(): Kept {
  const blocks: Buffer[] = []
  let used = BLOCK
  // Of each: its block, where it begins there, and where it ends.
  const places: number[] = []
  return {
    add({key, value, modRevision, createRevision, version}) {
      const text = `${modRevision} ${createRevision} ${version} ${key.length} ${key}${value}`
      const size = Buffer.byteLength(text)
      if (used + size > (blocks.at(-1)?.length ?? 0)) {
        blocks.push(Buffer.allocUnsafe(Math.max(BLOCK, size)))
        used = 0
      }
      const begin = used
      used += blocks.at(-1)?.write(text, begin) ?? 0
      places.push(blocks.length - 1, begin, used)
    },
    at(number) {
      const [block = 0, begin, end] = places.slice(number * 3, number * 3 + 3)
      const text = blocks[block]?.toString('utf8', begin, end) ?? ''
      const [head = '', modRevision = '', createRevision = '', version = '', length = ''] = HEAD.exec(text) ?? []
      const keyEnd = head.length + Number(length)
      return {
        key: text.slice(head.length, keyEnd),
        value: text.slice(keyEnd),
        modRevision: BigInt(modRevision),
        createRevision: BigInt(createRevision),
        version: BigInt(version),
      }
    },
  }
}

const HEAD = /^(\d+) (\d+) (\d+) (\d+) /
