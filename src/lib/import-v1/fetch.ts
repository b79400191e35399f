/** The old store over etcd's v2 API: one recursive get, of which nothing is changed. */
import type {IncomingMessage} from 'node:http'
import {diagnose} from '../datastore/etcd/diagnose.js'
import {explainDiagnosis} from '../datastore/etcd/explain.js'
import {CalicoError} from '../errors.js'
import {sizeText} from '../files/size.js'
import type {EtcdSettings} from '../settings/types.js'
import {OLD_ROOT, type OldStore, readDump} from './old-store.js'

/** Bytes of the largest answer that is read: a text of this runtime cannot be much longer. */
export const LARGEST_DUMP = 400 * 1024 * 1024
const LONGEST_ERROR = 300

/**
 * The store of the etcd at one of SETTINGS' endpoints, the first that answers, within LIMITMS.
 * @throws CalicoError `unreachable` or `denied` if none does; `wrong-datastore` for what is no etcd with a v2 API; `not-found` if it has nothing of Calico
 */
export async function fetchOldStore(settings: EtcdSettings, limitMs: number): Promise<{readonly store: OldStore; readonly name: string}> {
  const errors: CalicoError[] = []
  for (const url of settings.endpoints.value) {
    try {
      const {status, headers, body} = await ask(url, settings, limitMs)
      return {store: readAnswer(url, status, headers, body), name: `The etcd at ${url}`}
    } catch (error) {
      if (error instanceof CalicoError && error.kind !== 'unreachable') throw error
      errors.push(error instanceof CalicoError ? error : await explained(url, settings, error))
    }
  }
  const [first, ...others] = errors.toSorted((a, b) => Number(b.kind === 'denied') - Number(a.kind === 'denied'))
  if (!first) throw new RangeError('no endpoint was given')
  throw new CalicoError(first.kind, first.message, {details: [...first.details, ...others.map(({message}) => message)], ...(first.hint === undefined ? {} : {hint: first.hint}), cause: first.cause})
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

async function ask(url: string, {ca, cert, key}: EtcdSettings, limitMs: number): Promise<Answer> {
  const {request} = url.startsWith('https:') ? await import('node:https') : await import('node:http')
  const signal = AbortSignal.timeout(limitMs)
  try {
    const response = await new Promise<IncomingMessage>((settle, fail) => {
      const outgoing = request(`${url}/v2/keys${OLD_ROOT}?recursive=true&quorum=true`, {agent: false, signal, rejectUnauthorized: true, ...(ca && {ca: ca.value.pem}), ...(cert && {cert: cert.value.pem}), ...(key && {key: key.value.pem})})
      outgoing.on('response', settle)
      outgoing.on('error', fail)
      outgoing.end()
    })
    const parts: Buffer[] = []
    let size = 0
    for await (const part of response) {
      size += (part as Buffer).length
      if (size > LARGEST_DUMP) throw new CalicoError('failed', `The answer of ${url} has more than ${sizeText(LARGEST_DUMP)}`)
      parts.push(part as Buffer)
    }
    return {status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts)}
  } catch (error) {
    if (signal.aborted) throw new CalicoError('unreachable', `The etcd endpoint ${url} (from --etcd-v2) did not answer within ${limitMs / 1000} s`, {hint: 'A slow network needs a larger --timeout.', cause: error})
    throw error
  }
}

/** The settings of the old store are options of the line, not the variables that the other words name. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/ETCD_CA_CERT_FILE/g, '--etcd-v2-ca'],
  [/ETCD_CERT_FILE/g, '--etcd-v2-cert'],
  [/ETCD_KEY_FILE/g, '--etcd-v2-key'],
  [/etcd's client port is usually 2379/g, "the etcd of v0.20 often listened at 4001 or 2379"],
]

async function explained(url: string, settings: EtcdSettings, error: unknown): Promise<CalicoError> {
  const text = error instanceof Error ? error.message : String(error)
  const found = explainDiagnosis({endpoint: url, settings, subject: `reading ${OLD_ROOT}`}, await diagnose(url, settings), {problem: 'interrupted', fate: 'not-executed', remedy: 'elsewhere', text, cause: error})
  const hint = found.hint === undefined ? undefined : WORDS.reduce((words, [pattern, option]) => words.replace(pattern, option), found.hint)
  return new CalicoError(found.kind, found.message, {details: found.details, ...(hint === undefined ? {} : {hint}), cause: error})
}

function readAnswer(url: string, status: number, headers: Answer['headers'], body: Buffer): OldStore {
  if (status === 200 && headers['x-etcd-index'] !== undefined) return readDump(body, `The answer of the etcd at ${url}`)
  const text = body.subarray(0, LONGEST_ERROR).toString('utf8').trim()
  const code = /^\{"errorCode":(\d+)/.exec(text)?.[1]
  if (status === 404 && code === '100') {
    throw new CalicoError('not-found', `The etcd at ${url} has no data of Calico v0.20: its v2 API does not have ${OLD_ROOT}`, {hint: 'Check that it is the etcd that v0.20 used; it was set in ETCD_AUTHORITY or ETCD_ENDPOINTS.'})
  }
  if (status === 401 || status === 403 || code === '110') {
    throw new CalicoError('denied', `The etcd at ${url} denies read access: status ${status}`, {hint: `If its v2 API has users, create a dump as one of them: curl -u USER '${url}/v2/keys${OLD_ROOT}?recursive=true' > FILE, then: calicoctl import --from FILE`})
  }
  if ([429, 500, 502, 503, 504].includes(status)) throw new CalicoError('unreachable', `The etcd endpoint ${url} is not available: status ${status}${code === undefined ? '' : ` (${text})`}`)
  throw new CalicoError('wrong-datastore', `What answers at ${url} has no v2 API of etcd: its answer has status ${status}${text === '' ? '' : ` and begins with ${JSON.stringify(text.slice(0, 60))}`}`, {
    hint: 'etcd 3.4 and 3.5 have this API only with --enable-v2, and etcd 3.6 does not have it: start an etcd 3.4 with the old data and --enable-v2.',
  })
}
