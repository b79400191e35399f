/** Which arguments and options of ours take names, and of what. Those of v0.20's grammar are in candidates.ts. */

/** What has names that can be looked up: in the datastore, in this user's journal, in the Docker Engine; or, `of:KIND`, all objects of a kind, by kind or word. */
export type NameKind =
  | 'profile' | 'tag' | 'pool' | 'node' | 'endpoint' | 'tier' | 'global-peer' | 'node-peer' | 'handle' | 'orchestrator' | 'workload' | 'namespace'
  | 'container' | 'any-container' | 'change' | 'waiting' | 'kind' | 'document' | 'lint-code' | `of:${string}`

/** What may stand in one place: names, or words that are known. */
export type Place = readonly (NameKind | {readonly words: readonly string[]} | 'object')[]

const KIND: Place = ['kind']
/** Objects of the kind that the first argument names. */
const OBJECT: Place = ['object']
/** An end of a flow as policy explain takes it. */
const PARTY: Place = [{words: ['any']}, 'endpoint', 'profile']

/** The arguments of commands of ours, by the command's id; the last place is that of all further words. */
export const OWN_ARGUMENTS: Readonly<Record<string, readonly Place[]>> = {
  confirm: [['waiting']],
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
  'pool:move': [['pool'], []],
  'pool:set': [['pool']],
  schema: [['document'], []],
  undo: [['change'], []],
}

/** The options that take names, by name. */
export const OPTIONS: Readonly<Record<string, Place>> = {
  cidr: ['pool'],
  endpoint: ['endpoint'],
  from: PARTY,
  handle: ['handle'],
  host: ['node'],
  hostname: ['node'],
  ignore: ['lint-code'],
  name: ['of:IPPool'],
  namespace: ['namespace'],
  node: ['node'],
  orchestrator: ['orchestrator'],
  profile: ['profile'],
  protocol: [{words: ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp']}],
  tier: ['tier'],
  to: PARTY,
  workload: ['workload'],
}
