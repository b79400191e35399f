/**
 * The documents of `-o json` and `-o yaml` that are no v3 resources (`apiVersion: calicoctl/v1`): the shape of each, by its kind. What makes them is
 * checked against these types when it is compiled (`ownDocument`), what they are at run time by test/e2e/schema.test.ts, and `calicoctl schema` prints them.
 */
import {about, anything, type ContentOf, digits, either, exactly, flag, int64, integer, large, list, map, number, object, oneOf, openObject, orNull, type Shape, text, time} from './shape.js'

/** A document: the ids of the commands that print it, and what it has beside `apiVersion` and `kind`. */
interface OwnDocument<T> {
  readonly from: readonly string[]
  readonly content: Shape<T>
}

const document = <T>(from: string | readonly string[], content: Shape<T>): OwnDocument<T> => ({from: [from].flat(), content})

// --- What several documents have.

const endpointName = {host: text, orchestrator: text, workload: text, endpoint: text}
/** A rule as Calico stores it; the schema of Profile has its fields. */
const rule = openObject()
/** A stored object, or its text where that is no JSON. */
const stored = about('The object as it is stored; null if it does not exist.', anything)
const flows = list(object({change: oneOf('+', '-'), from: text, to: text, flow: text, fromEndpoints: integer, toEndpoints: integer}))
const clusterInformation = {clusterGUID: text, clusterType: text, calicoVersion: text, datastoreReady: flag, variant: text}

// --- Policy.

const byFields = {tier: text, namespace: text, name: text, missing: flag, index: integer}
const by = object({kind: text, direction: oneOf('ingress', 'egress'), action: text}, byFields)
const considered = list(object({kind: text, direction: oneOf('ingress', 'egress'), action: text, matched: flag}, byFields))
const decision = {verdict: oneOf('allow', 'deny'), by}
const decisionMore = {passed: list(by), logged: list(by), hostEndpoint: text}
const side = orNull(object(decision, {...decisionMore, considered}))
const forward = list(object({...decision, host: text}, decisionMore))
/** An end of a flow: `{"endpoint": …}`, `{"ip": …}`, `{"host": …}`, … */
const end = openObject()
const protocol = either(text, integer)
const traffic = {proto: protocol, dport: integer, sport: integer, icmpType: integer, icmpCode: integer, ipVersion: exactly(6)}
const anyVerdict = oneOf('allow', 'deny', 'unknown', 'mixed')
const judged = {verdict: anyVerdict, reason: text, egress: side, ingress: side, forward}
const pair = object({from: end, to: end, fromEndpoints: integer, toEndpoints: integer}, {...judged, flows: orNull(list(text)), by: list(by)})

// --- A node.

const readiness = object({state: oneOf('ready', 'not-ready', 'unknown', 'unused'), why: text})
const felixEndpoint = object({orchestrator: text, workload: text, endpoint: text})
const peer = object({address: text, type: text, state: text, since: text, bgpState: text, lastError: text, health: oneOf('established', 'waiting', 'down'), remark: text}, {port: integer})
const bgp = object({bird: oneOf('not-asked', 'unreachable', 'not-understood', 'answers', 'recovering'), peers: list(peer)}, {address: orNull(text), asNumber: integer, asInherited: flag, message: text})
const driver = object({form: oneOf('unit', 'container', 'none'), running: flag, state: text, since: orNull(time), restarts: integer, socket: object({state: oneOf('answers', 'silent', 'unknown')}, {why: text})})

const staleEndpoint = object({...endpointName, addresses: list(text), removable: flag, reason: text}, {creationTimestamp: time})

/** What the journal has of a command, or a revision that only the datastore knows. */
const journalChange = object(
  {
    revision: text,
    changes: list(object({key: text, change: oneOf('created', 'updated', 'deleted'), before: orNull(text), after: orNull(text)}, {kind: text, name: text, namespace: text})),
  },
  {id: text, time, user: text, sudoUser: text, host: text, command: list(text), exitCode: integer, confirmation: oneOf('confirmed', 'undone', 'failed'), clusterGUID: text, lines: list(object({line: integer, command: list(text)})), outcome: oneOf('unknown')},
)
/** What a command has done to an object. */
const objectChange = object({kind: text, name: text, change: oneOf('created', 'updated', 'deleted', 'unchanged'), before: stored, after: stored})
const lineChange = object({kind: text, name: text, change: oneOf('created', 'changed', 'deleted'), before: stored, after: stored}, {namespace: text})

const metadata = object({name: text, resourceVersion: digits})
/** What IPAM stores: CONTENT is what is known of it. */
const ipamFields = (content: Readonly<Record<string, Shape<unknown>>> = {}) => ({metadata, value: openObject(content)})
const ipamObject = object(ipamFields())
const ipamBlockFields = ipamFields({sequenceNumber: int64, sequenceNumberForAllocation: map(int64)})
const ipamList = (fields: ReturnType<typeof ipamFields>) => object({items: list(object({apiVersion: text, kind: text, ...fields}))})

const lintCode = {code: text, level: oneOf('error', 'warning', 'info'), summary: text}

export const OWN_DOCUMENTS = {
  Address: document(
    ['ipam info', 'ipam show'],
    object({address: text, assigned: flag}, {handle: text, attributes: map(text), sequenceNumber: int64, block: text, blockOwner: text, endpoint: object(endpointName, {container: text})}),
  ),
  AddressAssignment: document('ipam assign', object({node: text, handle: text, requested: integer, addresses: list(text)})),
  AddressCheck: document(
    'ipam check',
    object({
      counts: object({addresses: integer, blocks: integer, handles: integer, affinities: integer, endpoints: integer}),
      problems: list(object({class: text, subject: text, message: text, repairable: flag, repaired: flag, command: text})),
    }),
  ),
  AddressUseList: document('ipam show', object({items: list(object({grouping: oneOf('IP Pool', 'Block', 'Node'), total: large, inUse: large, free: large}, {cidr: text, node: text}))})),
  BatchResult: document(
    'batch',
    object(
      {
        lines: list(object({line: integer, argv: list(text), exitCode: orNull(integer), stdout: text, stderr: text, changes: list(lineChange)})),
        done: integer,
        failed: integer,
        notRun: integer,
      },
      {dryRun: flag, changes: list(lineChange), flows},
    ),
  ),
  BlockAffinity: document('get', ipamObject),
  BlockAffinityList: document('get', ipamList(ipamFields())),
  ChangeList: document(
    ['history', 'create', 'apply', 'replace', 'delete', 'patch', 'label'],
    about('In history: the changes in the journal. In other commands: the outcome for each object.', object({items: list(either(journalChange, objectChange))}, {dryRun: flag, flows})),
  ),
  ClusterStatus: document(
    'status',
    object({
      nodes: list(object({name: text, exists: flag, ipv4: orNull(text), ipv6: orNull(text), asNumber: integer, asInherited: flag, endpoints: integer, felix: orNull(object({alive: flag, time: text}))})),
      problems: list(text),
    }),
  ),
  DatastoreStatus: document(
    'datastore status',
    object(
      {datastore: text, state: oneOf('ready', 'locked', 'empty', 'foreign'), revision: digits, keys: integer, counts: map(integer)},
      {unfinishedRestore: text, clusterGUID: text, calicoVersion: text, database: object({bytes: integer, alarms: list(text)}, {bytesInUse: integer})},
    ),
  ),
  DocumentKindList: document('schema', object({items: list(object({kind: text, apiVersion: text, commands: list(text)}))})),
  EffectiveSettings: document('config view', object({settings: list(object({name: text, value: text, origin: text}))})),
  EndpointProfileList: document(['endpoint profile show', 'container profile show'], object({endpoint: text, items: list(text)})),
  EtcdRoleList: document(
    'config grants',
    object({items: list(object({role: text, name: text, meaning: text, grants: list(object({permission: oneOf('read', 'readwrite'), key: text, prefix: flag})), commands: list(text)}))}),
  ),
  IPAMBlock: document('get', object(ipamBlockFields)),
  IPAMBlockList: document('get', ipamList(ipamBlockFields)),
  IPAMConfig: document('get', ipamObject),
  IPAMConfigList: document('get', ipamList(ipamFields())),
  IPAMHandle: document('get', ipamObject),
  IPAMHandleList: document('get', ipamList(ipamFields())),
  ImportPlan: document(
    'import',
    object({
      dryRun: flag,
      items: list(object({kind: text, name: text, change: oneOf('created', 'unchanged'), key: text, from: list(text), after: anything})),
      lost: list(object({key: text, why: text})),
      unneeded: list(object({key: text, why: text})),
    }),
  ),
  KindCountList: document('get', object({items: list(object({plural: text, count: integer, supported: flag}, {kind: text}))})),
  LintCode: document('lint codes', object({...lintCode, meaning: text, example: map(anything), mend: text})),
  LintCodes: document('lint codes', object({codes: list(object(lintCode))})),
  LintResult: document(
    'lint',
    object({
      objects: integer,
      counts: map(integer),
      findings: list(object({code: text, level: oneOf('error', 'warning', 'info'), object: text, kind: orNull(text), namespace: orNull(text), name: orNull(text), key: text, field: text, message: text, command: text})),
    }),
  ),
  MesosAgentCheck: document('mesos check', object({style: text, findings: list(object({id: text, severity: oneOf('error', 'warning', 'note'), file: orNull(text), what: text, why: text, remedy: text, guides: list(text)}))})),
  NodeStatus: document(
    'status',
    object(
      {
        node: text,
        container: orNull(object({state: text, status: text, image: text}, {id: text, restarts: integer, startedAt: time, exitCode: integer, finishedAt: time})),
        libnetwork: driver,
        problems: list(text),
      },
      {
        readiness: object({felix: readiness, bird: readiness}),
        versions: object({felix: orNull(text), bird: orNull(text)}),
        datastore: object({state: oneOf('answers', 'away')}, {message: text, nodeExists: flag, ...clusterInformation}),
        bgp: object({ipv4: bgp, ipv6: bgp}),
        endpoints: object({reported: flag, up: integer, down: orNull(list(felixEndpoint)), left: orNull(list(felixEndpoint))}),
      },
    ),
  ),
  PolicyExplanation: document(
    'policy explain',
    object({from: end, to: end, warnings: list(object({code: text, message: text}))}, {...traffic, ...judged, flows: orNull(list(text)), by: list(by), pairs: list(pair)}),
  ),
  PolicyMatrix: document(
    'policy matrix',
    object({
      groups: list(object({id: text, type: oneOf('workloads', 'host', 'outside'), name: text, labels: map(text), profiles: list(text), node: orNull(text), endpoints: list(text)}, {networks: list(text), unknown: text})),
      cells: list(object({from: text, to: text, flows: list(text), by: list(by)})),
    }),
  ),
  PolicyTestResult: document(
    'policy test',
    object({
      probes: list(
        object(
          {from: either(text, end), to: either(text, end), file: text, line: integer, verdict: anyVerdict, egress: side, ingress: side, forward, expected: orNull(oneOf('allow', 'deny', 'unknown')), ok: flag},
          {...traffic, ipVersion: integer, reason: text},
        ),
      ),
    }),
  ),
  ProfileUseList: document('profile show', object({items: list(object({profile: text, endpoints: list(object({host: text, endpoint: text, state: oneOf('active')}, {orchestrator: text, workload: text}))}))})),
  RuleList: document(
    'profile rule show',
    object({profile: text, inbound: list(rule), outbound: list(rule), items: list(object({direction: oneOf('inbound', 'outbound'), number: integer, rule}))}),
  ),
  Setting: document(
    ['bgp node-mesh', 'bgp default-node-as', 'config bgp', 'config felix', 'config node bgp'],
    object({name: text, configured: flag}, {value: either(text, integer)}),
  ),
  StaleEndpointList: document(['endpoint gc', 'mesos gc'], object({items: list(staleEndpoint)})),
  SystemCheck: document('checksystem', object({checks: list(object({name: text, required: flag, state: oneOf('ok', 'failed', 'warning', 'skipped'), found: text, remedy: orNull(text)}))})),
  TagList: document('profile tag show', object({profile: text, tags: list(text), items: list(text)})),
  Version: document('version', object({clientVersion: text}, {node: text, os: text, cluster: object({}, clusterInformation)})),
  WaitingChangeList: document(
    'confirm',
    object({items: list(object({id: text, command: list(text), clusterGUID: text, host: text, withinSeconds: number, deadline: orNull(time), state: oneOf('running', 'waiting', 'overdue', 'failed', 'undone')}, {problem: text}))}),
  ),
} as const

/** Documents without `apiVersion` and `kind`, by a name that only the schemas have. */
export const BARE_DOCUMENTS = {
  RulesDocument: document('profile rule json', about('The rules of a profile as v0.20 printed them; profile rule update accepts it.', object({id: text, inbound_rules: list(openObject()), outbound_rules: list(openObject())}))),
  WatchEvent: document('get', about('A line of get --watch -o json.', object({event: oneOf('ADDED', 'MODIFIED', 'DELETED'), object: openObject()}))),
} as const

export type OwnKind = keyof typeof OWN_DOCUMENTS

/** What a document of KIND has beside `apiVersion` and `kind`. */
export type OwnContent<K extends OwnKind> = ContentOf<(typeof OWN_DOCUMENTS)[K]['content']>

/** One of the items of a document of KIND, which is a list. */
export type OwnItem<K extends OwnKind> = OwnContent<K> extends {readonly items: readonly (infer Item)[]} ? Item : never
