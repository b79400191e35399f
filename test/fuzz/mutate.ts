/** What a fuzzer makes of inputs that are right: by bytes, by words of a dictionary, and inside JSON. The same chance makes the same. */
import type {Random} from '../simulation/random.js'

/** Bytes of the largest input. */
const LARGEST = 256 * 1024

/** What breaks readers: numbers at the edges of types, names that objects have already, half characters, what ends or begins something. */
const WORDS = [
  '', '\0', '\r\n', '\u2028', '\u00ff\u00fe', '\u00ed\u00a0\u0080', '\u00ef\u00bb\u00bf', '"', "'", '\\', '\\u0000', '\\ud800', '{', '}', '[', ']', ',', ':', '#', '-', '--', '/', '..', '*', '&a', '!!js', '%', '$(x)', '`',
  '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'true', 'NaN', 'Infinity', '0', '-0', '-1', '1e999', '1e-999', '0x10', '010', '255', '256', '65535', '65536', '4294967295', '4294967296',
  '9007199254740993', '18446744073709551615', '18446744073709551616', '99999999999999999999999999', '0.1', '1.2.3.4', '1.2.3.4/33', '::', '::ffff:1.2.3.4', 'fe80::1%eth0', '2001:db8::/129', 'ΐ', 'İ', '\u00f0\u009f\u0098\u0080',
]

/** Values of each type, for a place in JSON. */
const VALUES: readonly unknown[] = [null, true, false, 0, -1, 1, 0.5, 1e308, 4294967296, 9007199254740991, '', 'x', '\u0000', '\ud800', '__proto__', '1.2.3.4', '10.0.0.0/8', [], {}, [null], [[]], {'': ''}, {toString: 1, valueOf: null, length: -1}, ['x', 1, null]]

export interface Around {
  readonly seeds: readonly Buffer[]
  readonly dictionary: readonly string[]
}

/** INPUT, changed once or several times. */
export function mutated(input: Buffer, random: Random, around: Around): Buffer {
  let result = input
  const times = 1 + random.below(random.chance(0.2) ? 12 : 3)
  for (let i = 0; i < times; i++) result = random.chance(0.5) ? (inJson(result, random, around) ?? inBytes(result, random, around)) : inBytes(result, random, around)
  return result.subarray(0, LARGEST)
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')

function inBytes(input: Buffer, random: Random, {seeds, dictionary}: Around): Buffer {
  const at = random.below(input.length + 1)
  const length = random.below(Math.min(input.length - at, random.chance(0.2) ? input.length : 16) + 1)
  const [before, part, after] = [input.subarray(0, at), input.subarray(at, at + length), input.subarray(at + length)]
  switch (random.below(7)) {
    case 0:
      return Buffer.concat([before, after])
    case 1:
      return Buffer.concat([before, word(random, dictionary), input.subarray(at)])
    case 2:
      return Buffer.concat([before, word(random, dictionary), after])
    case 3: {
      // Rarely very often: what takes time by the square, or recurses, shows then.
      const times = random.chance(0.1) ? 2 + random.below(3000) : 2 + random.below(8)
      return Buffer.concat([before, ...Array.from({length: Math.min(times, Math.ceil(LARGEST / Math.max(1, part.length)))}, () => part), after])
    }
    case 4: {
      const copy = Buffer.from(input)
      if (copy.length > 0) copy[Math.min(at, copy.length - 1)] = random.below(256)
      return copy
    }
    case 5: {
      const other = seeds.length > 0 ? random.pick(seeds) : input
      const from = random.below(other.length + 1)
      return Buffer.concat([before, other.subarray(from, from + random.below(other.length - from + 1)), random.chance(0.5) ? after : Buffer.alloc(0)])
    }
    default:
      return Buffer.concat([before, Buffer.from(Array.from({length: 1 + random.below(4)}, () => random.below(256))), after])
  }
}

const word = (random: Random, dictionary: readonly string[]): Buffer => bytesOf(random.pick(dictionary.length > 0 && random.chance(0.6) ? dictionary : WORDS))

/** INPUT with one place of its JSON changed, also in a text that is JSON itself; undefined if it is no JSON. */
function inJson(input: Buffer, random: Random, around: Around): Buffer | undefined {
  const document = parsed(input.toString('utf8'))
  return document === undefined ? undefined : Buffer.from(JSON.stringify(changed(document.value, random, around, 0)))
}

function parsed(text: string): {value: unknown} | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return {value: JSON.parse(text)}
  } catch {
    return undefined
  }
}

function changed(value: unknown, random: Random, around: Around, depth: number): unknown {
  const isHere = depth > 12 || random.chance(0.12)
  if (Array.isArray(value) && value.length > 0 && !isHere) {
    const at = random.below(value.length)
    if (random.chance(0.15)) return random.chance(0.5) ? value.toSpliced(at, 1) : value.toSpliced(at, 0, value[at])
    return value.with(at, changed(value[at], random, around, depth + 1))
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isHere) {
    const entries = Object.entries(value as Record<string, unknown>)
    if (entries.length > 0) {
      const at = random.below(entries.length)
      const [key, inner] = entries[at] ?? ['', undefined]
      if (random.chance(0.1)) return Object.fromEntries(entries.toSpliced(at, 1))
      if (random.chance(0.1)) return Object.fromEntries([...entries, [text(random, around), random.chance(0.5) ? inner : random.pick(VALUES)]])
      return Object.fromEntries(entries.with(at, [random.chance(0.05) ? text(random, around) : key, changed(inner, random, around, depth + 1)]))
    }
  }
  if (typeof value === 'string') {
    const inner = parsed(value)
    if (inner && random.chance(0.9)) return JSON.stringify(changed(inner.value, random, around, depth + 1))
    if (random.chance(0.6)) return inBytes(Buffer.from(value), random, around).toString('utf8').slice(0, LARGEST / 4)
  }
  if (typeof value === 'number' && random.chance(0.5)) return value + random.pick([-1, 1, 0.5, -value, value * 65536, 2 ** 53])
  return random.chance(0.3) ? text(random, around) : random.pick(VALUES)
}

const text = (random: Random, {dictionary}: Around): string => word(random, dictionary).toString('utf8')
