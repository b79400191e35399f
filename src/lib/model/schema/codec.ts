/**
 * Codecs: how a JSON value becomes what Calico's typed client would make of it and write again. They do what Go's encoding does
 * (a value of another JSON type is refused, null means absent, what is empty is left out, fields come in the order of the type) and carry
 * the rule for a single value where there is one. Rules over several fields are in validation/.
 */
import {isObject} from '../../json/is-object.js'
import type {Problem} from '../resource.js'

/** Collects what is wrong. `unreadable` = Go could not decode it at all; `invalid` = it decodes, but the value is not allowed: without it, values are not judged. */
export interface Findings {
  readonly unreadable: Problem[]
  readonly invalid?: Problem[]
}

/** The rule for one value: undefined if it is fine, else the rest of a sentence that begins with the field: `must be …`. */
export type Rule<T> = (value: T) => string | undefined

export interface Codec<T> {
  /** The value as Calico would write it, for a JSON value that is not null. Adds to FINDINGS whatever is wrong; then the result is not used. */
  readonly decode: (value: unknown, path: string, findings: Findings) => T
  /** What a null in a list, or an absent field that is always written, stands for. */
  readonly zero: () => T
  /** Whether a field of this type is left out with this value. */
  readonly isEmpty: (value: unknown) => boolean
  /** Paths of the fields within VALUE that Calico v3.32 does not know. */
  readonly unknown?: (value: unknown, path: string) => string[]
  /** Whether it was found before that there are none. */
  readonly isKnown?: (value: unknown) => boolean
  /** Whether VALUE is a result of this codec in which nothing is wrong; see {@link settled}. */
  readonly isSettled?: (value: unknown) => value is T
  /** Of an object: its fields by name; of a list: the codec of its items. */
  readonly fields?: Readonly<Record<string, Codec<unknown>>>
  readonly item?: Codec<unknown>
}

/** A field of a struct. */
export interface Field<T> extends Codec<T> {
  /** `always` = written even if empty; `pointer` = written as soon as it is given, even if empty; by default it is left out when empty. */
  readonly written?: 'always' | 'pointer'
}

/** The fields of a struct, in the order in which they are written. */
export type FieldsOf<S> = {readonly [K in keyof Required<S>]: Field<Exclude<S[K], undefined>>}

type UnknownRecord = Record<string, unknown>

/** VALUE as an object with fields; undefined for everything else, lists included. */
export function asRecord(value: unknown): Readonly<UnknownRecord> | undefined {
  return isObject(value) ? value : undefined
}

/** RECORD's own field KEY; never one of a prototype's. */
export function ownField(record: Readonly<UnknownRecord>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

/** Sets a field, also one called `__proto__`. */
function setField(record: UnknownRecord, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(record, key, {value, enumerable: true, configurable: true, writable: true})
  else record[key] = value
}

const fieldPath = (parent: string, name: string): string => (parent === '' ? name : `${parent}.${name}`)

const jsonType = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return {string: 'a string', boolean: 'true or false'}[typeof value as string] ?? `a ${typeof value}`
}

/** How a message calls a number that no double holds. */
export const TOO_LARGE = 'a number that is too large'

/** Digits that a message shows of a number. */
const MOST_DIGITS = 40

function numberText(value: number | bigint): string {
  if (Number.isNaN(value)) return '.nan'
  const text = String(value)
  return !Number.isFinite(Number(value)) ? TOO_LARGE : text.length > MOST_DIGITS ? `${text.slice(0, MOST_DIGITS)}…` : text
}

/** Notes that VALUE at PATH cannot be read as EXPECTED. */
export function refuse(findings: Findings, path: string, expected: string, value: unknown): void {
  const shown = typeof value === 'string' ? JSON.stringify(value) : typeof value === 'number' || typeof value === 'bigint' ? numberText(value) : jsonType(value)
  findings.unreadable.push({field: path, message: `must be ${expected}, not ${shown}`})
}

/** Notes the problem that RULE has with VALUE at PATH, if any. */
function judge<T>(rule: Rule<T> | undefined, value: T, path: string, findings: Findings): void {
  const {invalid} = findings
  if (invalid === undefined) return
  const message = rule?.(value)
  if (message !== undefined) invalid.push({field: path, message})
}

/** CODEC with RULE for its values. */
function withRule<T>(codec: Codec<T>, rule: Rule<T>): Codec<T> {
  const {isSettled: _, ...rest} = codec
  return {
    ...rest,
    decode: (value, path, findings) => {
      const known = findings.unreadable.length
      const decoded = codec.decode(value, path, findings)
      if (findings.unreadable.length === known && !codec.isEmpty(decoded)) judge(rule, decoded, path, findings)
      return decoded
    },
  }
}

/** Written even if it is empty; a rule that is given applies to the empty value too. */
export function always<T>(codec: Codec<T>): Field<T> {
  return {...codec, written: 'always'}
}

/** Written whenever it is given and not null (a pointer in Go); RULE applies to the empty value too. */
export function given<T>(codec: Codec<T>, rule?: Rule<T>): Field<T> {
  if (rule === undefined) return {...codec, written: 'pointer'}
  const {isSettled: _, ...rest} = codec
  return {
    ...rest,
    written: 'pointer',
    decode: (value, path, findings) => {
      const known = findings.unreadable.length
      const decoded = codec.decode(value, path, findings)
      if (findings.unreadable.length === known) judge(rule, decoded, path, findings)
      return decoded
    },
  }
}

/** A text. RULE is asked for texts that are not empty. */
export function text(rule?: Rule<string>): Codec<string> {
  const codec: Codec<string> = {
    decode: (value, path, findings) => {
      if (typeof value === 'string') return value
      refuse(findings, path, 'a string', value)
      return ''
    },
    zero: () => '',
    isEmpty: (value) => value === '',
  }
  return rule ? withRule(codec, rule) : codec
}

/** A text that is one of a few words, typed as those. */
export function word<T extends string>(...words: readonly T[]): Codec<T> {
  const codec: Codec<string> = text(oneOf(words))
  return codec as Codec<T>
}

/** Like `word`, but written as soon as it is given (a pointer in Go), and an empty text is not allowed. */
export function choice<T extends string>(...words: readonly T[]): Field<T> {
  const field: Field<string> = given<string>(text(), oneOf(words))
  return field as Field<T>
}

/** The rule that a text is one of WORDS, in this spelling. */
export function oneOf(words: readonly string[]): Rule<string> {
  return (value) => (words.includes(value) ? undefined : `must be ${listed(words)}, not ${JSON.stringify(value)}`)
}

/** `A, B or C` */
export function listed(words: readonly (string | number)[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`
}

/** true or false; left out when false, unless `given`. */
export const flag: Codec<boolean> = {
  decode: (value, path, findings) => {
    if (typeof value === 'boolean') return value
    refuse(findings, path, 'true or false', value)
    return false
  },
  zero: () => false,
  isEmpty: (value) => value === false,
}

/** A whole number that Go's type holds: LEAST to MOST. Where RULE is given, it is asked for numbers other than 0. */
export function integer(least: number, most: number, rule?: Rule<number>): Codec<number> {
  const codec: Codec<number> = {
    decode: (value, path, findings) => {
      const number = typeof value === 'bigint' ? Number(value) : value
      if (typeof number === 'number' && Number.isSafeInteger(number) && number >= least && number <= most) return number
      refuse(findings, path, `a whole number from ${least} to ${most}`, value)
      return 0
    },
    zero: () => 0,
    isEmpty: (value) => value === 0,
  }
  return rule ? withRule(codec, rule) : codec
}

/** The rule that a number lies in LEAST to MOST. */
export function between(least: number, most: number): Rule<number> {
  return (value) => (value >= least && value <= most ? undefined : `must be ${least} to ${most}, not ${value}`)
}

const INT64_MAX = 2n ** 63n - 1n

/** A whole number of 64 bits with sign: a bigint where a double would not hold it. */
export const int64: Codec<number | bigint> = {
  decode: (value, path, findings) => {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value
    if (typeof value === 'bigint' && value <= INT64_MAX && value >= -INT64_MAX - 1n) {
      return Number.isSafeInteger(Number(value)) ? Number(value) : value
    }
    refuse(findings, path, 'a whole number of 64 bits', value)
    return 0
  },
  zero: () => 0,
  isEmpty: (value) => value === 0,
}

/** Any number that is finite. */
export const float: Codec<number> = {
  decode: (value, path, findings) => {
    const number = typeof value === 'bigint' ? Number(value) : value
    if (typeof number === 'number' && Number.isFinite(number)) return number
    refuse(findings, path, 'a number', value)
    return 0
  },
  zero: () => 0,
  isEmpty: (value) => value === 0,
}

/** A list; RULE of its items applies to empty items too. */
export function list<T>(item: Codec<T>, rule?: Rule<T>): Codec<readonly T[]> {
  return {
    decode: (value, path, findings) => {
      if (!Array.isArray(value)) {
        refuse(findings, path, 'a list', value)
        return []
      }
      const items = value.map((element: unknown, index): T => {
        if (rule === undefined && item.isSettled?.(element)) return element
        const place = `${path}[${index}]`
        const known = findings.unreadable.length
        const decoded = element === null ? item.zero() : item.decode(element, place, findings)
        if (findings.unreadable.length === known) judge(rule, decoded, place, findings)
        return decoded
      })
      return items.every((each, index) => each === value[index]) ? (value as T[]) : items
    },
    zero: () => [],
    isEmpty: (value) => Array.isArray(value) && value.length === 0,
    item: item,
    unknown: (value, path) =>
      item.unknown && Array.isArray(value)
        ? value.flatMap((element: unknown, index) => (item.isKnown?.(element) ? [] : (item.unknown?.(element, `${path}[${index}]`) ?? [])))
        : [],
  }
}

/**
 * CODEC of objects or lists that knows its own results again: what it has once made without a problem is what it would make of it. So an edit of one item
 * of a long list does not decode the others again. What is decoded is never changed.
 */
export function settled<T extends object>(codec: Codec<T>): Codec<T> {
  const made = new WeakSet()
  const known = new WeakSet()
  const isSettled = (value: unknown): value is T => typeof value === 'object' && value !== null && made.has(value)
  const isKnown = (value: unknown): boolean => typeof value === 'object' && value !== null && known.has(value)
  return {
    ...codec,
    isSettled,
    isKnown,
    decode: (value, path, findings) => {
      if (isSettled(value)) return value
      const {unreadable, invalid} = findings
      if (invalid === undefined) return codec.decode(value, path, findings)
      const before = unreadable.length + invalid.length
      const decoded = codec.decode(value, path, findings)
      if (unreadable.length + invalid.length === before) made.add(decoded)
      return decoded
    },
    unknown: (value, path) => {
      if (isKnown(value)) return []
      const found = codec.unknown?.(value, path) ?? []
      if (typeof value === 'object' && value !== null && found.length === 0) known.add(value)
      return found
    },
  }
}

/** A map from text to text. It has no prototype, so that no key has a meaning. */
export const textMap: Codec<Readonly<Record<string, string>>> = {
  decode: (value, path, findings) => {
    const record = asRecord(value)
    const result = Object.create(null) as Record<string, string>
    if (!record) {
      refuse(findings, path, 'a map from text to text', value)
      return result
    }
    for (const key of Object.keys(record)) {
      const element = record[key]
      if (element === null) result[key] = ''
      else if (typeof element === 'string') result[key] = element
      else refuse(findings, `${path}[${JSON.stringify(key)}]`, 'a string', element)
    }
    return result
  },
  zero: () => Object.create(null) as Record<string, string>,
  isEmpty: (value) => Object.keys(value as object).length === 0,
}

/** An object with FIELDS, written in their order. What else it has is kept, after them: newer Calicos know more fields (design.md §3). */
export function struct<S extends object>(fields: FieldsOf<S>): Codec<S> {
  const table = fields as unknown as Readonly<Record<string, Field<unknown>>>
  let entries: readonly {readonly name: string; readonly field: Field<unknown>}[] | undefined
  const zero = (): S => {
    const result: UnknownRecord = {}
    for (const name of Object.keys(table)) if (table[name]?.written === 'always') result[name] = table[name].zero()
    return result as S
  }
  return {
    decode: (value, path, findings) => {
      const record = asRecord(value)
      if (!record) {
        refuse(findings, path, 'an object', value)
        return zero()
      }
      const result: UnknownRecord = {}
      entries ??= Object.entries(table).map(([name, field]) => ({name, field}))
      let unseen = Object.keys(record).length
      for (const {name, field} of entries) {
        const raw = ownField(record, name)
        const present = raw !== undefined && raw !== null
        if (present) unseen--
        else if (field.written !== 'always') continue
        const decoded = present ? field.decode(raw, fieldPath(path, name), findings) : field.zero()
        if (field.written === undefined && field.isEmpty(decoded)) continue
        result[name] = decoded
      }
      if (unseen > 0) for (const name of Object.keys(record)) if (!Object.hasOwn(table, name)) setField(result, name, record[name])
      return result as S
    },
    zero,
    isEmpty: () => false,
    fields: table,
    unknown: (value, path) => {
      const record = asRecord(value)
      if (!record) return []
      return Object.keys(record).flatMap((name) =>
        Object.hasOwn(table, name) ? (table[name]?.unknown?.(record[name], fieldPath(path, name)) ?? []) : [fieldPath(path, name)],
      )
    },
  }
}
