import {isObject} from '../../json/is-object.js'
import {type TextDifference, textDifference, textFromDifference} from '../../text-difference.js'
import type {Change, KeyValue, Revision} from '../datastore.js'
import type {State} from './state.js'

/**
 * The embedded store's file: one JSON object `{format, revision, compacted, keys, log}` (decisions.md 16). Revisions are decimal
 * strings, because they have 64 bits. Keys are members of arrays, not names of object members, so that any key is harmless.
 */

const FORMAT = 'calicoctl-store/2'

/** In this one, values of the log are whole texts. It is read, too. */
const FORMAT_1 = 'calicoctl-store/1'

/** Value, create revision, mod revision, version. */
type StoredValue = readonly [value: string, created: string, modified: string, version: string]

/** As {@link StoredValue}, where the value may be expressed by what came after it. */
type StoredBefore = readonly [value: string | TextDifference, created: string, modified: string, version: string]

interface StoredState {
  readonly format: string
  readonly revision: string
  readonly compacted: string
  readonly keys: readonly (readonly [key: string, ...StoredValue])[]
  /** What was put is not here: it is what the key's next change finds, or what the key has now. */
  readonly log: readonly (readonly [revision: string, key: string, before: StoredBefore | null])[]
}

/** STATE as the text of the file. Entries that were written before are not made anew: one that is part of a state never changes. */
export function encodeState({revision, compacted, keys, log}: State): string {
  const head: Omit<StoredState, 'keys' | 'log'> = {format: FORMAT, revision: String(revision), compacted: String(compacted)}
  const keyTexts = Array.from(keys.values(), (kv) => once(kv, () => [kv.key, ...encodeValue(kv)] satisfies StoredState['keys'][number]))
  const logTexts = log.map((change) => once(change, () => encodeChange(change)))
  return `${JSON.stringify(head).slice(0, -1)},"keys":[${keyTexts.join(',')}],"log":[${logTexts.join(',')}]}\n`
}

const texts = new WeakMap<object, string>()

function once(entry: object, encode: () => unknown): string {
  let text = texts.get(entry)
  if (text === undefined) texts.set(entry, (text = JSON.stringify(encode())))
  return text
}

function encodeChange({revision, key, kv, previous}: Change): StoredState['log'][number] {
  if (!previous) return [String(revision), key, null]
  const [value, ...rest] = encodeValue(previous)
  return [String(revision), key, [kv ? textDifference(value, kv.value) : value, ...rest]]
}

/** The state in TEXT. @throws Error that says what is wrong with it. */
export function decodeState(text: string): State {
  const stored = object(JSON.parse(text))
  if (stored.format !== FORMAT && stored.format !== FORMAT_1) throw new Error(`its format is ${JSON.stringify(stored.format ?? null)}, this version of calicoctl supports '${FORMAT}'`)
  const keys = new Map<string, KeyValue>()
  for (const entry of array(stored.keys, 'keys')) {
    const [key, ...value] = array(entry, 'an entry of keys')
    const kv = decodeValue(string(key, 'a key'), value)
    keys.set(kv.key, kv)
  }
  return {
    revision: decodeRevision(stored.revision),
    compacted: decodeRevision(stored.compacted),
    keys,
    log: decodeLog(array(stored.log, 'log'), keys),
  }
}

/** The log, read from its end: what a change put is what the key's next change found there, or what the key has now. */
function decodeLog(entries: readonly unknown[], keys: ReadonlyMap<string, KeyValue>): Change[] {
  const after = new Map<string, KeyValue | undefined>()
  const changes = entries.toReversed().map((entry): Change => {
    const [changed, name, before] = array(entry, 'an entry of log')
    const key = string(name, 'a key of log')
    const revision = decodeRevision(changed)
    const kv = after.has(key) ? after.get(key) : keys.get(key)
    const previous = before === null ? undefined : decodeBefore(key, array(before, 'a value of log'), kv)
    after.set(key, previous)
    return {key, revision, ...(kv && {kv}), ...(previous && {previous})}
  })
  return changes.reverse()
}

const encodeValue = ({value, createRevision, modRevision, version}: KeyValue): StoredValue => [value, String(createRevision), String(modRevision), String(version)]

function decodeBefore(key: string, [value, ...rest]: readonly unknown[], after: KeyValue | undefined): KeyValue {
  if (!Array.isArray(value)) return decodeValue(key, [value, ...rest])
  const restored = after && textFromDifference(value, after.value)
  if (restored === undefined) throw new Error(`a value of log for ${key} does not fit the one after it`)
  return decodeValue(key, [restored, ...rest])
}

function decodeValue(key: string, [value, created, modified, version]: readonly unknown[]): KeyValue {
  return {
    key,
    value: string(value, 'a value'),
    createRevision: decodeRevision(created),
    modRevision: decodeRevision(modified),
    version: decodeRevision(version),
  }
}

function decodeRevision(stored: unknown): Revision {
  const text = string(stored, 'a revision')
  if (!/^[0-9]{1,19}$/.test(text)) throw new Error(`'${text}' is not a revision`)
  return BigInt(text)
}

function object(value: unknown): Record<string, unknown> {
  if (!isObject(value)) throw new Error('it is not a JSON object')
  return value
}

function array(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${what} is not a list`)
  return value
}

function string(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what} is not a string`)
  return value
}
