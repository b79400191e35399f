/** The YAML of plain objects, as the library `yaml` writes it with our options, in a tenth of its time. */

/** Texts that are themselves in YAML 1.1 and 1.2, whatever stands around them, unless they are one of {@link WORDS}. */
const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./()-]{0,200}$/

/** What YAML 1.1 takes for true, false, nothing or a number. */
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i

/** Longer texts are the library's. */
const LONGEST = 500

/** Thrown where the library must be asked for the whole. */
class NotPlain extends Error {}

/** VALUE as YAML; undefined where it has something that only the library writes. SCALAR gives the library's form of a text of one line. */
export function quickYaml(value: unknown, scalar: (text: string) => string): string | undefined {
  const text = (item: string): string => {
    if (PLAIN.test(item) && !WORDS.test(item)) return item
    if (item.length > LONGEST || /[\n\r]|^---|^\.\.\./.test(item)) throw new NotPlain()
    return scalar(item)
  }
  /** ITEM in one line: a leaf, or an empty collection; undefined where it has lines of its own. */
  const short = (item: unknown): string | undefined => {
    if (typeof item !== 'object' || item === null) return leaf(item)
    return Object.values(item).every((each) => each === undefined) ? (Array.isArray(item) ? (item.length === 0 ? '[]' : undefined) : '{}') : undefined
  }
  const leaf = (item: unknown): string => {
    if (typeof item === 'string') return text(item)
    if (item === null || typeof item === 'boolean' || Number.isSafeInteger(item)) return String(item)
    throw new NotPlain()
  }
  /** The lines of ITEM, which is not empty, each behind INDENT. */
  const block = (item: object, indent: string): string => {
    const inner = `${indent}  `
    let lines = ''
    if (Array.isArray(item)) {
      // The first line of an item stands behind its dash.
      for (const each of item as unknown[]) lines += `${indent}- ${short(each) ?? block(each as object, inner).slice(inner.length, -1)}\n`
      return lines
    }
    const prototype: unknown = Object.getPrototypeOf(item)
    if (prototype !== Object.prototype && prototype !== null) throw new NotPlain()
    for (const [key, each] of Object.entries(item) as [string, unknown][]) {
      if (each === undefined) continue
      if (!PLAIN.test(key) || WORDS.test(key)) throw new NotPlain()
      const text = short(each)
      lines += text === undefined ? `${indent}${key}:\n${block(each as object, inner)}` : `${indent}${key}: ${text}\n`
    }
    return lines
  }
  if (typeof value !== 'object' || value === null) return undefined
  try {
    return short(value) === undefined ? block(value, '') : undefined
  } catch (error) {
    if (error instanceof NotPlain) return undefined
    throw error
  }
}
