/**
 * node bench/lists.mjs [ENDPOINTS...]: what lists of many workload endpoints take, 10,000 and 50,000 by default: time, and peak memory, wanted below 200 MB for
 * documents, which are written as the pages come.
 */
import {spawnSync} from 'node:child_process'
import {closeSync, openSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {environment, installed, startEtcd, temporaryFolder} from './setting.mjs'

const PER_TRANSACTION = 100
const PREFIX = '/calico/resources/v3/projectcalico.org/workloadendpoints/default/'
const LIMIT_MB = 200
/** So that a busy machine is no failure. */
const TIMEOUT = '5m'

const env = environment(await startEtcd())
const folder = temporaryFolder()
const calicoctl = installed()
const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10_000, 50_000]

/** @type {readonly string[][]} */
const LISTS = [
  ['get', 'workloadendpoint', '-o', 'json'],
  ['get', 'workloadendpoint', '-o', 'yaml'],
  ['get', 'workloadendpoint', '-o', 'plain'],
  ['get', 'workloadendpoint', '-o', 'name'],
  ['get', 'workloadendpoint'],
  ['export', 'workloadendpoint'],
  ['endpoint', 'show', '-o', 'json'],
  ['endpoint', 'show'],
]

run(['etcdctl', 'del', '--prefix', '/calico/'])
run([process.execPath, calicoctl, 'profile', 'add', 'web'])
let made = 0
for (const count of counts) {
  while (made < count) {
    const puts = Array.from({length: Math.min(PER_TRANSACTION, count - made)}, (_, i) => endpoint(made + i))
    run(['etcdctl', 'txn'], `\n${puts.join('\n')}\n\n\n`)
    made += puts.length
  }
  console.log(`${count} endpoints`.padEnd(40), 'ms'.padStart(8), 'MB'.padStart(6))
  for (const words of LISTS) {
    const {ms, mb} = measured(words)
    const document = words.includes('-o') || words[0] === 'export'
    console.log(words.join(' ').padEnd(40), ms.toFixed(0).padStart(8), mb.toFixed(0).padStart(6), document && mb > LIMIT_MB ? `  wanted ≤ ${LIMIT_MB} MB  missed` : '')
  }
}
process.exit(0)

/** The put of endpoint number N. @param {number} n */
function endpoint(n) {
  const node = `node${n % 250}`
  const name = `${node}-docker-c${n}-eth0`
  const value = {
    kind: 'WorkloadEndpoint',
    apiVersion: 'projectcalico.org/v3',
    metadata: {name, namespace: 'default', labels: {'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'docker', app: `a${n % 40}`}},
    spec: {orchestrator: 'docker', workload: `c${n}`, node, endpoint: 'eth0', ipNetworks: [`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}/32`], profiles: ['web'], interfaceName: `cali${n.toString(16)}`, mac: 'ee:ee:ee:ee:ee:ee'},
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
  const {status, stderr} = spawnSync(file, args, {env, input, encoding: 'utf8'})
  if (status !== 0) throw new Error(`${[file, ...args].join(' ').slice(0, 200)} ended with ${status}\n${stderr}`)
}
