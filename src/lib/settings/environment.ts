import {checkAddress, isScheme, presentable, withoutSlash} from './endpoints.js'
import type {PemSource, Report, Source} from './source.js'
import {givenVariable, type SettingVariable} from './table.js'
import type {Setting} from './types.js'

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_AUTHORITY = '127.0.0.1:2379'
const DEFAULT_SCHEME = 'http'

/**
 * What the environment says about etcd. Every variable also has a form with the prefix CALICO_, which wins (datamodel-v3 §0.6; the table says which there
 * are); ETCD_AUTHORITY and ETCD_SCHEME are v0.20's and give way to ETCD_ENDPOINTS (cli-v0.20 §1.4).
 */
export function environmentSource(env: Environment, problem: Report, warning: Report): Source {
  const variable = (name: SettingVariable): Setting<string> | undefined => givenVariable(env, name)
  const file = (name: SettingVariable): Setting<PemSource> | undefined => {
    const path = variable(name)
    return path && {value: {file: path.value}, origin: path.origin}
  }
  const listed = variable('ETCD_ENDPOINTS')
  const unused = variable('ETCD_AUTHORITY')
  if (listed && unused && !listed.value.split(',').some((endpoint) => withoutSlash(endpoint.trim()).endsWith(`//${withoutSlash(unused.value)}`))) {
    warning(`${listed.origin} is used; ${unused.origin}, which is also set, is ignored.`)
  }
  return {
    endpoints: listed ?? authority(unused, variable('ETCD_SCHEME'), problem),
    discovery: variable('ETCD_DISCOVERY_SRV'),
    type: variable('DATASTORE_TYPE'),
    ca: file('ETCD_CA_CERT_FILE'),
    cert: file('ETCD_CERT_FILE'),
    key: file('ETCD_KEY_FILE'),
    username: variable('ETCD_USERNAME'),
    password: variable('ETCD_PASSWORD'),
    caRequired: true,
  }
}

/** The URL of ETCD_AUTHORITY and ETCD_SCHEME; undefined if neither is set. One that is wrong is reported, and stands for itself in what is reported further. */
function authority(address: Setting<string> | undefined, scheme: Setting<string> | undefined, problem: Report): Setting<string> | undefined {
  const origin = (address ?? scheme)?.origin
  if (origin === undefined) return undefined
  const problems: string[] = []
  if (scheme && !isScheme(scheme.value)) problems.push(`${scheme.origin}: '${presentable(scheme.value)}' is neither http nor https`)
  if (address) checkAddress(address, (text) => problems.push(text))
  problems.forEach(problem)
  if (problems.length > 0) return undefined
  return {value: `${scheme?.value ?? DEFAULT_SCHEME}://${address?.value ?? DEFAULT_AUTHORITY}`, origin}
}
