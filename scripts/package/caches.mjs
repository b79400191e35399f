/** V8's code caches for the Node of the package, the same bytes at each build. */
import {execFileSync, spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {resolve, join} from 'node:path'

/** The second makes those that the first did not. */
const STEPS = ['../bundle/warm-up.mjs', 'load-chunks.mjs'].map((file) => resolve(import.meta.dirname, file))
/** One seed and one thread: hashes and the order of compilation are in the bytes. Neither is among the flags that V8 compares when it reads a cache. */
const FLAGS = ['--random-seed=1', '--predictable']
/** How often the same bytes must come for a cache to be taken, and after how many runs that is given up: answers that come late change a few bytes. */
const WANTED = 3
const MOST_RUNS = 9

/**
 * Makes the code caches in APP/dist with the Node NODE.
 * @param {string} app the folder of the program, with bin and dist
 * @param {string} node
 * @returns {string[]} the caches that did not come out equal WANTED times: their bytes may differ in another build
 */
export function makeCaches(app, node) {
  const dist = join(app, 'dist')
  // Where addresses are not random, fewer runs differ. Some containers forbid it.
  const fixed = spawnSync('setarch', ['-R', 'true'], {stdio: 'ignore'}).status === 0 ? ['setarch', '-R'] : []
  const [program = node, ...args] = [...fixed, node, ...FLAGS]
  /** @type {Map<string, Map<string, {bytes: Buffer, count: number}>>} */
  const made = new Map()
  const unsettled = () => [...made].filter(([, versions]) => ![...versions.values()].some(({count}) => count >= WANTED)).map(([name]) => name)
  for (let run = 1; run <= MOST_RUNS && (run <= WANTED || unsettled().length > 0); run++) {
    for (const name of cachesIn(dist)) rmSync(join(dist, name))
    // A relative path: V8 keeps it in the caches.
    for (const step of STEPS) execFileSync(program, [...args, step, 'dist'], {cwd: app, env: {PATH: process.env.PATH, HOME: '/nonexistent'}, stdio: ['ignore', 'ignore', 'inherit']})
    for (const name of cachesIn(dist)) {
      const bytes = readFileSync(join(dist, name))
      const hash = createHash('sha256').update(bytes).digest('hex')
      const versions = made.get(name) ?? new Map()
      made.set(name, versions.set(hash, {bytes, count: (versions.get(hash)?.count ?? 0) + 1}))
    }
  }
  for (const [name, versions] of made) {
    const [best] = [...versions.values()].sort((a, b) => b.count - a.count)
    if (best) writeFileSync(join(dist, name), best.bytes)
  }
  return unsettled()
}

/** @param {string} dist */
const cachesIn = (dist) => readdirSync(dist).filter((file) => file.endsWith('.cache'))
