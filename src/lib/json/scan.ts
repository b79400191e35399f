/** What JSON.parse does not tell about a text: how deep it is nested, and which key stands twice in an object. Each takes one pass. */

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

/**
 * A key that occurs twice in one object of TEXT, which is valid JSON; undefined if there is none. VALUE is what JSON.parse made of TEXT:
 * where it has as many keys as the text has colons behind quotes, nothing was lost and the text is not looked at any closer.
 */
export function duplicateKey(text: string, value: unknown): string | undefined {
  return countColons(text) === countKeys(value) ? undefined : findDuplicate(text)
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

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const members: unknown[] = Object.values(value)
  let count = Array.isArray(value) ? 0 : members.length
  for (const member of members) count += countKeys(member)
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
