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

/** Characters of a message; one says what is wrong, and need not say it of a whole file. */
const LONGEST_MESSAGE = 200

/** What is wrong with a YAML text, by the parser's error: without what the text has there, which may be long, or a password. */
export function yamlSyntaxText({code, message}: {readonly code: string; readonly message: string}): string {
  if (code === 'TAB_AS_INDENT') return 'a tab at the beginning of a line; indent YAML with spaces'
  if (code === 'TAG_RESOLVE_FAILED') return 'a tag that cannot be resolved; write a string that begins with ! in quotes'
  if (code === 'BAD_DQ_ESCAPE') return 'an escape sequence that is none; write \\\\ for a backslash in double quotes'
  const [first = ''] = message.split('\n', 1)
  // What stands behind a colon is the text itself, or a word of the parser's for what it found there.
  return first.replace(/ at line \d+, column \d+:?$/, '').replace(/(?<!\s)(?:, but found)?: [^]*$/, '').slice(0, LONGEST_MESSAGE)
}
