/** What a YAML text may be before it is parsed: the parser goes down by recursion, and a few hundred levels are too many for it. Pure. */

/** Brackets, dashes and question marks inside each other, and blanks before a line. A configuration file has three levels. */
const DEEPEST = 100
const WIDEST_INDENT = 200

/** Why TEXT is not parsed, as the end of a sentence; undefined if it can be. Brackets in strings count too: settings have none to speak of. */
export function yamlLimitProblem(text: string): string | undefined {
  let depth = 0
  for (const bracket of text.match(/[[\]{}]/g) ?? []) {
    depth = bracket === '[' || bracket === '{' ? depth + 1 : Math.max(0, depth - 1)
    if (depth > DEEPEST) return `it has more than ${DEEPEST} brackets inside each other`
  }
  for (const line of text.split('\n')) {
    const start = /^[ \t?:-]*/.exec(line)?.[0] ?? ''
    if (start.replaceAll(/[ \t]/g, '').length > DEEPEST && start.includes(' ')) return `it has more than ${DEEPEST} lists or maps inside each other`
    if (start.length > WIDEST_INDENT) return `it has a line with more than ${WIDEST_INDENT} blanks at its beginning`
  }
  return undefined
}
