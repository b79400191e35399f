/**
 * node bench/lists.mjs [ENDPOINTS...] [WORDS]: what lists of many workload endpoints, with an IPAM handle for each and 2,000 profiles, take: 10,000 and 50,000
 * endpoints by default, and only the lists with WORDS in their line where they are given. Time, its ratio to etcdctl's read of the same keys and a start of calicoctl
 * that reads, to the time with fewer endpoints, and for YAML to that of JSON; and peak memory.
 */
import {spawnSync} from 'node:child_process'
import {closeSync, openSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {median} from './measure.mjs'
import {environment, installed, startEtcd, temporaryFolder} from './setting.mjs'

const PER_TRANSACTION = 100
const PREFIX = '/calico/resources/v3/projectcalico.org/workloadendpoints/default/'
const HANDLES = '/calico/ipam/v2/handle/'
const PROFILE = '/calico/resources/v3/projectcalico.org/profiles/'
const PROFILES = 2_000
const LIMIT_MB = 200
const LIMIT_TO_GET = 8
const LIMIT_TO_JSON = 4
const LIMIT_TO_FEWER = 5.5
/** So that a busy machine is no failure. */
const TIMEOUT = '5m'

const env = environment(await startEtcd())
const folder = temporaryFolder()
const calicoctl = installed()
const given = process.argv.slice(2)
const counts = given.some((word) => Number(word) > 0) ? given.map(Number).filter((count) => count > 0) : [10_000, 50_000]
const wanted = given.find((word) => !(Number(word) > 0))

/** Their output is written as the pages come, or at least without keeping all objects: YAML takes the time of JSON in the list before it, several times. */
const DOCUMENTS = [['get', 'workloadendpoint'], ['endpoint', 'show']].flatMap((list) => ['json', 'yaml', 'plain', 'name'].map((format) => [...list, '-o', format]))
const TABLES = [
  ['get', 'workloadendpoint'],
  ['get', 'workloadendpoint', '-o', 'wide'],
  ['get', 'handle'],
  ['endpoint', 'show'],
  ['endpoint', 'show', '--detailed'],
  ['endpoint', 'show', '-o', 'wide'],
  ['profile', 'show'],
  ['profile', 'show', '--detailed'],
  ['status', '--all'],
]
const LISTS = [...DOCUMENTS, ['export', 'workloadendpoint'], ...TABLES].filter((words) => wanted === undefined || words.join(' ').includes(wanted))

run(['etcdctl', 'del', '--prefix', '/calico/'])
run([process.execPath, calicoctl, 'profile', 'add', 'web'])
put(0, PROFILES, profile)
/** What each list took with the fewest endpoints, in ms. @type {Map<string, number>} */
const before = new Map()
let made = 0
for (const count of counts) {
  put(made, count, endpoint)
  put(made, count, handle)
  made = count
  const reading = median(Array.from({length: 3}, () => timed(() => run(['etcdctl', 'get', '--prefix', PREFIX]))))
  const start = median(Array.from({length: 3}, () => timed(() => run([process.execPath, calicoctl, 'profile', 'show', '-o', 'name']))))
  console.log(`${count} endpoints; etcdctl get --prefix: ${reading.toFixed(0)} ms; start-up with a read: ${start.toFixed(0)} ms`)
  console.log(''.padEnd(32), ...['ms', 'MB', '÷ get', '÷ fewer', '÷ JSON'].map((head) => head.padStart(8)))
  let json = NaN
  for (const words of LISTS) {
    const {ms, mb} = measured(words)
    const line = words.join(' ')
    const isYaml = words.includes('yaml')
    if (words.includes('json')) json = ms
    const toGet = ms / (reading + start)
    const toFewer = ms / (before.get(line) ?? NaN)
    const toJson = isYaml ? ms / json : NaN
    const missed = [
      ...(mb > LIMIT_MB ? [`≤ ${LIMIT_MB} MB`] : []),
      ...(isYaml ? (toJson > LIMIT_TO_JSON ? [`≤ ${LIMIT_TO_JSON} × JSON`] : []) : toGet > LIMIT_TO_GET ? [`≤ ${LIMIT_TO_GET} × get + start-up`] : []),
      ...(toFewer > LIMIT_TO_FEWER ? [`≤ ${LIMIT_TO_FEWER} × ${counts[0]}`] : []),
    ]
    const cells = [ms.toFixed(0), mb.toFixed(0), ...[toGet, toFewer, toJson].map((ratio) => (Number.isNaN(ratio) ? '' : ratio.toFixed(1)))]
    console.log(line.padEnd(32), ...cells.map((cell) => cell.padStart(8)), missed.length > 0 ? `  wanted ${missed.join(', ')}  missed` : '')
    if (!before.has(line)) before.set(line, ms)
  }
}
process.exit(0)

/** Writes what PUT makes of each number from FROM to TO, without it. @param {number} from @param {number} to @param {(n: number) => string} put */
function put(from, to, put) {
  for (let at = from; at < to; at += PER_TRANSACTION) run(['etcdctl', 'txn'], `\n${Array.from({length: Math.min(PER_TRANSACTION, to - at)}, (_, i) => put(at + i)).join('\n')}\n\n\n`)
}

/** @param {() => void} action */
function timed(action) {
  const start = performance.now()
  action()
  return performance.now() - start
}

/** @param {number} n */
function profile(n) {
  return `put ${PROFILE}p${n} ${JSON.stringify(JSON.stringify({kind: 'Profile', apiVersion: 'projectcalico.org/v3', metadata: {name: `p${n}`}, spec: {labelsToApply: {[`p${n}`]: ''}, ingress: [{action: 'Allow', source: {selector: `has(p${n})`}}], egress: [{action: 'Allow'}]}}))}`
}

/** @param {number} n */
function handle(n) {
  return `put ${HANDLES}docker-c${n} ${JSON.stringify(JSON.stringify({handleID: `docker-c${n}`, block: {[`10.${n >> 16}.${(n >> 8) & 255}.${n & 192}/26`]: 1}, deleted: false}))}`
}

/** The put of endpoint number N. @param {number} n */
function endpoint(n) {
  const node = `node${n % 250}`
  const name = `${node}-docker-c${n}-eth0`
  const value = {
    kind: 'WorkloadEndpoint',
    apiVersion: 'projectcalico.org/v3',
    metadata: {name, namespace: 'default', labels: {'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'docker', app: `a${n % 40}`}},
    spec: {orchestrator: 'docker', workload: `c${n}`, node, endpoint: 'eth0', ipNetworks: [`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}/32`], profiles: [`p${n % PROFILES}`], interfaceName: `cali${n.toString(16)}`, mac: 'ee:ee:ee:ee:ee:ee'},
  }
  return `put ${PREFIX}${name} ${JSON.stringify(JSON.stringify(value))}`
}

/** Time and peak memory of a command whose output goes to a file. @param {readonly string[]} words */
function measured(words) {
  const report = join(folder, 'rusage')
  const preload = `data:text/javascript,${encodeURIComponent(`import {writeFileSync} from 'node:fs'; process.on('exit', () => writeFileSync(${JSON.stringify(report)}, String(process.resourceUsage().maxRSS)))`)}`
  const output = openSync(join(folder, 'output'), 'w')
  const start = process.hrtime.bigint()
  const {status, stderr} = spawnSync(process.execPath, ['--import', preload, calicoctl, ...words, '--timeout', TIMEOUT], {env, stdio: ['ignore', output, 'pipe'], encoding: 'utf8'})
  const ms = Number(process.hrtime.bigint() - start) / 1e6
  closeSync(output)
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}\n${stderr}`)
  return {ms, mb: Number(readFileSync(report, 'utf8')) / 1024}
}

/** @param {readonly string[]} command @param {string} [input] */
function run([file = '', ...args], input = '') {
  const {status, stderr} = spawnSync(file, args, {env, input, encoding: 'utf8', maxBuffer: Infinity})
  if (status !== 0) throw new Error(`${[file, ...args].join(' ').slice(0, 200)} ended with ${status}\n${stderr}`)
}
