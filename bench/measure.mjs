/** Times of whole processes, taken in turns so that a busy spell of the machine meets all of them, and told as ratios. */
import {spawnSync} from 'node:child_process'

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {readonly string[]} command
 * @property {number} [code] the exit code it must have; the default is 0
 * @property {NodeJS.ProcessEnv} [env] instead of that of all cases
 * @property {number} [limit] the ratio that it should not exceed
 * @property {(run: number) => readonly string[]} [more] further words for run N, which is at least -2, e.g. a name that is not taken
 */

/** @typedef {{name: string, median: number, least: number, ratio: number, limit: number | undefined}} Row */

/**
 * Runs each of CASES in turn, ROUNDS times, and compares it with the first.
 * @param {readonly Case[]} cases
 * @param {{rounds: number, env: NodeJS.ProcessEnv}} options
 * @returns {Row[]} times in milliseconds
 */
export function compare(cases, {rounds, env}) {
  const times = cases.map(() => /** @type {number[]} */ ([]))
  const warmUps = 2
  for (let round = -warmUps; round < rounds; round++) {
    cases.forEach(({name, command: [file = '', ...args], code = 0, more, env: own}, i) => {
      const words = [...args, ...(more?.(round) ?? [])]
      const start = process.hrtime.bigint()
      const result = spawnSync(file, words, {env: own ?? env, stdio: ['ignore', 'pipe', 'pipe']})
      const elapsed = Number(process.hrtime.bigint() - start) / 1e6
      if (result.status !== code) throw new Error(`${name}: exit code ${result.status}, not ${code}\n${result.stdout}${result.stderr}`)
      if (round >= 0) times[i]?.push(elapsed)
    })
  }
  const base = median(times[0] ?? [])
  return cases.map(({name, limit}, i) => {
    const own = times[i] ?? []
    return {name, median: median(own), least: Math.min(...own), ratio: median(own) / base, limit}
  })
}

/** @param {readonly number[]} numbers */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle - 0.5)] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
}

/**
 * Prints how long the case ONE takes, as a ratio to the case OTHER.
 * @param {readonly Row[]} rows
 * @param {string} one
 * @param {string} other
 * @param {number} [limit]
 */
export function printRatio(rows, one, other, limit) {
  const [above = NaN, below = NaN] = [one, other].map((wanted) => rows.find(({name}) => name === wanted)?.median)
  const ratio = above / below
  console.log(`${one} ÷ ${other}: ${ratio.toFixed(2)}${limit === undefined ? '' : `, wanted ≤ ${limit.toFixed(1)}${ratio > limit ? '  missed' : ''}`}`)
}

/** @param {readonly Row[]} rows */
export function printRows(rows) {
  const width = Math.max(...rows.map(({name}) => name.length))
  console.log(`${''.padEnd(width)}  median ms  least ms  ratio  wanted`)
  for (const {name, median: middle, least, ratio, limit} of rows) {
    const wanted = limit === undefined ? '' : `≤ ${limit.toFixed(1)}${ratio > limit ? '  missed' : ''}`
    console.log(`${name.padEnd(width)}  ${middle.toFixed(1).padStart(9)}  ${least.toFixed(1).padStart(8)}  ${ratio.toFixed(2).padStart(5)}  ${wanted}`)
  }
}
