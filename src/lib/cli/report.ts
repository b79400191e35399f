import type {Interfaces} from '@oclif/core'
import {append} from '../append.js'
import {CalicoError, EXIT_CODES} from '../errors.js'
import {escapeLines, escapeText} from '../printable.js'
import {OutputError} from './made.js'
import {nearest} from './suggest.js'

/** What --debug prints beyond the error itself. */
export interface Debugging {
  /** The stack trace STACK with places that a developer finds. */
  readonly trace: (stack: string) => string
  /** Where to report bugs: `bugs.url` of package.json, which the publisher of the package sets. */
  readonly reports?: string | undefined
}

/** What --debug needs in the installation DIST of the program PJSON. */
export async function debugging(dist: string, pjson: Interfaces.PJSON): Promise<Debugging> {
  const {sourceLines} = await import('./debug/source-lines.js')
  return {trace: sourceLines(dist), reports: (pjson as {bugs?: {url?: string}}).bugs?.url}
}

/** What a command line that THROWN ended says on stderr, and its exit code. */
export function ending(thrown: unknown, options: {debug?: Debugging | undefined} = {}): {text: string; code: number} {
  const error = thrown instanceof OutputError ? thrown.withTruth() : thrown
  if (error instanceof Error && 'code' in error && error.code === 'EEXIT') return {text: '', code: (error as {oclif?: {exit?: number}}).oclif?.exit ?? 0}
  return {text: errorText(error, options), code: error instanceof CalicoError ? error.exitCode : EXIT_CODES.failed}
}

/** The lines that tell ERROR on stderr: what failed, on which object, why, and what to do next. */
export function errorText(error: unknown, {debug}: {debug?: Debugging | undefined} = {}): string {
  const lines: string[] = []
  if (error instanceof CalicoError) {
    lines.push(`Error: ${escapeText(closed(error.message))}`)
    append(lines, error.details.map((detail) => `  ${escapeText(detail)}`))
    if (error.hint !== undefined) lines.push(escapeText(error.hint))
  } else if (isOclifError(error)) {
    lines.push(`Error: ${escapeText(closed(ownWords(error.message)))}`)
  } else {
    lines.push(`Error: ${escapeText(closed(error instanceof Error ? error.message : String(error)))}`, debug ? 'This is a bug in calicoctl.' : 'This is a bug in calicoctl. Run the command again with --debug, and report its output.')
  }
  if (debug) {
    for (let at: unknown = error; at instanceof Error; at = at.cause) lines.push(debug.trace(stackText(at)))
    lines.push(debug.reports === undefined ? 'To report a bug, send this output to the publisher of this package.' : `To report a bug: ${debug.reports}`)
  }
  return `${lines.join('\n')}\n`
}

/** MESSAGE as a sentence: with a full stop, unless its end is marked already. Messages themselves have none, so that one can be a part of another. */
const closed = (message: string): string => (/[.:?!…]$/.test(message) ? message : `${message}.`)

/** The stack of ERROR, whose message is one line as anywhere. */
function stackText({stack, name, message}: Error): string {
  const head = stack === undefined ? -1 : stack.indexOf(message)
  return escapeLines(stack === undefined || head < 0 ? `${name}: ${escapeText(message)}` : stack.slice(0, head) + escapeText(message) + stack.slice(head + message.length))
}

/** oclif's MESSAGE in one line, without its heading, and without its advice, which names no command. */
const ownWords = (message: string): string =>
  message
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\n\s*/, '')
    .replaceAll(/Expected (\S+?)=(.*) to be one of: (.*)/g, (_, option: string, value: string, all: string) => {
      const meant = nearest(value, all.split(', '))
      return `${option}: '${value}' is not valid${meant === undefined ? '' : `. Did you mean ${meant}?`} Valid values: ${all}.`.replace(/valid Valid/, 'valid. Valid')
    })
    .replaceAll(/Missing required flag (\S+)/g, 'The option --$1 is missing')
    .replaceAll(/Flag (\S+) expects a value/g, '$1 needs a value')
    .replaceAll(/\n\s*/g, '; ')

/** A value that oclif refused by itself, such as a format that `-o` does not know. */
const isOclifError = (error: unknown): error is Error => error instanceof Error && 'oclif' in error
