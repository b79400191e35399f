/** Whether a text is a regular expression in Go's (RE2) syntax, decided by translating it into JavaScript's. */

const LOOKAROUND_OR_REFERENCE = /\(\?<?[=!]|\\[1-9]/
const NESTED_REPETITION = /(?:[*+?]|\{\d+(?:,\d*)?\})(?:[*+]|\{\d)/
const LONGEST_REPETITION = 1000

/** Whether Go's regexp.Compile takes PATTERN. Exotic cases (Unicode classes by odd names) are judged leniently. */
export function isGoRegexp(pattern: string): boolean {
  const plain = pattern.replace(/\\Q[^]*?(?:\\E|$)/g, 'q').replace(/\\[^1-9]/g, 'e').replace(/\[\^?\]?[^\]]*\]/g, (set) => (set.includes('[:') ? 'c' : 'c'))
  if (LOOKAROUND_OR_REFERENCE.test(plain) || NESTED_REPETITION.test(plain)) return false
  for (const [, least = '0', most = '0'] of plain.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
    if (Number(least) > LONGEST_REPETITION || Number(most) > LONGEST_REPETITION) return false
  }
  const translated = pattern
    .replace(/\\Q([^]*?)(?:\\E|$)/g, (_, literal: string) => literal.replace(/[^a-zA-Z0-9]/g, '\\$&'))
    .replace(/\(\?P</g, '(?<')
    .replace(/\(\?[imsU-]+:/g, '(?:')
    .replace(/\(\?[imsU-]+\)/g, '(?:)')
    .replace(/\\[AzpPC]/g, '.')
    .replace(/\[:\^?[a-z]+:\]/g, 'a-z')
  try {
    new RegExp(translated)
    return true
  } catch {
    return false
  }
}
