import {createServer, type Socket} from 'node:net'
import {listen} from './ports.js'

/** A server that takes connections and never answers. */
export interface SilentServer {
  readonly endpoint: string
  /** Resolves at the next connection. */
  connected(): Promise<void>
  stop(): Promise<void>
}

export async function startSilentServer(): Promise<SilentServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  const port = await listen(server)
  return {
    endpoint: `http://127.0.0.1:${port}`,
    connected: () => new Promise((resolve) => server.once('connection', () => resolve())),
    async stop() {
      // Nobody reads these sockets, so that they would never notice that the other side has gone.
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
