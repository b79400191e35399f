import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {execa} from 'execa'
import {bundleSimulation} from '../../scripts/simulation.mjs'
import {MUTANTS} from './mutants.js'

/** Of this run, from seed 1 on; `npm run simulate` runs more. */
const {SIMULATION_SEEDS = '2000'} = process.env
const ROOT = resolve(import.meta.dirname, '../..')
const HOURS = 3_600_000

const folder = mkdtempSync(join(tmpdir(), 'simulation-'))
const program = join(folder, 'simulation.mjs')

beforeAll(() => bundleSimulation(ROOT, program))
afterAll(() => rmSync(folder, {recursive: true}))

async function simulation(args: readonly string[], of = program): Promise<{exitCode: number | undefined; stdout: string; stderr: string}> {
  const {exitCode, stdout, stderr} = await execa(process.execPath, [of, ...args], {reject: false})
  return {exitCode, stdout, stderr}
}

/** Seeds that have found something, which was mended then. */
const SEEDS: readonly {readonly world: string; readonly seed: number; readonly what: string}[] = [
  {world: 'addresses', seed: 67, what: 'a lost write arrives while it is decided again: its own address is no conflict'},
  {world: 'docker', seed: 309, what: 'a lost write arrives while it is decided again: what is remembered of its block is what was written'},
  {world: 'containers', seed: 8, what: 'ipam check --repair releases the address of a container add whose store is slow: the endpoint is not stored with it'},
  {world: 'confirm', seed: 588, what: 'a user undoes a change while its timer rolls it back: it is rolled back'},
  {world: 'confirm', seed: 21_442, what: 'a change arrives long after its command was killed: the process that takes it back still waits for it'},
]

test.each(SEEDS)('seed $seed of $world: $what', async ({world, seed}) => {
  expect(await simulation(['--world', world, '--seed', String(seed), '--seeds', '1'])).toMatchObject({stdout: '', exitCode: 0})
})

test('a seed is a schedule: the same one gives the same', async () => {
  const schedule = async (seed: number): Promise<string> => (await simulation(['--schedule', '--seed', String(seed), '--seeds', '1'])).stdout
  const [first, second, other] = await Promise.all([schedule(7), schedule(7), schedule(8)])
  expect(first.split('\n').length).toBeGreaterThan(40)
  expect(second).toBe(first)
  expect(other).not.toBe(first)
})

test(
  `${SIMULATION_SEEDS} seeds`,
  async () => {
    const {stdout, stderr, exitCode} = await simulation(['--seeds', SIMULATION_SEEDS])
    process.stderr.write(`${stderr}\n`)
    expect({stdout, exitCode}).toEqual({stdout: '', exitCode: 0})
  },
  24 * HOURS,
)

test('what fails is shrunk: two actors suffice to show that an update is lost', async () => {
  const {stdout, exitCode} = await simulation(['--world', 'editors', '--seeds', '400', '--broken', 'conditions-on-keys'])
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/Shrunk to the actors \d, \d with/)
})

test.each(MUTANTS)(
  'the worlds are no decoration: $world finds that $what',
  async ({world, broken, mutation, tells, seed = 1}) => {
    const mutant = mutation === undefined ? program : join(mkdtempSync(join(folder, 'mutant-')), 'simulation.mjs')
    if (mutation) await bundleSimulation(ROOT, mutant, mutation)
    const {stdout, exitCode} = await simulation(['--no-shrink', '--world', world, '--seed', String(seed), '--seeds', '500', ...(broken === undefined ? [] : ['--broken', broken])], mutant)
    expect(stdout.split('\n', 1)[0]).toMatch(tells)
    expect(exitCode).toBe(1)
  },
  HOURS,
)
