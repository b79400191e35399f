/** The one way in which files of this host are written (decisions.md 41). */
import {constants} from 'node:fs'
import {type FileHandle, lstat, open, rename, unlink} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {randomName} from './random-name.js'
import {fileReason} from './read.js'

export interface ReplaceOptions {
  /** Of the file, whatever the umask is. Without it, mode and owner are those of the file that is there, or 0644. */
  readonly mode?: number
  /**
   * An absolute folder, without a slash at its end, that the file must lie below ('' is the root): no step of the path below it may be a symbolic
   * link, also if it is exchanged meanwhile.
   */
  readonly beneath?: string
  /** Receives the path of the draft, for who is interrupted before it has its name and must remove it. */
  readonly onDraft?: (path: string) => void
}

/** All of a file, or its parts in their order. */
export type Content = string | Uint8Array | AsyncIterable<Uint8Array>

const NEW_FILE = 0o644
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY
const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/**
 * Makes CONTENT be what PATH holds. A reader, and whoever comes after a crash, sees the old file or all of the new one: it is written beside its
 * place under a name that no one can know, synced, and renamed; then the folder is synced. A symbolic link at PATH is replaced, never followed.
 * @throws what the parts of CONTENT throw; Error with a `code`, as node:fs (ENOSPC if not all bytes could be written). The old file is untouched then, and nothing is left beside it.
 */
export async function replaceFile(path: string, content: Content, {mode, beneath, onDraft}: ReplaceOptions = {}): Promise<void> {
  const folder = beneath === undefined ? await open(dirname(path), FOLDER) : await openBelow(beneath, dirname(path))
  try {
    // Below a root: by the descriptor, whatever has become of the folder's own path.
    const place = beneath === undefined ? dirname(path) : `/proc/self/fd/${folder.fd}`
    const target = join(place, basename(path))
    const draft = join(place, `.${basename(path).slice(0, 100)}.${randomName()}`)
    onDraft?.(draft)
    await writeDraft(draft, content, mode === undefined ? await attributesOf(target) : {mode})
    try {
      await rename(draft, target)
    } catch (error) {
      await unlink(draft).catch(() => undefined)
      throw error
    }
    await syncFolder(folder)
  } finally {
    await folder.close()
  }
}

interface Attributes {
  readonly mode: number
  readonly owner?: {readonly uid: number; readonly gid: number}
}

async function attributesOf(path: string): Promise<Attributes> {
  try {
    const found = await lstat(path)
    return found.isFile() ? {mode: found.mode & 0o7777, owner: {uid: found.uid, gid: found.gid}} : {mode: NEW_FILE}
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {mode: NEW_FILE}
    throw error
  }
}

/** A new file DRAFT with all of CONTENT on the disk; none if that fails. */
async function writeDraft(draft: string, content: Content, {mode, owner}: Attributes): Promise<void> {
  // No one but its owner reads it before it is what it shall be.
  const file = await open(draft, NEW, 0o600)
  try {
    if (typeof content === 'string' || content instanceof Uint8Array) await writeAll(file, typeof content === 'string' ? Buffer.from(content) : content)
    else for await (const part of content) await writeAll(file, part)
    const made = await file.stat()
    if (owner && (owner.uid !== made.uid || owner.gid !== made.gid)) await giveTo(file, owner)
    await file.chmod(mode)
    await file.sync()
  } catch (error) {
    await unlink(draft).catch(() => undefined)
    throw error
  } finally {
    await file.close()
  }
}

/** Only root can give a file away; another user who may replace it becomes its owner. */
async function giveTo(file: FileHandle, {uid, gid}: {uid: number; gid: number}): Promise<void> {
  try {
    await file.chown(uid, gid)
  } catch (error) {
    if (process.geteuid?.() === 0 || (error as NodeJS.ErrnoException).code !== 'EPERM') throw error
  }
}

/** write(2) may take a part, as it does where a disk becomes full: the next call then says why. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const {bytesWritten} = await file.write(bytes, done, bytes.length - done)
    if (bytesWritten === 0) throw Object.assign(new Error('no space left on the device'), {code: 'ENOSPC'})
    done += bytesWritten
  }
}

/** Some file systems cannot sync a folder; then there is nothing more to be done. */
async function syncFolder(folder: FileHandle): Promise<void> {
  try {
    await folder.sync()
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** Opens FOLDER, which lies below ROOT, step by step from there, following no link. */
async function openBelow(root: string, folder: string): Promise<FileHandle> {
  if (folder !== root && !folder.startsWith(`${root}/`)) throw Object.assign(new Error(`it is not below ${root}`), {code: 'ENOTBELOW'})
  let at = await open(root === '' ? '/' : root, FOLDER)
  for (const name of folder.slice(root.length).split('/').filter((step) => step !== '')) {
    const parent = at
    try {
      at = await open(`/proc/self/fd/${parent.fd}/${name}`, FOLDER | constants.O_NOFOLLOW)
    } catch (error) {
      const {code = ''} = error as NodeJS.ErrnoException
      const exchanged = code === 'ELOOP' || code === 'ENOTDIR'
      throw Object.assign(new Error(`${folder}: ${name}: ${exchanged ? 'it is a symbolic link, or no folder' : fileReason(error)}`, {cause: error}), {code: exchanged ? 'ENOTBELOW' : code})
    } finally {
      await parent.close()
    }
  }
  return at
}
