/** A refused line as it is told on stderr. */
import type {UsageLine} from './line.js'

const PROGRAM = 'calicoctl'
const WIDTH = 80

/** LINE as text that begins with `Usage:`: the nearest usages, what is wrong, what was probably meant, and where to read more. Ends with a newline. */
export function formatUsageError({usage, problem, suggestion, help}: UsageLine): string {
  return [
    'Usage:',
    ...usage.map(indented),
    '',
    `Error: ${escaped(problem)}.`,
    ...(suggestion === undefined ? [] : [`Did you mean: ${suggestion.startsWith('--') ? '' : `${PROGRAM} `}${escaped(suggestion)}`]),
    `Try: ${[PROGRAM, ...help, '--help'].join(' ')}`,
    '',
  ].join('\n')
}

/** A usage, broken between its words at the width of a terminal. */
function indented(usage: string): string {
  const lines = [`  ${PROGRAM}`]
  for (const part of usage.match(/\[[^[\]]*(?:\[[^[\]]*\])*[^[\]]*\](?:\.\.\.)?|\([^()]*(?:\([^()]*\)[^()]*)*\)|\S+/g) ?? []) {
    const last = lines.length - 1
    if (`${lines[last] ?? ''} ${part}`.length <= WIDTH) lines[last] += ` ${part}`
    else lines.push(`      ${part}`)
  }
  return lines.join('\n')
}

/** Control characters of what was typed, made visible: the text goes to a terminal. */
function escaped(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
