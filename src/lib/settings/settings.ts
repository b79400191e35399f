import {CalicoError} from '../errors.js'
import {fileReason} from '../files/read.js'
import {parseEndpoints, presentable} from './endpoints.js'
import {environmentSource} from './environment.js'
import type {SettingsInputs} from './inputs.js'
import {setting, type PemSource, type Report, type Source} from './source.js'
import {stateFolder} from './state-folder.js'
import {DEFAULT_CONFIG_FILE, DEFAULT_URL, givenVariable} from './table.js'
import type {EmbeddedSettings, EtcdSettings, Pem, Setting, Settings} from './types.js'

const DEFAULT_ENDPOINT = {value: DEFAULT_URL, origin: 'the default'}

/**
 * The effective settings: flags > environment > configuration file > default. Endpoints, TLS and credentials come together from the
 * first of them that names endpoints, so that no password reaches another cluster (decisions.md 14).
 * @throws CalicoError `invalid` with everything that is wrong
 */
export async function resolveSettings(inputs: SettingsInputs): Promise<Settings> {
  const problems: string[] = []
  const warnings: string[] = []
  const problem: Report = (text) => problems.push(text)
  const {flags, env} = inputs

  const choice = setting(flags.datastore, '--datastore') ?? givenVariable(env, 'CALICO_DATASTORE')
  const embedded = choice && embeddedSettings(choice, inputs, problem)
  const warning: Report = (text) => warnings.push(text)
  const file = await readConfigFile(inputs, warning)
  const source = embedded ? undefined : etcdSource(choice, file.source, inputs, problem, warning)
  const needed = source?.endpoints === DEFAULT_ENDPOINT || (source !== undefined && source === file.source)
  for (const text of file.missing ?? []) problem(text)
  if (needed) file.problems.forEach(problem)
  else if (file.problems.length > 0) warning(`${file.problems.join('; ').replace(/[^.?]$/, '$&.')} The file is not needed, because ${(source?.endpoints ?? source?.discovery ?? embedded?.path)?.origin ?? ''} sets the datastore; it is ignored`)
  if (source?.endpoints === DEFAULT_ENDPOINT && file.source && namesAnything(file.source)) warning(`${file.path} does not set etcdEndpoints: its other etcd settings are ignored`)
  const datastore = embedded ?? etcdSettings(source ?? {}, inputs, problem)
  const expectCluster =
    setting(flags.expectCluster, '--expect-cluster') ??
    givenVariable(env, 'CALICO_EXPECT_CLUSTER') ??
    (embedded ? undefined : file.expectCluster)

  const journal = givenVariable(env, 'CALICOCTL_JOURNAL')

  refuse(problems)
  return {datastore, warnings, ...(expectCluster && {expectCluster}), ...(journal && {journal})}
}

/** Whether SOURCE has a certificate or a credential. */
const namesAnything = ({ca, cert, key, username, password}: Source): boolean => [ca, cert, key, username, password].some((each) => each !== undefined)

function refuse(problems: readonly string[]): void {
  const [first, ...more] = problems
  if (first === undefined) return
  if (more.length === 0) throw new CalicoError('invalid', first)
  throw new CalicoError('invalid', `${problems.length} settings are invalid:`, {details: problems})
}

/** The store that `embedded` or `embedded:PATH` means; undefined for any other choice. */
function embeddedSettings({value, origin}: Setting<string>, {env, directory, home}: SettingsInputs, problem: Report): EmbeddedSettings | undefined {
  if (value !== 'embedded' && !value.startsWith('embedded:')) return undefined
  if (value === 'embedded') {
    return {type: 'embedded', path: {value: `${stateFolder(env, home)}/store.json`, origin}}
  }
  const path = value.slice('embedded:'.length)
  if (path === '' || path.endsWith('/')) problem(`${origin}: '${value}' contains no file name; use embedded or embedded:PATH`)
  return {type: 'embedded', path: {value: path.startsWith('/') ? path : `${directory()}/${path}`, origin}}
}

/** The type of datastore that Calico's own settings name; as a choice of the store it means etcd. */
const TYPE = 'etcdv3'

/** The first source that names endpoints. The default endpoint belongs to the environment: it goes with the TLS files and credentials set there. */
function etcdSource(
  choice: Setting<string> | undefined,
  file: Source | undefined,
  {env}: SettingsInputs,
  problem: Report,
  warning: Report,
): Source {
  if (choice && choice.value !== 'etcd' && choice.value !== TYPE) {
    if (choice.value.includes('://')) return {endpoints: choice}
    problem(`${choice.origin}: '${presentable(choice.value)}' is not etcd, embedded, embedded:PATH or a list of etcd URLs (http://HOST:2379,…)`)
    return {endpoints: DEFAULT_ENDPOINT}
  }
  const environment = environmentSource(env, problem, warning)
  if (environment.endpoints ?? environment.discovery) return environment
  if (file && (file.endpoints ?? file.discovery)) return file
  return {...environment, endpoints: DEFAULT_ENDPOINT, type: environment.type ?? file?.type}
}

interface ConfigFileResult {
  readonly path: string
  readonly source?: Source
  readonly expectCluster?: Setting<string> | undefined
  /** Why it says nothing, or contradicts itself: wrong only if it would have been needed. */
  readonly problems: readonly string[]
  /** That a file which was asked for cannot be had: always wrong. */
  readonly missing?: readonly string[]
}

/** The user's own configuration file; undefined where it does not count: under sudo another user's would, who is not root. A relative XDG_CONFIG_HOME is none, as its specification says. */
function ownConfigFile({env, home, ownConfig = false}: Pick<SettingsInputs, 'env' | 'home' | 'ownConfig'>): string | undefined {
  if (!ownConfig || isSet(env.SUDO_UID) || isSet(env.SUDO_USER)) return undefined
  const xdg = env.XDG_CONFIG_HOME
  return `${xdg?.startsWith('/') ? xdg : `${home()}/.config`}/calicoctl/calicoctl.cfg`
}

/** Empty counts as unset. */
const isSet = (value: string | undefined): boolean => value !== undefined && value !== ''

/** What the configuration file says: the one that is asked for; else the user's own, if it names a datastore; else that of the host. Never two together (decisions.md 14). */
async function readConfigFile(inputs: SettingsInputs, warning: Report): Promise<ConfigFileResult> {
  const own = inputs.flags.config ? undefined : ownConfigFile(inputs)
  const found = own === undefined ? undefined : await readFileAt(inputs, own, undefined, warning)
  if (found && (found.problems.length > 0 || (found.source?.endpoints ?? found.source?.discovery))) return found
  const asked = setting(inputs.flags.config, '--config')
  return readFileAt(inputs, asked?.value ?? DEFAULT_CONFIG_FILE, asked, warning)
}

/** What the configuration file PATH says; nothing if there is none that was not ASKED for. */
async function readFileAt({readFile, othersMayRead}: SettingsInputs, path: string, asked: Setting<string> | undefined, warning: Report): Promise<ConfigFileResult> {
  let text: string
  try {
    text = readFile(path)
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (!asked && (code === 'ENOENT' || code === 'ENOTDIR')) return {path, problems: []}
    const unreadable = `the configuration file ${path} cannot be read: ${fileReason(error)}`
    return asked ? {path, problems: [], missing: [unreadable]} : {path, problems: [unreadable]}
  }
  if (isOnlyComments(text)) return {path, problems: []}
  const {parseConfigFile} = await import('./config-file.js')
  const parsed = parseConfigFile(text)
  if ('problems' in parsed) return {path, problems: parsed.problems.map((wrong) => `${path}: ${wrong}`)}
  const problems: string[] = []
  const {spec, expectCluster} = parsed.file
  const secrets = [...(spec.etcdPassword ? ['the password of etcd'] : []), ...(spec.etcdKey ? ['the client key for etcd'] : [])]
  if (secrets.length > 0 && othersMayRead?.(path)) warning(`every user of this host can read ${secrets.join(' and ')} in ${path}; remove this permission: chmod o-r ${path}`)
  const pem = (inline: string | undefined, file: string | undefined, name: string): Setting<PemSource> | undefined => {
    if (inline && file) problems.push(`${path}: etcd${name} and etcd${name}File are both set; one of them is enough`)
    if (inline) return {value: {inline}, origin: path}
    return file ? {value: {file}, origin: path} : undefined
  }
  return {
    path,
    problems,
    source: {
      endpoints: setting(spec.etcdEndpoints, path),
      discovery: setting(spec.etcdDiscoverySrv, path),
      type: setting(spec.datastoreType, path),
      username: setting(spec.etcdUsername, path),
      password: setting(spec.etcdPassword, path),
      ca: pem(spec.etcdCACert, spec.etcdCACertFile, 'CACert'),
      cert: pem(spec.etcdCert, spec.etcdCertFile, 'Cert'),
      key: pem(spec.etcdKey, spec.etcdKeyFile, 'Key'),
    },
    expectCluster: setting(expectCluster, path),
  }
}

/** Nothing but comments and empty lines, as the file that our packages bring: it says nothing, and the parser of YAML need not be loaded for it. */
const isOnlyComments = (text: string): boolean => text.split('\n').every((line) => /^\s*(#|$)/.test(line))

/** SOURCE checked and its PEM files read. The files are needed, and examined, only for https. */
function etcdSettings(source: Source, {readFile}: SettingsInputs, problem: Report): EtcdSettings {
  const {type, discovery, username, password} = source
  if (type && type.value !== TYPE) {
    problem(`${type.origin}: the datastore type '${presentable(type.value)}' is not supported; this calicoctl supports etcd v3 (etcdv3) only`)
  }
  if (discovery) problem(`${discovery.origin}: finding etcd with DNS SRV records is not supported; set the endpoints instead, for example in ETCD_ENDPOINTS`)
  if (username && !password) problem(`${username.origin}: a user name is set but no password`)
  if (password && !username) problem(`${password.origin}: a password is set but no user name`)

  const listed = source.endpoints ?? DEFAULT_ENDPOINT
  const endpoints = {value: parseEndpoints(listed, problem), origin: listed.origin}
  const secure = endpoints.value.some((url) => url.startsWith('https://'))
  return {
    type: 'etcd',
    endpoints,
    ...(secure && tlsSettings(source, endpoints.origin, readFile, problem)),
    ...(username && {username}),
    ...(password && {password}),
  }
}

function tlsSettings(
  {ca, cert, key, caRequired}: Source,
  endpointsOrigin: string,
  readFile: SettingsInputs['readFile'],
  problem: Report,
): Pick<EtcdSettings, 'ca' | 'cert' | 'key'> {
  if (cert && !key) problem(`${cert.origin}: a client certificate is set but no key (ETCD_KEY_FILE)`)
  if (key && !cert) problem(`${key.origin}: a client key is set but no certificate (ETCD_CERT_FILE)`)
  if (caRequired && !ca) problem(`${endpointsOrigin}: https requires the CA certificate of the server; set ETCD_CA_CERT_FILE`)
  const read = (what: string, source: Setting<PemSource> | undefined): Setting<Pem> | undefined => source && readPem(what, source, readFile, problem)
  const pems = {ca: read('CA certificate', ca), cert: read('client certificate', cert), key: read('client key', key)}
  return {...(pems.ca && {ca: pems.ca}), ...(pems.cert && {cert: pems.cert}), ...(pems.key && {key: pems.key})}
}

/** The PEM text that SOURCE names; undefined, and reported to PROBLEM, if it cannot be read or is none. */
export function readPem(what: string, {value, origin}: Setting<PemSource>, readFile: SettingsInputs['readFile'], problem: Report): Setting<Pem> | undefined {
  if ('file' in value && value.file.includes('-----BEGIN ')) {
    problem(`${origin}: the value must be the path of a file with the ${what}, not the ${what} itself`)
    return undefined
  }
  if ('inline' in value) return checkPem(what, {value: {file: 'inline', pem: value.inline}, origin}, problem)
  try {
    return checkPem(what, {value: {file: value.file, pem: readFile(value.file)}, origin}, problem)
  } catch (error) {
    problem(`${origin}: the ${what} ${value.file} cannot be read: ${fileReason(error)}`)
    return undefined
  }
}

function checkPem(what: string, pem: Setting<Pem>, problem: Report): Setting<Pem> {
  if (!pem.value.pem.includes('-----BEGIN ')) problem(`${pem.origin}: the ${what} (${pem.value.file}) is not a PEM text: no line begins with -----BEGIN`)
  return pem
}
