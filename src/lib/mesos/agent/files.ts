/** The files of a host, or of an image of one, below a folder that stands for its root: symbolic links never lead out of it. */
import {isUtf8} from 'node:buffer'
import {closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Stats, statSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {workingFolder} from '../../files/folder.js'
import {fileReason, readRegularFile} from '../../files/read.js'

/** A file that was looked for. */
export type FileText =
  | {readonly state: 'file'; readonly text: string; readonly mode: number}
  | {readonly state: 'missing'}
  /** It is there, and cannot be read. WHY: the end of a sentence. */
  | {readonly state: 'unreadable'; readonly why: string; readonly denied: boolean}

export interface FileKind {
  readonly type: 'file' | 'folder' | 'other' | 'missing' | 'unreadable'
  /** Anybody may execute it. */
  readonly executable: boolean
  /** Below the root; that of PATH itself if it is no link. */
  readonly target: string
}

export interface HostFiles {
  /** Absolute, without a slash at its end: '' for this host itself. */
  readonly root: string
  read(path: string): FileText
  kind(path: string): FileKind
  /** The first bytes of a file. */
  head(path: string, bytes: number): Buffer | undefined
  /** The names in a folder, sorted; none if there is no such folder, or it cannot be read. */
  list(path: string): readonly string[]
  /** Why what is at PATH cannot be listed: the end of a sentence; undefined if it can, or nothing is there. */
  whyNotListed(path: string): string | undefined
  /** PATH as this process opens it. @throws Error with a `code`, for links that lead nowhere else */
  locate(path: string): string
}

/** Links that lead to links; the kernel stops at as many. */
const MOST_LINKS = 40

/** Why a file is not read that this user may not read. */
export const PERMISSION_DENIED = 'permission denied'

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

/** The files below ROOT. */
export function hostFiles(root: string): HostFiles {
  const base = absoluteHere(root) === '/' ? '' : absoluteHere(root)
  const locate = (path: string): string => base + targetOf(base, path)
  return {
    root: base,
    locate,
    read(path) {
      try {
        // The links have been followed.
        const {bytes, stats} = readRegularFile(locate(path), {noLinks: true})
        // Other bytes would not survive being written again.
        if (!isUtf8(bytes)) return {state: 'unreadable', why: 'it is not UTF-8 text', denied: false}
        return {state: 'file', text: bytes.toString('utf8'), mode: stats.mode & 0o7777}
      } catch (error) {
        return isMissing(error) ? {state: 'missing'} : {state: 'unreadable', why: whyNot(error), denied: codeOf(error) === 'EACCES'}
      }
    },
    kind(path) {
      try {
        const target = targetOf(base, path)
        const stats = statSync(base + target)
        return {type: typeOf(stats), executable: (stats.mode & 0o111) !== 0, target}
      } catch (error) {
        return {type: isMissing(error) ? 'missing' : 'unreadable', executable: false, target: path}
      }
    },
    head(path, bytes) {
      let descriptor: number | undefined
      try {
        descriptor = openNow(locate(path))
        const buffer = Buffer.alloc(bytes)
        return buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, 0))
      } catch {
        return undefined
      } finally {
        if (descriptor !== undefined) closeSync(descriptor)
      }
    },
    list(path) {
      try {
        return readdirSync(locate(path)).sort()
      } catch {
        return []
      }
    },
    whyNotListed(path) {
      try {
        readdirSync(locate(path))
        return undefined
      } catch (error) {
        return codeOf(error) === 'ENOENT' ? undefined : codeOf(error) === 'ENOTDIR' ? 'it is not a folder' : whyNot(error)
      }
    },
  }
}

/** The text of a file, for what expects to read as with node:fs. @throws Error with a `code` */
export function textOf(files: HostFiles, path: string): string {
  const file = files.read(path)
  if (file.state === 'file') return file.text
  throw Object.assign(new Error(file.state === 'missing' ? 'there is no such file' : file.why), {code: file.state === 'missing' ? 'ENOENT' : file.denied ? 'EACCES' : 'EIO'})
}

/** Opens PLACE, whose links have been followed, without waiting for the writer of a pipe. */
const openNow = (place: string): number => openSync(place, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)

const whyNot = (error: unknown): string => (codeOf(error) === 'ENXIO' ? 'it is not a regular file' : fileReason(error))

const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error))

const typeOf = (stats: Stats): FileKind['type'] => (stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other')

/** PATH with its symbolic links followed as if BASE were the root. What is missing at its end stays as it is. */
function targetOf(base: string, path: string): string {
  let rest = resolve('/', path).split('/').filter((name) => name !== '')
  let done = '/'
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...more] = rest
    const next = join(done, name)
    const link = linkAt(base + next)
    if (link === undefined) {
      done = next
      rest = more
      continue
    }
    if (++links > MOST_LINKS) throw Object.assign(new Error(`too many symbolic links: ${path}`), {code: 'ELOOP'})
    rest = [...resolve(done, link).split('/').filter((part) => part !== ''), ...more]
    done = '/'
  }
  return done
}

function linkAt(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** PATH, relative to this process's folder if it is relative. @throws CalicoError `invalid` if that is gone */
export const absoluteHere = (path: string): string => (path.startsWith('/') ? resolve(path) : resolve(workingFolder(), path))
