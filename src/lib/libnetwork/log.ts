/** The log of a service: one line each on stderr. */

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
/** `Warning`, where there is no journal to tell it apart; `info` needs no word. */
const WORDS: Readonly<Record<Level, string>> = {error: 'error: ', warn: 'warning: ', info: '', debug: 'debug: '}

export interface LogOptions {
  readonly write: (text: string) => void
  /** The least important level that is written. */
  readonly level: Level
  /** JOURNAL_STREAM says that stderr goes to systemd's journal, which has times and levels of its own. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now?: () => Date
  /** Makes text from elsewhere harmless for terminals; a line feed in it, too. */
  readonly escape: (text: string) => string
}

/** A log that WRITEs lines of at least LEVEL: `<6>TEXT` for the journal, else `2026-11-21T14:00:00.000Z TEXT`. */
export function createLog({write, level, env, now = () => new Date(), escape}: LogOptions): Log {
  const most = LEVELS.indexOf(level)
  const isJournal = (env.JOURNAL_STREAM ?? '') !== ''
  const at = (own: Level) => (text: string): void => {
    if (LEVELS.indexOf(own) > most) return
    const head = isJournal ? `<${PRIORITIES[own]}>` : `${now().toISOString()} ${WORDS[own]}`
    write(`${head}${escape(text)}\n`)
  }
  return {info: at('info'), warn: at('warn'), error: at('error'), debug: at('debug')}
}
