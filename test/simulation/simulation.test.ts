import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import type {Compare, Transaction} from '../../src/lib/datastore/datastore.js'
import type {World} from './simulation.js'
import {virtualTimers} from './virtual-time.js'

/** Of this run; `npm run simulate -- --seeds N --seed S --world W` sets them. */
const {SIMULATION_SEEDS = '2000', SIMULATION_SEED = '1', SIMULATION_WORLD = ''} = process.env

const restore = virtualTimers()
const {WORLDS} = await import('./worlds/index.js')
const {newTally, planOf, tallyText, trySeed} = await import('./campaign.js')
const {failureText} = await import('./shrink.js')
const {editors} = await import('./worlds/editors.js')
const {simulate} = await import('./simulation.js')
const {CLUSTER_KEY} = await import('../../src/lib/client/cluster.js')
const {newUuid} = await import('../../src/lib/client/identity.js')

beforeAll(() => {
  // The first ones are the kernel's, and not of the seed.
  for (let i = 0; i < 40; i++) newUuid()
})
afterAll(restore)

const worlds = WORLDS.filter(({name}) => SIMULATION_WORLD === '' || name === SIMULATION_WORLD)
const share = Math.ceil(Number(SIMULATION_SEEDS) / worlds.length)

/** Seeds that have found something, which was mended then. */
const SEEDS: readonly {readonly world: string; readonly seed: number; readonly what: string}[] = [
  {world: 'addresses', seed: 67, what: 'a lost write arrives while it is decided again: its own address is no conflict'},
]

test.each(SEEDS)('seed $seed of $world: $what', async ({world: name, seed}) => {
  const world = WORLDS.find((each) => each.name === name)
  if (!world) throw new Error(`there is no world ${name}`)
  const failure = await trySeed(world, seed, newTally())
  expect(failure && failureText(world, failure)).toBeUndefined()
})

describe.each(worlds.map((world) => [world.name, world] as const))('%s', (_, world) => {
  test('a seed is a schedule: the same one gives the same', async () => {
    const [first, second] = [await simulate(world, planOf(world, 7)), await simulate(world, planOf(world, 7))]
    expect(second.schedule).toEqual(first.schedule)
    expect(first.schedule.length).toBeGreaterThan(20)
    expect((await simulate(world, planOf(world, 8))).schedule).not.toEqual(first.schedule)
  })

  test(
    `${share} seeds from ${SIMULATION_SEED} on`,
    async () => {
      const tally = newTally()
      const began = Date.now()
      const cpu = process.cpuUsage()
      const first = Number(SIMULATION_SEED)
      for (let seed = first; seed < first + share; seed++) {
        const failure = await trySeed(world, seed, tally)
        if (failure) throw new Error(failureText(world, failure))
      }
      process.stderr.write(`${world.name}: ${tallyText(tally)}; ${((Date.now() - began) / 1000).toFixed(1)} s, ${(process.cpuUsage(cpu).user / 1e6).toFixed(1)} s of a core\n`)
    },
    24 * 3_600_000,
  )
})

describe('the checker is no decoration: of a store that is broken on purpose it tells', () => {
  /** What the first failing of 400 seeds says, and how many actors are left of it. */
  async function found(world: World, tamper: (transaction: Transaction) => Transaction): Promise<{violation: string; actors: number} | undefined> {
    for (let seed = 1; seed <= 400; seed++) {
      const failure = await trySeed(world, seed, newTally(), {tamper})
      if (failure) return {violation: failure.result.violation ?? '', actors: failure.plan.actors.length}
    }
    return undefined
  }

  const without = (dropped: (compare: Compare) => boolean) => ({if: all = [], ...rest}: Transaction): Transaction => ({...rest, if: all.filter((compare) => !dropped(compare))})

  test('one that drops the conditions on keys: updates are lost, and two actors suffice to show it', async () => {
    expect(await found(editors, without((compare) => 'key' in compare && compare.key !== CLUSTER_KEY))).toEqual({violation: expect.stringMatching(/which no command of its own was to do|executed/), actors: 2})
  })

  test('one that drops the conditions on prefixes: a profile goes that an endpoint names', async () => {
    const violation = (await found(editors, without((compare) => 'prefix' in compare)))?.violation
    expect(violation).toMatch(/names the profile|overlap/)
  })
})
