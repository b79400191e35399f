/** Making folders. */
import {closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, statSync} from 'node:fs'
import {dirname, resolve} from 'node:path'
import {CalicoError} from '../errors.js'
import {fileReason} from './read.js'

/** Of folders that everybody may look into. */
export const OPEN_FOLDER = 0o755
/** Of folders that are their owner's alone. */
export const PRIVATE_FOLDER = 0o700

export interface FolderOptions {
  /** Of the folder itself, whatever the umask is, if it is made. */
  readonly mode?: number
  /** Of the folders above it that are made; the default is MODE. */
  readonly parents?: number
}

/**
 * Makes the folder PATH with those above it that are missing; what is there already is left as it is. Not mkdir's `recursive`: Node goes
 * round in it for ever where a file system lets nothing be made and says that there is no such folder, as /proc does.
 * @throws CalicoError `failed`, naming the folder that could not be made and why; its cause is the Error of node:fs
 */
export function makeFolder(path: string, {mode = OPEN_FOLDER, parents = mode}: FolderOptions = {}): void {
  const missing: string[] = []
  for (let at = path.startsWith('/') ? resolve(path) : path; !isFolder(at, path); at = dirname(at)) missing.push(at)
  for (const folder of missing.reverse()) make(folder, folder === missing.at(-1) ? mode : parents, path)
}

/** This process's folder, which a relative path is relative to. @throws CalicoError `invalid` if it has been removed */
export function workingFolder(): string {
  try {
    return process.cwd()
  } catch (error) {
    throw new CalicoError('invalid', 'A relative path was given, and the working directory does not exist any more', {hint: 'Give an absolute path, or change to an existing folder.', cause: error})
  }
}

/** Whether there is a folder at AT; false if there is nothing. WANTED is named in errors. */
function isFolder(at: string, wanted: string): boolean {
  try {
    if (statSync(at).isDirectory()) return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(at) !== at) return false
    throw failed(wanted, at, (error as NodeJS.ErrnoException).code === 'ENOTDIR' ? 'its parent is not a folder' : fileReason(error), error)
  }
  throw failed(wanted, at, 'a file with this name exists')
}

function make(folder: string, mode: number, wanted: string): void {
  try {
    mkdirSync(folder, {mode})
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    // Another process may have made it meanwhile.
    if (code === 'EEXIST' && isFolder(folder, wanted)) return
    const why = code === 'ENOENT' ? 'the file system does not allow folders there' : code === 'EEXIST' ? 'a dangling symbolic link with this name exists' : fileReason(error)
    throw failed(wanted, folder, why, error)
  }
  // The umask may have taken bits away. Opened without following a link: it is the folder that was made, or none of ours.
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    const made = fstatSync(descriptor).mode
    if ((made & 0o777) !== mode) fchmodSync(descriptor, (made & 0o7000) | mode)
  } finally {
    closeSync(descriptor)
  }
}

function failed(wanted: string, at: string, why: string, cause?: unknown): CalicoError {
  return new CalicoError('failed', `The folder ${wanted} cannot be created: ${at === wanted ? '' : `${at}: `}${why}`, {cause})
}
