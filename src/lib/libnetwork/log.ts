/** The log of a service: one line each on stderr. */
import {fstatSync} from 'node:fs'

export interface Log {
  info(text: string): void
  warn(text: string): void
  error(text: string): void
  debug(text: string): void
}

export type Level = 'error' | 'warn' | 'info' | 'debug'

/** sd-daemon(3): the priority that the journal takes from the head of a line. */
const PRIORITIES: Readonly<Record<Level, number>> = {error: 3, warn: 4, info: 6, debug: 7}
const LEVELS: readonly Level[] = ['error', 'warn', 'info', 'debug']
/** Where no journal tells them apart; `info` needs no word. */
const WORDS: Readonly<Record<Level, string>> = {error: 'error: ', warn: 'warning: ', info: '', debug: 'debug: '}

export interface LogOptions {
  readonly write: (text: string) => void
  /** The least important level that is written. */
  readonly level: Level
  /** The lines go to systemd's journal, which has times and levels of its own. */
  readonly journal: boolean
  readonly now?: () => Date
  /** Makes text from elsewhere harmless for terminals; a line feed in it, too. */
  readonly escape: (text: string) => string
}

/** A log that WRITEs lines of at least LEVEL: `<6>TEXT` for the journal, else `2026-11-21T14:00:00.000Z TEXT`. */
export function createLog({write, level, journal, now = () => new Date(), escape}: LogOptions): Log {
  const most = LEVELS.indexOf(level)
  const at = (own: Level) => (text: string): void => {
    if (LEVELS.indexOf(own) > most) return
    const head = journal ? `<${PRIORITIES[own]}>` : `${now().toISOString()} ${WORDS[own]}`
    write(`${head}${escape(text)}\n`)
  }
  return {info: at('info'), warn: at('warn'), error: at('error'), debug: at('debug')}
}

/** Whether DESCRIPTOR is the stream that JOURNAL_STREAM names (systemd.exec(5)): a program started from a service inherits the variable, too. */
export function goesToJournal(env: Readonly<Record<string, string | undefined>>, descriptor = 2): boolean {
  if (env.JOURNAL_STREAM === undefined) return false
  try {
    const {dev, ino} = fstatSync(descriptor)
    return env.JOURNAL_STREAM === `${dev}:${ino}`
  } catch {
    return false
  }
}
