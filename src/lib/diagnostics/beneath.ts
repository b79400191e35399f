/**
 * Files under a folder that another process writes (the container writes Calico's log folder): opened step by step from the folder's own descriptor,
 * no link followed, so that nothing that is swapped meanwhile leads out of it (decisions.md 35).
 */
import {constants} from 'node:fs'
import {type FileHandle, lstat, open, readdir} from 'node:fs/promises'

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** Not waiting for the other end of a pipe, and no terminal of ours. */
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

const DEEPEST = 8
const MOST_FILES = 10_000

/** A regular file as it was found. */
export interface FoundFile {
  /** The names from the folder on. */
  readonly path: readonly string[]
  readonly bytes: number
  /** Of its last change, in ms since 1970. */
  readonly changed: number
}

/** What was skipped, and why. */
export interface LeftOut {
  readonly path: readonly string[]
  readonly why: string
  /** False for what is left out on principle, such as links. */
  readonly failed: boolean
}

/** Opens FOLDER. @throws Error as node:fs does: ELOOP or ENOTDIR if it is a link */
export const openFolder = (folder: string): Promise<FileHandle> => open(folder, FOLDER)

/** NAME in the open folder PARENT, whatever has become of the folder's own path. */
const within = (parent: FileHandle, name: string): string => `/proc/self/fd/${parent.fd}/${name}`

/** Opens what lies at PATH under ROOT, none of whose steps may be a link. Its end is a folder or, with AS file, anything. */
async function openBeneath(root: FileHandle, path: readonly string[], as: 'folder' | 'file'): Promise<FileHandle> {
  let at: FileHandle | undefined
  for (const [step, name] of path.entries()) {
    const parent = at ?? root
    try {
      at = await open(within(parent, name), as === 'file' && step === path.length - 1 ? FILE : FOLDER)
    } finally {
      if (parent !== root) await parent.close()
    }
  }
  return at ?? open(within(root, '.'), FOLDER)
}

/** The regular files under ROOT, and what was skipped. Files and folders called `lock` are not examined (cli-v0.20 §4.10). */
export async function findFiles(root: FileHandle): Promise<{files: FoundFile[]; leftOut: LeftOut[]}> {
  const files: FoundFile[] = []
  const leftOut: LeftOut[] = []
  const folders: (readonly string[])[] = [[]]
  for (let folder = folders.shift(); folder; folder = folders.shift()) {
    try {
      await look(folder)
    } catch (error) {
      leftOut.push({path: folder, why: reason(error), failed: true})
    }
  }
  return {files, leftOut}

  async function look(folder: readonly string[]): Promise<void> {
    const handle = await openBeneath(root, folder, 'folder')
    try {
      for (const name of (await readdir(within(handle, '.'))).sort()) {
        if (name === 'lock') continue
        const path = [...folder, name]
        if (files.length + folders.length >= MOST_FILES) {
          leftOut.push({path, why: `more than ${MOST_FILES} files`, failed: true})
          return
        }
        try {
          judge(path, await lstat(within(handle, name)))
        } catch (error) {
          leftOut.push({path, why: reason(error), failed: true})
        }
      }
    } finally {
      await handle.close()
    }
  }

  function judge(path: readonly string[], found: Awaited<ReturnType<typeof lstat>>): void {
    if (found.isDirectory()) {
      if (path.length < DEEPEST) folders.push(path)
      else leftOut.push({path, why: `deeper than ${DEEPEST} folders`, failed: true})
    } else if (found.isFile()) files.push({path, bytes: Number(found.size), changed: Number(found.mtimeMs)})
    else leftOut.push({path, why: found.isSymbolicLink() ? 'a link' : 'not a regular file', failed: false})
  }
}

/**
 * The last MOST bytes of the file at PATH under ROOT.
 * @throws NotCopied if it is not a regular file by now, or has further names, which may lie anywhere; Error as node:fs does
 */
export async function readBeneath(root: FileHandle, path: readonly string[], most: number): Promise<{bytes: Buffer; cut: number}> {
  const file = await openBeneath(root, path, 'file')
  try {
    const found = await file.stat()
    const {size, nlink} = found
    if (!found.isFile()) throw new NotCopied('not a regular file')
    if (nlink > 1) throw new NotCopied('a file with several names')
    const cut = Math.max(0, size - most)
    const bytes = Buffer.alloc(size - cut)
    let length = 0
    while (length < bytes.length) {
      const {bytesRead} = await file.read(bytes, length, bytes.length - length, cut + length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return {bytes: bytes.subarray(0, length), cut}
  } finally {
    await file.close()
  }
}

/** Left out on principle. */
export class NotCopied extends Error {}

/** Why ERROR came about, in a few words. */
export function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ELOOP') return 'a link'
  return error instanceof Error ? error.message : String(error)
}
