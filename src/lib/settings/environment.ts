import {checkAddress, isScheme} from './endpoints.js'
import {setting, type PemSource, type Report, type Source} from './source.js'
import type {Setting} from './types.js'

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_AUTHORITY = '127.0.0.1:2379'
const DEFAULT_SCHEME = 'http'

/**
 * What the environment says about etcd. Today's variables also have a form with the prefix CALICO_, which wins (datamodel-v3 §0.6);
 * ETCD_AUTHORITY and ETCD_SCHEME are v0.20's and give way to ETCD_ENDPOINTS (cli-v0.20 §1.4).
 */
export function environmentSource(env: Environment, problem: Report, warning: Report): Source {
  const variable = (name: string): Setting<string> | undefined => setting(env[`CALICO_${name}`], `CALICO_${name}`) ?? setting(env[name], name)
  const file = (name: string): Setting<PemSource> | undefined => {
    const path = variable(name)
    return path && {value: {file: path.value}, origin: path.origin}
  }
  const listed = variable('ETCD_ENDPOINTS')
  const unused = env.ETCD_AUTHORITY
  if (listed && unused !== undefined && !listed.value.split(',').some((endpoint) => endpoint.trim().endsWith(`//${unused}`))) warning(`${listed.origin} is used; ETCD_AUTHORITY, which is set too, is not`)
  return {
    endpoints: listed ?? authority(env, problem),
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

/** The URL of ETCD_AUTHORITY and ETCD_SCHEME; undefined if neither is set. An empty one is wrong, as in v0.20. */
function authority({ETCD_AUTHORITY, ETCD_SCHEME}: Environment, problem: Report): Setting<string> | undefined {
  if (ETCD_AUTHORITY === undefined && ETCD_SCHEME === undefined) return undefined
  const address = ETCD_AUTHORITY ?? DEFAULT_AUTHORITY
  const scheme = ETCD_SCHEME ?? DEFAULT_SCHEME
  const problems: string[] = []
  if (!isScheme(scheme)) problems.push(`ETCD_SCHEME: '${scheme}' is neither http nor https`)
  checkAddress({value: address, origin: 'ETCD_AUTHORITY'}, (text) => problems.push(text))
  problems.forEach(problem)
  if (problems.length > 0) return undefined
  return {value: `${scheme}://${address}`, origin: ETCD_AUTHORITY === undefined ? 'ETCD_SCHEME' : 'ETCD_AUTHORITY'}
}
