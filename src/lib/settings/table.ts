import {setting} from './source.js'
import type {Setting} from './types.js'

/** One setting, and every place that can give it, as the table "Which datastore" in docs/configuration.md shows them (a test compares the two). */
export interface SettingRow {
  readonly name: string
  /** As in the help: the option and how its value is written. */
  readonly flag?: string
  /** Environment variables. Each that does not begin with CALICO_ or CALICOCTL_ is also heard with CALICO_ in front, which wins ({@link givenVariable}). */
  readonly variables: readonly string[]
  /** Keys of `spec:` in the configuration file. */
  readonly keys: readonly string[]
  /** Annotation in `metadata:` of the configuration file. */
  readonly annotation?: string
  readonly default?: string
}

export const EXPECT_CLUSTER_ANNOTATION = 'calicoctl/expect-cluster'
export const DEFAULT_CONFIG_FILE = '/etc/calico/calicoctl.cfg'
export const DEFAULT_URL = 'http://127.0.0.1:2379'

export const SETTINGS = [
  {name: 'datastore type', flag: '--datastore etcd|URL,…|embedded[:PATH]', variables: ['CALICO_DATASTORE', 'DATASTORE_TYPE'], keys: ['datastoreType'], default: 'etcdv3'},
  {name: 'endpoints', flag: '--datastore URL,…', variables: ['ETCD_ENDPOINTS', 'ETCD_AUTHORITY', 'ETCD_SCHEME'], keys: ['etcdEndpoints'], default: DEFAULT_URL},
  {name: 'CA certificate', variables: ['ETCD_CA_CERT_FILE'], keys: ['etcdCACertFile', 'etcdCACert']},
  {name: 'client certificate and key', variables: ['ETCD_CERT_FILE', 'ETCD_KEY_FILE'], keys: ['etcdCertFile', 'etcdKeyFile', 'etcdCert', 'etcdKey']},
  {name: 'user name and password', variables: ['ETCD_USERNAME', 'ETCD_PASSWORD'], keys: ['etcdUsername', 'etcdPassword']},
  {name: 'expected cluster', flag: '--expect-cluster GUID', variables: ['CALICO_EXPECT_CLUSTER'], keys: [], annotation: EXPECT_CLUSTER_ANNOTATION, default: 'any'},
  {name: 'configuration file', flag: '--config PATH', variables: [], keys: [], default: `~/.config/calicoctl/calicoctl.cfg ($XDG_CONFIG_HOME) if it names a datastore, else ${DEFAULT_CONFIG_FILE}; the user's own is not read by the plugins, the driver or under sudo`},
  {name: 'journal of changes', variables: ['CALICOCTL_JOURNAL'], keys: [], default: '$XDG_STATE_HOME/calicoctl/journal.jsonl'},
  {name: 'time for the datastore', flag: '--timeout 2s', variables: [], keys: [], default: '10s'},
] as const satisfies readonly SettingRow[]

/** The variables of the table, and Go's ETCD_DISCOVERY_SRV, which is heard to be refused. */
export type SettingVariable = (typeof SETTINGS)[number]['variables'][number] | 'ETCD_DISCOVERY_SRV'

/** How the names begin that are Calico's or calicoctl's already. */
const OWN = /^CALICO(CTL)?_/
const PREFIX = 'CALICO_'

/** The names by which the variable NAME is heard, the one that wins first. */
export const variableNames = (name: SettingVariable): readonly string[] => (OWN.test(name) ? [name] : [`${PREFIX}${name}`, name])

/** What ENV says under NAME or with CALICO_ in front, with the name that counted. An empty variable is an unset one. */
export function givenVariable(env: Readonly<Record<string, string | undefined>>, name: SettingVariable): Setting<string> | undefined {
  for (const each of variableNames(name)) {
    const found = setting(env[each], each)
    if (found) return found
  }
  return undefined
}

/** Whether ORIGIN is the name of one of these variables, in either form. */
export const isSettingVariable = (origin: string): boolean => SETTINGS.some(({variables}) => variables.some((name) => variableNames(name).includes(origin)))
