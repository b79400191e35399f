/** The text that `edit` opens: an object below comment lines that tell what to do, or what is wrong. Pure. */

/** Ends the lines that are not the user's. */
const BELOW = '# ---------- The object begins below this line. ----------'

/** BODY, a text of YAML, below what is said about LABEL and PROBLEMS with it, each with its place in BODY as `-:LINE:COLUMN: …`. */
export function draftOf(label: string, body: string, problems: readonly string[] = []): string {
  const about =
    problems.length === 0
      ? [`# Edit ${label}, then save and exit the editor: the change is validated and written.`, '# If you exit without a change, nothing is written.']
      : [`# ${label} was not written. Correct the problems, or exit without a further change to cancel:`]
  const lines = about.length + problems.length + 1
  const placed = problems.map((problem) => `#   ${problem.replace(/^-:(\d+):(\d+): /, (_, line: string, column: string) => `line ${Number(line) + lines}, column ${column}: `)}`)
  return `${[...about, ...placed, BELOW].join('\n')}\n${body}`
}

/** PROBLEM, whose place is in the body of the draft TEXT as `-:LINE:COLUMN: …`, with its place in the file PATH that has that text. */
export function placedIn(path: string, text: string, problem: string): string {
  const plain = text.replaceAll('\r\n', '\n')
  const at = plain.indexOf(`${BELOW}\n`)
  const above = at < 0 ? 0 : plain.slice(0, at).split('\n').length
  return problem.replace(/^-:(\d+):(\d+): /, (_, line: string, column: string) => `${path}:${Number(line) + above}:${column}: `)
}

/** What the user has left of a draft below our lines. */
export function bodyOf(text: string): string {
  const plain = text.replaceAll('\r\n', '\n')
  const at = plain.indexOf(`${BELOW}\n`)
  return at < 0 ? plain : plain.slice(at + BELOW.length + 1)
}
