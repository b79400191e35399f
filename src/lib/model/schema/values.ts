/** Codecs of Calico's own value types: those that are a number or a text, AS numbers, and durations. */
import {type Codec, refuse} from './codec.js'

const DIGITS = /^\d+$/

/** The whole number that TEXT spells in decimal, undefined if it is none or above MOST. */
function unsigned(text: string, most: number): number | undefined {
  if (!DIGITS.test(text)) return undefined
  const number = Number(text)
  return number <= most ? number : undefined
}

const wholeNumber = (value: unknown, most: number): number | undefined => {
  const number = typeof value === 'bigint' ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= most ? number : undefined
}

/** A number of 0–255 or a text; a text of digits is that number (`"17"` → 17). An empty one is 0. */
function numberOrText(what: string): Codec<number | string> {
  return {
    decode: (value, path, findings) => {
      if (typeof value === 'string') return unsigned(value, 255) ?? value
      const number = wholeNumber(value, 255)
      if (number === undefined) refuse(findings, path, `${what} or a number from 0 to 255`, value)
      return number ?? 0
    },
    zero: () => 0,
    isEmpty: () => false,
  }
}

/** A protocol by name or number, not yet checked: rules and endpoint ports differ in what they allow. */
export const protocol = numberOrText('a protocol name')

/** A DSCP value by name or number, not yet checked. */
export const dscp = numberOrText('a DSCP name')

/** The range `min:max` that PORT spells; for a single port, both ends are it. Undefined for a named port. */
export function portRange(port: number | string): readonly [number, number] | undefined {
  if (typeof port === 'number') return [port, port]
  const [min = '', max = '', ...more] = port.split(':')
  return more.length === 0 && DIGITS.test(min) && DIGITS.test(max) ? [Number(min), Number(max)] : undefined
}

const PORT_NAME = /^[a-zA-Z0-9_.-]{1,128}$/

/** A port: a number, `min:max` (one port if both are equal), or a name. Whether 0 or the name is allowed is not checked here. */
export const port: Codec<number | string> = {
  decode: (value, path, findings) => {
    const decoded = typeof value === 'string' ? portFromText(value) : wholeNumber(value, 65535)
    if (decoded === undefined) refuse(findings, path, 'a port from 1 to 65535, a range such as "1024:2048", or a port name', value)
    return decoded ?? 0
  },
  zero: () => 0,
  isEmpty: () => false,
}

function portFromText(text: string): number | string | undefined {
  if (DIGITS.test(text)) return unsigned(text, 65535)
  const [left, right, ...more] = text.split(':')
  if (left !== undefined && right !== undefined && more.length === 0 && DIGITS.test(left) && DIGITS.test(right)) {
    const min = unsigned(left, 65535)
    const max = unsigned(right, 65535)
    if (min === undefined || max === undefined || min > max) return undefined
    return min === max ? min : `${min}:${max}`
  }
  return PORT_NAME.test(text) ? text : undefined
}

const AS_MOST = 2 ** 32 - 1

/** An AS number: a number, its decimal text, or `high.low` with both parts 0–65535 (`1.10` = 65546). */
export const asNumber: Codec<number> = {
  decode: (value, path, findings) => {
    const number = typeof value === 'string' ? asNumberFromText(value) : wholeNumber(value, AS_MOST)
    if (number === undefined) refuse(findings, path, `an AS number from 0 to ${AS_MOST}, or "high.low"`, value)
    return number ?? 0
  },
  zero: () => 0,
  isEmpty: (value) => value === 0,
}

/** The AS number that TEXT spells: decimal or `high.low`; undefined if it is none. */
export function asNumberFromText(text: string): number | undefined {
  const plain = unsigned(text, AS_MOST)
  if (plain !== undefined) return plain
  const [high = '', low = '', ...more] = text.split('.')
  const [upper, lower] = [unsigned(high, 65535), unsigned(low, 65535)]
  return more.length > 0 || upper === undefined || lower === undefined ? undefined : upper * 65536 + lower
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  'µs': 1000n,
  'μs': 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const MOST_NANOSECONDS = 2n ** 63n

/** Nanoseconds of a duration as Go's time.ParseDuration reads it (`1m30s`, `-1.5h`, `0`); undefined if it is none or too long. */
export function parseDuration(text: string): bigint | undefined {
  const negative = text.startsWith('-')
  const rest = /^[+-]/.test(text) ? text.slice(1) : text
  if (rest === '0') return 0n
  if (rest === '' || rest.length > 200) return undefined
  let total = 0n
  let position = 0
  const part = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y
  while (position < rest.length) {
    part.lastIndex = position
    const match = part.exec(rest)
    if (!match) return undefined
    const [whole = '', fraction = '', unit = ''] = [match[1], match[2], match[3]]
    if (whole === '' && fraction === '') return undefined
    const scale = UNITS[unit] ?? 0n
    total += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length)
    position = part.lastIndex
  }
  if (total > MOST_NANOSECONDS || (total === MOST_NANOSECONDS && !negative)) return undefined
  return negative ? -total : total
}

/** NANOSECONDS as Go's time.Duration prints them: `1m30s`, `5m0s`, `1.5s`, `100µs`, `0s`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s'
  if (nanoseconds < 0n) return `-${formatDuration(-nanoseconds)}`
  if (nanoseconds < 1000n) return `${nanoseconds}ns`
  if (nanoseconds < 1_000_000n) return `${decimal(nanoseconds, 1000n, 3)}µs`
  if (nanoseconds < 1_000_000_000n) return `${decimal(nanoseconds, 1_000_000n, 6)}ms`
  const [minute, hour] = [60_000_000_000n, 3_600_000_000_000n]
  const seconds = `${decimal(nanoseconds % minute, 1_000_000_000n, 9)}s`
  if (nanoseconds < minute) return seconds
  const minutes = `${(nanoseconds % hour) / minute}m${seconds}`
  return nanoseconds < hour ? minutes : `${nanoseconds / hour}h${minutes}`
}

const decimal = (value: bigint, unit: bigint, places: number): string => {
  const fraction = (value % unit).toString().padStart(places, '0').replace(/0+$/, '')
  return fraction === '' ? `${value / unit}` : `${value / unit}.${fraction}`
}

/** A duration as a text that Go reads, written as Go prints it. A number is refused: Felix could not start with one. */
export const duration: Codec<string> = {
  decode: (value, path, findings) => {
    const nanoseconds = typeof value === 'string' ? parseDuration(value) : undefined
    if (nanoseconds === undefined) refuse(findings, path, 'a duration such as "30s", "500ms" or "1m30s"', value)
    return formatDuration(nanoseconds ?? 0n)
  },
  zero: () => '0s',
  isEmpty: (value) => value === '0s',
}
