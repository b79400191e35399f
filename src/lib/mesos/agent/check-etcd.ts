/** What is wrong with how the plugin is informed of etcd: by variables of the agent's environment (mesos-docker §1.10, §5.4, §5.11). */
import {isError} from '../../errors.js'
import {resolveSettings} from '../../settings/settings.js'
import {givenVariable} from '../../settings/table.js'
import type {Settings} from '../../settings/types.js'
import {environmentOf} from './environment-file.js'
import {AUTHORITY, ENDPOINTS, PASSWORD} from './etcd-variables.js'
import {type HostFiles, PERMISSION_DENIED, textOf} from './files.js'
import {type Finding, finding, unreadable} from './findings.js'
import type {AgentSetup} from './setup.js'
import {STYLE_FACTS} from './styles.js'

/** The environments of the units that run calico-node: the guides' and ours. */
const UNIT_ENVIRONMENTS = ['/etc/sysconfig/calico', '/etc/calico/calico.env']

const CA = 'ETCD_CA_CERT_FILE'
const WRONG_CA = 'ETCD_CA_FILE'
const WORLD_READABLE = 0o004

/** OWN: calicoctl's settings; undefined if they are not known, for which another message is given. */
export async function checkEtcd(setup: AgentSetup, own: Settings | undefined): Promise<Finding[]> {
  const {environment, style, files} = setup
  const standard = STYLE_FACTS[style].environment
  const variables = Object.fromEntries([...environment].map(([name, {value}]) => [name, value]))
  const pathOf = (...names: string[]): string => names.map((name) => environment.get(name)?.path).find((path) => path !== undefined) ?? standard
  const common = [...checkCaName(standard, pathOf(WRONG_CA), variables), ...UNIT_ENVIRONMENTS.flatMap((path) => checkUnitEnvironment(files, path)), ...checkPasswords(files, STYLE_FACTS[style].environments)]
  // What the plugin is informed of etcd may stand in a file that cannot be read, which is reported.
  if (setup.mayHide()) return common
  const denied: string[] = []
  const settings = await settingsOf(files, variables, denied)
  if (isError(settings)) {
    if (denied.length > 0) return [...denied.map((path) => unreadable(path, PERMISSION_DENIED)), ...common]
    // That the CA is called otherwise is reported already.
    const excused = variables[WRONG_CA] && !givenVariable(variables, CA) && settings.message.includes(CA)
    return [...(excused ? [] : [finding('etcd-invalid', pathOf(AUTHORITY, ENDPOINTS), [settings.message, ...settings.details].join(' '))]), ...common]
  }
  if (settings.datastore.type !== 'etcd') return common
  const {value: endpoints, origin} = settings.datastore.endpoints
  const path = origin.startsWith('/') ? origin : pathOf(origin)
  return [
    ...(origin === 'the default' ? [finding('etcd-missing', standard, `Neither ${AUTHORITY} nor ${ENDPOINTS} is set`)] : []),
    ...endpoints.filter((url) => isHttpsAddress(url)).map((url) => finding('etcd-https-ip', path, `etcd with TLS is given by its address: ${url}`)),
    ...endpoints.filter((url) => url.endsWith(':4001')).map((url) => finding('etcd-port', path, `etcd is given with port 4001: ${url}`)),
    ...(own ? compare(own, endpoints, path) : []),
    ...common,
  ]
}

/** The settings that the plugin gets from VARIABLES, or what it says of them. DENIED gets the files that this user may not read. */
async function settingsOf(files: HostFiles, env: Readonly<Record<string, string>>, denied: string[]) {
  try {
    return await resolveSettings({
      flags: {},
      env,
      readFile(path) {
        const file = files.read(path)
        if (file.state === 'unreadable' && file.denied) denied.push(path)
        return textOf(files, path)
      },
      directory: () => '/',
      home: () => '/root',
    })
  } catch (error) {
    if (isError(error)) return error
    throw error
  }
}

const isHttpsAddress = (url: string): boolean => /^https:\/\/([\d.]+|\[[^\]]*\])(:|$)/.test(url)

function compare({datastore}: Settings, endpoints: readonly string[], path: string): Finding[] {
  if (datastore.type !== 'etcd') return []
  const own = datastore.endpoints.value
  if (own.some((url) => endpoints.includes(url)) || (own.every(isLoopback) && endpoints.every(isLoopback) && own.map(afterHost).join() === endpoints.map(afterHost).join())) return []
  return [finding('etcd-differs', path, `The plugin uses ${endpoints.join(',')}, but calicoctl uses ${own.join(',')} (from ${datastore.endpoints.origin})`)]
}

const isLoopback = (url: string): boolean => /^https?:\/\/(localhost|127\.[\d.]+|\[::1\])(:|$)/.test(url)
const afterHost = (url: string): string => `${url.split('://', 1)[0] ?? ''}${url.slice(url.lastIndexOf(':'))}`

function checkCaName(standard: string, path: string, variables: Readonly<Partial<Record<string, string>>>): Finding[] {
  return variables[WRONG_CA] && !givenVariable(variables, CA) ? [finding('etcd-ca-name', path || standard, `${WRONG_CA} is set, but ${CA} is not`)] : []
}

function checkUnitEnvironment(files: HostFiles, path: string): Finding[] {
  const file = files.read(path)
  if (file.state !== 'file') return []
  const password = givenVariable(environmentOf(file.text), PASSWORD) && (file.mode & WORLD_READABLE) !== 0 ? [finding('password-exposed', path, `${PASSWORD} is in a file that all users can read`, {remedy: `Remove this permission: chmod o-r ${path}`})] : []
  return [...checkCaName(path, path, environmentOf(file.text)), ...password]
}

function checkPasswords(files: HostFiles, paths: readonly string[]): Finding[] {
  return paths.flatMap((path) => {
    const file = files.read(path)
    if (file.state !== 'file' || !givenVariable(environmentOf(file.text), PASSWORD) || (file.mode & WORLD_READABLE) === 0) return []
    return [finding('password-exposed', path, `${PASSWORD} is in a file that all users can read`, {remedy: `Remove this permission: chmod o-r ${path}`})]
  })
}
