import {connect, createServer, type Socket} from 'node:net'
import {listen} from './ports.js'

/** What the proxy does with the bytes of all its connections. */
type Mode =
  | 'pass'
  /** Requests reach the server, answers do not come back. */
  | 'swallow-replies'
  /** Nothing passes either way; new connections are accepted. */
  | 'black-hole'

export interface Proxy {
  readonly endpoint: string
  set(mode: Mode): void
  /** Every chunk waits so long, each way. */
  delay(ms: number): void
  /** Calls ACTION once, just before the first request that contains TEXT is passed on. */
  before(text: string, action: () => void): void
  /** The first request that contains TEXT is held back, also when its client is gone. @returns once it is there: what passes it on */
  hold(text: string): Promise<() => void>
  /** Nothing passes any more, either way, on connections by which TEXT was sent or is sent: a header that says who sends. */
  cut(text: string): void
  /** Undoes each `cut`: the connections on which nothing passed end with RST. */
  mend(): void
  /** Ends all connections with RST. */
  reset(): void
  /** Resolves once the server has answered something since the call, whether it was passed on or not. */
  answered(): Promise<void>
  stop(): Promise<void>
}

/** Of what a client sends first: so much holds the headers of its first request. */
const HEAD_BYTES = 4_096

/** A TCP proxy before ENDPOINT (`http://127.0.0.1:PORT`) that can do what networks do. */
export async function startProxy(endpoint: string): Promise<Proxy> {
  const {protocol, port} = new URL(endpoint)
  const sockets = new Set<Socket>()
  let waiting: (() => void)[] = []
  let mode: Mode = 'pass'
  let delayMs = 0
  let trap: {text: string; action: () => void} | undefined
  let wanted: {text: string; found: (release: () => void) => void} | undefined
  const cuts = new Set<string>()
  /** The connections on which nothing passes: a client's socket, and the one to the server. */
  const silenced = new Map<Socket, Socket>()

  const server = createServer((client) => {
    const upstream = connect(Number(port), '127.0.0.1')
    let head = ''
    /** What is held back of this connection. */
    let held: Buffer[] | undefined
    const release = (): void => {
      for (const chunk of held ?? []) upstream.write(chunk)
      held = undefined
    }
    /** Whether nothing passes on this connection; SENT is what the client sends now. */
    const isSilenced = (sent?: Buffer): boolean => {
      if ([...cuts].some((text) => head.includes(text) || sent?.includes(text))) silenced.set(client, upstream)
      return silenced.has(client)
    }
    const pass = (from: Socket, to: Socket, isReply: boolean): void => {
      sockets.add(from)
      from.on('data', (chunk) => {
        if (isReply) {
          for (const resolve of waiting) resolve()
          waiting = []
        } else if (trap && chunk.includes(trap.text)) {
          const {action} = trap
          trap = undefined
          action()
        }
        if (!isReply && wanted && chunk.includes(wanted.text)) {
          held = []
          wanted.found(release)
          wanted = undefined
        }
        if (!isReply && held) {
          held.push(chunk)
          return
        }
        if (!isReply && head.length < HEAD_BYTES) head += chunk.toString('latin1', 0, HEAD_BYTES - head.length)
        if (isSilenced(isReply ? undefined : chunk)) return
        if (mode === 'black-hole' || (mode === 'swallow-replies' && isReply)) return
        if (delayMs === 0) to.write(chunk)
        else setTimeout(() => to.destroyed || to.write(chunk), delayMs)
      })
      from.on('close', () => {
        sockets.delete(from)
        if (mode !== 'black-hole' && !silenced.has(client) && !held) to.destroy()
      })
      from.on('error', () => undefined)
    }
    pass(client, upstream, false)
    pass(upstream, client, true)
  })
  const own = await listen(server)

  return {
    endpoint: `${protocol}//127.0.0.1:${own}`,
    set: (next) => void (mode = next),
    delay: (ms) => void (delayMs = ms),
    before: (text, action) => void (trap = {text, action}),
    hold: (text) => new Promise((found) => void (wanted = {text, found})),
    cut: (text) => void cuts.add(text),
    mend() {
      cuts.clear()
      for (const socket of [...silenced].flat()) socket.resetAndDestroy()
      silenced.clear()
    },
    reset() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    answered: () => new Promise((resolve) => waiting.push(resolve)),
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
