/**
 * node bench/ipam-check.mjs [ADDRESSES]: `ipam check` of 100,000 addresses, a handle and an endpoint each: time and resident memory, beside etcdctl's
 * reading of the same keys.
 */
import {spawnSync} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {median} from './measure.mjs'
import {environment, installed, startEtcd, temporaryFolder} from './setting.mjs'

const addresses = Number(process.argv[2] ?? 100_000)
const BLOCK = 64
const endpoint = await startEtcd()
const env = environment(endpoint)
const calicoctl = [process.execPath, installed()]
const peak = join(temporaryFolder(), 'peak')

run([...calicoctl, 'pool', 'add', '10.0.0.0/12'])
for (const puts of transactions()) await put(puts)

/** @type {Record<string, {command: string[], times: number[], memory: number[]}>} */
const cases = {
  'calicoctl version --cluster': {command: [...calicoctl, 'version', '--cluster'], times: [], memory: []}, // start-up with one request
  'etcdctl get --prefix': {command: ['etcdctl', 'get', '--prefix', '/calico/'], times: [], memory: []},
  'calicoctl ipam check': {command: [...calicoctl, 'ipam', 'check'], times: [], memory: []},
}
for (let round = 0; round < 5; round++) {
  for (const each of Object.values(cases)) {
    const start = process.hrtime.bigint()
    run(each.command)
    each.times.push(Number(process.hrtime.bigint() - start) / 1e6)
    run(['sh', '-c', '"$@" > /dev/null 2>&1 & pid=$!; m=0; while [ -e /proc/$pid/status ]; do v=$(sed -n "s/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p" /proc/$pid/status 2>/dev/null); [ "${v:-0}" -gt "$m" ] && m=$v; sleep 0.02; done; echo "$m" > "$PEAK"', 'sh', ...each.command])
    each.memory.push(Number(readFileSync(peak, 'utf8')) / 1024)
  }
}
console.log(`${addresses} addresses, a handle and an endpoint each`)
for (const [name, {times, memory}] of Object.entries(cases)) console.log(`${name.padEnd(30)} ${median(times).toFixed(0).padStart(6)} ms ${Math.max(...memory).toFixed(0).padStart(5)} MB`)
const ratio = median(cases['calicoctl ipam check']?.times ?? []) / median(cases['etcdctl get --prefix']?.times ?? [])
const most = Math.max(...(cases['calicoctl ipam check']?.memory ?? []))
console.log(`the check takes ${ratio.toFixed(2)} × the list (wanted ≤ 3.00${ratio > 3 ? ', missed' : ''}) and ${most.toFixed(0)} MB (wanted < 300${most >= 300 ? ', missed' : ''})`)
process.exit(0)

/** The keys of all blocks with what belongs to them, in portions for one transaction each. */
function* transactions() {
  /** @type {[string, string][]} */
  let puts = []
  for (let first = 0; first < addresses; first += BLOCK) {
    const count = Math.min(BLOCK, addresses - first)
    const at = (/** @type {number} */ i) => `10.${(i >> 16) & 15}.${(i >> 8) & 255}.${i & 255}`
    const node = `n${(first / BLOCK) % 100}`
    const cidr = `${at(first)}/26`
    const ordinals = Array.from({length: BLOCK}, (_, i) => i)
    const block = {
      cidr,
      affinity: `host:${node}`,
      affinity_claim_time: '2026-06-24T18:40:00Z',
      allocations: ordinals.map((i) => (i < count ? i : null)),
      unallocated: ordinals.slice(count),
      attributes: ordinals.slice(0, count).map((i) => ({handle_id: `docker.w${first + i}`, secondary: {node}})),
      sequenceNumber: 0,
      sequenceNumberForAllocation: Object.fromEntries(ordinals.slice(0, count).map((i) => [i, 0])),
      deleted: false,
    }
    const segment = cidr.replace('/', '-')
    const text = JSON.stringify(block).replaceAll(':0,', ':1782326400123456789,').replace(/"(\d+)":0/g, '"$1":1782326400123456789')
    puts.push([`/calico/ipam/v2/assignment/ipv4/block/${segment}`, text], [`/calico/ipam/v2/host/${node}/ipv4/block/${segment}`, '{"state":"confirmed","deleted":false}'])
    for (let i = first; i < first + count; i++) {
      const name = `${node}-docker-w${i}-eth0`
      const endpointObject = {
        kind: 'WorkloadEndpoint',
        apiVersion: 'projectcalico.org/v3',
        metadata: {name, namespace: 'libnetwork', uid: 'd7c2b7a1-0000-4000-8000-000000000009', creationTimestamp: '2026-06-24T18:32:35Z', labels: {'projectcalico.org/namespace': 'libnetwork', 'projectcalico.org/orchestrator': 'docker'}, annotations: {'calicoctl/workload': `Workload_${i}`}},
        spec: {orchestrator: 'docker', workload: `w${i}`, node, containerID: `${i}`.padStart(64, '0'), endpoint: 'eth0', ipNetworks: [`${at(i)}/32`], profiles: ['web'], interfaceName: `cali${i}`, mac: '02:00:00:00:00:01'},
      }
      puts.push([`/calico/ipam/v2/handle/docker.w${i}`, `{"block":{"${cidr}":1},"deleted":false}`], [`/calico/resources/v3/projectcalico.org/workloadendpoints/libnetwork/${name}`, JSON.stringify(endpointObject)])
      if (puts.length >= 120) {
        yield puts
        puts = []
      }
    }
  }
  yield puts
}

/** @param {readonly [string, string][]} puts */
async function put(puts) {
  const base64 = (/** @type {string} */ text) => Buffer.from(text).toString('base64')
  const body = JSON.stringify({success: puts.map(([key, value]) => ({requestPut: {key: base64(key), value: base64(value)}}))})
  const answer = await fetch(`${endpoint}/v3/kv/txn`, {method: 'POST', body})
  if (!answer.ok) throw new Error(await answer.text())
}

/** @param {string[]} command */
function run([file = '', ...args]) {
  const result = spawnSync(file, args, {env: {...env, PEAK: peak}, encoding: 'utf8', maxBuffer: 2 ** 30})
  if (result.status !== 0) throw new Error(`${file} ${args.join(' ')}: ${result.status}\n${result.stdout.slice(0, 2_000)}${result.stderr}`)
  return result
}
