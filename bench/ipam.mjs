/**
 * node bench/ipam.mjs [ADDRESSES]: addresses a second, as ratios to "one read and one guarded transaction with two puts" on the same etcd in the same run;
 * ADDRESSES (1,600) is what each of several processes takes.
 */
import {execFileSync, spawn} from 'node:child_process'
import {mkdirSync, rmSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {createInterface} from 'node:readline'
import {build} from 'esbuild'
import {median} from './measure.mjs'
import {environment, startEtcd} from './setting.mjs'

const ROOT = resolve(import.meta.dirname, '..')
const each = Number(process.argv[2] ?? 1_600)
const endpoint = await startEtcd()
const env = environment(endpoint)
const worker = join(ROOT, '.cache', `bench-ipam-${process.pid}.mjs`) // there, so that it finds node_modules
mkdirSync(join(ROOT, '.cache'), {recursive: true})
process.on('exit', () => rmSync(worker, {force: true}))
await build({entryPoints: [join(import.meta.dirname, 'ipam-worker.ts')], outfile: worker, bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external', logLevel: 'error'})

/** @param {string[]} words @returns {any} */
const run = (...words) => JSON.parse(execFileSync(process.execPath, [worker, words[0] ?? '', endpoint, ...words.slice(1)], {env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']}))

run('prepare')
const {rounds, early, late, release} = run('sequential', 'n0')
const bare = median(rounds.map((/** @type {{bare: number}} */ round) => round.bare))
tell('one read and one guarded two-put transaction, bare', bare, 1)
tell('one address at a time, a handle each', median(rounds.map((/** @type {{assign: number}} */ round) => round.assign)), 1 / median(early), '≥ 0.60', 1 / median(early) < 0.6)
tell('released one handle at a time', release, release / bare)
const slowdown = median(late) / median(early)
console.log(`address 5,000 costs ${slowdown.toFixed(2)} × address 100${verdict('≤ 1.50', slowdown > 1.5)}`)
const thousand = median(run('thousand', 'n1').rates)
tell('1,000 addresses in one call', thousand, thousand / bare, '≥ 10,000/s', thousand < 10_000)

const alone = await together(['n2'])
const four = await together(['n3', 'n4', 'n5', 'n6'])
tell('one process, 4 calls at a time', alone.rate, alone.rate / bare)
tell('4 processes, 4 calls at a time, a node each', four.rate, four.rate / bare)
console.log(`4 processes give ${(four.rate / alone.rate).toFixed(2)} × one alone${verdict('≥ 1.20', four.rate / alone.rate < 1.2)}`)
const all = [...alone.addresses, ...four.addresses]
console.log(`${all.length} addresses, ${all.length - new Set(all).size} twice`)
process.exit(new Set(all).size === all.length ? 0 : 1)

/**
 * Processes that assign for NODES at the same time.
 * @param {string[]} nodes
 * @returns {Promise<{rate: number, addresses: string[]}>}
 */
async function together(nodes) {
  const workers = nodes.map((node) => {
    const child = spawn(process.execPath, [worker, 'four', endpoint, node, String(each)], {env, stdio: ['pipe', 'pipe', 'inherit']})
    return {child, lines: createInterface({input: child.stdout})[Symbol.asyncIterator]()}
  })
  for (const {lines} of workers) await lines.next() // ready
  for (const {child} of workers) child.stdin.write('go\n')
  const results = await Promise.all(workers.map(async ({lines}) => JSON.parse((await lines.next()).value)))
  const seconds = (Math.max(...results.map(({end}) => end)) - Math.min(...results.map(({start}) => start))) / 1000
  return {rate: (nodes.length * each) / seconds, addresses: results.flatMap(({addresses}) => addresses)}
}

/**
 * @param {string} what
 * @param {number} perSecond
 * @param {number} ratio
 * @param {string} [wanted]
 * @param {boolean} [missed]
 */
function tell(what, perSecond, ratio, wanted, missed = false) {
  console.log(`${what.padEnd(52)} ${perSecond.toFixed(0).padStart(7)}/s  ${ratio.toFixed(2).padStart(6)}${wanted === undefined ? '' : verdict(wanted, missed)}`)
}

/** @param {string} wanted @param {boolean} missed */
function verdict(wanted, missed) {
  return `  (wanted ${wanted}${missed ? ', missed' : ''})`
}
