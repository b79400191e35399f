/** AS numbers: 32 bits, written plain (`64512`) or as `high.low` (`1.10` = 65546). */

const MAX_AS_NUMBER = 0xffffffff
const MAX_TEXT_LENGTH = 40

/**
 * The AS number that TEXT spells by Calico's rules for stored objects (datamodel-v3 §2.5): decimal digits, or two halves of 0–65535.
 * 0 is one: Calico stores it.
 */
export function parseAsNumber(text: string): number | undefined {
  return read(text, /^\d+$/)
}

/**
 * Like parseAsNumber, and in addition what v0.20 took (cli-v0.20 §1.10): a `+`, and spaces around a number, as Python's int() reads them.
 * 0 is undefined here: no command of ours sets it (decisions.md 21).
 */
export function parseLenientAsNumber(text: string): number | undefined {
  const value = read(text, /^\s*[+-]?\d+\s*$/)
  return value === 0 ? undefined : value
}

/** Whether VALUE is a number that an AS may have in a stored object. */
export function isAsNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_AS_NUMBER
}

function read(text: string, integer: RegExp): number | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined
  const parts = text.split('.')
  if (parts.length > 2 || !parts.every((part) => integer.test(part))) return undefined
  const [high = 0, low] = parts.map(Number)
  if (low === undefined) return isAsNumber(high) ? high : undefined
  return isHalf(high) && isHalf(low) ? high * 65536 + low : undefined
}

function isHalf(value: number): boolean {
  return value >= 0 && value <= 65535
}
