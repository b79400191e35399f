/** The driver's work in the background: it notices when the datastore is back, and brings what is stored in line with what Docker knows. */
import {CalicoError} from '../errors.js'
import type {Log} from './log.js'
import type {Metrics} from './metrics.js'
import type {StoreState} from './store-state.js'

const ROUND_MS = 60_000
const PROBE_MS = 2_000
/** Added to the time at which something suspect is certain, so that it is. */
const SURELY_MS = 1_000

export interface RoundResult {
  readonly removedEndpoints: number
  readonly releasedAddresses: number
  /** In how many milliseconds the first of what seems wrong will be certain; undefined: nothing is left to find out. */
  readonly certainInMs?: number | undefined
}

export interface RoundsOptions {
  readonly state: StoreState
  /** Asks the datastore for anything, so that STATE hears of it. */
  readonly probe: () => Promise<unknown>
  readonly round: () => Promise<RoundResult>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'reconciled'>
  readonly roundMs?: number
  readonly probeMs?: number
  readonly surelyMs?: number
}

/**
 * Until SIGNAL aborts: a round at once, every minute, as soon as the datastore answers again, and when what seemed wrong in the last one is certain;
 * while the datastore does not answer, a probe every two seconds.
 * Never throws.
 */
export async function keepRounds({state, probe, round, log, metrics, roundMs = ROUND_MS, probeMs = PROBE_MS, surelyMs = SURELY_MS}: RoundsOptions, signal: AbortSignal): Promise<void> {
  let wake = (): void => undefined
  state.onChange(() => wake())
  signal.addEventListener('abort', () => wake(), {once: true})
  const isOver = (): boolean => signal.aborted
  while (!isOver()) {
    const isThere = state.answers === true || (await works(probe))
    const certainInMs = isThere && !isOver() ? await oneRound() : undefined
    if (!isOver()) await pause(state.answers === false ? probeMs : Math.min(roundMs, certainInMs === undefined ? roundMs : certainInMs + surelyMs))
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
      log.debug(`The datastore did not answer: ${text(error)}`)
      return false
    }
  }

  async function oneRound(): Promise<number | undefined> {
    try {
      const result = await round()
      metrics.reconciled(result)
      const {removedEndpoints, releasedAddresses, certainInMs} = result
      if (removedEndpoints + releasedAddresses > 0) log.info(`Reconciliation: ${removedEndpoints} endpoints removed that Docker does not know, ${releasedAddresses} addresses released`)
      return certainInMs
    } catch (error) {
      // That the datastore is away has been reported already.
      log[error instanceof CalicoError && error.kind === 'unreachable' ? 'debug' : 'warn'](`Reconciliation failed, and will be repeated: ${text(error)}`)
      return undefined
    }
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))
