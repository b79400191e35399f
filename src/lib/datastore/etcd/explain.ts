import {CalicoError, type ErrorKind} from '../../errors.js'
import type {EtcdSettings, Setting} from '../../settings/types.js'
import {CompactedError, ForbiddenError, FullError, TooLargeError} from '../errors.js'
import type {Diagnosis} from './diagnose.js'
import type {Failure, Problem} from './failure.js'

/** The words for every way in which etcd can fail: what happened, at which endpoint, where the setting came from, what to do next. */

/** Where a failure happened. */
export interface Scene {
  readonly endpoint: string
  readonly settings: EtcdSettings
  /** What was asked, for messages: `reading /calico/…`. */
  readonly subject: string
}

interface Words {
  readonly kind: ErrorKind
  readonly message: (scene: Scene, text: string) => string
  readonly hint: (scene: Scene) => string
}

const at = ({endpoint, settings}: Scene): string => `${endpoint} (from ${settings.endpoints.origin})`
const from = (setting: Setting<unknown> | undefined, otherwise: string): string => (setting ? `from ${setting.origin}` : otherwise)
const host = ({endpoint}: Scene): string => endpoint.replace(/^https?:\/\//, '')
const certificate = ({settings: {cert}}: Scene): string =>
  cert ? `the client certificate ${cert.value.file} (from ${cert.origin})` : 'a client certificate'

const CHECK_SERVER = (scene: Scene): string => `Is etcd running there? Try: etcdctl --endpoints ${scene.endpoint} endpoint health`
const CHECK_CLUSTER = (scene: Scene): string => `See the state of the members: etcdctl --endpoints ${scene.endpoint} endpoint status --cluster`

const BEHIND = (scene: Scene): string => `If this is a proxy or a load balancer, etcd behind it may be down. Try: etcdctl --endpoints ${scene.endpoint} endpoint health`

const DIAGNOSES: Readonly<Record<Exclude<Diagnosis['problem'], 'none'>, Words>> = {
  dns: {
    kind: 'unreachable',
    message: (scene, text) => `Cannot find the host of the etcd endpoint ${at(scene)}: ${text}`,
    hint: (scene) => `Check the name in ${scene.settings.endpoints.origin}, and this host's name resolution.`,
  },
  refused: {
    kind: 'unreachable',
    message: (scene) => `Nothing listens at the etcd endpoint ${at(scene)}: connection refused`,
    hint: (scene) => `${CHECK_SERVER(scene)}. ${scene.settings.endpoints.origin === 'the default' ? 'If etcd is elsewhere, set ETCD_ENDPOINTS. To try calicoctl without etcd: --datastore embedded' : `Check the endpoint in ${scene.settings.endpoints.origin}.`}`,
  },
  'no-route': {
    kind: 'unreachable',
    message: (scene, text) => `No route to the etcd endpoint ${at(scene)}: ${text}`,
    hint: () => `Check the address, this host's routes and firewalls.`,
  },
  silent: {
    kind: 'unreachable',
    message: (scene) => `The etcd endpoint ${at(scene)} does not answer`,
    hint: CHECK_SERVER,
  },
  'hangs-up': {
    kind: 'unreachable',
    message: (scene, text) => `The etcd endpoint ${at(scene)} accepts connections and closes them without an answer: ${text}`,
    hint: BEHIND,
  },
  garbled: {
    kind: 'unreachable',
    message: (scene, text) => `The answer of the etcd endpoint ${at(scene)} is neither HTTP nor TLS: ${text}`,
    hint: (scene) => `Check address and port in ${scene.settings.endpoints.origin}; etcd's client port is usually 2379.`,
  },
  unavailable: {
    kind: 'unreachable',
    message: (scene, text) => `etcd is not available at the endpoint ${at(scene)}: ${text}`,
    hint: BEHIND,
  },
  'speaks-tls': {
    kind: 'denied',
    message: (scene) => `The etcd endpoint ${at(scene)} does not accept plain HTTP; it probably requires TLS`,
    hint: (scene) => `Use https:// in ${scene.settings.endpoints.origin} and set ETCD_CA_CERT_FILE.`,
  },
  'speaks-plain': {
    kind: 'denied',
    message: (scene) => `The etcd endpoint ${at(scene)} does not use TLS`,
    hint: (scene) => `If this etcd has no TLS, use http:// in ${scene.settings.endpoints.origin}.`,
  },
  'unknown-ca': {
    kind: 'denied',
    message: (scene, text) =>
      `The certificate of the etcd endpoint ${at(scene)} is not signed by ${scene.settings.ca ? `the CA in ${scene.settings.ca.value.file}` : 'a CA known to this host'}: ${text}`,
    hint: ({settings: {ca}}) => `Set the CA that signed it ${ca ? `in ${ca.origin}` : 'by ETCD_CA_CERT_FILE'}.`,
  },
  'wrong-name': {
    kind: 'denied',
    message: (scene, text) => `The certificate of the etcd endpoint ${at(scene)} is for another name: ${text}`,
    hint: (scene) => `Use a name of the certificate in ${scene.settings.endpoints.origin}, or install a certificate for ${host(scene)} on the server.`,
  },
  expired: {
    kind: 'denied',
    message: (scene, text) => `The certificate of the etcd endpoint ${at(scene)} is not valid at this time: ${text}`,
    hint: () => `Renew the server's certificate, or correct this host's clock.`,
  },
  'client-certificate': {
    kind: 'denied',
    message: (scene, text) =>
      scene.settings.cert
        ? `The etcd endpoint ${at(scene)} does not accept ${certificate(scene)}: ${text}`
        : `The etcd endpoint ${at(scene)} requires a client certificate, and none is set`,
    hint: ({settings: {cert}}) =>
      cert ? `Use a certificate signed by the CA that the server trusts.` : `Set ETCD_CERT_FILE and ETCD_KEY_FILE.`,
  },
  tls: {
    kind: 'denied',
    message: (scene, text) => `TLS with the etcd endpoint ${at(scene)} failed: ${text}`,
    hint: ({settings: {ca}}) => `Check the CA (${from(ca, 'none is set')}), the client certificate and its key.`,
  },
  'not-etcd': {
    kind: 'unreachable',
    message: (scene, text) => `The server at ${at(scene)} is not etcd v3: ${text}`,
    hint: (scene) => `Check address and port in ${scene.settings.endpoints.origin}; etcd's client port is usually 2379.`,
  },
  'old-etcd': {
    kind: 'unreachable',
    message: (scene, text) => `The etcd endpoint ${at(scene)} has no v3 API: ${text}`,
    hint: () => `Calico v3 needs etcd 3.3 or newer.`,
  },
}

const FAILURES: Readonly<Record<Exclude<Problem, 'compacted'>, Words>> = {
  'no-connection': {
    kind: 'unreachable',
    message: (scene, text) => `No connection to the etcd endpoint ${at(scene)}: ${text}`,
    hint: CHECK_SERVER,
  },
  timeout: {
    kind: 'unreachable',
    message: (scene) => `The etcd endpoint ${at(scene)} did not answer in time`,
    hint: (scene) => `${CHECK_SERVER(scene)}. A slow network needs a larger --timeout.`,
  },
  interrupted: {
    kind: 'unreachable',
    message: (scene, text) => `The connection to the etcd endpoint ${at(scene)} was interrupted: ${text}`,
    hint: CHECK_SERVER,
  },
  'no-leader': {
    kind: 'unreachable',
    message: (scene) => `The etcd endpoint ${at(scene)} has no leader: the cluster has lost its majority, or an election is in progress`,
    hint: CHECK_CLUSTER,
  },
  busy: {
    kind: 'unreachable',
    message: (scene, text) => `The etcd endpoint ${at(scene)} is not ready for requests: ${text}`,
    hint: CHECK_CLUSTER,
  },
  'not-etcd': {
    kind: 'unreachable',
    message: (scene, text) => `The server at ${at(scene)} is not etcd v3: ${text}`,
    hint: (scene) => `Check address and port in ${scene.settings.endpoints.origin}; etcd's client port is usually 2379.`,
  },
  'wrong-password': {
    kind: 'denied',
    message: (scene) =>
      `etcd at ${at(scene)} refused the login: wrong user name or password (user ${scene.settings.username?.value ?? ''} ${from(scene.settings.username, 'not set')}, password ${from(scene.settings.password, 'not set')})`,
    hint: ({settings: {username, password}}) => `Check the user name and password in ${[...new Set([username?.origin ?? 'ETCD_USERNAME', password?.origin ?? 'ETCD_PASSWORD'])].join(' and ')}.`,
  },
  'no-credentials': {
    kind: 'denied',
    message: (scene) => `etcd at ${at(scene)} requires a user name and password, and none is set`,
    hint: () => `Set ETCD_USERNAME and ETCD_PASSWORD, or etcdUsername and etcdPassword in the configuration file.`,
  },
  'no-permission': {
    kind: 'denied',
    message: (scene) =>
      `etcd at ${at(scene)} denies ${scene.subject}${scene.settings.username ? ` for the user ${scene.settings.username.value}` : ''}`,
    hint: () => `To see the required roles and how to create them: calicoctl config grants`,
  },
  login: {
    kind: 'denied',
    message: (scene, text) => `The login to etcd at ${at(scene)} failed: ${text}`,
    hint: ({settings: {username}}) => `Check the user (${from(username, 'none is set')}).`,
  },
  'no-space': {
    kind: 'failed',
    message: (scene) => `etcd at ${at(scene)} is full and refuses writes (NOSPACE alarm)`,
    hint: () => `Free space and disarm the alarm: etcdctl compact REVISION, etcdctl defrag, etcdctl alarm disarm. Or set a larger --quota-backend-bytes. To see its revision and size: calicoctl datastore status`,
  },
  'too-large': {
    kind: 'failed',
    message: (scene) => `etcd at ${at(scene)} refuses the request: it is larger than the server allows (${scene.subject}); nothing was written`,
    hint: () => `Make a smaller change, or raise the server's --max-request-bytes and --max-txn-ops.`,
  },
  'future-revision': {
    kind: 'failed',
    message: (scene) => `etcd at ${at(scene)} has not reached the requested revision (${scene.subject})`,
    hint: () => `Was the store replaced or restored from a backup? Run the command again.`,
  },
  refused: {
    kind: 'failed',
    message: (scene, text) => `etcd at ${at(scene)} refuses ${scene.subject}: ${text}`,
    hint: CHECK_CLUSTER,
  },
}

const say = ({kind, message, hint}: Words, scene: Scene, text: string, cause: unknown): CalicoError =>
  new CalicoError(kind, message(scene, text), {hint: hint(scene), cause})

/** The error for a request that failed for good. */
export function explainFailure(scene: Scene, failure: Failure): CalicoError {
  const {problem, text, cause} = failure
  if (problem === 'compacted') return new CompactedError(undefined, cause)
  const error = say(FAILURES[problem], scene, text, cause)
  if (problem === 'no-permission') return new ForbiddenError(error.message, (subject) => explainFailure({...scene, subject}, failure), {...(error.hint !== undefined && {hint: error.hint}), cause})
  if (problem === 'no-space') return new FullError(error.message, {...(error.hint !== undefined && {hint: error.hint}), cause})
  return problem === 'too-large' ? new TooLargeError(error.message, {...(error.hint !== undefined && {hint: error.hint}), cause}) : error
}

/** The error for an endpoint without connection, once it is known why. */
export function explainDiagnosis(scene: Scene, {problem, text}: Diagnosis, failure: Failure): CalicoError {
  return problem === 'none' ? explainFailure(scene, failure) : say(DIAGNOSES[problem], scene, text, failure.cause)
}

/** One error for several endpoints: the first one's, the others as its details. `denied` goes first: it is what the user can act on. */
export function explainTogether(errors: readonly CalicoError[]): CalicoError {
  const [first, ...others] = errors.toSorted((a, b) => Number(b.kind === 'denied') - Number(a.kind === 'denied'))
  if (first === undefined) throw new RangeError('no error to explain')
  if (others.length === 0) return first
  return new CalicoError(first.kind, first.message, {
    details: others.map((error) => error.message),
    ...(first.hint !== undefined && {hint: first.hint}),
    cause: first.cause,
  })
}

/** What etcd answered for a cluster, and where. */
interface ClusterAnswer {
  readonly id: string
  readonly url: string
}

/** As etcd's own logs write it. */
const clusterId = (id: string): string => BigInt(id).toString(16)

/** The error for an answer of another etcd cluster than the first one's. */
export function explainClusters({endpoints}: EtcdSettings, first: ClusterAnswer, other: ClusterAnswer): CalicoError {
  const message =
    first.url === other.url
      ? `The etcd endpoint ${first.url} (from ${endpoints.origin}) belonged to the etcd cluster ${clusterId(first.id)} first, and now to ${clusterId(other.id)}`
      : `The etcd endpoints (from ${endpoints.origin}) belong to different etcd clusters: ${first.url} to ${clusterId(first.id)}, ${other.url} to ${clusterId(other.id)}`
  return new CalicoError('wrong-datastore', message, {
    hint: `A member may have been set up again without the data of the others. Compare the members: etcdctl --endpoints ${endpoints.value.join(',')} endpoint status -w json`,
  })
}

/** The error for the one request that found the whole cluster replaced, after which the new one is used. */
export function explainReplaced({endpoints}: EtcdSettings, before: ClusterAnswer, after: ClusterAnswer, cause: CalicoError): CalicoError {
  return new CalicoError('wrong-datastore', `The etcd cluster ${clusterId(before.id)} has been replaced by ${clusterId(after.id)} (${endpoints.value.join(', ')}, from ${endpoints.origin})`, {
    hint: 'The new cluster is used from now on. Try again.',
    cause,
  })
}

/** The error for TLS files that cannot even be loaded: they are no certificate, or the key does not belong to it. */
export function explainBadCredentials({ca, cert, key}: EtcdSettings, cause: unknown): CalicoError {
  const files = [ca, cert, key].flatMap((setting) => (setting ? [`${setting.value.file} (from ${setting.origin})`] : []))
  return new CalicoError('denied', `The TLS files ${files.join(', ')} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`, {
    hint: 'Check that each is PEM and that the key belongs to the client certificate.',
    cause,
  })
}
