/** What etcd says of itself over plain HTTP: version, health, and the time on its clock. */
import type {IncomingMessage} from 'node:http'
import type {EtcdSettings} from '../settings/types.js'

/** One endpoint of etcd, as it answered. */
export interface EtcdMember {
  readonly url: string
  /** Why it printed no answer that could be read; the rest is undefined then. */
  readonly problem?: string
  readonly version?: string
  readonly healthy?: boolean
  /** How far its clock is ahead of this host's, in milliseconds, and by how much that may be wrong. */
  readonly clock?: {readonly aheadMs: number; readonly uncertainMs: number}
}

export interface HttpAnswer {
  readonly status: number
  readonly body: string
  /** The header Date. */
  readonly date: string | undefined
  /** By this host's clock, in milliseconds since 1970. */
  readonly sentAt: number
  readonly receivedAt: number
}

const LONGEST_BODY = 10_000

/** Asks the endpoint URL for PATH, with the certificates of SETTINGS. @throws Error if there is no answer within LIMITMS */
async function askHttp(url: string, path: string, {ca, cert, key}: EtcdSettings, limitMs: number): Promise<HttpAnswer> {
  const {request} = url.startsWith('https:') ? await import('node:https') : await import('node:http')
  const signal = AbortSignal.timeout(limitMs)
  const sentAt = Date.now()
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request(url + path, {agent: false, signal, rejectUnauthorized: true, ...(ca && {ca: ca.value.pem}), ...(cert && {cert: cert.value.pem}), ...(key && {key: key.value.pem})})
      outgoing.on('response', resolve)
      outgoing.on('error', reject)
      outgoing.end()
    })
    const receivedAt = Date.now()
    let body = ''
    for await (const chunk of response.setEncoding('utf8')) {
      body += String(chunk)
      if (body.length > LONGEST_BODY) break
    }
    return {status: response.statusCode ?? 0, body, date: response.headers.date, sentAt, receivedAt}
  } catch (error) {
    throw signal.aborted ? new Error(`no answer within ${limitMs / 1000} s`, {cause: error}) : error
  }
}

/** The endpoints of SETTINGS, all asked at once. */
export const askMembers = (settings: EtcdSettings, limitMs: number): Promise<EtcdMember[]> =>
  Promise.all(
    settings.endpoints.value.map(async (url): Promise<EtcdMember> => {
      try {
        const version = await askHttp(url, '/version', settings, limitMs)
        return readMember(url, version, await askHttp(url, '/health', settings, limitMs))
      } catch (error) {
        return {url, problem: error instanceof Error ? error.message : String(error)}
      }
    }),
  )

/** What the answers to /version and /health say. Pure. */
export function readMember(url: string, version: HttpAnswer, health: HttpAnswer): EtcdMember {
  const found = /"etcdserver"\s*:\s*"(\d+\.\d+\.\d+)/.exec(version.body)?.[1]
  if (found === undefined) return {url, problem: `the server is not etcd (status ${version.status})`}
  const clock = clockOf(version)
  return {url, version: found, healthy: health.status === 200 && /"health"\s*:\s*"?true/.test(health.body), ...(clock && {clock})}
}

/** Date is cut to whole seconds, and was written at some time between the question and the answer. */
function clockOf({date, sentAt, receivedAt}: HttpAnswer): EtcdMember['clock'] {
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return undefined
  return {aheadMs: theirs + 500 - (sentAt + receivedAt) / 2, uncertainMs: 500 + Math.abs(receivedAt - sentAt) / 2}
}
