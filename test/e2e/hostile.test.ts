/**
 * A store that somebody with write access has filled with what steers terminals, hides, and forges lines, in every text of every object: nothing of it
 * reaches stdout or stderr as it is, whatever command shows it and in whatever format (design.md §5).
 */
import {spawnSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {parse} from 'yaml'
import {checkBuild} from '../support/cli.js'

/** One of each: escape sequences, C1, DEL, NEL, both separators, bidi, zero-width, tags, fillers, private, unassigned, half a pair, line feeds, tabs. */
const HOSTILE = 'x\u001b[31m\u009b1m\u007f\u0085\u2028\u2029\u202e\u2066\u00ad\u200b\u{e0041}\u3164\ue000\u0378\u{f0000}\ud800\r\t\nFORGED: "$(touch x)\' -rf'
const FORGED = 'FORGED'
/** What may be on no terminal; line feeds end our own lines, and tabs stand between the cells of -o plain. */
const BANNED = /[^\P{C}\n]|[\p{Zl}\p{Zp}\u3164]/u

const FORMATS = ['table', 'wide', 'json', 'yaml', 'plain', 'name'] as const
const RESOURCES = '/calico/resources/v3/projectcalico.org/'

interface Output {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

let folder: string
let hostile: string
beforeAll(() => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-hostile-'))
  hostile = store('hostile', hostileStore())
  const begin = Object.fromEntries(['time', 'user', 'sudoUser', 'host', 'command'].map((member) => [member, HOSTILE]))
  const changes = [`${RESOURCES}profiles/web`, `${RESOURCES}profiles/${HOSTILE}`, HOSTILE].map((key) => ({key, before: HOSTILE, after: JSON.stringify({metadata: {name: HOSTILE}})}))
  mkdirSync(join(folder, '.local/state/calicoctl'), {recursive: true})
  writeFileSync(join(folder, '.local/state/calicoctl/journal.jsonl'), ['a', HOSTILE].map((id) => `${JSON.stringify({v: 1, id, begin: {...begin, words: [HOSTILE, 'x']}, cluster: HOSTILE, revision: HOSTILE, changes})}\n`).join(''))
  mkdirSync(join(folder, '.local/state/calicoctl/confirm'))
  const process = {pid: HOSTILE, started: HOSTILE, namespace: HOSTILE}
  const waiting = {v: 1, id: 'a', words: [HOSTILE], cluster: HOSTILE, host: HOSTILE, within: 1000, deadline: '2026-01-01T00:00:00Z', command: process, timer: process, failed: HOSTILE, options: {}, folder: HOSTILE, env: {}}
  writeFileSync(join(folder, '.local/state/calicoctl/confirm/c-a.json'), JSON.stringify(waiting))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

/** A store with ENTRIES, as --datastore has it. */
function store(name: string, entries: Readonly<Record<string, string>>): string {
  const path = join(folder, `${name}.json`)
  const keys = Object.entries(entries).map(([key, value], at) => [key, value, String(at + 2), String(at + 2), '1'])
  writeFileSync(path, JSON.stringify({format: 'calicoctl-store/1', revision: String(keys.length + 1), compacted: '0', keys, log: []}), {mode: 0o600})
  return `embedded:${path}`
}

/** The results of LINES, on the hostile store unless they name another. */
function run(lines: readonly (readonly string[])[]): readonly (Output & {readonly line: readonly string[]})[] {
  const {stderr, output} = spawnSync(process.execPath, [resolve(import.meta.dirname, '../support/many-lines.mjs')], {
    input: JSON.stringify(lines),
    stdio: ['pipe', 'inherit', 'pipe', 'pipe'],
    env: {PATH: process.env.PATH, HOME: folder, CALICO_DATASTORE: hostile, HOSTNAME: 'h1', DOCKER_HOST: `unix://${folder}/none`},
    encoding: 'utf8',
    maxBuffer: 1e9,
  })
  if (!output[3]) throw new Error(`the lines did not come to their end: ${stderr}`)
  return (JSON.parse(output[3]) as Output[]).map((result, at) => ({...result, line: lines[at] ?? []}))
}

/** Where OUTPUT has something that it must not have. */
function faults({line, stdout, stderr}: {readonly line: readonly string[]; readonly stdout: string; readonly stderr: string}): string[] {
  const plain = line.includes('plain')
  return [['stdout', plain ? stdout.replaceAll('\t', '') : stdout], ['stderr', stderr]].flatMap(([stream, text = '']) => {
    const at = text.search(BANNED)
    const forged = text.split('\n').find((each) => each.startsWith(FORGED))
    return [
      ...(at < 0 ? [] : [`${JSON.stringify(line)} ${stream}: ${JSON.stringify(text.slice(Math.max(0, at - 60), at + 20))}`]),
      ...(forged === undefined ? [] : [`${JSON.stringify(line)} ${stream} has a forged line: ${forged}`]),
    ]
  })
}

type Json = string | number | boolean | null | readonly Json[] | {readonly [key: string]: Json}

/** VALUE with one of its texts or keys replaced by HOSTILE or having it at its end, once for each of them. */
function variants(value: Json): Json[] {
  if (typeof value === 'string') return [HOSTILE, value + HOSTILE]
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((member, at, all) => variants(member).map((each) => all.with(at, each)))
  const members = value as Readonly<Record<string, Json>>
  return Object.entries(members).flatMap(([key, member]) => [
    ...variants(member).map((each) => ({...members, [key]: each})),
    Object.fromEntries(Object.entries(members).map(([name, of]) => [name === key ? key + HOSTILE : name, of])),
  ])
}

const object = (kind: string, name: string, spec: Json, metadata: Readonly<Record<string, Json>> = {}): Json => ({
  kind,
  apiVersion: 'projectcalico.org/v3',
  metadata: {name, uid: 'a6fd31a4-6c2f-4d4b-9b0b-2f6a4a0c0a0a', creationTimestamp: '2026-11-21T10:04:21Z', ...metadata},
  spec,
})

const RULE = {
  action: 'Allow',
  protocol: 'TCP',
  metadata: {annotations: {note: 'n'}},
  source: {selector: 'has(web)', nets: ['10.0.0.0/8'], ports: ['80:90']},
  destination: {notSelector: "a == 'b'", ports: [80, 'http'], serviceAccounts: {names: ['s'], selector: 'all()'}},
  http: {methods: ['GET'], paths: [{exact: '/a'}]},
}
const NAMED = {labels: {role: 'db'}, annotations: {'calicoctl/name': 'X', 'calicoctl/network': 'ab'.repeat(32), 'calicoctl/network-name': 'front', 'calicoctl/container': 'c1', 'calicoctl/workload': 'w', 'calicoctl/namespace': '/n'}}

/** An object of each kind that we read, under the plural of its kind. */
const OBJECTS: Readonly<Record<string, Json>> = {
  bgpconfigurations: object('BGPConfiguration', 'default', {logSeverityScreen: 'Info', asNumber: 64512, nodeToNodeMeshEnabled: true}, NAMED),
  bgppeers: object('BGPPeer', 'p', {peerIP: '10.0.0.9', asNumber: 64512, node: 'h1', peerSelector: 'all()'}, NAMED),
  felixconfigurations: object('FelixConfiguration', 'default', {logSeverityScreen: 'Info', interfacePrefix: 'cali'}, {annotations: {'config.projectcalico.org/LogSeverityScreen': 'none'}}),
  globalnetworkpolicies: object('GlobalNetworkPolicy', 'default.p', {tier: 'default', selector: 'all()', types: ['Ingress'], ingress: [RULE]}, NAMED),
  globalnetworksets: object('GlobalNetworkSet', 's', {nets: ['10.0.0.0/8']}, NAMED),
  hostendpoints: object('HostEndpoint', 'he', {node: 'h1', interfaceName: 'eth0', expectedIPs: ['10.0.0.1'], profiles: ['web']}, NAMED),
  ippools: object('IPPool', 'pool', {cidr: '10.0.0.0/16', ipipMode: 'Never', vxlanMode: 'Never', nodeSelector: 'all()', assignmentMode: 'Automatic', blockSize: 26}, NAMED),
  ipreservations: object('IPReservation', 'r', {reservedCIDRs: ['10.0.0.0/24']}, NAMED),
  nodes: object('Node', 'h1', {bgp: {ipv4Address: '10.0.0.1/24', ipv6Address: 'fd00::1/64', asNumber: 1, ipv4IPIPTunnelAddr: '10.0.0.2', routeReflectorClusterID: '1.2.3.4'}, orchRefs: [{nodeName: 'n', orchestrator: 'k8s'}], ipv4VXLANTunnelAddr: '10.0.0.3'}, NAMED),
  profiles: object('Profile', 'web', {ingress: [RULE, {action: 'Allow', source: {selector: 'has(web)'}, destination: {}}], egress: [{action: 'Allow', source: {}, destination: {}}], labelsToApply: {web: '', role: 'db'}}, NAMED),
  tiers: object('Tier', 'default', {order: 100, defaultAction: 'Deny'}, NAMED),
  'workloadendpoints/default': object('WorkloadEndpoint', 'h1-docker-a-eth0', {orchestrator: 'docker', workload: 'a', node: 'h1', endpoint: 'eth0', containerID: 'c', ipNetworks: ['10.0.0.7/32'], ipNATs: [{internalIP: '10.0.0.7', externalIP: '1.2.3.4'}], profiles: ['web'], interfaceName: 'cali1', mac: 'ee:ee:ee:ee:ee:ee', ports: [{name: 'http', port: 80, protocol: 'TCP'}]}, {namespace: 'default', ...NAMED}),
}
const IPAM: Readonly<Record<string, Json>> = {
  '/calico/ipam/v2/assignment/ipv4/block/10.0.N.0-26': {cidr: '10.0.N.0/26', affinity: 'host:h1', allocations: [0, ...Array<null>(63).fill(null)], unallocated: Array.from({length: 63}, (_, at) => at + 1), attributes: [{handle_id: 'docker.a', secondary: {node: 'h1', type: 't'}}], sequenceNumber: 1, deleted: false},
  '/calico/ipam/v2/handle/docker.N': {handleID: 'docker.N', block: {'10.0.0.0/26': 1}, deleted: false},
  '/calico/ipam/v2/host/h1/ipv4/block/10.0.N.0-26': {state: 'confirmed', deleted: false},
}
const CLUSTER = object('ClusterInformation', 'default', {clusterGUID: 'a6fd31a46c2f4d4b9b0b2f6a4a0c0a0a', clusterType: 'docker', calicoVersion: 'v3', datastoreReady: true}, NAMED)

function hostileStore(): Record<string, string> {
  const entries: Record<string, string> = {[`${RESOURCES}clusterinformations/default`]: JSON.stringify(object('ClusterInformation', 'default', {clusterGUID: 'a6fd31a46c2f4d4b9b0b2f6a4a0c0a0a', clusterType: `docker${HOSTILE}`, calicoVersion: HOSTILE, datastoreReady: true}))}
  for (const [place, value] of Object.entries(OBJECTS)) {
    const {name} = (value as {metadata: {name: string}}).metadata
    const named = (text: string, each: Json) => ({...(each as object), metadata: {...(each as {metadata: object}).metadata, name: text}})
    entries[`${RESOURCES}${place}/${name}`] = JSON.stringify(value)
    entries[`${RESOURCES}${place}/key${HOSTILE}`] = JSON.stringify(named(`key${HOSTILE}`, value))
    entries[`${RESOURCES}${place}/bad${HOSTILE}`] = HOSTILE
    variants(value).forEach((each, at) => (entries[`${RESOURCES}${place}/${name}${at}`] = JSON.stringify(each).replace(`"name":"${name}"`, `"name":"${name}${at}"`)))
  }
  for (const [key, value] of Object.entries(IPAM)) {
    const filled = (text: string, at: number): string => text.replaceAll('.N', `.${at}`)
    ;[value, ...variants(value)].forEach((each, at) => (entries[filled(key, at)] = filled(JSON.stringify(each), at)))
  }
  for (const key of ['handle/x', 'host/h1/ipv4/block/x', 'assignment/ipv4/block/x']) entries[`/calico/ipam/v2/${key}${HOSTILE}`] = HOSTILE
  entries[`/calico/ipam/v2/handle/docker.${HOSTILE}`] = '{"block":{"10.0.0.0/26":1}}'
  entries[`/calico/ipam/v2/host/${HOSTILE}/ipv4/block/10.0.0.0-26`] = '{"state":"confirmed"}'
  entries[`${RESOURCES}${HOSTILE}/x`] = '{}'
  return entries
}

const KINDS = ['bgpconfig', 'bgppeer', 'clusterinfo', 'felixconfig', 'gnp', 'globalnetworkset', 'hep', 'pool', 'ipreservation', 'node', 'profile', 'tier', 'wep', 'block', 'affinity', 'handle', 'ipamconfig', 'kinds']
const profiles = Object.keys(hostileStore()).filter((key) => key.startsWith(`${RESOURCES}profiles/web`)).map((key) => key.slice(`${RESOURCES}profiles/`.length))

const SHOWING: readonly string[] = [
  ...KINDS.map((kind) => `get ${kind}`),
  'get wep -A', 'profile show', 'profile show --detailed', 'endpoint show', 'endpoint show --detailed', 'endpoint h1-docker-a-eth0 profile show', 'endpoint eth0 profile show',
  'pool show', 'bgp peer show', 'node bgp peer show', 'node show', 'bgp node-mesh', 'bgp default-node-as', 'config felix loglevel', 'config bgp loglevel', 'config node bgp loglevel', 'config view', 'config grants',
  'ipam info 10.0.0.0', 'ipam show', 'ipam show --show-blocks', 'ipam show --ip 10.0.0.0', 'ipam check', 'lint --level info', 'lint codes', 'schema', 'schema ProfileList', 'datastore status', 'version --cluster', 'status --all', 'status', 'endpoint gc', 'mesos gc',
  'history', 'history profile web',
  'policy explain any any tcp/80', 'policy explain any any', 'policy matrix', 'policy explain 10.0.0.1 10.0.0.2 icmp/8',
  'confirm --list',
]

describe('a hostile store', () => {
  test.each(FORMATS)('-o %s: nothing of it is shown as it is', (format) => {
    const lines = [...SHOWING.map((line) => line.split(' ')), ...Array.from({length: 6}, (_, at) => ['ipam', 'info', `10.0.${at}.0`])].map((line) => [...line, '-o', format])
    const results = run(lines)
    expect(results.flatMap(faults)).toEqual([])
    expect(results.filter(({stdout}) => stdout !== '').length).toBeGreaterThan(30)
  })

  test('a picture of it has nothing as it is, in any of its forms', () => {
    const results = run(['html', 'svg', 'dot'].map((form) => ['policy', 'picture', '-o', form]))
    expect(results.flatMap(faults)).toEqual([])
    for (const {stdout} of results) expect(stdout.length).toBeGreaterThan(500)
  })

  test('every profile: its rules, tags and documents', () => {
    const lines = profiles.flatMap((name) => [
      ['profile', name, 'rule', 'show'],
      ['profile', name, 'rule', 'json'],
      ['profile', name, 'tag', 'show'],
      ['profile', name, 'tag', 'add', 'new', '--dry-run'],
    ])
    const results = run(lines)
    expect(results.flatMap(faults)).toEqual([])
    for (const {line, code, stdout} of results) if (line[3] === 'json' && code === 0) expect(() => JSON.parse(stdout) as unknown).not.toThrow()
  })

  test('JSON and YAML say the same, and what is stored', () => {
    const lines = [...KINDS.map((kind) => `get ${kind}`), 'get wep -A', 'endpoint show --detailed', 'pool show', 'node show', 'ipam info 10.0.0.0', 'version --cluster'].map((line) => line.split(' '))
    const json = run(lines.map((line) => [...line, '-o', 'json']))
    const yaml = run(lines.map((line) => [...line, '-o', 'yaml']))
    json.forEach(({line, code, stdout}, at) => {
      const [first, second] = [JSON.parse(stdout) as unknown, parse(yaml[at]?.stdout ?? '', {maxAliasCount: -1}) as unknown]
      expect({line, code}).toEqual({line, code: 0})
      // Half a pair cannot be said in YAML: it is no character.
      expect(JSON.stringify(second).replaceAll('\\ud800', '\ufffd')).toBe(JSON.stringify(first).replaceAll('\\ud800', '\ufffd'))
    })
    const shown = (JSON.parse(json[KINDS.indexOf('tier')]?.stdout ?? '') as {items: {metadata: {annotations?: Record<string, string>}}[]}).items
    const annotations = shown.map(({metadata}) => metadata.annotations ?? {})
    expect(annotations.map((all) => all['calicoctl/name'])).toContain(HOSTILE)
    expect(annotations.some((all) => Object.hasOwn(all, `calicoctl/name${HOSTILE}`))).toBe(true)
  })

  test('-o name prints nothing that a shell could take for an option or for code', () => {
    const lines = SHOWING.map((line) => [...line.split(' '), '-o', 'name'])
    const names = run(lines).flatMap(({stdout}) => stdout.split('\n')).filter((name) => name !== '')
    expect(names.length).toBeGreaterThan(500)
    expect(names.filter((name) => !/^[A-Za-z0-9_.:/][A-Za-z0-9_.:/@%+,=-]*$/.test(name))).toEqual([])
  })

  test('a ClusterInformation with any text in it', () => {
    const stores = variants(CLUSTER).map((each, at) => store(`cluster${at}`, {[`${RESOURCES}clusterinformations/default`]: JSON.stringify(each)}))
    expect(stores.length).toBeGreaterThan(30)
    const lines = ['profile show', 'version --cluster', 'profile add new --dry-run'].map((line) => line.split(' '))
    expect(run(stores.flatMap((each) => lines.map((line) => [...line, '--datastore', each]))).flatMap(faults)).toEqual([])
  })
})

test('what is typed is not a line of ours either', () => {
  const lines = [
    [HOSTILE], ['get', HOSTILE], ['get', 'profile', HOSTILE], ['profile', 'add', HOSTILE], ['profile', HOSTILE, 'rule', 'show'], ['profile', 'web', 'tag', 'add', HOSTILE], ['profile', 'show', '-o', HOSTILE],
    ['profile', 'show', '--timeout', HOSTILE], ['profile', 'show', '--config', HOSTILE], ['profile', 'show', '--datastore', HOSTILE], ['profile', 'show', '--datastore', `embedded:${HOSTILE}`], ['profile', 'show', `--${HOSTILE}`],
    ['profile', 'show', '--expect-cluster', HOSTILE], ['profile', 'web', 'rule', 'add', 'inbound', 'allow', 'from', 'selector', HOSTILE], ['profile', 'web', 'rule', 'add', 'inbound', 'allow', HOSTILE],
    ['profile', 'web', 'rule', 'add', 'inbound', 'allow', 'tcp', 'to', 'ports', HOSTILE], ['profile', 'web', 'rule', 'remove', 'inbound', '--at', HOSTILE], ['pool', 'add', HOSTILE], ['pool', 'remove', HOSTILE], ['pool', 'range', 'add', HOSTILE, HOSTILE],
    ['bgp', 'peer', 'add', HOSTILE, 'as', HOSTILE], ['bgp', 'default-node-as', HOSTILE], ['config', 'felix', HOSTILE], ['config', 'felix', 'loglevel', HOSTILE], ['config', 'felix', HOSTILE, HOSTILE, '--force', '--dry-run'],
    ['endpoint', 'show', '--host', HOSTILE], ['endpoint', HOSTILE, 'profile', 'show'], ['endpoint', 'h1', 'profile', 'set', HOSTILE], ['ipam', 'info', HOSTILE], ['ipam', 'release', HOSTILE], ['ipam', 'assign', HOSTILE], ['ipam', 'assign', '--handle', HOSTILE],
    ['node', 'show', '--node', HOSTILE], ['node', 'remove', '--hostname', HOSTILE], ['status', '--runtime', HOSTILE], ['help', HOSTILE], ['schema', HOSTILE], ['completion', HOSTILE], ['__complete', '--', HOSTILE, 'profile'], ['diags', '--log-dir', HOSTILE],
    ['patch', 'profile', HOSTILE, '-p', HOSTILE], ['patch', 'profile', 'web', '-p', JSON.stringify({spec: {[HOSTILE]: HOSTILE}})], ['label', 'profile', HOSTILE, HOSTILE], ['label', 'profile', 'web', `${HOSTILE}=a`],
    ['pool', 'move', HOSTILE, HOSTILE], ['ipam', 'split', HOSTILE, '--name', HOSTILE], ['ipam', 'split', '2', '--name', HOSTILE],
    ['policy', 'explain', HOSTILE, HOSTILE], ['policy', 'explain', '10.0.0.1', '10.0.0.2', HOSTILE], ['policy', 'test', HOSTILE], ['policy', 'picture', '-o', HOSTILE], ['policy', 'picture', '-o', `${HOSTILE}/x.svg`], ['policy', 'picture', '--from', HOSTILE],
    ['profile', HOSTILE, 'rule', 'show', '--debug'], ['get', 'profile', HOSTILE, '--debug'],
  ]
  expect(run(lines).flatMap(faults)).toEqual([])
})

/** What needs a container, an agent's files or a host of its own; these have tests of their own, and show through the same functions. */
const ELSEWHERE = ['container endpoint show', 'container profile show', 'mesos check', 'checksystem', 'ipam assign', 'profile rule show', 'profile rule json', 'profile tag show', 'create', 'apply', 'replace', 'delete', 'patch', 'label', 'batch', 'import', 'policy test', 'policy picture']

test('every command with -o is among the lines above', () => {
  const help = resolve(import.meta.dirname, '../../dist/help')
  const pages = readdirSync(help).filter((name) => readFileSync(join(help, name), 'utf8').includes('--output='))
  const commands = pages.map((name) => name.replace(/^calicoctl\.|\.txt$/g, '').replaceAll('.', ' '))
  expect(commands.length).toBeGreaterThan(20)
  const isShown = (command: string): boolean => SHOWING.some((line) => command.split(' ').every((word) => line.split(' ').includes(word)))
  expect(commands.filter((command) => !ELSEWHERE.includes(command) && !isShown(command))).toEqual([])
})
