/**
 * The file of a backup: gzip of lines of JSON. The first says what it is, each of the others is a key with its value, in the order of the keys, and the
 * last has their number and the SHA-256 of all lines before it, with which the file is complete.
 */
import {createHash} from 'node:crypto'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {createGunzip, createGzip} from 'node:zlib'
import {CALICO_PREFIX} from '../client/cluster.js'
import {CalicoError} from '../errors.js'
import {compareUtf8} from '../utf8-order.js'

const KIND = {apiVersion: 'calicoctl/v1', kind: 'DatastoreBackup'} as const

/** Of the lines and their order; a file of another one is refused. */
const FORMAT = 1

/** Characters of a line: etcd's largest value is 1.5 MB, which JSON may make six times as long. */
const LONGEST_LINE = 16 * 1024 * 1024

/**
 * Whether KEY is a status that Felix writes: what belongs to one moment, most of it with a lease, after which etcd deletes it. Felix writes it anew by itself,
 * and a node that is gone would be shown as running for ever if a backup gave its status back without a lease. They are neither saved nor touched.
 */
export const isStatus = (key: string): boolean => key.startsWith(`${CALICO_PREFIX}felix/`)

export interface Entry {
  readonly key: string
  readonly value: string
}

/** What the first line says. */
export interface BackupHeader {
  readonly clusterGUID: string | undefined
  /** Of the store when it was saved: all entries are as they were then. */
  readonly revision: string
  readonly savedAt: string
}

/** What the last line says. */
export interface BackupEnd {
  readonly keys: number
  readonly sha256: string
}

export type BackupPart = {readonly header: BackupHeader} | {readonly entries: readonly Entry[]} | {readonly end: BackupEnd}

/** The bytes of a backup of PAGES. */
export async function* backupBytes(header: BackupHeader, pages: AsyncIterable<readonly Entry[]>): AsyncGenerator<Uint8Array> {
  const gzip = createGzip()
  const done = pipeline(Readable.from(backupLines(header, pages)), gzip)
  done.catch(() => undefined) // reading from gzip throws it
  for await (const part of gzip) yield part as Uint8Array
  await done
}

async function* backupLines(header: BackupHeader, pages: AsyncIterable<readonly Entry[]>): AsyncGenerator<string> {
  const hash = createHash('sha256')
  const hashed = (text: string): string => {
    hash.update(text)
    return text
  }
  let keys = 0
  yield hashed(`${JSON.stringify({...KIND, format: FORMAT, ...header})}\n`)
  for await (const page of pages) {
    keys += page.length
    if (page.length > 0) yield hashed(page.map(({key, value}) => `${JSON.stringify([key, value])}\n`).join(''))
  }
  yield `${JSON.stringify({keys, sha256: hash.digest('hex')})}\n`
}

/**
 * The parts of the backup in BYTES: its header, its entries, its end. NAME is the file in messages.
 * @throws CalicoError `invalid` for what is no backup, is cut short, has been changed or is of another version: only with the end all is known to be good
 */
export async function* backupParts(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<BackupPart> {
  const hash = createHash('sha256')
  let [header, end] = [false, false]
  let keys = 0
  let last = ''
  for await (const lines of linesOf(bytes, name)) {
    const entries: Entry[] = []
    for (const line of lines) {
      if (end) throw bad(name, 'it has data after its end')
      const value = parsed(line, name)
      if (!header) {
        yield {header: headerIn(value, name)}
        header = true
      } else if (Array.isArray(value)) {
        const entry = entryIn(value, name)
        if (keys > 0 && compareUtf8(last, entry.key) >= 0) throw bad(name, 'its keys are not in order')
        last = entry.key
        keys++
        entries.push(entry)
      } else {
        if (entries.length > 0) yield {entries: entries.splice(0)}
        const {keys: stated, sha256} = value as Partial<BackupEnd>
        if (stated !== keys || sha256 !== hash.copy().digest('hex')) throw bad(name, 'its checksum is wrong: it was modified or damaged')
        yield {end: {keys, sha256}}
        end = true
      }
      hash.update(`${line}\n`)
    }
    if (entries.length > 0) yield {entries}
  }
  if (!header) throw bad(name, 'it is empty')
  if (!end) throw bad(name, 'it is truncated: its end is missing')
}

const bad = (name: string, why: string, cause?: unknown): CalicoError =>
  new CalicoError('invalid', `${name} is not a valid backup: ${why}. Nothing was changed.`, {hint: 'Use another backup, made by: calicoctl datastore save FILE', cause})

function parsed(line: string, name: string): object {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw bad(name, 'a line of it is not JSON', error)
  }
  if (typeof value !== 'object' || value === null) throw bad(name, 'a line of it is neither a key nor its end')
  return value
}

function headerIn(value: object, name: string): BackupHeader {
  const {apiVersion, kind, format, clusterGUID, revision, savedAt} = value as Readonly<Record<string, unknown>>
  if (apiVersion !== KIND.apiVersion || kind !== KIND.kind) throw bad(name, `it does not begin with a ${KIND.kind} of ${KIND.apiVersion}`)
  if (format !== FORMAT) throw bad(name, `it is of format ${String(format)}, and this version of calicoctl reads format ${FORMAT}`)
  if (typeof revision !== 'string' || typeof savedAt !== 'string') throw bad(name, 'its first line lacks the revision or the time')
  return {clusterGUID: typeof clusterGUID === 'string' ? clusterGUID : undefined, revision, savedAt}
}

function entryIn(value: readonly unknown[], name: string): Entry {
  const [key, text] = value
  if (value.length !== 2 || typeof key !== 'string' || typeof text !== 'string') throw bad(name, 'a line of it is not a key with its value')
  if (!key.startsWith(CALICO_PREFIX)) throw bad(name, `it has the key ${key.slice(0, 100)}, which is not under ${CALICO_PREFIX}`)
  return {key, value: text}
}

async function* linesOf(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true})
  let rest = ''
  try {
    for await (const part of unzipped(bytes)) {
      const lines = (rest + decoder.decode(part, {stream: true})).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > LONGEST_LINE) throw bad(name, 'a line of it is too long')
      if (lines.length > 0) yield lines
    }
  } catch (error) {
    throw problemOf(error, name)
  }
  if (rest !== '') throw bad(name, 'it is truncated: its last line is incomplete')
}

/** How Node's pipeline says, one way or the other, that gunzip has come to its end before the file has: zeros are behind it. */
const AFTER_THE_END = {ERR_STREAM_PREMATURE_CLOSE: 'it has data after its end', ABORT_ERR: 'it has data after its end'}

/** zlib's errors by what they mean; others (of reading the file) as they are. */
const ZLIB: Readonly<Record<string, string>> = {Z_BUF_ERROR: 'it is truncated', Z_DATA_ERROR: 'it is not a gzip file, or it is damaged', ...AFTER_THE_END, ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text'}

function problemOf(error: unknown, name: string): unknown {
  const why = ZLIB[(error as {code?: string}).code ?? '']
  return why === undefined ? error : bad(name, why, error)
}

async function* unzipped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip()
  const done = pipeline(Readable.from(bytes), gunzip)
  done.catch(() => undefined) // reading from gunzip throws it
  for await (const part of gunzip) yield part as Uint8Array
  await done
}
