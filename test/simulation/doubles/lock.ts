/** src/lib/host/lock.ts on the simulated hosts. */
import {host, processes} from './host.js'

/** Does WORK while nobody else does work under NAME. The lock of a process that was killed counts no more. */
export async function withHostLock<T>(name: string, _: string, work: () => Promise<T>): Promise<T> {
  const process = processes.getStore()
  for (let held = host.locks.get(name); held?.process?.alive !== false && held !== undefined; held = host.locks.get(name)) {
    const {waiting} = held
    await new Promise<void>((resolve) => void waiting.push(resolve))
    if (process?.alive === false) await new Promise(() => undefined)
  }
  const own = {process, waiting: [] as (() => void)[]}
  host.locks.set(name, own)
  try {
    return await work()
  } finally {
    if (host.locks.get(name) === own) host.locks.delete(name)
    wake(own)
  }
}

/** A process was killed: who waits for what it has locked looks again. */
export function lookAtLocks(): void {
  for (const held of [...host.locks.values()]) if (held.process?.alive === false) wake(held)
}

function wake({waiting}: {readonly waiting: (() => void)[]}): void {
  for (const each of waiting.splice(0)) each()
}
