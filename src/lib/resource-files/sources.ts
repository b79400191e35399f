/** The texts that `-f` names: files, folders, stdin. Bounded: nothing is waited for but stdin, and nothing larger than {@link LARGEST_FILE} is read. */
import {readdirSync, statSync} from 'node:fs'
import {extname, join} from 'node:path'
import {fileReason, NOT_REGULAR, readRegularFile} from '../files/read.js'
import {compareUtf8} from '../utf8-order.js'
import type {FileProblem} from './problem.js'

/** Bytes of one file. */
export const LARGEST_FILE = 32 * 1024 * 1024

/** Folders inside each other with `-R`. */
const DEEPEST_FOLDER = 100

const EXTENSIONS = ['.yaml', '.yml', '.json']

const REASONS: Readonly<Record<string, string>> = {
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text (or UTF-16 text with a byte order mark)',
  [NOT_REGULAR]: 'it is not a regular file; to read from a pipe, give - and redirect the pipe to stdin',
}

export interface Source {
  /** As it was named, with the folder that it was found in; `-` for stdin. */
  readonly name: string
  readonly text: string
}

export interface ReadSources {
  readonly recursive: boolean
  /** Reads all of stdin. */
  readonly stdin: () => Promise<Buffer>
}

/**
 * The files that PATHS name, in that order; of a folder, those called .yaml, .yml or .json (in any case) in byte order of their names, with RECURSIVE also
 * those of the folders in it, each at the place of its name. Symbolic links to files are followed, to folders never. A named file may be a pipe of
 * the shell's (`<(…)`) no more than any other that is no regular file: it is a problem. All problems are collected.
 */
export async function readSources(paths: readonly string[], {recursive, stdin}: ReadSources): Promise<{sources: Source[]; problems: FileProblem[]}> {
  const sources: Source[] = []
  const problems: FileProblem[] = []
  const fail = (file: string, message: string): void => void problems.push({file, position: undefined, field: '', message})
  const take = (name: string, read: () => Buffer): void => {
    try {
      sources.push({name, text: decodeText(read())})
    } catch (error) {
      const {code} = error as {code?: unknown}
      fail(name, typeof code === 'string' ? (REASONS[code] ?? fileReason(error)) : fileReason(error))
    }
  }
  for (const path of paths) {
    if (path === '-' && sources.some(({name}) => name === '-')) fail(path, 'it is given twice, but stdin can only be read once')
    else if (path === '-') {
      const bytes = await stdin()
      take(path, () => bytes)
    } else if (isFolder(path)) {
      const before = sources.length + problems.length
      for (const file of filesIn(path, recursive, fail)) take(file, () => readRegularFile(file, {largest: LARGEST_FILE}).bytes)
      if (sources.length + problems.length === before) sources.push({name: path, text: ''})
    } else {
      take(path, () => readRegularFile(path, {largest: LARGEST_FILE}).bytes)
    }
  }
  return {sources, problems}
}

function* filesIn(folder: string, recursive: boolean, fail: (file: string, message: string) => void, depth = 1): Generator<string> {
  let entries
  try {
    entries = readdirSync(folder, {withFileTypes: true})
  } catch (error) {
    fail(folder, fileReason(error))
    return
  }
  for (const entry of entries.sort((a, b) => compareUtf8(a.name, b.name))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!recursive) continue
      if (depth < DEEPEST_FOLDER) yield* filesIn(path, recursive, fail, depth + 1)
      else fail(path, `more than ${DEEPEST_FOLDER} folders inside each other`)
    } else if (EXTENSIONS.includes(extname(entry.name).toLowerCase()) && !(entry.isSymbolicLink() && isFolder(path))) {
      yield path
    }
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false // reading it tells why
  }
}

/** BYTES as text, without a byte order mark. @throws TypeError if they are none */
function decodeText(bytes: Buffer): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
  return new TextDecoder(encoding, {fatal: true}).decode(bytes)
}
