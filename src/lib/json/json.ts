/**
 * JSON without loss: 64-bit integers stay exact, as bigint (decisions.md 17). Calico's sequence numbers have 19 digits; a double
 * would change them, and the store with them (datamodel-v3, trap T1).
 */
import {parse, stringify} from 'lossless-json'
import {JsonError} from './errors.js'
import {duplicateKey, isDeeperThan, survey} from './scan.js'

/** Objects and arrays that a text may have inside each other. */
export const MAX_JSON_DEPTH = 1000

/** Digits of the longest integer that is read; 64 bits have at most 20. */
const MAX_INTEGER_DIGITS = 100

/**
 * The value of a JSON text. Integers beyond what a double holds exactly are bigint, all other numbers are numbers; a key `__proto__` is an
 * ordinary own property. @throws JsonError if TEXT is not JSON, is nested too deeply, has a key twice in one object, or a number beyond all measure
 */
export function parseJson(text: string): unknown {
  if (isDeeperThan(text, MAX_JSON_DEPTH)) throw new JsonError('depth', `JSON nested more than ${MAX_JSON_DEPTH} levels deep`)
  const value = parseQuickly(text)
  const {keys, unsafe, infinite} = survey(value)
  const key = duplicateKey(text, keys)
  if (key !== undefined) throw new JsonError('duplicate-key', `the key ${JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key)} occurs twice in one object`, key)
  if (infinite) throw new JsonError('number', 'a number too large for any program')
  return unsafe ? parse(text, undefined, exactNumber) : value
}

/** Like parseJson, but a text that cannot be read is a result: the error in place of the value. */
export function tryParseJson(text: string): {readonly value: unknown; readonly error?: undefined} | {readonly error: JsonError} {
  try {
    return {value: parseJson(text)}
  } catch (error) {
    if (error instanceof JsonError) return {error}
    throw error
  }
}

/**
 * VALUE as JSON, keys in their order, bigint as digits: what every JSON reader, Go's included, takes for the same value. Without white space,
 * or with INDENT blanks a level for people.
 * As in JSON.stringify, properties that are undefined are left out. @throws TypeError for what has no JSON at all
 */
export function stringifyJson(value: unknown, indent?: number): string {
  const text = quickText(value, indent) ?? stringify(value, undefined, indent)
  if (text === undefined) throw new TypeError(`no JSON for a value of type ${typeof value}`)
  return text
}

/** VALUE, of foreign JSON, as a part of a message; `undefined` for what is missing. Never throws. */
export const shownJson = (value: unknown): string => (value === undefined ? 'undefined' : stringifyJson(value))

/** What JSON.stringify makes of VALUE; undefined where that cannot write it: a bigint is the one thing that it refuses and that we know how to write. */
function quickText(value: unknown, indent: number | undefined): string | undefined {
  try {
    return JSON.stringify(value, undefined, indent)
  } catch (error) {
    if (hasBigint(value)) return undefined
    throw error
  }
}

function parseQuickly(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new JsonError('syntax', `not valid JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The number that DIGITS spell: exact if it is an integer, the nearest double if not. */
function exactNumber(digits: string): number | bigint {
  const number = Number(digits)
  if (Number.isSafeInteger(number) || !/^-?\d+$/.test(digits)) return number
  if (digits.length > MAX_INTEGER_DIGITS) throw new JsonError('number', `an integer of ${digits.length} digits`)
  return BigInt(digits)
}

function hasBigint(value: unknown): boolean {
  if (typeof value === 'bigint') return true
  return typeof value === 'object' && value !== null && Object.values(value).some(hasBigint)
}
