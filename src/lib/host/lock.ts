/** One process at a time on one thing of this host. */
import {createServer, type Server} from 'node:net'
import {setTimeout as sleep} from 'node:timers/promises'
import {CalicoError} from '../errors.js'

const PATIENCE_MS = 15_000

/**
 * Does WORK while no other process does work under NAME. The lock is an abstract Unix socket, which ends with its process however that dies.
 * @throws CalicoError `conflict` if it is not free within 15 s
 */
export async function withHostLock<T>(name: string, what: string, work: () => Promise<T>, {patienceMs = PATIENCE_MS}: {patienceMs?: number} = {}): Promise<T> {
  const deadline = Date.now() + patienceMs
  let held = await take(name)
  while (!held) {
    if (Date.now() >= deadline) throw new CalicoError('conflict', `Another process has been working on ${what} for ${patienceMs / 1000} s`, {hint: 'Run the command again when that one has ended.'})
    await sleep(20 + Math.random() * 20)
    held = await take(name)
  }
  try {
    return await work()
  } finally {
    held.close()
  }
}

/** A process that holds the lock NAME; undefined if another one does. */
function take(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(`\0calicoctl/${name}`, () => resolve(server.unref()))
  })
}
