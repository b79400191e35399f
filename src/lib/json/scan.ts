/** What JSON.parse does not tell about a text: how deep it is nested, which key stands twice in an object, which numbers it has changed. Each takes one pass. */

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Whether TEXT, which need not be valid JSON, has more than LIMIT objects and arrays inside each other. */
export function isDeeperThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '"':
        i = endOfString(text, i)
        break
      case '{':
      case '[':
        if (++depth > limit) return true
        break
      case '}':
      case ']':
        depth--
        break
    }
  }
  return false
}

/** What is in a value that JSON.parse has made. */
export interface Survey {
  /** Of all objects. */
  keys: number
  /** A number that may have been a larger integer, or one that no double holds exactly. */
  unsafe: boolean
  /** A number beyond all doubles. */
  infinite: boolean
}

/** What is in VALUE; SO_FAR is what was found before. */
export function survey(value: unknown, soFar: Survey = {keys: 0, unsafe: false, infinite: false}): Survey {
  if (typeof value === 'number') {
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) soFar.unsafe = true
    if (!Number.isFinite(value)) soFar.infinite = true
    return soFar
  }
  if (typeof value !== 'object' || value === null) return soFar
  const members: unknown[] = Array.isArray(value) ? value : Object.values(value)
  if (members !== value) soFar.keys += members.length
  for (const member of members) if (typeof member !== 'string') survey(member, soFar)
  return soFar
}

/**
 * A key that occurs twice in one object of TEXT, which is valid JSON; undefined if there is none. KEYS is how many there are in what JSON.parse made of TEXT:
 * where the text has as many colons behind quotes, nothing was lost and the text is not examined any closer.
 */
export function duplicateKey(text: string, keys: number): string | undefined {
  return countColons(text) === keys ? undefined : findDuplicate(text)
}

/** Quotes followed by a colon: one for each key, and those that strings contain. */
function countColons(text: string): number {
  let count = 0
  for (let i = text.indexOf(':'); i !== -1; i = text.indexOf(':', i + 1)) {
    let before = i - 1
    while (isSpace(text.charCodeAt(before))) before--
    if (text.charCodeAt(before) === QUOTE) count++
  }
  return count
}

function findDuplicate(text: string): string | undefined {
  // The keys seen in each object that is open; undefined stands for an array.
  const open: (Set<string> | undefined)[] = []
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '{':
        open.push(new Set())
        break
      case '[':
        open.push(undefined)
        break
      case '}':
      case ']':
        open.pop()
        break
      case '"': {
        const end = endOfString(text, i)
        let after = end + 1
        while (isSpace(text.charCodeAt(after))) after++
        if (text[after] === ':') {
          const key = JSON.parse(text.slice(i, end + 1)) as string
          const keys = open.at(-1)
          if (keys?.has(key)) return key
          keys?.add(key)
        }
        i = end
        break
      }
    }
  }
  return undefined
}

/** The index of the quote that ends the string which begins at START; the end of the text if none does. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) return i
    if (code === BACKSLASH) i++
  }
  return text.length
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
