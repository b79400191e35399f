import {type Document, isMap, isNode, isScalar, LineCounter} from 'yaml'
import {z} from 'zod'
import {readYaml, yamlSyntaxText} from './read-yaml.js'
import {EXPECT_CLUSTER_ANNOTATION} from './table.js'

/**
 * `calicoctl.cfg` as today's Go calicoctl reads it (datamodel-v3 §0.6), so that both can share the file: YAML or JSON, unknown keys
 * refused. The cluster to expect is an annotation, because the Go calicoctl refuses a key that it does not know.
 * Loaded only where such a file exists.
 */

/** The first error of a text causes most of the others. */
const MOST_ERRORS = 5

const text = z.string().optional()

/** Known to Calico and without meaning for etcd. */
const KUBERNETES = [
  'kubeconfig', 'kubeconfigInline', 'k8sAPIEndpoint', 'k8sKeyFile', 'k8sCertFile', 'k8sCAFile', 'k8sAPIToken',
  'k8sInsecureSkipTLSVerify', 'k8sDisableNodePoll', 'usePodCIDR', 'k8sClientQPS', 'k8sClientBurst', 'k8sCurrentContext', 'calicoAPIGroup',
]

const SPEC = z.strictObject({
  datastoreType: text,
  etcdEndpoints: text,
  etcdDiscoverySrv: text,
  etcdUsername: text,
  etcdPassword: text,
  etcdKeyFile: text,
  etcdCertFile: text,
  etcdCACertFile: text,
  etcdKey: text,
  etcdCert: text,
  etcdCACert: text,
  ...Object.fromEntries(KUBERNETES.map((key) => [key, z.unknown().optional()])),
})

const FILE = z.strictObject({
  apiVersion: z.literal('projectcalico.org/v3'),
  kind: z.literal('CalicoAPIConfig'),
  metadata: z.looseObject({annotations: z.record(z.string(), z.string()).nullish()}).nullish(),
  spec: SPEC.nullish(),
})

export type ConfigSpec = z.infer<typeof SPEC>

export interface ConfigFile {
  readonly spec: ConfigSpec
  readonly expectCluster: string | undefined
}

/** What calicoctl 1.x had in the same place (calicoctl 1.x, `/etc/calico/calicoctl.cfg`), for Calico 2.x and etcd's v2 API. */
const OLD = {version: 'v1', kind: 'calicoApiConfig'}
const OLD_KEYS = ['etcdAuthority', 'etcdScheme']

/** The contents of a configuration file, or what is wrong with it, one sentence each, with line and column. One without any setting says nothing. */
export function parseConfigFile(source: string): {file: ConfigFile} | {problems: string[]} {
  const lines = new LineCounter()
  const documents = readYaml(source, {uniqueKeys: true, lineCounter: lines, single: true})
  if (typeof documents === 'string') return {problems: [`not read: ${documents}`]}
  const [document, second] = documents
  if (document === undefined) return {file: NO_SETTINGS}
  const place = (offset: number): string => placeAt(lines, offset)
  if (document.errors.length > 0) return {problems: document.errors.slice(0, MOST_ERRORS).map((error) => `not YAML: ${place(error.pos[0])}: ${yamlSyntaxText(error)}`)}
  if (second !== undefined) return {problems: [`${place(second.range[0])}: a second document begins; a configuration file has one`]}
  let content: unknown
  try {
    content = document.toJS()
  } catch (error) {
    // Aliases that repeat each other a million times, or that mean nothing.
    // The name of an alias may be a password that begins with *.
    return {problems: [`not read: ${(error as Error).message.replace(/(alias[^:]*): [^]*$/i, '$1')}. Write a string that begins with * in quotes`]}
  }
  if (isWithoutSetting(content)) return {file: NO_SETTINGS}
  const at = (path: readonly PropertyKey[], part: 'key' | 'value'): string => placeOf(document, lines, path, part)
  const old = oldForm(content, at)
  if (old !== undefined) return {problems: [old]}
  if (typeof content === 'string' && /^[A-Za-z_][A-Za-z0-9_]*=/.test(content)) {
    return {problems: [`line 1, column 1: the file has lines NAME=value, as an environment file. Write it as YAML: ${NEW_FORM}, spec: {etcdEndpoints: http://HOST:2379}`]}
  }
  const parsed = FILE.safeParse(content)
  if (!parsed.success) return {problems: parsed.error.issues.flatMap((issue) => issueText(issue, at))}
  const {spec, metadata} = parsed.data
  return {file: {spec: spec ?? {}, expectCluster: metadata?.annotations?.[EXPECT_CLUSTER_ANNOTATION]}}
}

const NEW_FORM = 'apiVersion: projectcalico.org/v3, kind: CalicoAPIConfig'

const NO_SETTINGS: ConfigFile = {spec: {}, expectCluster: undefined}

/** Nothing but comments and marks of documents, or an empty map. */
const isWithoutSetting = (content: unknown): boolean => content === null || content === undefined || (typeof content === 'object' && !Array.isArray(content) && Object.keys(content).length === 0)

function placeAt(lines: LineCounter, offset: number): string {
  const {line, col} = lines.linePos(offset)
  return `line ${line}, column ${col}`
}

/** Where the value (or the key) that PATH leads to begins, as the beginning of a sentence; '' where it is missing. */
function placeOf(document: Document, lines: LineCounter, path: readonly PropertyKey[], part: 'key' | 'value'): string {
  const last = path.at(-1)
  const parent = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  const pair = isMap(parent) ? parent.items.find(({key}) => isScalar(key) && key.value === last) : undefined
  const node = path.length === 0 ? document.contents : part === 'key' ? pair?.key : (pair?.value ?? pair?.key)
  const start = isNode(node) ? node.range?.[0] : undefined
  return start === undefined ? '' : placeAt(lines, start)
}

type Place = (path: readonly PropertyKey[], part: 'key' | 'value') => string

/** That CONTENT is a file of calicoctl 1.x, and what to write instead; undefined if it is not. */
function oldForm(content: unknown, at: Place): string | undefined {
  if (typeof content !== 'object' || content === null) return undefined
  const {apiVersion, kind, spec} = content as {apiVersion?: unknown; kind?: unknown; spec?: unknown}
  if (apiVersion !== OLD.version && kind !== OLD.kind) return undefined
  const {datastoreType} = (typeof spec === 'object' && spec !== null ? spec : {}) as {datastoreType?: unknown}
  const keys = OLD_KEYS.filter((key) => at(['spec', key], 'key') !== '')
  const header = [
    ...(apiVersion === 'projectcalico.org/v3' ? [] : [`apiVersion: projectcalico.org/v3 (${at(['apiVersion'], 'value') || 'missing'})`]),
    ...(kind === 'CalicoAPIConfig' ? [] : [`kind: CalicoAPIConfig (${at(['kind'], 'value') || 'missing'})`]),
    ...(datastoreType === 'etcdv2' ? [`datastoreType: etcdv3 (${at(['spec', 'datastoreType'], 'value')})`] : []),
    ...(keys.length === 0 ? [] : [`etcdEndpoints: http://HOST:2379 instead of ${keys.map((key) => `${key} (${at(['spec', key], 'key')})`).join(' and ')}`]),
  ]
  const where = apiVersion === OLD.version ? at(['apiVersion'], 'value') : at(['kind'], 'value')
  return `${where}: this file has the format of calicoctl 1.x (apiVersion: ${OLD.version}, kind: ${OLD.kind}); this version reads the format of calicoctl 3.x. Write ${header.join(', ')}`
}

/** A hint at the key that was meant by KEY under PATH: one that begins so, or of which KEY has the beginning, in whatever case. */
function meantKey(key: string, path: readonly string[]): string {
  const known = Object.keys(path[0] === 'spec' ? SPEC.shape : FILE.shape)
  const typed = key.toLowerCase()
  const meant = known.find((name) => name.toLowerCase() === typed) ?? known.find((name) => name.toLowerCase().startsWith(typed) || typed.startsWith(name.toLowerCase()))
  return meant === undefined ? '' : `; did you mean ${[...path, meant].join('.')}?`
}

function issueText(issue: z.core.$ZodIssue, at: Place): string[] {
  const path = issue.path.map(String)
  const placed = (where: string, text: string): string => (where === '' ? text : `${where}: ${text}`)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => placed(at([...path, key], 'key'), `unknown key ${pathText([...path, key])}${meantKey(key, path)}`))
  return [placed(at(path, 'value'), `${path.length === 0 ? 'the file' : pathText(path)}: ${demandText(issue)}`)]
}

/** Characters of a key that messages show. */
const MOST_SHOWN = 80

const pathText = (path: readonly string[]): string => path.map((key) => (key.length > MOST_SHOWN ? `${key.slice(0, MOST_SHOWN)}…` : key)).join('.')

/** What is demanded of the value that ISSUE is about. */
function demandText(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `must be ${issue.values.join(' or ')}`
  if (issue.code === 'invalid_type') return issue.expected === 'string' ? 'must be a string' : 'must be an object with keys and values'
  return issue.message
}
