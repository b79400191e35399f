/**
 * The simulation as a program (scripts/simulation.mjs bundles it): --seeds N seeds shared among the worlds, from --seed S on; --world W: of one world.
 * One that fails is shrunk and printed on stdout, and is the last of its world unless --keep-going; then the exit code is 1. --schedule prints what
 * happens in each seed; --no-shrink prints it as it was found. --broken B: on a store that is broken on purpose.
 */
import {parseArgs} from 'node:util'
import {newUuid} from '../../src/lib/client/identity.js'
import {BROKEN} from './broken.js'
import {newTally, planOf, tallyText, trySeed} from './campaign.js'
import {failureText} from './shrink.js'
import {simulate, type World} from './simulation.js'
import {WORLDS} from './worlds/index.js'

const {values} = parseArgs({
  options: {
    seeds: {type: 'string', default: '2000'},
    seed: {type: 'string', default: '1'},
    world: {type: 'string', default: ''},
    broken: {type: 'string', default: ''},
    schedule: {type: 'boolean', default: false},
    'keep-going': {type: 'boolean', default: false},
    'no-shrink': {type: 'boolean', default: false},
  },
})
const worlds = WORLDS.filter(({name}) => values.world === '' || name === values.world)
const tamper = BROKEN[values.broken]
const options = {...(tamper !== undefined && {tamper}), ...(values['no-shrink'] && {whole: true})}
const first = Number(values.seed)
const whole = worlds.reduce((sum, {share = 1}) => sum + share, 0)
const seedsOf = ({share = 1}: World): number => Math.ceil((Number(values.seeds) * share) / whole)

async function campaign(world: World): Promise<void> {
  const tally = newTally()
  const began = Date.now()
  const cpu = process.cpuUsage()
  let failures = 0
  for (let seed = first; seed < first + seedsOf(world); seed++) {
    const failure = await trySeed(world, seed, tally, options)
    if (!failure) continue
    failures++
    process.exitCode = 1
    console.log(failureText(world, failure))
    if (!values['keep-going']) break
  }
  const {user, system} = process.cpuUsage(cpu)
  console.error(`${world.name}: ${tallyText(tally)}; ${failures} violations; ${((Date.now() - began) / 1000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of a core`)
}

async function show(world: World): Promise<void> {
  for (let seed = first; seed < first + seedsOf(world); seed++) console.log((await simulate(world, planOf(world, seed), options)).schedule().join('\n'))
}

if (worlds.length === 0 || (values.broken !== '' && tamper === undefined)) {
  console.error(worlds.length === 0 ? `There is no world ${values.world}: ${WORLDS.map(({name}) => name).join(', ')}` : `--broken takes one of ${Object.keys(BROKEN).join(', ')}`)
  process.exitCode = 2
} else {
  // The first ones are the kernel's, and not of the seed.
  for (let i = 0; i < 40; i++) newUuid()
  // Of the hosts whose files are in memory.
  process.env.XDG_STATE_HOME = '/state'
  delete process.env.CALICOCTL_JOURNAL
  for (const world of worlds) await (values.schedule ? show(world) : campaign(world))
}
