/** The YAML of plain objects, as the library `yaml` writes it with our options, in a tenth of its time. */

/** Texts that are themselves in YAML 1.1 and 1.2, whatever stands around them, unless they are one of {@link WORDS}. */
const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./()-]{0,200}$/

/** What YAML 1.1 takes for true, false, nothing or a number. */
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i
const LONGEST_WORD = 5

/** Further texts that are themselves, of which each object has its own: uids, addresses and networks, the ids of containers that begin with a digit. */
const OWN = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?|(?=\d[0-9a-f]*[acdf])[0-9a-f]{12,64})$/

/** Texts in quotes, of which each object has its own: revisions, times. */
const QUOTED = /^(?:\d{1,40}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/

/** Longer texts are the library's. */
const LONGEST = 500

/** Thrown where the library must be asked for the whole. */
class NotPlain extends Error {}

/**
 * Writes values as YAML; undefined for one that has something that only the library writes, or more than DEEPEST objects and lists inside each other.
 * SCALAR gives the library's form of a text of one line.
 */
export function quickYaml(scalar: (text: string) => string, deepest: number): (value: unknown) => string | undefined {
  const isPlain = (text: string): boolean => PLAIN.test(text) && !(text.length <= LONGEST_WORD && WORDS.test(text))

  function leaf(item: unknown): string {
    if (typeof item === 'string') {
      if (isPlain(item) || OWN.test(item)) return item
      if (QUOTED.test(item)) return `"${item}"`
      if (item.length > LONGEST || /[\n\r]|^---|^\.\.\./.test(item)) throw new NotPlain()
      return scalar(item)
    }
    if (item === null || typeof item === 'boolean' || (Number.isSafeInteger(item) && !Object.is(item, -0))) return String(item)
    throw new NotPlain()
  }

  /** The lines of ITEM, each behind INDENT; none where it is empty. */
  function block(item: object, indent: string, left: number): string {
    if (left === 0) throw new NotPlain()
    const inner = `${indent}  `
    let lines = ''
    if (Array.isArray(item)) {
      for (const each of item as unknown[]) {
        if (typeof each !== 'object' || each === null) lines += `${indent}- ${leaf(each)}\n`
        else {
          // The first line of an item stands behind its dash.
          const own = block(each, inner, left - 1)
          lines += `${indent}- ${own === '' ? emptyForm(each) : own.slice(inner.length, -1)}\n`
        }
      }
      return lines
    }
    const prototype: unknown = Object.getPrototypeOf(item)
    if (prototype !== Object.prototype && prototype !== null) throw new NotPlain()
    for (const key of Object.keys(item)) {
      const each = (item as Readonly<Record<string, unknown>>)[key]
      if (each === undefined) continue
      if (!isPlain(key)) throw new NotPlain()
      if (typeof each !== 'object' || each === null) lines += `${indent}${key}: ${leaf(each)}\n`
      else {
        const own = block(each, inner, left - 1)
        lines += own === '' ? `${indent}${key}: ${emptyForm(each)}\n` : `${indent}${key}:\n${own}`
      }
    }
    return lines
  }

  return (value) => {
    if (typeof value !== 'object' || value === null) return undefined
    try {
      return block(value, '', deepest) || undefined
    } catch (error) {
      if (error instanceof NotPlain) return undefined
      throw error
    }
  }
}

const emptyForm = (collection: object): string => (Array.isArray(collection) ? '[]' : '{}')
