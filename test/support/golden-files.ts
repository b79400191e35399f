/** The lines of shared/golden/resource-files.jsonl: what the Go calicoctl did with files of objects and with its generic commands. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {dirname, join, resolve} from 'node:path'
import type {Datastore} from '../../src/lib/datastore/datastore.js'

export interface GoldenLine {
  readonly id: string
  readonly base?: boolean
  readonly setup: Readonly<Record<string, string>>
  readonly cmd: readonly string[]
  readonly stdin?: string
  readonly stdinBase64?: string
  readonly stdinRepeat?: readonly (readonly [string, number])[]
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly rc: number
  readonly stdout: string
  readonly stderr: string
  readonly changed: Readonly<Record<string, string | null>>
}

const linesOf = (file: string): readonly GoldenLine[] => readFileSync(resolve(import.meta.dirname, '../fixtures', file), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as GoldenLine)

const [base, ...lines] = linesOf('golden/resource-files.jsonl')

/** All cases. */
export const GOLDEN_LINES: readonly GoldenLine[] = lines

/** Further ones, recorded in the same way for differences that were found later (fixtures/model/README.md). */
export const RECORDED_LINES = linesOf('model/resource-files.jsonl')

/** Puts what LINE begins with into the empty STORE: key by key, as it was recorded, where LINE names revisions. */
export async function prepare(store: Datastore, line: GoldenLine): Promise<void> {
  const {cmd, stdin, files, setup} = line
  const puts = Object.entries(line.base ? {...base?.setup, ...setup} : setup).map(([key, value]) => ({put: key, value}))
  if (puts.length === 0) return
  if (JSON.stringify([cmd, stdin, files]).includes('resourceVersion')) for (const put of puts) await store.transact({then: [put]})
  else await store.transact({then: puts})
}

/** Writes the files of LINE to FOLDER, stdin to one that `-` stands for. @returns its words, with that file's name in the place of `-` */
export function place(folder: string, {cmd, files = {}, stdin, stdinBase64, stdinRepeat}: GoldenLine): readonly string[] {
  const all: Record<string, string | Buffer> = {...files}
  const input = stdinBase64 === undefined ? (stdinRepeat?.map(([text, times]) => text.repeat(times)).join('') ?? stdin ?? '') : Buffer.from(stdinBase64, 'base64')
  const name = '.stdin'
  all[name] = input
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, path)), {recursive: true})
    writeFileSync(join(folder, path), content)
  }
  return cmd.map((word, index) => (word === '-' && /^(-f|--filename)$/.test(cmd[index - 1] ?? '') ? name : word))
}

/** The keys of STORE with their values. */
export async function snapshot(store: Datastore): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const {entries} of store.list('/')) for (const {key, value} of entries) found.set(key, value)
  return found
}

/** What differs between two snapshots, comparable; null = deleted. */
export function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Record<string, unknown> {
  const keys = new Set([...before.keys(), ...after.keys()])
  return Object.fromEntries([...keys].filter((key) => before.get(key) !== after.get(key)).map((key) => [key, comparable(after.get(key))]))
}

/** What LINE changed, comparable. */
export const expectedChanges = ({changed}: GoldenLine): Record<string, unknown> => Object.fromEntries(Object.entries(changed).map(([key, value]) => [key, comparable(value)]))

/** VALUE as an object, without what differs from run to run. */
function comparable(value: string | null | undefined): unknown {
  if (value === null || value === undefined) return null
  try {
    const object = JSON.parse(value) as {metadata?: Record<string, unknown>; spec?: Record<string, unknown>}
    delete object.metadata?.uid
    delete object.metadata?.creationTimestamp
    delete object.spec?.clusterGUID
    return object
  } catch {
    return value
  }
}
