/** Calico's log folder, copied (cli-v0.20 §4.10; decisions.md 35). */
import type {FileHandle} from 'node:fs/promises'
import {findFiles, type LeftOut, NotCopied, openFolder, readBeneath, reason} from './beneath.js'
import {type Entry, lastLines} from './fit.js'
import {redactText, type Secrets, secretsAsBytes} from '../redact.js'

/** Each is in memory while its secrets are looked for. */
const LARGEST_FILE = 32e6

export interface CopiedLogs {
  /** False: there is no such folder. */
  readonly exists: boolean
  readonly entries: readonly Entry[]
  readonly leftOut: readonly LeftOut[]
}

/**
 * The logs in FOLDER without SECRETS, at most MOST bytes of them: the newest files, of large ones the end. What is not text is left out: its secrets could
 * not be found.
 * @throws Error as node:fs does if the folder cannot be opened, also if it is a link
 */
export async function copyLogs(folder: string, {secrets, most}: {secrets: Secrets; most: number}): Promise<CopiedLogs> {
  const root = await openIfThere(folder)
  if (!root) return {exists: false, entries: [], leftOut: []}
  try {
    const {files, leftOut} = await findFiles(root)
    const entries: Entry[] = []
    const known = secretsAsBytes(secrets)
    let room = most
    for (const {path, changed} of files.sort((a, b) => b.changed - a.changed)) {
      try {
        const {bytes, cut} = await readBeneath(root, path, Math.min(room, LARGEST_FILE))
        if (bytes.includes(0)) throw new NotCopied('not a text')
        const whole = withoutTornLine(bytes, cut)
        const text = Buffer.from(redactText(whole.toString('latin1'), known), 'latin1')
        const entry = lastLines({path: `logs/${path.join('/')}`, bytes: text, changed, cut: cut + bytes.length - whole.length}, room)
        room -= entry.bytes.length
        entries.push(entry)
      } catch (error) {
        leftOut.push({path, why: reason(error), failed: !(error instanceof NotCopied) && (error as NodeJS.ErrnoException).code !== 'ELOOP'})
      }
    }
    return {exists: true, entries, leftOut}
  } finally {
    await root.close()
  }
}

async function openIfThere(folder: string): Promise<FileHandle | undefined> {
  try {
    return await openFolder(folder)
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP' || code === 'ENOTDIR') throw new Error(`${folder} is a symbolic link, or not a folder; give the folder itself`, {cause: error})
    throw error
  }
}

/** A file that was CUT begins with half a line, in which a secret could not be distinguished from other text. */
function withoutTornLine(bytes: Buffer, cut: number): Buffer {
  return cut === 0 ? bytes : bytes.subarray(bytes.indexOf(0x0a) + 1 || bytes.length)
}
