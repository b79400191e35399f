/** Many seeds of all worlds. */
import {FAULTS, type Fault, type Plan, type Result, simulate, type World} from './simulation.js'
import {type Failure, shrink} from './shrink.js'

export interface Tally {
  runs: number
  transactions: number
  commands: number
  readonly faults: Record<Fault, number>
}

export const newTally = (): Tally => ({runs: 0, transactions: 0, commands: 0, faults: Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>})

export const planOf = (world: World, seed: number): Plan => ({seed, actors: Array.from({length: world.actors}, (_, i) => i), commands: world.commands, faults: FAULTS, without: new Set()})

/** One seed. @returns what failed, shrunk unless it is to be WHOLE */
export async function trySeed(world: World, seed: number, tally: Tally, {whole = false, ...options}: Parameters<typeof simulate>[2] & {readonly whole?: boolean} = {}): Promise<Failure | undefined> {
  const plan = planOf(world, seed)
  const result: Result = await simulate(world, plan, options)
  tally.runs++
  tally.transactions += result.transactions
  tally.commands += result.commands
  for (const fault of FAULTS) tally.faults[fault] += result.faults[fault]
  if (result.violation === undefined) return undefined
  return whole ? {plan, result} : shrink(world, {plan, result}, options)
}

export const tallyText = ({runs, commands, transactions, faults}: Tally): string =>
  `${runs} runs: ${commands} commands, ${transactions} transactions; faults: ${FAULTS.map((fault) => `${fault} ${faults[fault]}`).join(', ')}`
