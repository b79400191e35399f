/** Reading a file that anybody may have named or replaced: regular files only, never waiting for someone at the other end, and no more than fits. */
import {closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats, statSync} from 'node:fs'
import {sizeText} from './size.js'

/** Bytes of a file that a person or a tool writes as settings: certificates, configuration, lists of modules. */
export const LARGEST_SETTING = 4 * 1024 * 1024

export interface ReadOptions {
  /** Bytes of the largest file that is read; the default is {@link LARGEST_SETTING}. */
  readonly largest?: number
  /** A symbolic link at the end of the path is refused (ELOOP) instead of followed. */
  readonly noLinks?: boolean
}

/** What a regular file held, and what the kernel says of it. */
export interface FileContent {
  readonly bytes: Buffer
  readonly stats: Stats
}

/** The code of errors for what is no regular file (a folder has EISDIR), and for a file that is too large. */
export const NOT_REGULAR = 'ENOTREGULAR'
const TOO_LARGE = 'ETOOLARGE'

const fault = (code: string, message: string): Error => Object.assign(new Error(message), {code})

/** @throws Error with a `code` if STATS are not those of a regular file of at most LARGEST bytes */
function checkKind(stats: Stats, largest: number): void {
  if (stats.isDirectory()) throw fault('EISDIR', 'it is a folder')
  if (stats.isSymbolicLink()) throw fault('ELOOP', 'it is a symbolic link')
  if (!stats.isFile()) throw fault(NOT_REGULAR, 'it is not a regular file')
  if (stats.size > largest) throw fault(TOO_LARGE, `it has more than ${sizeText(largest)}`)
}

/**
 * All of the regular file at PATH. What is something else is not even opened, since opening some devices does something; should it be replaced in
 * between, it is opened without waiting (a pipe without a writer) and not read.
 * @throws Error with a `code`: as node:fs, ENOTREGULAR or ETOOLARGE. The message of the latter two and of EISDIR ends a sentence: `it is a folder`
 */
export function readRegularFile(path: string, {largest = LARGEST_SETTING, noLinks = false}: ReadOptions = {}): FileContent {
  checkKind(noLinks ? lstatSync(path) : statSync(path), largest)
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | (noLinks ? constants.O_NOFOLLOW : 0))
  try {
    const stats = fstatSync(descriptor)
    checkKind(stats, largest)
    return {bytes: readAll(descriptor, stats.size, largest), stats}
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Opens the regular file at PATH, of any size, for who reads it in parts.
 * @throws Error with a `code`, as {@link readRegularFile}
 */
export function openRegularFile(path: string): number {
  checkKind(statSync(path), Infinity)
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    checkKind(fstatSync(descriptor), Infinity)
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** The text of the regular file at PATH, as {@link readRegularFile}. */
export const readTextFile = (path: string, options?: ReadOptions): string => readRegularFile(path, options).bytes.toString('utf8')

/** Files of /proc say that they have 0 bytes, and a file may grow while it is read: EXPECTED is a guess, LARGEST is not. */
function readAll(descriptor: number, expected: number, largest: number): Buffer {
  const parts: Buffer[] = []
  let size = 0
  for (let room = expected + 1; ; room = 64 * 1024) {
    const part = Buffer.allocUnsafe(Math.min(room, largest + 1 - size))
    const read = readSync(descriptor, part, 0, part.length, null)
    if (read === 0) return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
    parts.push(part.subarray(0, read))
    size += read
    if (size > largest) throw fault(TOO_LARGE, `it has more than ${sizeText(largest)}`)
  }
}

/** Whether every user of this host may read the file at PATH, as far as its own mode says. */
export function othersMayRead(path: string): boolean {
  const stats = statSync(path, {throwIfNoEntry: false})
  return stats !== undefined && (stats.mode & 0o004) !== 0
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such folder',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ELOOP: 'too many symbolic links, or a symbolic link where none is allowed',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is exceeded',
  EROFS: 'the file system is read-only',
}

/** Why a file could not be read, or, where it is WRITTEN, be written, as the end of a sentence. */
export function fileReason(error: unknown, {written = false}: {written?: boolean} = {}): string {
  const {code = '', message = String(error)} = (error ?? {}) as Partial<NodeJS.ErrnoException>
  if (written && code === 'ENOENT') return 'its folder does not exist'
  return REASONS[code] ?? message
}
