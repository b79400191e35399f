/** The files of plans. `-` is stdin or stdout. */
import {lstat, unlink} from 'node:fs/promises'
import type {Session} from '../../client/session.js'
import {CalicoError} from '../../errors.js'
import {fileReason, readRegularFile} from '../../files/read.js'
import {replaceFile} from '../../files/replace.js'
import {readInput} from './options.js'

/** Bytes of a plan: it holds each value twice, and etcd takes 1.5 MiB in one transaction unless it is configured otherwise. */
const LARGEST_PLAN = 64 * 1024 * 1024

/** The text of the plan at PATH, and how it is called in messages. @throws CalicoError `invalid` if it cannot be read */
export async function readPlanFile(path: string): Promise<{text: string; name: string}> {
  if (path === '-') return {text: (await readInput()).toString('utf8'), name: 'stdin'}
  try {
    return {text: readRegularFile(path, {largest: LARGEST_PLAN}).bytes.toString('utf8'), name: path}
  } catch (error) {
    throw new CalicoError('invalid', `The plan ${path} cannot be read: ${fileReason(error)}; nothing was changed`, {cause: error})
  }
}

/** Makes TEXT the file at PATH, which no one but its owner can read: objects may hold what others must not see. @throws CalicoError `invalid` or `failed` */
export async function writePlanFile(session: Session, path: string, text: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined)
  if (there && !there.isFile()) throw new CalicoError('invalid', `${path} exists and is not a regular file; no plan was written`, {hint: 'Give a file, or - for stdout.'})
  try {
    await replaceFile(path, text, {
      mode: 0o600,
      onDraft: (draft) => {
        session.writes.undo = async () => {
          await unlink(draft)
          return 'the unfinished plan was removed.'
        }
      },
    })
  } catch (error) {
    throw new CalicoError('failed', `${path} cannot be written: ${fileReason(error, {written: true})}; no plan was written`, {cause: error})
  } finally {
    delete session.writes.undo
  }
}
