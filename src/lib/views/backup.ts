/** The files of backups as the command line names them (`-` is stdin or stdout), and how a restore is reported. */
import {closeSync, createReadStream} from 'node:fs'
import {lstat, unlink} from 'node:fs/promises'
import {Args} from '@oclif/core'
import type {BackupFile, RestoreCounts} from '../backup/restore.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {fileReason, openRegularFile} from '../files/read.js'
import {replaceFile} from '../files/replace.js'
import {sizeText} from '../files/size.js'

/** Bytes of a backup on stdin, which is kept in memory because it is read twice. */
const LARGEST_STDIN = 256 * 1024 * 1024

export const fileArgument = (description: string) => Args.string({required: true, ignoreStdin: true, description})

/** Makes BYTES the file at PATH (0600). @throws CalicoError `failed` if it cannot be written: what was there is untouched; what BYTES throw */
export async function writeBackup(session: Session, path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const there = await lstat(path).catch(() => undefined)
  if (there && !there.isFile()) throw new CalicoError('invalid', `${path} exists and is not a regular file; nothing was written`, {hint: 'Give a file, or - for stdout.'})
  try {
    await replaceFile(path, bytes, {
      mode: 0o600,
      onDraft: (draft) => {
        session.writes.undo = async () => {
          await unlink(draft)
          return 'the unfinished backup was removed.'
        }
      },
    })
  } catch (error) {
    if (error instanceof CalicoError) throw error
    throw new CalicoError('failed', `${path} cannot be written: ${fileReason(error, {written: true})}; no backup was written`, {cause: error})
  } finally {
    delete session.writes.undo
  }
}

/** Writes BYTES to stdout as they come. @throws CalicoError `invalid` on a terminal */
export async function sendBackup(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  if (process.stdout.isTTY) throw new CalicoError('invalid', 'A backup is not text, and stdout is a terminal: give a file, or redirect stdout')
  for await (const part of bytes) {
    await new Promise<void>((settle, fail) => {
      process.stdout.write(part, (error) => {
        if (error) fail(new CalicoError('failed', `The backup cannot be written to stdout: ${fileReason(error)}`, {cause: error}))
        else settle()
      })
    })
  }
}

/** Does WORK with the backup at PATH, stdin for `-`. @throws CalicoError `invalid` if it cannot be read */
export async function withBackup<T>(path: string, work: (file: BackupFile) => Promise<T>): Promise<T> {
  if (path === '-') {
    const bytes = await stdinBytes()
    // eslint-disable-next-line @typescript-eslint/require-await -- as a file is read
    return work({name: 'stdin', open: async function* () { yield bytes }})
  }
  let fd: number
  try {
    fd = openRegularFile(path)
  } catch (error) {
    throw new CalicoError('invalid', `${path} cannot be read: ${fileReason(error)}`, {cause: error})
  }
  try {
    return await work({name: path, open: () => createReadStream('', {fd, start: 0, autoClose: false}) as AsyncIterable<Uint8Array>})
  } finally {
    closeSync(fd)
  }
}

/** @throws CalicoError `invalid` on a terminal: no one types a backup */
async function stdinBytes(): Promise<Uint8Array> {
  if (process.stdin.isTTY) throw new CalicoError('invalid', 'A backup is not text, and stdin is a terminal: give a file, or redirect stdin')
  const parts: Buffer[] = []
  let size = 0
  for await (const part of process.stdin) {
    size += (part as Buffer).length
    if (size > LARGEST_STDIN) throw new CalicoError('invalid', `The backup on stdin has more than ${sizeText(LARGEST_STDIN)}: give it as a file`)
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts)
}

/** A line for each kind of which something changed or would change: `ippools: 2 created, 1 deleted`. */
export function countLines({created, updated, deleted, unchanged}: RestoreCounts): string[] {
  const kinds = [...new Set([...created.keys(), ...updated.keys(), ...deleted.keys()])].sort()
  const lines = kinds.map((kind) => {
    const parts = Object.entries({created, updated, deleted}).flatMap(([word, counts]) => (counts.has(kind) ? [`${counts.get(kind) ?? 0} ${word}`] : []))
    return `${kind}: ${parts.join(', ')}`
  })
  return [...lines, `${unchanged} unchanged`]
}
