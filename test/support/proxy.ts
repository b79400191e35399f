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
  /** Ends all connections with RST. */
  reset(): void
  /** Resolves once the server has answered something since the call, whether it was passed on or not. */
  answered(): Promise<void>
  stop(): Promise<void>
}

/** A TCP proxy before ENDPOINT (`http://127.0.0.1:PORT`) that can do what networks do. */
export async function startProxy(endpoint: string): Promise<Proxy> {
  const {protocol, port} = new URL(endpoint)
  const sockets = new Set<Socket>()
  let waiting: (() => void)[] = []
  let mode: Mode = 'pass'
  let delayMs = 0
  let trap: {text: string; action: () => void} | undefined

  const server = createServer((client) => {
    const upstream = connect(Number(port), '127.0.0.1')
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
        if (mode === 'black-hole' || (mode === 'swallow-replies' && isReply)) return
        if (delayMs === 0) to.write(chunk)
        else setTimeout(() => to.destroyed || to.write(chunk), delayMs)
      })
      from.on('close', () => {
        sockets.delete(from)
        if (mode !== 'black-hole') to.destroy()
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
