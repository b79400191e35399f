/** HTTP between the Docker Engine and the driver's table of methods (spec mesos-docker §3.2). */
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import {CalicoError} from '../errors.js'
import {sizeText} from '../files/size.js'
import {isDeeperThan} from '../json/index.js'
import {escapeText} from '../printable.js'
import type {Driver, Job} from './driver.js'
import {keyedQueue} from './keyed-queue.js'
import type {Log} from './log.js'
import type {Metrics, Outcome} from './metrics.js'
import {BadRequest, CONTENT_TYPE, type Manifest} from './protocol.js'

/** Docker's requests have some hundred bytes; those of a network with many options a few thousand. */
const BODY_LIMIT = 1024 * 1024
/** Objects and lists inside each other. Docker's have three levels. */
const DEEPEST_BODY = 100
const HEADERS_LIMIT_MS = 10_000
const BODY_TIME_LIMIT_MS = 30_000

export interface ServerOptions {
  readonly driver: Driver
  readonly log: Log
  readonly metrics: Metrics
  /** Milliseconds for a request that comes now. */
  readonly limitMs: (job: Pick<Job, 'onHost'>) => number
  /** What an error should say where a request is not done in time. */
  readonly whyLate: () => string
}

export interface PluginServer {
  /** A server that has the methods of the interfaces in MANIFEST. All share one order of requests. */
  serve(manifest: Manifest): Server
  /** Accepts no more; resolves when all requests are answered, or after LIMITMS: then what is left is cut off. False: something was. */
  stop(limitMs: number): Promise<boolean>
}

interface Answer {
  readonly status: number
  readonly body: object
  readonly outcome: Outcome
}

export function newPluginServer({driver, log, metrics, limitMs, whyLate}: ServerOptions): PluginServer {
  const queue = keyedQueue()
  const servers: Server[] = []
  /** What is being done, also that which no one waits for any more. */
  const running = new Set<Promise<unknown>>()
  let stopping = false

  async function handle(manifest: Manifest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now()
    const name = (request.url ?? '').replace(/^\/+/, '')
    const method = methodOf(name, manifest)
    let subject: string | undefined
    const {status, body, outcome} = await answer(request, name, method, (job) => (subject = job.subject))
    const seconds = (performance.now() - began) / 1000
    metrics.request(method === undefined ? 'unknown' : name, outcome, seconds)
    const what = [method === undefined ? `${request.method ?? ''} ${name.slice(0, 100)}` : name, subject].filter((part) => part !== undefined).join(' ')
    if (outcome === 'ok') log.debug(`${what}: done in ${(seconds * 1000).toFixed(0)} ms`)
    else log[method === undefined ? 'debug' : 'error'](`${what}: ${(body as {Err: string}).Err} (${status}, ${(seconds * 1000).toFixed(0)} ms)`)
    send(response, status, body, {close: stopping || !request.complete})
  }

  function methodOf(name: string, {Implements}: Manifest): ((body: unknown) => Job) | undefined {
    if (name === 'Plugin.Activate') return () => ({onHost: true, run: () => Promise.resolve({Implements})})
    const isOffered = (Implements as readonly string[]).includes(name.split('.', 1)[0] ?? '')
    return isOffered && Object.hasOwn(driver, name) ? driver[name] : undefined
  }

  async function answer(request: IncomingMessage, name: string, method: ((body: unknown) => Job) | undefined, onJob: (job: Job) => void): Promise<Answer> {
    let text: string | undefined
    try {
      text = await readBody(request)
      if (request.method !== 'POST') return refused(405, `${request.method ?? 'this'} is not supported: use POST`)
      if (method === undefined) return refused(404, `The method ${name.slice(0, 100)} is not known`)
      const job = method(parse(text))
      onJob(job)
      return await inTime(job)
    } catch (error) {
      if (error instanceof TooLarge) return refused(413, `The request has more than ${sizeText(BODY_LIMIT)}`)
      if (error instanceof BadRequest) return refused(400, `Bad request: ${error.message}${text === '' ? REPEATED : ''}`)
      if (error instanceof CalicoError) return {status: 500, body: {Err: errorLine(error)}, outcome: 'error'}
      log.error(`A bug in calicoctl in ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      return {status: 500, body: {Err: `${error instanceof Error ? error.message : String(error)}. This is a bug in calicoctl; its log has more.`}, outcome: 'error'}
    }
  }

  /** What JOB replies, or, when its time is up, that it does not: what it still does then, it reverts. */
  function inTime(job: Job): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let isLate = false
      const wasLate = (): boolean => isLate
      const limit = limitMs(job)
      const timer = setTimeout(() => {
        isLate = true
        resolve({status: 500, body: {Err: `Not finished within ${limit / 1000} s. ${whyLate()}`}, outcome: 'timeout'})
      }, limit)
      const work = queue.run(job.key, async () => {
        if (isLate) return undefined
        const reply = await job.run()
        // Docker has been informed that it failed.
        if (wasLate()) await takeBack(job)
        return reply
      })
      running.add(work)
      work.then(
        (reply) => {
          clearTimeout(timer)
          resolve({status: 200, body: reply ?? {}, outcome: 'ok'})
        },
        (thrown: unknown) => {
          clearTimeout(timer)
          const error = thrown instanceof Error ? thrown : new Error(String(thrown))
          if (isLate) log.debug(`${job.subject ?? 'a request'}, which was not finished in time, has failed: ${error.message}`)
          reject(error)
        },
      ).finally(() => running.delete(work))
    })
  }

  async function takeBack(job: Job): Promise<void> {
    if (job.undo === undefined) return
    try {
      await job.undo()
      log.warn(`Rolled back, because the request had timed out: ${job.subject ?? 'a request'}`)
    } catch (error) {
      log.warn(`The request had timed out, and its changes were not rolled back: ${job.subject ?? 'a request'}: ${error instanceof Error ? error.message : String(error)}. Reconciliation will remove them.`)
    }
  }

  return {
    serve(manifest) {
      const server = createServer((request, response) => {
        response.on('error', () => undefined)
        handle(manifest, request, response).catch((error: unknown) => {
          log.error(`A response could not be sent: ${error instanceof Error ? error.message : String(error)}`)
          response.destroy()
        })
      })
      // A connection of Docker's that is closed while it sends would lose the request.
      server.keepAliveTimeout = 0
      server.headersTimeout = HEADERS_LIMIT_MS
      server.requestTimeout = BODY_TIME_LIMIT_MS
      servers.push(server)
      return server
    },
    async stop(limit) {
      stopping = true
      const closed = servers.map((server) => new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }))
      let timer: NodeJS.Timeout | undefined
      const timeUp = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), limit)))
      const isWhole = await Promise.race([Promise.all(closed).then(() => Promise.allSettled(running)).then(() => true), timeUp])
      clearTimeout(timer)
      if (!isWhole) for (const server of servers) server.closeAllConnections()
      return isWhole
    },
  }
}

const refused = (status: number, text: string): Answer => ({status, body: {Err: text}, outcome: 'refused'})

class TooLarge extends Error {}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  // The connection is still needed, for the answer.
  const stream = request.iterator({destroyOnReturn: false}) as AsyncIterableIterator<Buffer>
  try {
    for await (const part of stream) {
      size += part.length
      if (size > BODY_LIMIT) throw new TooLarge()
      parts.push(part)
    }
  } catch (error) {
    throw error instanceof TooLarge ? error : new BadRequest('the request was interrupted', {cause: error})
  }
  return Buffer.concat(parts).toString()
}

/** Docker calls again, without a body, where the driver was ended before it answered. */
const REPEATED = '. The request is empty: Docker sends an empty request after a driver was stopped before its answer. Try again.'

/** The handshake has no body. @throws BadRequest */
function parse(text: string): unknown {
  if (text.trim() === '') return {}
  if (isDeeperThan(text, DEEPEST_BODY)) throw new BadRequest(`its JSON is nested more than ${DEEPEST_BODY} levels deep`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new BadRequest(`not JSON: ${error instanceof Error ? error.message : String(error)}`, {cause: error})
  }
}

/** All that ERROR says, in one line: Docker shows it behind `Error response from daemon: NetworkDriver.Join:`. */
export function errorLine({message, details, hint}: CalicoError): string {
  // A recorded text that is a sentence stays one: others look for it.
  const stated = details.length === 0 ? message : `${message}${/[.!?:]$/.test(message) ? '' : ':'} ${details.join('; ').replaceAll(/([.!?]); /g, '$1 ')}`
  const line = (hint === undefined ? stated : `${/[.!?]$/.test(stated) ? stated : `${stated}.`} ${hint}`).replaceAll(/\s*\n\s*/g, ' ')
  return escapeText(line)
}

function send(response: ServerResponse, status: number, body: object, {close}: {close: boolean}): void {
  if (response.destroyed) return
  const text = JSON.stringify(body)
  response.writeHead(status, {'Content-Type': CONTENT_TYPE, 'Content-Length': Buffer.byteLength(text), ...(close ? {Connection: 'close'} : {})})
  response.end(text)
}
