/**
 * The time that a command may spend on its datastore (`--timeout`, decisions.md 15). It starts at the first request,
 * not at the start of the program, and does not run while the user is asked something.
 */
export interface Budget {
  /** Milliseconds that are left; starts the clock at the first call. Never below 0. */
  remaining(): number
  /** The budget of one request: this budget itself, or a fresh one where every request has its own (servers, `--watch`). */
  forRequest(): Budget
  /** The whole time in milliseconds, for messages. */
  readonly total: number
  /** Whether the datastore has answered anything. */
  answered?: boolean
  /** Runs WORK (a prompt, an image pull, a wait) without counting its time. */
  exclude<T>(work: () => Promise<T>): Promise<T>
}

export interface BudgetOptions {
  /** Milliseconds; the default is 10,000. */
  readonly budgetMs?: number
  /** Every request has BUDGETMS of its own: for servers and `--watch`. */
  readonly perRequest?: boolean
}

const DEFAULT_BUDGET_MS = 10_000

/** Milliseconds of a clock that only goes forward. Not `performance.now()`, which loads node:perf_hooks. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** A budget whose clock starts at its first use. */
export function createBudget({budgetMs = DEFAULT_BUDGET_MS, perRequest = false}: BudgetOptions = {}): Budget {
  let deadline: number | undefined
  const budget: Budget = {
    total: budgetMs,
    remaining() {
      deadline ??= now() + budgetMs
      return Math.max(0, deadline - now())
    },
    forRequest: () => (perRequest ? createBudget({budgetMs}) : budget),
    async exclude(work) {
      const start = now()
      try {
        return await work()
      } finally {
        if (deadline !== undefined) deadline += now() - start
      }
    },
  }
  return budget
}
