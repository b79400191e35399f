/** A text expressed by one that is much like it: an edit of a long list changes little of it, and there may be a thousand of them. */

/** So many characters from the beginning of the other text, this text, so many from its end. */
export type TextDifference = readonly [begin: number, text: string, end: number]

/** Characters that a difference must save to be worth it. */
const LEAST_SAVED = 32

/** Characters that are compared at once. */
const BLOCK = 1024

/** TEXT expressed by OTHER, where that is shorter. */
export function textDifference(text: string, other: string): string | TextDifference {
  const most = Math.min(text.length, other.length)
  let begin = 0
  // Blocks are compared much faster than characters.
  while (begin + BLOCK <= most && text.slice(begin, begin + BLOCK) === other.slice(begin, begin + BLOCK)) begin += BLOCK
  while (begin < most && text.charCodeAt(begin) === other.charCodeAt(begin)) begin++
  let end = 0
  while (end + BLOCK <= most - begin && text.slice(text.length - end - BLOCK, text.length - end) === other.slice(other.length - end - BLOCK, other.length - end)) end += BLOCK
  while (end < most - begin && text.charCodeAt(text.length - 1 - end) === other.charCodeAt(other.length - 1 - end)) end++
  return begin + end > LEAST_SAVED ? [begin, text.slice(begin, text.length - end), end] : text
}

/** The text that DIFFERENCE, read from a file, stands for beside OTHER; undefined if it is no difference, or does not fit OTHER. */
export function textFromDifference(difference: readonly unknown[], other: string): string | undefined {
  const [begin, text, end] = difference
  if (!isLength(begin) || typeof text !== 'string' || !isLength(end) || begin + end > other.length) return undefined
  return other.slice(0, begin) + text + other.slice(other.length - end)
}

const isLength = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
