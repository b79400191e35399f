import type {IncomingMessage} from 'node:http'
import type {EtcdSettings} from '../../settings/types.js'

/**
 * Finds out why no connection to an endpoint comes about. gRPC's own words for it are too poor for a message, so this asks the
 * endpoint for `/version` over plain HTTP(S) and looks at how that fails. Runs only after a failure.
 */
export type Diagnosis =
  | {readonly problem: 'dns' | 'refused' | 'no-route' | 'silent' | 'speaks-tls' | 'speaks-plain' | 'not-etcd'; readonly text: string}
  | {readonly problem: 'unknown-ca' | 'wrong-name' | 'expired' | 'client-certificate' | 'tls'; readonly text: string}
  | {readonly problem: 'old-etcd'; readonly text: string}
  /** etcd v3 answers: whatever went wrong has passed. */
  | {readonly problem: 'none'; readonly text: string}

const LIMIT_MS = 1_000

/** Node's and OpenSSL's error codes, by their beginnings; first match wins. */
const BY_CODE: readonly (readonly [RegExp, Diagnosis['problem']])[] = [
  [/^(ENOTFOUND|EAI_)/, 'dns'],
  [/^ECONNREFUSED/, 'refused'],
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|EADDRNOTAVAIL)/, 'no-route'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID/, 'wrong-name'],
  [/^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)/, 'expired'],
  [/(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|ALERT_UNKNOWN_CA|CERTIFICATE_EXPIRED|ALERT_CERTIFICATE)/, 'client-certificate'],
  [/(WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG)/, 'speaks-plain'],
  [/^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA)/, 'unknown-ca'],
  [/^(ERR_SSL|ERR_TLS|ERR_OSSL|EPROTO|CERT_|HPE_)/, 'tls'],
]

export async function diagnose(endpoint: string, settings: EtcdSettings): Promise<Diagnosis> {
  const secure = endpoint.startsWith('https:')
  try {
    const {status, body} = await askVersion(endpoint, settings)
    return readVersion(status, body)
  } catch (error) {
    const {code = '', message} = error as NodeJS.ErrnoException
    if (!secure && /^(HPE_|ECONNRESET|EPIPE)/.test(code)) return {problem: 'speaks-tls', text: message}
    if (code === 'ETIMEDOUT') return {problem: 'silent', text: message}
    // OpenSSL's reason is in the code, or, under EPROTO, only in the message.
    const reason = code === 'EPROTO' ? `ERR_SSL ${message.toUpperCase().replaceAll(' ', '_')}` : code
    const problem = BY_CODE.find(([pattern]) => pattern.test(reason))?.[1]
    // etcd without TLS just hangs up on a TLS greeting, which Node tells in different words, depending on the moment.
    if (problem === undefined && secure && (await speaksPlain(endpoint, settings))) return {problem: 'speaks-plain', text: message}
    // A reset inside TLS, after the server's certificate was accepted, is how TLS 1.3 refuses a client without one.
    if (problem === undefined && secure && settings.cert === undefined && !message.includes('before secure TLS connection')) return {problem: 'client-certificate', text: message}
    return {problem: problem ?? 'none', text: message}
  }
}

/** Whether ENDPOINT answers plain HTTP with more than that it wants TLS. */
const speaksPlain = (endpoint: string, settings: EtcdSettings): Promise<boolean> =>
  askVersion(endpoint.replace('https:', 'http:'), settings).then(
    ({status, body}) => readVersion(status, body).problem !== 'speaks-tls',
    () => false,
  )

async function askVersion(endpoint: string, {ca, cert, key}: EtcdSettings): Promise<{status: number; body: string}> {
  const {request} = endpoint.startsWith('https:') ? await import('node:https') : await import('node:http')
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(`${endpoint}/version`, {
      agent: false,
      timeout: LIMIT_MS,
      ...(ca && {ca: ca.value.pem}),
      ...(cert && {cert: cert.value.pem}),
      ...(key && {key: key.value.pem}),
    })
    outgoing.on('response', resolve)
    outgoing.on('error', reject)
    outgoing.on('timeout', () => {
      outgoing.destroy(Object.assign(new Error(`no answer within ${LIMIT_MS} ms`), {code: 'ETIMEDOUT'}))
    })
    outgoing.end()
  })
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) {
    body += String(chunk)
    if (body.length > 10_000) break
  }
  return {status: response.statusCode ?? 0, body}
}

/** etcd answers `{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}`; 2.x does so too, and has no gRPC. */
function readVersion(status: number, body: string): Diagnosis {
  const version = /"etcdserver"\s*:\s*"([0-9.]+)/.exec(body)?.[1]
  if (status === 400 && /HTTP request to an HTTPS server/i.test(body)) return {problem: 'speaks-tls', text: 'it expects HTTPS'}
  if (version === undefined) return {problem: 'not-etcd', text: `its answer to /version has status ${status} and names no etcd`}
  if (version.startsWith('2.')) return {problem: 'old-etcd', text: `it is etcd ${version}`}
  return {problem: 'none', text: `etcd ${version} answers now`}
}
