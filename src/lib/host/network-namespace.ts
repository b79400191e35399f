/** Network namespaces, held by an open descriptor: neither the reuse of a pid nor a changed path can lead elsewhere (decisions.md 27). */
import {closeSync, constants, fstatSync, openSync, readdirSync, statfsSync, statSync} from 'node:fs'
import {CalicoError} from '../errors.js'

/** A network namespace that stays what it is until `close`. */
export interface NetworkNamespace {
  readonly descriptor: number
  /** What it is by whatever path it is reached: device and inode (decisions.md 37). Letters of a lock's name. */
  readonly identity: string
  /** For messages: the path it was opened at. */
  readonly path: string
  readonly close: () => void
}

/** The type of the file system that namespaces are files of. */
const NSFS_MAGIC = 0x6e736673

/** The namespace of process PID. @throws CalicoError `failed` if there is no such process any more */
export const openNamespaceOfProcess = (pid: number): NetworkNamespace => openNamespace(`/proc/${pid}/ns/net`, 'failed')

/** The namespace at PATH, which a user gave. @throws CalicoError `invalid` if that is none, or the host's own */
export const openNamespaceAt = (path: string): NetworkNamespace => openNamespace(path, 'invalid')

/** The namespaces, other than the host's own, that processes are in which can be seen here; each once, and open until the next one. */
export function* namespacesOfProcesses(): Generator<NetworkNamespace> {
  const seen = new Set<string>()
  for (const pid of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(pid)) continue
    let namespace: NetworkNamespace
    try {
      const identity = identityOf(statSync(`/proc/${pid}/ns/net`))
      if (seen.has(identity)) continue
      seen.add(identity)
      namespace = openNamespaceOfProcess(Number(pid))
    } catch {
      // It has ended, or is in the host's own.
      continue
    }
    try {
      yield namespace
    } finally {
      namespace.close()
    }
  }
}

/** Whether there is a namespace at PATH, which need not be one of a network. */
export function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC
  } catch {
    return false
  }
}

/** The identity of the namespace at PATH; undefined if there is none, or it may not be examined. */
export function namespaceIdentity(path: string): string | undefined {
  try {
    return isNamespace(path) ? identityOf(statSync(path)) : undefined
  } catch {
    return undefined
  }
}

const identityOf = ({dev, ino}: {dev: number; ino: number}): string => `${dev}-${ino}`

function openNamespace(path: string, kind: 'failed' | 'invalid'): NetworkNamespace {
  let descriptor: number
  try {
    // A pipe is not waited for.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch (error) {
    throw new CalicoError(kind, `The network namespace ${path} cannot be opened: ${(error as Error).message}`, {cause: error})
  }
  try {
    // Of the descriptor, and not of the path again.
    if (!isNamespace(`/proc/self/fd/${descriptor}`)) throw new CalicoError(kind, `${path} is not a network namespace`)
    if (isOwn(descriptor)) throw new CalicoError(kind, `${path} is the host's own network namespace, which cannot have an endpoint`)
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
  let open = true
  return {
    descriptor,
    identity: identityOf(fstatSync(descriptor)),
    path,
    close() {
      if (open) closeSync(descriptor)
      open = false
    },
  }
}

const isOwn = (descriptor: number): boolean => namespaceIdentity('/proc/self/ns/net') === identityOf(fstatSync(descriptor))
