/** Showing something again and again. */
import {setTimeout as sleep} from 'node:timers/promises'

/** Cursor to the top left, and everything cleared. */
const CLEAR = '\u001b[H\u001b[2J'

/** Calls ROUND every INTERVALMS until the process is interrupted; on a TERMINAL each begins on a clear screen. CLEAR writes what clears it. */
export async function watchRounds(round: () => Promise<void>, {intervalMs, terminal, clear}: {intervalMs: number; terminal: boolean; clear: (text: string) => Promise<void>}): Promise<never> {
  for (;;) {
    if (terminal) await clear(CLEAR)
    await round()
    await sleep(intervalMs)
  }
}
