/**
 * The Unix sockets on which the Docker Engine finds plugins (decisions.md 31). Each is bound under a name of its own beside its place and then
 * linked to it: a link never replaces what is there, and what libuv unlinks when the server closes is that first name, never another program's socket.
 */
import {linkSync, lstatSync, renameSync, statSync, unlinkSync} from 'node:fs'
import {connect, type Server} from 'node:net'
import {basename, dirname, join} from 'node:path'
import {CalicoError} from '../errors.js'
import {makeFolder} from '../files/folder.js'

/** sun_path of unix(7), without the closing zero. */
const LONGEST_PATH = 107
/** A socket that accepts no connection within this time has someone behind it who is busy. */
const ANSWER_LIMIT_MS = 1_000
const EXTENSION = '.sock'

export interface PluginSockets {
  readonly main: string
  readonly ipam: string
}

/** The sockets of the driver of PATH and of its IPAM twin: `calico.sock`, `calico-ipam.sock`. @throws CalicoError `invalid` */
export function socketPaths(path: string): PluginSockets {
  const stem = path.slice(0, -EXTENSION.length)
  if (!path.startsWith('/') || !path.endsWith(EXTENSION) || basename(stem) === '' || basename(path) === EXTENSION) {
    throw new CalicoError('invalid', `--socket: '${path}' is not the path of a plugin socket. Give an absolute path that ends with ${EXTENSION}; the file name without it is the driver's name.`)
  }
  const ipam = `${stem}-ipam${EXTENSION}`
  if (Math.max(Buffer.byteLength(ipam), Buffer.byteLength(scratchName(path))) > LONGEST_PATH) {
    throw new CalicoError('invalid', `--socket: '${path}' is too long for a socket (with -ipam, at most ${LONGEST_PATH} bytes)`)
  }
  return {main: path, ipam}
}

let scratchNames = 0

/** A new file beside PATH, which Docker does not look for since it does not end in `.sock`. */
const scratchName = (path: string): string => join(dirname(path), `.${process.pid}.${scratchNames++}`)

/** A socket that a server listens on. */
export interface Bound {
  readonly path: string
  /** Removes it, if it is still this one. */
  remove(): void
}

/**
 * Makes SERVER listen on PATH, for its owner alone. The folder is made if it is missing; it must be OWNER's and not writable by others.
 * An old socket is replaced if no one answers on it.
 * @throws CalicoError `refused` if someone does; `failed` if the folder or what is at PATH will not do
 */
export async function listenOn(server: Server, path: string, {owner = 0}: {owner?: number} = {}): Promise<Bound> {
  prepareFolder(dirname(path), owner)
  const scratch = scratchName(path)
  removeFile(scratch)
  await bind(server, scratch)
  try {
    const {ino, dev} = lstatSync(scratch)
    await claim(scratch, path)
    return {
      path,
      remove() {
        const now = identity(path)
        if (now?.ino === ino && now.dev === dev) removeFile(path)
      },
    }
  } catch (error) {
    server.close()
    throw error
  } finally {
    removeFile(scratch)
  }
}

/** @throws CalicoError `failed` */
function prepareFolder(folder: string, owner: number): void {
  makeFolder(folder)
  const {uid, mode} = statSync(folder)
  if (uid !== owner) throw new CalicoError('failed', `The folder of the socket, ${folder}, belongs to the user ${uid}, not to root: its owner could replace the plugin`)
  // In a folder like /tmp (sticky), no one can remove or replace what is another's.
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0) throw new CalicoError('failed', `The folder of the socket, ${folder}, is writable by other users`, {hint: `To restrict it: chmod go-w ${folder}`})
}

/** Binding happens within the call, so that the mask is changed for no one else. */
function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(new CalicoError('failed', `The socket ${path} cannot be created: ${reason(error)}`, {cause: error}))
    server.once('error', failed)
    const before = process.umask(0o177)
    try {
      server.listen(path, () => {
        server.off('error', failed)
        resolve()
      })
    } finally {
      process.umask(before)
    }
  })
}

/** Gives the socket SCRATCH its place at PATH. */
async function claim(scratch: string, path: string): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    try {
      linkSync(scratch, path)
      return
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw new CalicoError('failed', `The socket ${path} cannot be created: ${reason(error)}`, {cause: error})
    }
    await removeStale(path)
  }
  throw new CalicoError('refused', `Another process keeps creating ${path}`)
}

/** Removes the socket at PATH that no one answers on. */
async function removeStale(path: string): Promise<void> {
  const seen = identity(path)
  if (seen === undefined) return
  if (!seen.isSocket()) throw new CalicoError('failed', `${path} exists and is not a socket`, {hint: 'Remove it, or choose another path with --socket.'})
  if (await answers(path)) {
    throw new CalicoError('refused', `Another plugin already serves ${path}`, {hint: 'Stop that plugin first (systemctl status calico-libnetwork; docker ps), or choose another path with --socket.'})
  }
  // Another process may have done the same in the meantime, and its socket is not stale: moved aside, it can be examined and put back.
  const aside = scratchName(path)
  try {
    renameSync(path, aside)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  const moved = identity(aside)
  if (moved?.ino !== seen.ino) linkSync(aside, path)
  removeFile(aside)
}

/** Whether anybody accepts connections at PATH. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(ANSWER_LIMIT_MS, () => end(true))
    socket.once('connect', () => end(true))
    socket.once('error', (error) => end(!hasCode(error, 'ECONNREFUSED') && !hasCode(error, 'ENOENT')))
  })
}

const identity = (path: string) => lstatSync(path, {throwIfNoEntry: false})

function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

const hasCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException | undefined)?.code === code

const reason = (error: unknown): string => (error as Error | undefined)?.message ?? String(error)
