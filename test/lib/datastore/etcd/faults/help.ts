/** What the faults share. */
import {createServer, type Socket} from 'node:net'
import type {BudgetOptions} from '../../../../../src/lib/datastore/budget.js'
import type {Datastore} from '../../../../../src/lib/datastore/datastore.js'
import {listen} from '../../../../support/ports.js'

/** Above all time that a request may take here, however busy the machine: whoever needs more waits for ever. */
export const HANGS_MS = 60_000

/** Opens the etcd at ENDPOINTS; it is closed after the test. */
export type Open = (endpoints: readonly string[], budget?: BudgetOptions, options?: {longLived?: boolean}) => Promise<Datastore>

/** With what WORK fails. @throws Error if it succeeds */
export const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    (value) => {
      throw new Error(`it succeeded: ${String(value)}`)
    },
    (error: unknown) => error,
  )

/** What WORK gives, and how many milliseconds it took. */
export async function timed<T>(work: () => Promise<T>): Promise<{value: T; ms: number}> {
  const start = performance.now()
  const value = await work()
  return {value, ms: performance.now() - start}
}

/** What is before an etcd that is away: takes each connection and does ACT with it. */
export async function doorman(act: (socket: Socket) => void): Promise<{host: string; connections: () => number; stop: () => void}> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    act(socket)
  })
  const port = await listen(server)
  return {
    host: `127.0.0.1:${port}`,
    connections: () => sockets.size,
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
