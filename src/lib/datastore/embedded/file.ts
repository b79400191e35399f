import {type BigIntStats, lstatSync} from 'node:fs'
import {userInfo} from 'node:os'
import {dirname} from 'node:path'
import {CalicoError} from '../../errors.js'
import {makeFolder, PRIVATE_FOLDER} from '../../files/folder.js'
import {fileReason, readTextFile} from '../../files/read.js'
import {replaceFile} from '../../files/replace.js'
import {decodeState, encodeState} from './encoding.js'
import {EMPTY, type State} from './state.js'

/** The embedded store's file: read whole, replaced whole, never through a symbolic link, never where another user may write. */
export interface StoreFile {
  /** What the file holds; the empty store if there is none. */
  read(): State
  /** Bytes of the file; 0 if there is none. */
  size(): number
  /** Replaces the file, durably and in one step. Only for who holds the store's lock. */
  write(state: State): Promise<void>
  /** Creates the file's folder if need be, and checks that it is ours. */
  prepareFolder(): void
}

/** Beyond this it is no store of someone who tries the tool, and would not fit a JavaScript string. */
const LARGEST = 256 * 1024 * 1024

export function storeFile(path: string): StoreFile {
  let cached: {identity: string; state: State} | undefined

  function read(): State {
    checked(dirname(path), 'folder')
    const stats = checked(path, 'file')
    if (!stats) return EMPTY
    const identity = identityOf(stats)
    if (cached?.identity !== identity) cached = {identity, state: load(path)}
    return cached.state
  }

  return {
    read,
    size: () => Number(checked(path, 'file')?.size ?? 0),
    async write(state) {
      try {
        await replaceFile(path, encodeState(state), {mode: 0o600})
      } catch (error) {
        throw failed(path, 'cannot be written', error)
      }
      // No one else writes meanwhile: the store's lock is held.
      const stats = checked(path, 'file')
      cached = stats && {identity: identityOf(stats), state}
    },
    prepareFolder() {
      try {
        makeFolder(dirname(path), {mode: PRIVATE_FOLDER})
      } catch (error) {
        throw failed(path, 'cannot be created', error)
      }
      checked(dirname(path), 'folder')
      checked(path, 'file')
    },
  }
}

const identityOf = ({ino, mtimeNs, size}: BigIntStats): string => `${ino} ${mtimeNs} ${size}`

function load(path: string): State {
  let text: string
  try {
    text = readTextFile(path, {largest: LARGEST, noLinks: true})
  } catch (error) {
    throw failed(path, 'cannot be read', error)
  }
  try {
    return decodeState(text)
  } catch (error) {
    throw new CalicoError('failed', `The embedded store ${path} is damaged, or not a store of this calicoctl: ${(error as Error).message}`, {
      hint: 'It was not changed. Restore it from a backup, or move it away to start with an empty store.',
      cause: error,
    })
  }
}

/** Refuses what another process could have put there; undefined if nothing is there. */
function checked(path: string, what: 'file' | 'folder'): BigIntStats | undefined {
  let stats: BigIntStats
  try {
    stats = lstatSync(path, {bigint: true})
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw failed(path, 'cannot be read', error)
  }
  const wrong = stats.isSymbolicLink()
    ? 'is a symbolic link'
    : (what === 'file' ? !stats.isFile() : !stats.isDirectory())
      ? `is not a ${what}`
      : stats.uid !== BigInt(process.geteuid?.() ?? 0)
        ? `belongs to another user (uid ${stats.uid})`
        : what === 'folder'
          ? whoElseWrites(path, stats)
          : undefined
  if (wrong === undefined) return stats
  throw new CalicoError('failed', `The embedded store's ${what} ${path} ${wrong}`, {hint: `Choose a path in a folder that only you can write: --datastore embedded:PATH${hint(path, what, stats)}`})
}

const OTHERS_WRITE = 0o002
const GROUP_WRITES = 0o020
const STICKY = 0o1000

/**
 * That others than its owner may write in the folder PATH, and so put a file or a lock of theirs there; undefined if they may not. A group does no
 * harm to whom it belongs alone, as the one that many systems make for each user.
 */
function whoElseWrites(path: string, {mode, gid}: BigIntStats): string | undefined {
  if (Number(mode) & OTHERS_WRITE) return 'is writable by every user of this host'
  return Number(mode) & GROUP_WRITES && !isOwnGroup(Number(gid)) ? `is writable by its group (gid ${gid})` : undefined
}

/** Whether GID is this user's own primary group, called as the user is; root's never is. */
function isOwnGroup(gid: number): boolean {
  if (process.geteuid?.() === 0) return false
  try {
    const {username, gid: primary} = userInfo()
    return gid === primary && readTextFile('/etc/group').split('\n').some((line) => line.startsWith(`${username}:`) && line.split(':')[2] === String(gid))
  } catch {
    return false
  }
}

/** The remedy where it is the folder's mode alone, and the folder is no common one like /tmp. */
const hint = (path: string, what: 'file' | 'folder', {uid, mode}: BigIntStats): string =>
  what === 'folder' && uid === BigInt(process.geteuid?.() ?? 0) && !(Number(mode) & STICKY) && Number(mode) & (OTHERS_WRITE | GROUP_WRITES) ? `, or remove this permission: chmod go-w ${path}` : ''

function failed(path: string, what: string, error: unknown): CalicoError {
  return new CalicoError('failed', `The embedded store ${path} ${what}: ${error instanceof CalicoError ? error.message : fileReason(error)}`, {hint: 'To use another file: --datastore embedded:PATH', cause: error})
}
