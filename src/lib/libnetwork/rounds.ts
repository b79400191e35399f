/** The driver's work in the background: it notices when the datastore is back, and brings what is stored in line with what Docker knows. */
import {CalicoError} from '../errors.js'
import type {Log} from './log.js'
import type {Metrics} from './metrics.js'
import type {StoreState} from './store-state.js'

const ROUND_MS = 60_000
const PROBE_MS = 2_000

export interface RoundsOptions {
  readonly state: StoreState
  /** Asks the datastore for anything, so that STATE hears of it. */
  readonly probe: () => Promise<unknown>
  readonly round: () => Promise<{removedEndpoints: number; releasedAddresses: number}>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'reconciled'>
  readonly roundMs?: number
  readonly probeMs?: number
}

/**
 * Until SIGNAL aborts: a round at once, every minute, and as soon as the datastore answers again; while it does not, a probe every two seconds.
 * Never throws.
 */
export async function keepRounds({state, probe, round, log, metrics, roundMs = ROUND_MS, probeMs = PROBE_MS}: RoundsOptions, signal: AbortSignal): Promise<void> {
  let wake = (): void => undefined
  state.onChange(() => wake())
  signal.addEventListener('abort', () => wake(), {once: true})
  const isOver = (): boolean => signal.aborted
  while (!isOver()) {
    const isThere = state.answers === true || (await works(probe))
    if (isThere && !isOver()) await oneRound()
    if (!isOver()) await pause(state.answers === false ? probeMs : roundMs)
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async function works(question: () => Promise<unknown>): Promise<boolean> {
    try {
      await question()
      return true
    } catch (error) {
      log.debug(`The datastore was asked in vain: ${text(error)}`)
      return false
    }
  }

  async function oneRound(): Promise<void> {
    try {
      const result = await round()
      metrics.reconciled(result)
      const {removedEndpoints, releasedAddresses} = result
      if (removedEndpoints + releasedAddresses > 0) log.info(`Reconciliation: ${removedEndpoints} endpoints removed that Docker does not know, ${releasedAddresses} addresses released`)
    } catch (error) {
      // That the datastore is away has been told already.
      log[error instanceof CalicoError && error.kind === 'unreachable' ? 'debug' : 'warn'](`Reconciliation failed, and will be tried again: ${text(error)}`)
    }
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))
