import {lstatSync, mkdirSync, readFileSync, type BigIntStats} from 'node:fs'
import {dirname} from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import {CalicoError} from '../../errors.js'
import {decodeState, encodeState} from './encoding.js'
import {EMPTY, type State} from './state.js'

/** The embedded store's file: read whole, replaced whole, never through a symbolic link, never where another user rules. */
export interface StoreFile {
  /** What the file holds; the empty store if there is none. */
  read(): State
  /** Replaces the file, durably and in one step. */
  write(state: State): Promise<void>
  /** Creates the file's folder if need be, and checks that it is ours. */
  prepareFolder(): void
}

export function storeFile(path: string): StoreFile {
  let cached: {identity: string; state: State} | undefined

  function read(): State {
    const stats = checked(path, 'file')
    if (!stats) return EMPTY
    checked(dirname(path), 'folder')
    const identity = `${stats.ino} ${stats.mtimeNs} ${stats.size}`
    if (cached?.identity !== identity) cached = {identity, state: load(path)}
    return cached.state
  }

  return {
    read,
    async write(state) {
      try {
        await writeFileAtomic(path, encodeState(state), {mode: 0o600})
      } catch (error) {
        throw failed(path, 'cannot be written', error)
      }
    },
    prepareFolder() {
      try {
        mkdirSync(dirname(path), {recursive: true, mode: 0o700})
      } catch (error) {
        throw failed(dirname(path), 'cannot be created', error)
      }
      checked(dirname(path), 'folder')
      checked(path, 'file')
    },
  }
}

function load(path: string): State {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw failed(path, 'cannot be read', error)
  }
  try {
    return decodeState(text)
  } catch (error) {
    throw new CalicoError('failed', `The embedded store ${path} is damaged, or not a store of this calicoctl: ${(error as Error).message}`, {
      hint: 'It was left as it is. Restore it, or move it away to begin with an empty store.',
      cause: error,
    })
  }
}

/** Refuses what somebody else could have put there; undefined if nothing is there. */
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
      ? `is no ${what}`
      : stats.uid !== BigInt(process.geteuid?.() ?? 0)
        ? `belongs to another user (uid ${stats.uid})`
        : undefined
  if (wrong === undefined) return stats
  throw new CalicoError('failed', `The embedded store's ${what} ${path} ${wrong}`, {hint: 'Choose a path in a folder of your own: --datastore embedded:PATH'})
}

function failed(path: string, what: string, error: unknown): CalicoError {
  return new CalicoError('failed', `The embedded store ${path} ${what}: ${(error as Error).message}`, {cause: error})
}
