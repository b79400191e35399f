/**
 * npm run simulate -- [--seeds N] [--seed S] [--world W]: N seeds of the simulation (100,000), shared among its worlds, from seed S (1) on. One that fails
 * is shrunk and printed with its schedule.
 */
import {spawnSync} from 'node:child_process'
import {resolve} from 'node:path'
import {parseArgs} from 'node:util'
import {jestCommand} from './jest.mjs'

const {values} = parseArgs({options: {seeds: {type: 'string', default: '100000'}, seed: {type: 'string', default: '1'}, world: {type: 'string', default: ''}}})
for (const name of /** @type {const} */ (['seeds', 'seed'])) {
  if (!/^[1-9][0-9]{0,9}$/.test(values[name])) {
    console.error(`--${name} takes a whole number above 0, not ${JSON.stringify(values[name])}`)
    process.exit(1)
  }
}
const [file, ...args] = jestCommand(['--maxWorkers=1', 'test/simulation', '-t', 'seeds from'])
const env = {...process.env, SIMULATION_SEEDS: values.seeds, SIMULATION_SEED: values.seed, SIMULATION_WORLD: values.world}
process.exitCode = spawnSync(file, args, {cwd: resolve(import.meta.dirname, '..'), stdio: 'inherit', env}).status ?? 1
