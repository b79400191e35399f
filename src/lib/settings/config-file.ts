import {parseDocument} from 'yaml'
import {z} from 'zod'
import {yamlLimitProblem} from './yaml-limits.js'

/**
 * `calicoctl.cfg` as today's Go calicoctl reads it (datamodel-v3 §0.6), so that both can share the file: YAML or JSON, unknown keys
 * refused. The cluster to expect is an annotation, because the Go calicoctl refuses a key that it does not know.
 * Loaded only where such a file exists.
 */

const EXPECT_CLUSTER_ANNOTATION = 'calicoctl/expect-cluster'

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

/** The contents of a configuration file, or what is wrong with it, one sentence each. */
export function parseConfigFile(source: string): {file: ConfigFile} | {problems: string[]} {
  const limit = yamlLimitProblem(source)
  if (limit !== undefined) return {problems: [`not read: ${limit}`]}
  const document = parseDocument(source, {uniqueKeys: true})
  if (document.errors.length > 0) return {problems: document.errors.slice(0, MOST_ERRORS).map((error) => `not YAML: ${error.message.split('\n')[0] ?? ''}`)}
  let content: unknown
  try {
    content = document.toJS()
  } catch (error) {
    // Aliases that repeat each other a million times, or that mean nothing.
    return {problems: [`not read: ${(error as Error).message}`]}
  }
  const parsed = FILE.safeParse(content)
  if (!parsed.success) return {problems: parsed.error.issues.flatMap(issueText)}
  const {spec, metadata} = parsed.data
  return {file: {spec: spec ?? {}, expectCluster: metadata?.annotations?.[EXPECT_CLUSTER_ANNOTATION]}}
}

function issueText(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `unknown key ${[...path, key].join('.')}`)
  return [`${path.length === 0 ? 'the file' : path.join('.')}: ${issue.message}`]
}
