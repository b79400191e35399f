/** node bench/list.mjs [ROUNDS]: 10,000 profiles listed by name: time and resident memory, beside etcdctl's reading of the same keys. */
import {spawnSync} from 'node:child_process'
import {median} from './measure.mjs'
import {environment, installed, startEtcd, temporaryFolder} from './setting.mjs'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'

const PROFILES = 10_000
const PER_TRANSACTION = 100
const PREFIX = '/calico/resources/v3/projectcalico.org/profiles/'
const rounds = Number(process.argv[2] ?? 15)
const env = environment(await startEtcd())
const node = process.execPath
const calicoctl = installed()
const peak = join(temporaryFolder(), 'peak')

run([node, calicoctl, 'profile', 'add', 'first'])
const {stdout: template} = run(['etcdctl', 'get', '--print-value-only', `${PREFIX}first`])
for (let i = 1; i < PROFILES; i += PER_TRANSACTION) {
  const puts = Array.from({length: Math.min(PER_TRANSACTION, PROFILES - i)}, (_, j) => {
    const name = `profile-${String(i + j).padStart(5, '0')}`
    return `put ${PREFIX}${name} ${JSON.stringify(template.trim().replaceAll('first', name))}`
  })
  run(['etcdctl', 'txn'], `\n${puts.join('\n')}\n\n\n`)
}

/** @type {Record<string, string[]>} */
const cases = {
  'node -e 0': [node, '-e', '0'],
  'calicoctl version --cluster': [node, calicoctl, 'version', '--cluster'], // start-up with one request
  'etcdctl get --prefix': ['etcdctl', 'get', '--prefix', PREFIX],
  'calicoctl profile show -o name': [node, calicoctl, 'profile', 'show', '-o', 'name'],
}
/** @type {Record<string, {times: number[], memory: number[]}>} */
const results = Object.fromEntries(Object.keys(cases).map((name) => [name, {times: [], memory: []}]))
for (let round = 0; round < rounds; round++) {
  for (const [name, command] of Object.entries(cases)) {
    const start = process.hrtime.bigint()
    const {stdout} = run(command)
    results[name]?.times.push(Number(process.hrtime.bigint() - start) / 1e6)
    if (name.endsWith('-o name') && stdout.trim().split('\n').length !== PROFILES) throw new Error(`${stdout.trim().split('\n').length} names, not ${PROFILES}`)
    run(['/usr/bin/env', 'sh', '-c', '"$@" > /dev/null & pid=$!; m=0; while [ -e /proc/$pid/status ]; do v=$(sed -n "s/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p" /proc/$pid/status 2>/dev/null); [ "${v:-0}" -gt "$m" ] && m=$v; done; echo "$m" > "$PEAK"', 'sh', ...command], undefined, {PEAK: peak})
    results[name]?.memory.push(Number(readFileSync(peak, 'utf8')) / 1024)
  }
}

const time = (/** @type {string} */ name) => median(results[name]?.times ?? [])
const allowed = 3 * time('etcdctl get --prefix') + time('calicoctl version --cluster')
console.log(`${PROFILES} profiles, ${rounds} rounds\n`)
for (const [name, {times, memory}] of Object.entries(results)) {
  console.log(`${name.padEnd(31)} ${median(times).toFixed(0).padStart(5)} ms  ${Math.max(...memory).toFixed(0).padStart(4)} MB at most`)
}
const ours = 'calicoctl profile show -o name'
console.log(`\ntime wanted: ≤ 3 × etcdctl + start-up = ${allowed.toFixed(0)} ms: ${time(ours) <= allowed ? 'kept' : 'missed'}`)
console.log(`memory wanted: < 150 MB: ${Math.max(...(results[ours]?.memory ?? [])) < 150 ? 'kept' : 'missed'}`)
process.exit(0)

/**
 * @param {readonly string[]} command
 * @param {string} [input]
 * @param {NodeJS.ProcessEnv} [more]
 */
function run([file = '', ...args], input, more) {
  const result = spawnSync(file, args, {env: {...env, ...more}, input, encoding: 'utf8', maxBuffer: 1 << 30})
  if (result.status !== 0) throw new Error(`${file} ${args.join(' ')}: ${result.stderr}`)
  return result
}
