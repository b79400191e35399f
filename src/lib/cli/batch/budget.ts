import {type Budget, createBudget} from '../../datastore/budget.js'

/** A budget of MILLISECONDS for each line: {@link RenewableBudget.renew} begins the next one. */
export interface RenewableBudget extends Budget {
  renew(): void
}

/** The time that each line may spend on the datastore, as if it ran alone. */
export function lineBudget(budgetMs: number): RenewableBudget {
  let budget = createBudget({budgetMs})
  return {
    total: budgetMs,
    remaining: () => budget.remaining(),
    forRequest: () => budget.forRequest(),
    exclude: (work) => budget.exclude(work),
    renew() {
      budget = createBudget({budgetMs})
    },
  }
}
