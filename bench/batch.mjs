/**
 * node bench/batch.mjs [ROUNDS]: many changes in one process. A batch of 1,000 lines, of 100 lines in one transaction, `apply -f` of 1,000 profiles, and
 * `export` of 10,000 objects: time as ratios within one run, beside the Go calicoctl where CALICOCTL_GO names it. The journal is on, as it is by default.
 */
import {spawnSync} from 'node:child_process'
import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {median} from './measure.mjs'
import {environment, installed, startEtcd, temporaryFolder} from './setting.mjs'

const LINES = 1_000
const PROFILES_OF_LINES = 20
const LINES_AT_ONCE = 100
const FILE_OBJECTS = 1_000
const OBJECTS = 10_000
const PER_TRANSACTION = 100
const PREFIX = '/calico/resources/v3/projectcalico.org/profiles/'

const rounds = Number(process.argv[2] ?? 3)
const env = environment(await startEtcd())
const node = process.execPath
const ours = [node, installed()]
const go = process.env.CALICOCTL_GO
const folder = temporaryFolder()
const peak = join(folder, 'peak')

const rule = (/** @type {string} */ profile, /** @type {number} */ n) => `profile ${profile} rule add inbound allow tcp from tag t${n} to ports ${1000 + n}`
const profile = (/** @type {string} */ name) => `apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata:\n  name: ${name}\nspec:\n  ingress:\n    - action: Allow\n      source:\n        selector: has(${name})\n  labelsToApply:\n    ${name}: ""\n`
const numbers = (/** @type {number} */ count) => Array.from({length: count}, (_, n) => n)

const files = {
  each: written('each.txt', numbers(LINES).map((n) => rule(`p${n % PROFILES_OF_LINES}`, n)).join('\n')),
  one: written('one.txt', numbers(LINES).map((n) => rule('p0', n)).join('\n')),
  atomic: written('atomic.txt', numbers(LINES_AT_ONCE).map((n) => rule(`p${n % PROFILES_OF_LINES}`, n)).join('\n')),
  single: written('single.yaml', profile('single')),
  objects: written('objects.yaml', numbers(FILE_OBJECTS).map((n) => profile(`f${n}`)).join('---\n')),
}

/** @type {Record<string, number[]>} */
const times = {}
for (let round = 0; round < rounds; round++) {
  for (const [name, lines] of [[`batch, ${PROFILES_OF_LINES} profiles`, files.each], ['batch, one profile', files.one]]) {
    emptied()
    time(name ?? '', [...ours, 'batch', '-q', lines ?? ''])
  }
  emptied()
  for (let again = 0; again < 5; again++) time('profile add', [...ours, 'profile', 'add', `single-${again}`])
  time('batch --atomic', [...ours, 'batch', '-q', '--atomic', files.atomic])
  if (go !== undefined) {
    for (let again = 0; again < 5; again++) time('Go apply, one profile', [go, 'apply', '--allow-version-mismatch', '-f', files.single])
    emptied()
    time('Go apply', [go, 'apply', '--allow-version-mismatch', '-f', files.objects])
    time('Go apply again', [go, 'apply', '--allow-version-mismatch', '-f', files.objects])
  }
  emptied()
  time('apply', [...ours, 'apply', '-q', '-f', files.objects])
  time('apply again', [...ours, 'apply', '-q', '-f', files.objects])
}

emptied()
const template = run(['etcdctl', 'get', '--print-value-only', `${PREFIX}p0`])
for (let i = PROFILES_OF_LINES; i < OBJECTS; i += PER_TRANSACTION) {
  const puts = numbers(PER_TRANSACTION).map((j) => `put ${PREFIX}e${i + j} ${JSON.stringify(template.trim().replaceAll('p0', `e${i + j}`))}`)
  run(['etcdctl', 'txn'], `\n${puts.join('\n')}\n\n\n`)
}
/** @type {number[]} */
const memory = []
for (let round = 0; round < rounds; round++) {
  time('start-up', [...ours, 'version', '--cluster'])
  time('etcdctl get --prefix', ['etcdctl', 'get', '--prefix', PREFIX])
  time('export', [...ours, 'export'])
  run(['sh', '-c', '"$@" > /dev/null & pid=$!; m=0; while [ -e /proc/$pid/status ]; do v=$(sed -n "s/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p" /proc/$pid/status 2>/dev/null); [ "${v:-0}" -gt "$m" ] && m=$v; done; echo "$m" > "$PEAK"', 'sh', ...ours, 'export'])
  memory.push(Number(readFileSync(peak, 'utf8')) / 1024)
}

const of = (/** @type {string} */ name) => median(times[name] ?? [])
for (const name of Object.keys(times)) console.log(`${name.padEnd(24)} ${of(name).toFixed(0).padStart(7)} ms`)
console.log()
if (go !== undefined) {
  const each = LINES * of('Go apply, one profile')
  atLeast(`${LINES} × Go apply ÷ batch, ${PROFILES_OF_LINES} profiles`, each / of(`batch, ${PROFILES_OF_LINES} profiles`), 25)
  atLeast(`${LINES} × Go apply ÷ batch, one profile`, each / of('batch, one profile'), 15)
  atMost(`apply of ${FILE_OBJECTS} profiles ÷ Go apply`, of('apply') / of('Go apply'), 1)
  atMost('again, unchanged ÷ Go apply again', of('apply again') / of('Go apply again'), 0.5)
}
atMost(`batch --atomic of ${LINES_AT_ONCE} lines ÷ profile add`, of('batch --atomic') / of('profile add'), 2.5)
atMost(`export of ${OBJECTS}, less start-up ÷ etcdctl get --prefix`, (of('export') - of('start-up')) / of('etcdctl get --prefix'), 8)
atMost('export: MB at most', Math.max(...memory), 150)
process.exit(0)

/** A store with the profiles of the lines, and nothing else. */
function emptied() {
  run(['etcdctl', 'del', '--prefix', '/calico/'])
  run([...ours, 'batch', '-q'], numbers(PROFILES_OF_LINES).map((n) => `profile add p${n}`).join('\n'))
}

/** Runs COMMAND and notes how long it takes. @param {string} name @param {readonly string[]} command */
function time(name, command) {
  const start = process.hrtime.bigint()
  run(command)
  times[name] = [...(times[name] ?? []), Number(process.hrtime.bigint() - start) / 1e6]
}

/** @param {readonly string[]} command @param {string} [input] */
function run([file = '', ...args], input = '') {
  const {status, stdout, stderr} = spawnSync(file, args, {env: {...env, CALICOCTL_JOURNAL: join(folder, 'journal.jsonl'), PEAK: peak}, input, encoding: 'utf8', maxBuffer: 1024 ** 3})
  if (status !== 0) throw new Error(`${[file, ...args].join(' ').slice(0, 200)} ended with ${status}\n${stderr}`)
  return stdout
}

/** @param {string} name @param {string} text */
function written(name, text) {
  writeFileSync(join(folder, name), `${text}\n`)
  return join(folder, name)
}

/** @param {string} what @param {number} value @param {number} limit */
function atLeast(what, value, limit) {
  console.log(`${what.padEnd(56)} ${value.toFixed(2).padStart(7)}  wanted ≥ ${limit}${value < limit ? '  missed' : ''}`)
}

/** @param {string} what @param {number} value @param {number} limit */
function atMost(what, value, limit) {
  console.log(`${what.padEnd(56)} ${value.toFixed(2).padStart(7)}  wanted ≤ ${limit}${value > limit ? '  missed' : ''}`)
}
