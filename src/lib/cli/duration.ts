import {CalicoError} from '../errors.js'

const UNITS: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000}

/** Milliseconds of a duration as users type it: `2s`, `500ms`, `1m`, `1m30s`, or plain seconds (`10`, `0.5`). Undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 32) return undefined
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  let total = 0
  let rest = text
  while (rest !== '') {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)/.exec(rest)
    if (!match) return undefined
    total += Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0)
    rest = rest.slice(match[0].length)
  }
  return text === '' ? undefined : total
}

/** Of what is waited for with timers: Node's hold 24 days, and some are set to several times what was asked for. */
const LONGEST_HOURS = 24

export interface DurationOptions {
  /** 0 is a duration, too. */
  readonly zero?: boolean
  /** The longest, in hours. */
  readonly most?: number
}

/** Reads the duration that OPTION, an option or a variable, has, in milliseconds. @throws CalicoError `invalid` if it is none, or too long */
export const readDuration = (option: string, {zero = false, most = LONGEST_HOURS}: DurationOptions = {}) => (text: string): number => {
  const milliseconds = parseDuration(text)
  if (milliseconds === undefined || (milliseconds === 0 && !zero)) throw new CalicoError('invalid', `${option}: '${text}' is not a duration. Give 2s, 500ms, 1m or plain seconds.`)
  if (milliseconds > most * 3_600_000) throw new CalicoError('invalid', `${option}: '${text}' is too long: give at most ${most}h.`)
  return milliseconds
}
