/**
 * node bench/policy.mjs [ROUNDS]: 10,000 endpoints in 200 groups (and, harder, in 2,000), 2,000 profiles and 200 policies: time and resident memory of what looks at all of them,
 * beside etcdctl's reading of the same keys. Wanted: less than 10 s and 500 MB each; `policy explain`: 2 s, `policy test` of 10,000 probes: 5 s, and in a small store at most 1.15 times `profile show`.
 */
import {spawnSync} from 'node:child_process'
import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {compare, median} from './measure.mjs'
import {environment, installed, startEtcd, temporaryFolder} from './setting.mjs'

const ENDPOINTS = 10_000
const GROUPS = 200
const PROFILES = 2_000
const POLICIES = 200
const NODES = 100
const PROBES = 10_000
const PER_TRANSACTION = 100
const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const LONGEST_MS = 10_000
const MOST_MB = 500

const rounds = Number(process.argv[2] ?? 3)
const env = environment(await startEtcd())
const calicoctl = installed()
const peak = join(temporaryFolder(), 'peak')

run([process.execPath, calicoctl, 'pool', 'add', '10.0.0.0/8'])
for (const {name, median: time, ratio, limit} of compare(
  [
    {name: 'profile show', command: [process.execPath, calicoctl, 'profile', 'show']},
    {name: 'policy explain', command: [process.execPath, calicoctl, 'policy', 'explain', '10.0.0.1', '10.0.0.2', 'tcp/80'], limit: 1.15},
  ],
  {rounds: 10 * rounds, env: {...process.env, ...env}},
)) console.log(`small store: ${name.padEnd(18)} ${time.toFixed(0).padStart(6)} ms  ${ratio.toFixed(2)} ×${limit === undefined ? '' : ` (wanted ≤ ${limit}${ratio > limit ? ', missed' : ''})`}`)
/** Each command with the exit codes with which it has done its work, and the time that it may take. @type {Record<string, {command: string[], codes: number[], longest?: number}>} */
const cases = {
  'etcdctl get --prefix': {command: ['etcdctl', 'get', '--prefix', RESOURCES], codes: [0]},
  'calicoctl policy explain': {command: [process.execPath, calicoctl, 'policy', 'explain', 'w1', 'w2', 'tcp/9000'], codes: [0], longest: 2_000},
  'calicoctl policy matrix': {command: [process.execPath, calicoctl, 'policy', 'matrix'], codes: [0]},
  'calicoctl policy matrix -o json': {command: [process.execPath, calicoctl, 'policy', 'matrix', '-o', 'json'], codes: [0]},
  'calicoctl policy test': {command: [process.execPath, calicoctl, 'policy', 'test', probeFile()], codes: [0], longest: 5_000},
  'calicoctl profile rule add --flows': {command: [process.execPath, calicoctl, 'profile', 'p1', 'rule', 'add', 'inbound', 'allow', 'tcp', 'to', 'ports', '22', '--dry-run', '--flows'], codes: [0]},
  'calicoctl lint': {command: [process.execPath, calicoctl, 'lint'], codes: [0]},
}

for (const {groups, profilesOf} of [
  {groups: GROUPS, profilesOf: (/** @type {number} */ at) => Array.from({length: PROFILES / GROUPS}, (_, i) => `p${(at % GROUPS) * (PROFILES / GROUPS) + i}`)},
  // Harder than what is promised: each profile is a group of its own.
  {groups: PROFILES, profilesOf: (/** @type {number} */ at) => [`p${at % PROFILES}`]},
]) {
  const puts = [...objects(profilesOf)].map(([key, value]) => `put ${RESOURCES}${key} ${JSON.stringify(JSON.stringify(value))}`)
  for (let at = 0; at < puts.length; at += PER_TRANSACTION) run(['etcdctl', 'txn'], `\n${puts.slice(at, at + PER_TRANSACTION).join('\n')}\n\n\n`)
  console.log(`\n${ENDPOINTS} endpoints in ${groups} groups, ${PROFILES} profiles, ${POLICIES} policies; ${PROBES} probes; ${rounds} rounds\n`)
  for (const [name, {command, codes, longest = LONGEST_MS}] of Object.entries(cases)) {
    const times = Array.from({length: rounds}, () => {
      const start = process.hrtime.bigint()
      run(command, undefined, codes)
      return Number(process.hrtime.bigint() - start) / 1e6
    })
    run(['/usr/bin/env', 'sh', '-c', '"$@" > /dev/null & pid=$!; m=0; while [ -e /proc/$pid/status ]; do v=$(sed -n "s/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p" /proc/$pid/status 2>/dev/null); [ "${v:-0}" -gt "$m" ] && m=$v; done; echo "$m" > "$PEAK"', 'sh', ...command], undefined, [0])
    const memory = Number(readFileSync(peak, 'utf8')) / 1024
    const kept = median(times) < longest && memory < MOST_MB
    console.log(`${name.padEnd(34)} ${median(times).toFixed(0).padStart(6)} ms  ${memory.toFixed(0).padStart(4)} MB at most${name.startsWith('calicoctl') ? `  ${kept ? 'kept' : 'missed'}` : ''}`)
  }
}
process.exit(0)

/** A file of probes between endpoints, without expectations. @returns {string} */
function probeFile() {
  const file = join(temporaryFolder(), 'probes.json')
  const address = (/** @type {number} */ at) => `10.0.${(at >> 8) & 255}.${at & 255}`
  const probes = Array.from({length: PROBES}, (_, at) => ({from: {ip: address(at % ENDPOINTS)}, to: {ip: address((at * 31 + 7) % ENDPOINTS)}, proto: 'tcp', dport: 1 + at}))
  writeFileSync(file, JSON.stringify({apiVersion: 'calicoctl/v1', kind: 'PolicyTest', probes}))
  return file
}

/**
 * The keys below RESOURCES, with their objects.
 * @param {(endpoint: number) => string[]} profilesOf
 * @returns {Generator<[string, object]>}
 */
function* objects(profilesOf) {
  /** @type {(kind: string, name: string, spec: object, more?: object) => object} */
  const object = (kind, name, spec, more = {}) => ({kind, apiVersion: 'projectcalico.org/v3', metadata: {name, uid: '23df7bce-00f2-4dd7-a79c-a271a36dc84f', creationTimestamp: '2026-11-21T10:04:21Z', ...more}, spec})
  for (let at = 0; at < NODES; at++) yield [`nodes/n${at}`, object('Node', `n${at}`, {bgp: {ipv4Address: `192.0.2.${at + 1}/24`}})]
  for (let at = 0; at < PROFILES; at++) {
    const name = `p${at}`
    const ingress = [{action: 'Allow', source: {selector: `has(${name})`}, destination: {}}, {action: 'Allow', protocol: 'TCP', source: {selector: `has(p${(at + 7) % PROFILES})`}, destination: {ports: [9000, '9100:9110']}}]
    yield [`profiles/${name}`, object('Profile', name, {ingress, egress: [{action: 'Allow', source: {}, destination: {}}], labelsToApply: {[name]: ''}})]
  }
  for (let at = 0; at < POLICIES; at++) {
    const name = `policy-${at}`
    const ingress = [{action: 'Allow', protocol: 'TCP', source: {selector: `group == 'g${(at + 1) % GROUPS}'`}, destination: {ports: [443]}}, {action: 'Pass', source: {}, destination: {}}]
    yield [`globalnetworkpolicies/${name}`, object('GlobalNetworkPolicy', name, {tier: 'default', order: at, selector: `group == 'g${at % GROUPS}'`, types: ['Ingress'], ingress})]
  }
  for (let at = 0; at < ENDPOINTS; at++) {
    const node = `n${at % NODES}`
    const name = `${node}-docker-w${at}-eth0`
    const labels = {group: `g${at % GROUPS}`, 'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'docker'}
    const spec = {orchestrator: 'docker', workload: `w${at}`, node, endpoint: 'eth0', ipNetworks: [`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}/32`], profiles: profilesOf(at), interfaceName: `cali${at.toString(16)}`, mac: 'ee:ee:ee:ee:ee:ee'}
    yield [`workloadendpoints/default/${name}`, object('WorkloadEndpoint', name, spec, {namespace: 'default', labels})]
  }
}

/**
 * @param {readonly string[]} command
 * @param {string} [input]
 * @param {readonly number[]} [codes]
 */
function run([program = '', ...words], input, codes = [0]) {
  const result = spawnSync(program, words, {env: {...process.env, ...env, PEAK: peak}, input, encoding: 'utf8', maxBuffer: 1e9})
  if (result.status === null || !codes.includes(result.status)) throw new Error(`${program} ${words.join(' ')} ended with ${result.status}: ${result.stderr}`)
  return result
}
