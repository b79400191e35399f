/** A store that has something of everything, lines of every command that shows something, and many lines in one process. */
import {spawnSync} from 'node:child_process'
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {parseJson} from '../../src/lib/json/json.js'
import {resourceKey} from '../../src/lib/model/keys.js'
import {isKindName, KINDS} from '../../src/lib/model/kinds.js'
import type {KindName, Resource} from '../../src/lib/model/resource.js'
import {goldenLines} from '../lib/model/golden.js'
import {dumpOf, oldProfile} from './v020-store.js'

export interface Output {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** LINE in words; '…' is one. */
export const wordsOf = (line: string): string[] => line.match(/'[^']*'|\S+/g)?.map((word) => word.replace(/^'|'$/g, '')) ?? []

export const storeFile = (folder: string): string => join(folder, 'store.json')

/** Runs LINES in one process in FOLDER, on its store, with MORE in the environment. */
export function runLines(folder: string, lines: readonly string[], more: Readonly<Record<string, string>> = {}): Output[] {
  const {stderr, output} = spawnSync(process.execPath, [resolve(import.meta.dirname, 'many-lines.mjs')], {
    input: JSON.stringify(lines.map(wordsOf)),
    stdio: ['pipe', 'inherit', 'pipe', 'pipe'],
    cwd: folder,
    env: {PATH: process.env.PATH, HOME: folder, CALICO_DATASTORE: `embedded:${storeFile(folder)}`, HOSTNAME: 'h1', DOCKER_HOST: `unix://${folder}/none`, ...more},
    encoding: 'utf8',
    maxBuffer: 1e9,
  })
  if (!output[3]) throw new Error(`the lines did not come to their end: ${stderr}`)
  return JSON.parse(output[3]) as Output[]
}

/** An object of each kind as Calico's own client has stored it. */
function objects(): Map<string, Resource> {
  const found = new Map<string, Resource>()
  for (const {kind, stored} of ['validation.jsonl', 'validation-more.jsonl'].flatMap((name) => goldenLines<{kind: string; stored?: string}>(name))) {
    if (stored !== undefined && isKindName(kind) && stored.length > JSON.stringify(found.get(kind) ?? '').length) found.set(kind, parseJson(stored) as Resource)
  }
  for (const kind of ['ClusterInformation', 'IPPool', 'Node', 'Tier']) found.delete(kind) // made by the lines below
  const settings = found.get('BGPConfiguration') // of another node, so that those of all nodes can be changed
  if (settings) found.set('BGPConfiguration', {...settings, metadata: {...settings.metadata, name: 'node.h9'}})
  return found
}

const PREPARED = [
  'profile add web', 'profile add db', 'profile web tag add front', 'profile web rule add inbound allow tcp from tag db to ports 80', 'profile web rule add inbound --at 1 allow icmp type 8 code 0',
  'pool add 10.1.0.0/16', 'pool add fd00:1::/64', 'bgp peer add 10.0.0.9 as 65000', 'create -f node.yaml', 'node bgp peer add 10.0.0.8 as 65001 --node h1',
  'ipam assign ipv4 --handle docker.w --node h1', 'ipam assign 10.1.5.5 --node h1 --handle leak', 'ipam assign ipv6 --handle six --node h1', 'create -f endpoint.yaml', 'ipam configure --strict-affinity true',
]

const NODE = 'kind: Node\napiVersion: projectcalico.org/v3\nmetadata: {name: h1}\nspec: {bgp: {ipv4Address: 10.9.0.1/24}}\n'
const endpoint = (number: number, profile: string): string =>
  `kind: WorkloadEndpoint\napiVersion: projectcalico.org/v3\nmetadata: {name: h1-docker-w${number}-eth0, namespace: default, labels: {role: ${profile}}}\nspec: {orchestrator: docker, workload: w${number}, node: h1, endpoint: eth0, ipNetworks: [10.1.0.${number}/32], profiles: [${profile}], interfaceName: cali${number}}\n`
const POLICY_TEST = 'apiVersion: calicoctl/v1\nkind: PolicyTest\nprobes:\n- web -> 10.1.0.2 tcp/80 allow\n- {from: {ip: 10.1.0.1}, to: {ip: 10.1.0.2}, proto: tcp, dport: 80, ipVersion: 4, expect: deny, by: {kind: NoMatch}}\n'

/** The commands with -o, and lines of each, without the format. What is refused, or finds something, is shown all the same. */
export const SHOWING: Readonly<Record<string, readonly string[]>> = {
  'apply': ['apply -f node.yaml', 'apply -f endpoint.yaml --dry-run --flows'],
  'batch': ['batch lines', 'batch lines --dry-run --flows', 'batch wrong --keep-going'],
  'bgp default-node-as': ['bgp default-node-as'],
  'bgp node-mesh': ['bgp node-mesh'],
  'bgp peer show': ['bgp peer show'],
  'config bgp': ['config bgp loglevel'],
  'config felix': ['config felix loglevel'],
  'config grants': ['config grants'],
  'config node bgp': ['config node bgp loglevel --node h1'],
  'config view': ['config view'],
  'confirm': ['confirm --list'],
  'create': ['create -f node.yaml --may-exist'],
  'datastore status': ['datastore status'],
  'delete': ['delete profile db --force --dry-run'],
  'endpoint profile show': ['endpoint eth0 --workload w1 profile show'],
  'endpoint show': ['endpoint show', 'endpoint show --detailed'],
  'get': [
    ...Object.values(KINDS).flatMap(({kind, plural, namespaced}) => {
      const word = kind === 'IPAMConfiguration' ? `${plural}.projectcalico.org` : plural // else it means what IPAM has
      return [`get ${word}${namespaced ? ' -A' : ''}`, `get ${word} --export`]
    }),
    'get profile web', 'get profile web db --export', 'get wep h1-docker-w1-eth0', 'get block', 'get affinity', 'get handle', 'get ipamconfig', 'get ipamconfig default', 'get handle six', 'get block 10.1.5.0/26', 'get affinity h1/10.1.5.0/26', 'get kinds', 'get -f node.yaml',
  ],
  'history': ['history', 'history profile web'],
  'import': ['import --from old.json --dry-run'],
  'ipam assign': ['ipam assign ipv4 --handle more --node h1'],
  'ipam check': ['ipam check'],
  'ipam info': ['ipam info 10.1.0.1', 'ipam info 10.1.5.5', 'ipam info 10.77.0.1'],
  'ipam show': ['ipam show', 'ipam show --show-blocks --show-nodes', 'ipam show --ip 10.1.5.5'],
  'label': ['label profile web role=x --dry-run'],
  'lint': ['lint --level info'],
  'lint codes': ['lint codes', 'lint codes rule-open'],
  'mesos check': ['mesos check'],
  'mesos gc': ['mesos gc --dry-run'],
  'node bgp peer show': ['node bgp peer show --node h1'],
  'node show': ['node show'],
  'patch': [`patch profile web -p '{"metadata":{"labels":{"a":"b"}}}' --dry-run`],
  'policy explain': ['policy explain any any', 'policy explain any any tcp/80', 'policy explain 10.1.0.1 10.1.0.2 icmp/8', 'policy explain 10.1.0.1 10.1.0.2', 'policy explain host:h1 10.1.0.2 udp/53', 'policy explain fd00:1::1 fd00:1::2 tcp/80 --ipv6'],
  'policy matrix': ['policy matrix'],
  'policy test': ['policy test probes.yaml'],
  'pool show': ['pool show', 'pool show --ipv6'],
  'profile rule json': ['profile web rule json'],
  'profile rule show': ['profile web rule show', 'profile db rule show'],
  'profile show': ['profile show', 'profile show --detailed'],
  'profile tag show': ['profile web tag show'],
  'replace': ['replace -f node.yaml'],
  'schema': ['schema'],
  'status': ['status --all'],
  'version': ['version', 'version --cluster'],
}

/** Fills FOLDER with the store, and with the files that SHOWING names. @throws Error if a line that fills it fails */
export function fillStore(folder: string): void {
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  write('node.yaml', NODE)
  write('endpoint.yaml', `${endpoint(1, 'web')}---\n${endpoint(2, 'db')}---\n${endpoint(3, 'db')}---\n${endpoint(4, 'db')}`)
  write('probes.yaml', POLICY_TEST)
  write('lines', 'profile add fromBatch\nprofile show\nprofile fromBatch tag add x\n')
  write('wrong', 'profile nosuch tag add x\nprofile show\n')
  write('old.json', dumpOf({...oldProfile('old'), '/calico/v1/nonsense': 'x'}))
  const failures = runLines(folder, PREPARED).flatMap(({code, stderr}, at) => (code === 0 ? [] : [`${PREPARED[at] ?? ''}: ${stderr}`]))
  if (failures.length > 0) throw new Error(failures.join('\n'))
  const file = storeFile(folder)
  const store = JSON.parse(readFileSync(file, 'utf8')) as {revision: string; keys: string[][]}
  const more = [...objects()].map(([kind, object]) => [resourceKey(kind as KindName, object.metadata.name, object.metadata.namespace), JSON.stringify(object), store.revision, store.revision, '1'])
  writeFileSync(file, JSON.stringify({...store, keys: [...store.keys, ...more].sort(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1))}))
  mkdirSync(join(folder, '.local/state/calicoctl/confirm'), {recursive: true})
  const process = {pid: 1, started: '1', namespace: 'pid:[1]'}
  const waiting = {v: 1, id: 'abc', words: ['profile', 'add', 'x'], cluster: 'c', host: 'h1', within: 1500, deadline: '2099-01-01T00:00:00Z', command: process, timer: process, failed: null, options: {}, folder: '/', env: {}}
  for (const [id, failed] of [['abc', null], ['abd', 'no answer']]) write(`.local/state/calicoctl/confirm/c-${id ?? ''}.json`, JSON.stringify({...waiting, id, failed}))
}
