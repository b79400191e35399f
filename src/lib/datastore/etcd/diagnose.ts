import type {IncomingMessage} from 'node:http'
import type {EtcdSettings} from '../../settings/types.js'

/**
 * Finds out why no connection to an endpoint comes about. gRPC's own words for it are too poor for a message, so this asks the
 * endpoint for `/version` over plain HTTP(S) and looks at how that fails. Runs only after a failure. What is wrong with TLS is said only where
 * the endpoint itself shows it: a connection that is reset, or answered with anything, is what a proxy gives whose etcd is away.
 */
export type Diagnosis =
  | {readonly problem: 'dns' | 'refused' | 'no-route' | 'silent' | 'speaks-tls' | 'speaks-plain' | 'not-etcd'; readonly text: string}
  | {readonly problem: 'unknown-ca' | 'wrong-name' | 'expired' | 'client-certificate' | 'tls'; readonly text: string}
  | {readonly problem: 'old-etcd'; readonly text: string}
  /** The connection is accepted and closed; what comes is neither HTTP nor TLS; a proxy says that nothing is behind it. */
  | {readonly problem: 'hangs-up' | 'garbled' | 'unavailable'; readonly text: string}
  /** etcd v3 answers: whatever went wrong has passed. */
  | {readonly problem: 'none'; readonly text: string}

const PASSING: ReadonlySet<Diagnosis['problem']> = new Set(['none', 'silent', 'hangs-up', 'garbled', 'unavailable'])

/** Whether asking again is in vain, as far as can be known. */
export const isLasting = ({problem}: Diagnosis): boolean => !PASSING.has(problem)

const LIMIT_MS = 1_000
const LONGEST_BODY = 10_000
/** What proxies answer while nothing is behind them: 502, 503, 504; 429 is too many requests. */
const PROXY_STATUSES: readonly number[] = [429, 502, 503, 504]

/** Node's and OpenSSL's error codes that leave no doubt, by their beginnings; first match wins. */
const BY_CODE: readonly (readonly [RegExp, Diagnosis['problem']])[] = [
  [/^(ENOTFOUND|EAI_)/, 'dns'],
  [/^ECONNREFUSED/, 'refused'],
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|EADDRNOTAVAIL)/, 'no-route'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID/, 'wrong-name'],
  [/^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)/, 'expired'],
  [/(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|ALERT_UNKNOWN_CA|CERTIFICATE_EXPIRED|ALERT_CERTIFICATE)/, 'client-certificate'],
  [/^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA)/, 'unknown-ca'],
  [/^(ERR_TLS|CERT_)|ALERT|UNSUPPORTED_PROTOCOL|TOO_SMALL|TOO_WEAK|NO_SHARED/, 'tls'],
]
const GARBLED = /^(ERR_SSL|ERR_OSSL|HPE_)/

/** What is wrong at ENDPOINT, found within LIMITMS (at most a second), however slowly it answers. */
export async function diagnose(endpoint: string, settings: EtcdSettings, limitMs: number = LIMIT_MS): Promise<Diagnosis> {
  const signal = AbortSignal.timeout(Math.max(1, Math.ceil(Math.min(limitMs, LIMIT_MS))))
  try {
    const {status, body} = await askVersion(endpoint, settings, signal)
    return readVersion(status, body)
  } catch (error) {
    const found = await explainError(endpoint, settings, error as NodeJS.ErrnoException, signal)
    return signal.aborted && !isLasting(found) ? {problem: 'silent', text: `no answer within ${LIMIT_MS} ms`} : found
  }
}

async function explainError(endpoint: string, settings: EtcdSettings, error: NodeJS.ErrnoException, signal: AbortSignal): Promise<Diagnosis> {
  const reason = reasonOf(error)
  const text = error.message
  const certain = certainly(reason)
  if (certain !== undefined) return {problem: certain, text}
  const otherwise = {problem: GARBLED.test(reason) ? ('garbled' as const) : ('hangs-up' as const), text}
  if (signal.aborted) return otherwise
  if (!endpoint.startsWith('https:')) {
    const {greets} = await greet(endpoint, undefined, signal)
    return greets ? {problem: 'speaks-tls', text} : otherwise
  }
  if (await speaksPlain(endpoint, settings, signal)) return {problem: 'speaks-plain', text}
  // A refusal that comes after the handshake (TLS 1.3) is lost in a reset if anything has been sent meanwhile.
  const {refusal} = await greet(endpoint, settings, signal)
  const problem = refusal && certainly(reasonOf(refusal))
  return refusal && problem ? {problem, text: refusal.message} : otherwise
}

/** OpenSSL's reason is in the code, or, under EPROTO, only in the message. */
const reasonOf = ({code = '', message}: NodeJS.ErrnoException): string => (code === 'EPROTO' ? `ERR_SSL ${message.toUpperCase().replaceAll(' ', '_')}` : code)

const certainly = (reason: string): Diagnosis['problem'] | undefined => BY_CODE.find(([pattern]) => pattern.test(reason))?.[1]

/** Whether ENDPOINT answers plain HTTP with more than that it wants TLS. */
const speaksPlain = (endpoint: string, settings: EtcdSettings, signal: AbortSignal): Promise<boolean> =>
  askVersion(endpoint.replace('https:', 'http:'), settings, signal).then(
    ({status, body}) => !['speaks-tls', 'unavailable'].includes(readVersion(status, body).problem),
    () => false,
  )

const tlsOptions = ({ca, cert, key}: EtcdSettings) => ({
  ...(ca && {ca: ca.value.pem}),
  ...(cert && {cert: cert.value.pem}),
  ...(key && {key: key.value.pem}),
})

/**
 * Shakes hands by TLS at ENDPOINT and sends nothing. GREETS: it speaks TLS, whoever it is. REFUSAL: what it said against us, or we against it, until
 * it closed the connection or the time was up.
 */
async function greet(endpoint: string, settings: EtcdSettings | undefined, signal: AbortSignal): Promise<{greets: boolean; refusal?: NodeJS.ErrnoException}> {
  const [{connect}, {isIP}] = await Promise.all([import('node:tls'), import('node:net')])
  const {hostname, port} = new URL(endpoint)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    let greets = false
    // Without SETTINGS no one is believed: all that is asked is whether TLS is spoken.
    const socket = connect({host, port: Number(port || '443'), rejectUnauthorized: settings !== undefined, ...(isIP(host) === 0 && {servername: host}), ...(settings && tlsOptions(settings))})
    const finish = (refusal?: NodeJS.ErrnoException): void => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve({greets: greets || (refusal !== undefined && reasonOf(refusal).includes('ALERT')), ...(refusal && {refusal})})
    }
    const onAbort = (): void => finish()
    signal.addEventListener('abort', onAbort)
    socket.on('secureConnect', () => {
      greets = true
      if (settings === undefined) finish()
    })
    socket.on('error', finish)
    socket.on('close', () => finish())
    socket.resume()
  })
}

async function askVersion(endpoint: string, settings: EtcdSettings, signal: AbortSignal): Promise<{status: number; body: string}> {
  const {request} = endpoint.startsWith('https:') ? await import('node:https') : await import('node:http')
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(`${endpoint}/version`, {agent: false, signal, rejectUnauthorized: true, ...tlsOptions(settings)})
    outgoing.on('response', resolve)
    outgoing.on('error', reject)
    outgoing.end()
  })
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) {
    body += String(chunk)
    if (body.length > LONGEST_BODY) break
  }
  return {status: response.statusCode ?? 0, body}
}

/** etcd answers `{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}`; 2.x does so too, and has no gRPC. */
function readVersion(status: number, body: string): Diagnosis {
  const version = /"etcdserver"\s*:\s*"([0-9.]+)/.exec(body)?.[1]
  if (status === 400 && /HTTP request to an HTTPS server/i.test(body)) return {problem: 'speaks-tls', text: 'it expects HTTPS'}
  if (PROXY_STATUSES.includes(status)) return {problem: 'unavailable', text: `it answers with status ${status}`}
  if (version === undefined) return {problem: 'not-etcd', text: `its answer to /version has status ${status} and names no etcd`}
  if (version.startsWith('2.')) return {problem: 'old-etcd', text: `it is etcd ${version}`}
  return {problem: 'none', text: `etcd ${version} answers now`}
}
