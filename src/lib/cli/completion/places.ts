/** Which arguments and options of ours take names, and of what. Those of v0.20's grammar are in candidates.ts. */

/** What has names that can be looked up: in the datastore, in this user's journal, in the Docker Engine; or, `of:KIND`, all objects of a kind, by kind or word. */
export type NameKind =
  | 'profile' | 'tag' | 'pool' | 'node' | 'endpoint' | 'tier' | 'global-peer' | 'node-peer' | 'handle' | 'orchestrator' | 'workload' | 'namespace'
  | 'container' | 'any-container' | 'change' | 'waiting' | 'kind' | 'document' | 'lint-code' | `of:${string}`

/** What may stand in one place: names, words that are known, objects of the kind that the line names, or files, which the shell itself completes. */
export type Place = readonly (NameKind | {readonly words: readonly string[]} | 'object' | 'file')[]

const KIND: Place = ['kind']
/** Objects of the kind that the first argument names. */
const OBJECT: Place = ['object']
const FILE: Place = ['file']
/** An end of a flow as policy explain takes it. */
const PARTY: Place = [{words: ['any']}, 'endpoint', 'profile']

/** The arguments of commands of ours, by the command's id; the last place is that of all further words. */
export const OWN_ARGUMENTS: Readonly<Record<string, readonly Place[]>> = {
  batch: [FILE],
  confirm: [['waiting']],
  'datastore:restore': [FILE],
  'datastore:save': [FILE],
  delete: [KIND, OBJECT],
  edit: [KIND, OBJECT, []],
  'endpoint:remove': [['endpoint'], []],
  export: [KIND],
  get: [['kind', {words: ['affinity', 'block', 'handle', 'ipamconfig', 'kinds']}], OBJECT],
  history: [KIND, OBJECT, []],
  'ipam:assign': [[{words: ['ipv4', 'ipv6']}, 'pool'], []],
  label: [KIND, OBJECT, []],
  'lint:codes': [['lint-code'], []],
  patch: [KIND, OBJECT, []],
  'policy:explain': [PARTY, PARTY, [{words: ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp']}], []],
  'policy:test': [FILE],
  'pool:move': [['pool'], []],
  'pool:set': [['pool']],
  schema: [['document'], []],
  undo: [['change'], []],
}

/** The options that take names or files, by name. */
export const OPTIONS: Readonly<Record<string, Place>> = {
  cidr: ['pool'],
  config: FILE,
  endpoint: ['endpoint'],
  'etcd-v2-ca': FILE,
  'etcd-v2-cert': FILE,
  'etcd-v2-key': FILE,
  filename: FILE,
  from: PARTY,
  handle: ['handle'],
  host: ['node'],
  hostname: ['node'],
  ignore: ['lint-code'],
  library: FILE,
  'log-dir': FILE,
  metrics: FILE,
  name: ['of:IPPool'],
  namespace: ['namespace'],
  node: ['node'],
  orchestrator: ['orchestrator'],
  out: FILE,
  plan: FILE,
  plugin: FILE,
  profile: ['profile'],
  protocol: [{words: ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp']}],
  root: FILE,
  socket: FILE,
  tier: ['tier'],
  to: PARTY,
  workload: ['workload'],
}

/** Options that mean something else in these commands, by the command's id. */
export const OPTIONS_OF: Readonly<Record<string, Readonly<Record<string, Place>>>> = {
  import: {from: FILE},
  status: {runtime: [{words: ['docker']}]},
  'policy:picture': {output: [{words: ['html', 'svg', 'dot']}, 'file']},
}
