/** Writing what `mesos config` planned: atomically, with owner and mode as they are, and only over what was seen. */
import {accessSync, constants, existsSync, statSync} from 'node:fs'
import {dirname} from 'node:path'
import {CalicoError, isError} from '../../errors.js'
import {makeFolder} from '../../files/folder.js'
import {fileReason} from '../../files/read.js'
import {replaceFile} from '../../files/replace.js'
import type {HostFiles} from './files.js'
import type {FileEdit} from './plan.js'

/** The modes of files that are made. */
export const NEW_FILE = 0o644
export const NEW_SECRET_FILE = 0o600
const WORLD_READABLE = 0o004

/**
 * Makes sure that EDITS can be written: called before anything is asked or written.
 * @throws CalicoError `refused` where a password would stand in a file that everybody can read; `not-root` where writing is denied
 */
export function checkWritable(files: HostFiles, edits: readonly FileEdit[]): void {
  for (const {path, secret} of edits) {
    const file = files.read(path)
    if (secret && file.state === 'file' && (file.mode & WORLD_READABLE) !== 0) {
      throw new CalicoError('refused', `The password of etcd would be written to ${path}, which all users can read; nothing was changed`, {hint: `Remove the read permission first: chmod o-r ${path}`})
    }
    let folder = dirname(files.locate(path))
    while (!existsSync(folder)) folder = dirname(folder)
    try {
      if (!statSync(folder).isDirectory()) throw new CalicoError('invalid', `${path} cannot be written: ${folder} is not a folder`)
      accessSync(folder, constants.W_OK)
    } catch (error) {
      if (isError(error)) throw error
      throw new CalicoError('not-root', `${path} cannot be written: ${folder} is not writable for this user`, {hint: 'Run the command as root: sudo -E calicoctl mesos config'})
    }
  }
}

/**
 * Writes EDITS, one after the other; ONWRITTEN hears of each.
 * @throws CalicoError `conflict` if a file is not what it was when the edit was planned; `unknown` if only some could be written
 */
export async function writeEdits(files: HostFiles, edits: readonly FileEdit[], onWritten: (edit: FileEdit) => void): Promise<void> {
  for (const {path, before} of edits) {
    const file = files.read(path)
    if ((file.state === 'file' ? file.text : undefined) !== before) throw new CalicoError('conflict', `${path} was changed meanwhile; nothing was written`, {hint: 'Run the command again.'})
  }
  const written: string[] = []
  for (const edit of edits) {
    try {
      await writeOne(files, edit)
    } catch (error) {
      const message = `${edit.path} could not be written: ${fileReason(error, {written: true})}`
      if (written.length === 0) throw new CalicoError('failed', message, {cause: error})
      throw new CalicoError('unknown', `${message}. Written before it: ${written.join(', ')}`, {hint: 'Run the command again after this is fixed; files that are already written are kept.', cause: error})
    }
    written.push(edit.path)
    onWritten(edit)
  }
}

async function writeOne(files: HostFiles, {path, before, after, secret}: FileEdit): Promise<void> {
  const place = files.locate(path)
  makeFolder(dirname(place))
  // Mode and owner are taken from the file that is there. The links of the path have been followed, and none that comes now may lead out of an image.
  await replaceFile(place, after, {beneath: files.root, ...(before === undefined && {mode: secret ? NEW_SECRET_FILE : NEW_FILE})})
}
