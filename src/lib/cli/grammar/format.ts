/** A refused line as it is told on stderr. */
import {escapeText} from '../../printable.js'
import type {UsageLine} from './line.js'

const PROGRAM = 'calicoctl'
const WIDTH = 80

/** LINE as text that begins with `Usage:`: the nearest usages, what is wrong, what was probably meant, and where to read more. Ends with a newline. */
export function formatUsageError({usage, problem, suggestion, help}: UsageLine): string {
  return [
    'Usage:',
    ...usage.map(wrapUsage),
    '',
    `Error: ${escapeText(problem)}.`,
    ...(suggestion === undefined ? [] : [`Did you mean: ${suggestion.startsWith('--') ? '' : `${PROGRAM} `}${escapeText(suggestion)}`]),
    `Try: ${[PROGRAM, ...help, '--help'].join(' ')}`,
    '',
  ].join('\n')
}

/** USAGE with the program's name before it, indented, broken between its words at the width of a terminal. */
export function wrapUsage(usage: string): string {
  const lines: string[] = []
  let last = `  ${PROGRAM}`
  for (const part of usage.match(/\[[^[\]]*(?:\[[^[\]]*\])*[^[\]]*\](?:\.\.\.)?|\([^()]*(?:\([^()]*\)[^()]*)*\)|\S+/g) ?? []) {
    if (last.length + 1 + part.length <= WIDTH) last += ` ${part}`
    else {
      lines.push(last)
      last = `      ${part}`
    }
  }
  return [...lines, last].join('\n')
}
