/**
 * What BIRD writes to its control socket. A line begins with a four-digit code and `-`, or with a blank if it has the code of the line before;
 * a code and a blank end the answer. Codes from 8000 say that something went wrong.
 */
import {CalicoError} from '../errors.js'

export interface ReplyLine {
  readonly code: number
  /** Without the code; blanks at its end are cut off. */
  readonly text: string
}

export interface Reply {
  /** BIRD's own version (`v0.3.3+birdv1.6.8`), undefined without a greeting. */
  readonly version: string | undefined
  /** All lines between the greeting and the end, and that of the end. */
  readonly lines: readonly ReplyLine[]
  /** Whether the end was there. */
  readonly complete: boolean
}

const GREETING = 1
const FIRST_ERROR = 8000

/** Whether LINE ends an answer. */
export const endsReply = (line: string): boolean => /^\d{4}(?: |$)/.test(line)

/** Whether LINE is the greeting, which BIRD writes before it is asked. */
export const isGreeting = (line: string): boolean => line.startsWith('0001 ') || line === '0001'

/** TEXT, everything that came over a socket for one question, line by line. Lines without a code before them are kept with code 0. */
export function readReply(text: string): Reply {
  const lines: ReplyLine[] = []
  let version: string | undefined
  let code = 0
  for (const raw of text.split('\n')) {
    const line = raw.trimEnd()
    const start = /^(\d{4})([- ]|$)/.exec(raw)
    // BIRD writes `+` before what it says unasked, to those who subscribed to it.
    if (line.startsWith('+') || (line === '' && !start)) continue
    if (start) code = Number(start[1])
    const content = start ? line.slice(5) : line.replace(/^ /, '')
    if (start && code === GREETING) version ??= /BIRD (\S+) ready/.exec(content)?.[1]
    else lines.push({code, text: content})
    if (start?.[2] !== '-' && start && code !== GREETING) return {version, lines, complete: true}
  }
  return {version, lines, complete: false}
}

/** @throws CalicoError `failed` if REPLY says that BIRD refused, or has no end */
export function checkReply({lines, complete}: Reply): void {
  if (!complete) throw new CalicoError('failed', 'BIRD\'s answer is incomplete')
  const last = lines.at(-1)
  if (last && last.code >= FIRST_ERROR) throw new CalicoError('failed', `BIRD refused: ${last.text}`)
}
