import {EXIT_CODES} from '../errors.js'
import type {Session, WriteLog} from '../client/session.js'
import {escapeText} from '../printable.js'

/** How long an interrupted command waits for the answer to a write that is under way. */
const PATIENCE_MS = 2000

/**
 * Makes Ctrl-C and SIGTERM end the command with the truth about its writes: at once, or, with a write under way, as soon as its answer is there
 * (at most 2 s; a second Ctrl-C ends at once). OUTCOME says what became of them, without its full stop; by itself, what is in the log of writes.
 * DOCUMENT is what stands on stdout then, for a command that prints what it has done only at its end; CODE is the one that it ends with.
 */
export function watchSignals({writes}: Pick<Session, 'writes'>, outcomes: () => string = () => truth(writes), document: (code: number) => string = () => ''): void {
  let count = 0
  const stop = (signal: 'SIGINT' | 'SIGTERM'): void => {
    count++
    const code = EXIT_CODES[signal === 'SIGINT' ? 'interrupted' : 'terminated']
    const word = signal === 'SIGINT' ? 'Interrupted' : 'Terminated'
    const {open, undo} = writes
    if (undo !== undefined && count === 1) {
      process.stderr.write(`\n${word}; rolling back (press again to exit immediately)\n`)
      const end = (outcome: string): void => leave(code, `${word}: ${outcome} ${sentence(outcomes())}.`, document(code))
      undo().then(end, (error: unknown) => end(`The rollback failed: ${error instanceof Error ? error.message : String(error)}.`))
      return
    }
    if (open === undefined || count > 1) {
      leave(code, `${word}: ${outcomes()}`, document(code))
      return
    }
    process.stderr.write(`\n${word}; waiting for the answer to ${escapeText(open.what)} (press again to exit immediately)\n`)
    const timer = setTimeout(() => leave(code, `${word}: ${outcomes()}`, document(code)), PATIENCE_MS)
    void open.settled.then(() => {
      clearTimeout(timer)
      leave(code, `${word}: ${outcomes()}`, document(code))
    })
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

/** What LOG says of the writes: what was made, what was under way, what remains. */
export function truth({done, open, remaining}: WriteLog): string {
  const parts = [
    ...(done.length === 0 ? [] : [`${done.join(', ')} was made`]),
    ...(open ? [`${open.what} was in progress; it may or may not have been made`] : []),
    ...(remaining === undefined ? [] : [remaining]),
  ]
  return parts.length === 0 ? 'nothing was changed' : parts.join('. ')
}

const sentence = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

/** At once: the command itself may be about to end with another code. */
function leave(code: number, message: string, document: string): void {
  process.stderr.write(`${escapeText(message)}\n`)
  process.stdout.write(document)
  process.exit(code)
}
