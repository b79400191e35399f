/** The effective settings of the datastore as variables of the agent's environment, which the plugin inherits (mesos-docker §1.10, §5.11). Pure. */
import {CalicoError} from '../../errors.js'
import {type SettingVariable, variableNames} from '../../settings/table.js'
import type {EtcdSettings, Pem, Setting, Settings} from '../../settings/types.js'

export interface Variables {
  /** In the order in which they are written. */
  readonly values: readonly (readonly [name: string, value: string])[]
  /** A password is among them. */
  readonly secret: boolean
}

/** The name of the variable that lists several endpoints; it goes before ETCD_AUTHORITY. */
export const ENDPOINTS = 'ETCD_ENDPOINTS'
export const AUTHORITY = 'ETCD_AUTHORITY'
const SCHEME = 'ETCD_SCHEME'
export const PASSWORD = 'ETCD_PASSWORD'

/**
 * The variables that name the same datastore as SETTINGS. EXISTING, those of the agent now: what it has of ETCD_ENDPOINTS and ETCD_SCHEME must not
 * contradict the new ones. Relative paths of certificates are below DIRECTORY.
 * @throws CalicoError `invalid` where the plugin could not be configured: no etcd, a certificate without a file, a value with control characters
 */
export function etcdVariables({datastore}: Settings, existing: ReadonlySet<string>, absolute: (path: string) => string): Variables {
  if (datastore.type !== 'etcd') {
    throw new CalicoError('invalid', 'The plugin requires etcd; the embedded store is only for trying calicoctl', {hint: 'Give the endpoints of etcd with ETCD_ENDPOINTS or --datastore http://HOST:2379'})
  }
  const values = [...addresses(datastore.endpoints.value, existing), ...kinds(existing), ...certificates(datastore, absolute), ...credentials(datastore)].flatMap(([name, value]) => namesHeard(name, existing).map((each) => [each, value] as const))
  for (const [name, value] of values) {
    if (/[\u0000-\u001f\u007f]/.test(value)) throw new CalicoError('invalid', `${name} has a control character, which an environment file cannot contain`)
  }
  return {values, secret: datastore.password !== undefined}
}

/** The names under which the agent's files set NAME, with CALICO_ in front, too, which wins; NAME where none does. */
function namesHeard(name: SettingVariable, existing: ReadonlySet<string>): readonly string[] {
  const heard = variableNames(name).filter((each) => existing.has(each))
  return heard.length === 0 ? [name] : heard
}

const isSet = (name: SettingVariable, existing: ReadonlySet<string>): boolean => variableNames(name).some((each) => existing.has(each))

type Value = readonly [name: SettingVariable, value: string]

/** What says that the store is another one than etcd, if the agent has that, goes before all endpoints. */
const kinds = (existing: ReadonlySet<string>): Value[] => [
  ...(isSet('CALICO_DATASTORE', existing) ? [['CALICO_DATASTORE', 'etcd'] as const] : []),
  ...(isSet('DATASTORE_TYPE', existing) ? [['DATASTORE_TYPE', 'etcdv3'] as const] : []),
]

/** v0.20's two variables for one endpoint; ETCD_ENDPOINTS for several, and where it is set already and would go before. */
function addresses(endpoints: readonly string[], existing: ReadonlySet<string>): Value[] {
  const [first = ''] = endpoints
  const [scheme = '', authority = ''] = first.split('://')
  const several = endpoints.length > 1 || isSet(ENDPOINTS, existing)
  return [
    ...(several ? [[ENDPOINTS, endpoints.join(',')] as const] : []),
    ...(!several || isSet(AUTHORITY, existing) ? [[AUTHORITY, authority] as const] : []),
    ...((!several && scheme === 'https') || isSet(SCHEME, existing) ? [[SCHEME, scheme] as const] : []),
  ]
}

function certificates({ca, cert, key}: EtcdSettings, absolute: (path: string) => string): Value[] {
  const files: readonly [name: SettingVariable, setting: Setting<Pem> | undefined][] = [['ETCD_CA_CERT_FILE', ca], ['ETCD_CERT_FILE', cert], ['ETCD_KEY_FILE', key]]
  return files.flatMap(([name, setting]): Value[] => {
    if (!setting) return []
    if (setting.value.file === 'inline') {
      throw new CalicoError('invalid', `${name}: the agent needs a file, but ${setting.origin} contains the text itself`, {hint: `Write it to a file and set the path, for example ${name}=/etc/calico/certs/…`})
    }
    return [[name, absolute(setting.value.file)]]
  })
}

const credentials = ({username, password}: EtcdSettings): Value[] => [
  ...(username ? [['ETCD_USERNAME', username.value] as const] : []),
  ...(password ? [[PASSWORD, password.value] as const] : []),
]
