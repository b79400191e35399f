/**
 * npm run simulate -- [--seeds N] [--seed S] [--world W] [--jobs J]: N seeds of the simulation (100,000), shared among its worlds, from seed S (1) on, in J
 * processes (as many as there are cores). One that fails is shrunk and printed with its schedule; the exit code is 1 then.
 */
import {spawn} from 'node:child_process'
import {mkdirSync, rmSync} from 'node:fs'
import {availableParallelism} from 'node:os'
import {join, resolve} from 'node:path'
import {parseArgs} from 'node:util'
import {bundleSimulation} from './simulation.mjs'

const ROOT = resolve(import.meta.dirname, '..')
const {values} = parseArgs({
  options: {
    seeds: {type: 'string', default: '100000'},
    seed: {type: 'string', default: '1'},
    world: {type: 'string', default: ''},
    jobs: {type: 'string', default: String(availableParallelism())},
  },
})
for (const name of /** @type {const} */ (['seeds', 'seed', 'jobs'])) {
  if (!/^[1-9][0-9]{0,9}$/.test(values[name])) {
    console.error(`--${name} takes a whole number above 0, not ${JSON.stringify(values[name])}`)
    process.exit(1)
  }
}
const program = join(ROOT, '.cache', `simulation-${process.pid}.mjs`)
mkdirSync(join(ROOT, '.cache'), {recursive: true})
await bundleSimulation(ROOT, program)
const [seeds, first, jobs] = [Number(values.seeds), Number(values.seed), Number(values.jobs)]
const share = Math.ceil(seeds / jobs)
// Each process takes a part of the seeds of each world, so that all take the same time.
const codes = await Promise.all(Array.from({length: Math.ceil(seeds / share)}, (_, job) => run(first + job * share, Math.min(share, seeds - job * share))))
rmSync(program)
process.exitCode = codes.every((code) => code === 0) ? 0 : 1

/**
 * @param {number} from
 * @param {number} count
 * @returns {Promise<number | null>}
 */
function run(from, count) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [program, '--keep-going', '--seeds', String(count), '--seed', String(from), '--world', values.world], {stdio: 'inherit'})
    child.on('error', fail)
    child.on('close', done)
  })
}
