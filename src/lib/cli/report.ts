import {CalicoError} from '../errors.js'
import {escapeLines, escapeText} from './output/escape.js'

/** The lines that tell ERROR on stderr: what failed, on which object, why, and what to do next. */
export function errorText(error: unknown, {debug = false}: {debug?: boolean} = {}): string {
  const lines: string[] = []
  if (error instanceof CalicoError) {
    lines.push(`Error: ${escapeLines(error.message)}`, ...error.details.map((detail) => `  ${escapeLines(detail).replaceAll('\n', '\n  ')}`))
    if (error.hint !== undefined) lines.push(escapeText(error.hint))
  } else if (isOclifError(error)) {
    lines.push(`Error: ${escapeLines(error.message)}`)
  } else {
    lines.push(`Error: ${escapeLines(error instanceof Error ? error.message : String(error))}`, 'This is a fault of calicoctl. Run the command again with --debug and report what it prints.')
  }
  if (debug) for (let at: unknown = error; at instanceof Error; at = at.cause) lines.push(escapeLines(at.stack ?? String(at)))
  return `${lines.join('\n')}\n`
}

/** A value that oclif refused by itself, such as a format that `-o` does not know. */
const isOclifError = (error: unknown): error is Error => error instanceof Error && 'oclif' in error
