/** What every message of the command has in common. */

/** How a line ends that says what to type next: a command, an option, or a list of values. */
const TO_TYPE = /: [^:]*\b(?:calicoctl|sudo|docker|etcdctl|curl|rm|ip|chown|chmod|sysctl|ls) .*$|: -{1,2}[a-z].*$|^(?:Kinds|Valid values|Its columns): /
/** Lines of a refused command line that are no sentences. */
const FRAME = /^(?:Usage:|Commands:|Try: |Did you mean: |$|\s)/

/**
 * What is wrong with the messages on STDERR: each error is a sentence, which ends with a full stop, or with a colon before its list; a next step is a sentence, or ends
 * with what is to be typed. With DEBUG there may be stack traces.
 */
export function messageFaults(stderr: string, debug = false): string[] {
  if (!debug && /^\s+at .*:\d+/m.test(stderr)) return [`a stack trace: ${stderr.slice(0, 300)}`]
  const lines = stderr.split('\n').map((line) => line.replace(/^[^\s:]+:\d+: (?=[A-Z])/, ''))
  return lines.flatMap((line, at) => {
    if (debug && /^Error: \d+ [A-Z]+: /.test(line)) return [] // the stack of grpc-js
    if (/^(?:Error|Warning): /.test(line)) return endsWell(line, lines[at + 1]) || (line.startsWith('Warning') && TO_TYPE.test(line)) ? [] : [`no sentence: ${line}`]
    if (debug || !follows(lines, at) || FRAME.test(line)) return []
    return endsWell(line, lines[at + 1]) || TO_TYPE.test(line) ? [] : [`no next step: ${line}`]
  })
}

const endsWell = (line: string, next = ''): boolean => /[.?!…]$/.test(line) || (line.endsWith(':') && next.startsWith('  '))

/** Whether the line of LINES at AT belongs to an error: it is right behind it, or behind its list. */
function follows(lines: readonly string[], at: number): boolean {
  let before = at - 1
  while (before >= 0 && lines[before]?.startsWith('  ')) before--
  return before >= 0 && lines[before]?.startsWith('Error: ') === true
}
