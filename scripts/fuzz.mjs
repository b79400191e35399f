/**
 * npm run fuzz -- [--minutes N] [--seed S] [--target T,…] [--jobs J]: feeds every reader of foreign bytes (test/fuzz) for N minutes in all, in J processes (as many as
 * there are cores), each with seeds of its own from S on. Inputs that reach code which no input has reached are kept in test/fixtures/fuzz/corpus and changed in turn.
 * What is found is printed, as small as it can be made, and the exit code is 1; as a line of test/fixtures/fuzz/findings.jsonl it is a test from then on.
 */
import {spawn} from 'node:child_process'
import {mkdirSync, rmSync} from 'node:fs'
import {availableParallelism} from 'node:os'
import {join, resolve} from 'node:path'
import {parseArgs} from 'node:util'
import {bundleFuzzer} from './fuzzer.mjs'

const ROOT = resolve(import.meta.dirname, '..')
const {values} = parseArgs({
  options: {minutes: {type: 'string', default: '10'}, seed: {type: 'string', default: String(Date.now() % 1_000_000)}, target: {type: 'string', default: ''}, jobs: {type: 'string', default: String(availableParallelism())}},
})
for (const name of /** @type {const} */ (['minutes', 'seed', 'jobs'])) {
  if (!/^[1-9][0-9]{0,9}$/.test(values[name])) {
    console.error(`--${name} takes a whole number above 0, not ${JSON.stringify(values[name])}`)
    process.exit(1)
  }
}
const program = join(ROOT, '.cache', `fuzzer-${process.pid}.mjs`)
mkdirSync(join(ROOT, '.cache'), {recursive: true})
const {targets} = await bundleFuzzer(ROOT, program)
const end = Date.now() + Number(values.minutes) * 60_000
const wanted = values.target === '' ? targets : values.target.split(',')
/** Each round gives each target so long. */
const ROUND_MS = 20_000
let seed = Number(values.seed)
let failed = false
console.error(`From seed ${seed} on: ${wanted.join(', ')}`)
await Promise.all(Array.from({length: Number(values.jobs)}, async () => {
  while (Date.now() < end) {
    const own = seed++
    for (const target of wanted) {
      if (Date.now() >= end) break
      const milliseconds = Math.min(ROUND_MS, Math.max(1000, (Number(values.minutes) * 60_000 * Number(values.jobs)) / wanted.length))
      if ((await run(['--grow', '--seed', String(own), '--target', target, '--milliseconds', String(milliseconds)])) !== 0) failed = true
    }
  }
}))
// What several have found at once, or what something smaller reaches, too.
await run(['--tidy', '--target', wanted.join(',')])
rmSync(program)
process.exitCode = failed ? 1 : 0

/** @param {readonly string[]} args @returns {Promise<number | null>} */
function run(args) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [program, ...args], {stdio: 'inherit', cwd: ROOT})
    child.on('error', fail)
    child.on('close', done)
  })
}
