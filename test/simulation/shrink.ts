/** Makes a plan that fails smaller, as long as it fails: less to read for whoever mends the cause. */
import {type Plan, type Result, simulate, type World} from './simulation.js'

export interface Failure {
  readonly plan: Plan
  readonly result: Result
}

/** Runs for a shrinking. */
const MOST_RUNS = 200

export async function shrink(world: World, failure: Failure, options: Parameters<typeof simulate>[2] = {}): Promise<Failure> {
  let best = failure
  let runs = 0
  const attempt = async (plan: Plan): Promise<boolean> => {
    if (++runs > MOST_RUNS) return false
    const result = await simulate(world, plan, options)
    if (result.violation === undefined) return false
    best = {plan, result}
    return true
  }
  for (const fault of best.plan.faults) await attempt({...best.plan, faults: best.plan.faults.filter((each) => each !== fault)})
  for (const actor of best.plan.actors) await attempt({...best.plan, actors: best.plan.actors.filter((each) => each !== actor)})
  for (let commands = 1; commands < best.plan.commands; commands++) if (await attempt({...best.plan, commands})) break
  for (const name of best.result.happened) await attempt({...best.plan, without: new Set([...best.plan.without, name])})
  for (const actor of best.plan.actors) await attempt({...best.plan, actors: best.plan.actors.filter((each) => each !== actor)})
  return best
}

/** FAILURE as text: how to run it again, what happened, and what was wrong. */
export function failureText(world: World, {plan, result}: Failure): string {
  const {seed, actors, commands, faults, without} = plan
  return [
    `World ${world.name}, seed ${seed}: ${result.violation ?? 'nothing is wrong'}`,
    `Again: npm run simulate -- --world ${world.name} --seed ${seed} --seeds 1`,
    `Shrunk to the actors ${actors.join(', ')} with ${commands} commands each, faults: ${faults.join(', ') || 'none'}${without.size > 0 ? `, without ${[...without].join(', ')}` : ''}`,
    ...result.schedule(),
  ].join('\n')
}
