/** Asking the driver on its socket, as the Engine does when it first needs it (mesos-docker §3.3). */
import {request} from 'node:http'
import {setTimeout as sleep} from 'node:timers/promises'

export type SocketAnswer =
  | {readonly state: 'answers'}
  | {readonly state: 'silent'; readonly why: string}
  /** Only root may ask. */
  | {readonly state: 'unknown'; readonly why: string}

const ASK_LIMIT_MS = 2_000
/** A try has at least this long, also the last one of a wait: its answer is the reason that is reported. */
const LEAST_ASK_MS = 1_000
const POLL_MS = 100

/** Asks at PATH for /Plugin.Activate. */
export function askDriver(path: string, limitMs = ASK_LIMIT_MS): Promise<SocketAnswer> {
  return new Promise((resolve) => {
    const asking = request({socketPath: path, method: 'POST', path: '/Plugin.Activate', timeout: limitMs, agent: false}, (response) => {
      let text = ''
      response.on('data', (data: Buffer) => (text = (text + data.toString()).slice(0, 10_000)))
      response.on('error', failed)
      response.on('end', () => resolve(isNetworkDriver(text) ? {state: 'answers'} : {state: 'silent', why: `what answers at ${path} is not a network driver`}))
    })
    const timer = setTimeout(() => asking.destroy(new Error(`no answer within ${limitMs / 1000} s`)), limitMs)
    function failed(error: NodeJS.ErrnoException): void {
      const {code, message} = error
      if (code === 'EACCES' || code === 'EPERM') resolve({state: 'unknown', why: 'only root can query it'})
      else resolve({state: 'silent', why: code === 'ENOENT' ? `${path} does not exist` : code === 'ECONNREFUSED' ? `nothing listens on ${path}` : message})
    }
    asking.on('error', failed)
    asking.on('close', () => clearTimeout(timer))
    asking.end()
  })
}

function isNetworkDriver(text: string): boolean {
  try {
    const {Implements} = JSON.parse(text) as {Implements?: unknown}
    return Array.isArray(Implements) && Implements.includes('NetworkDriver')
  } catch {
    return false
  }
}

/** Waits until the driver answers at PATH, LIMITMS at most, or until ENDED says why it will not any more. The last answer. */
export async function waitForDriver(path: string, limitMs: number, ended: () => Promise<string | undefined>): Promise<SocketAnswer> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const answer = await askDriver(path, Math.max(LEAST_ASK_MS, Math.min(ASK_LIMIT_MS, deadline - performance.now())))
    if (answer.state === 'answers') return answer
    const why = await ended()
    if (why !== undefined) return {state: 'silent', why}
    if (performance.now() >= deadline) return answer
    await sleep(POLL_MS)
  }
}
