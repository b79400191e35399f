/**
 * The hosts of a simulation: interfaces, namespaces, locks and remembered networks, in memory. All nodes share one, since interfaces are called after
 * endpoints. What programs do takes a moment.
 */
import {AsyncLocalStorage} from 'node:async_hooks'
import type {Process} from '../simulation.js'
import {sleep} from '../virtual-time.js'

/** A pair of interfaces. */
export interface Pair {
  readonly name: string
  readonly inner: string
  readonly mac: string
  readonly mtu: number
  /** Where its inner end is; undefined: on the host. */
  namespace: string | undefined
  readonly index: number
}

export interface Host {
  readonly pairs: Map<string, Pair>
  /** The namespaces that have processes, by process id; each is called as its container. */
  readonly namespaces: Map<number, string>
  /** Who waits for a lock that is held, by the lock's name. */
  readonly locks: Map<string, {readonly process: Pick<Process, 'alive'> | undefined; readonly waiting: (() => void)[]}>
  /** What is remembered of Docker's networks, by folder and id. */
  readonly files: Map<string, Map<string, unknown>>
  /** How long a program takes, milliseconds. */
  pause: () => number
}

export const host: Host = {pairs: new Map(), namespaces: new Map(), locks: new Map(), files: new Map(), pause: () => 1}

/** Whose work is being done, where a world says it. */
export const processes = new AsyncLocalStorage<Pick<Process, 'alive'>>()

/** Empties the hosts. PAUSE: how long each program takes, milliseconds. */
export function newHost(pause: () => number): Host {
  for (const part of [host.pairs, host.namespaces, host.locks, host.files]) part.clear()
  host.pause = pause
  // What is not asked for costs nothing.
  processes.disable()
  return host
}

export const takesTime = (): Promise<unknown> => sleep(host.pause())
