/** Saving all of a store at one revision. */
import {CALICO_PREFIX, specOf} from '../client/cluster.js'
import {read} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CompactedError} from '../datastore/errors.js'
import {CalicoError} from '../errors.js'
import {backupBytes, type BackupHeader, type Entry, isStatus} from './format.js'

/** Keys per request: their values together stay well below what one answer may have. */
const PAGE = 500

export interface Saved extends BackupHeader {
  readonly keys: number
}

/**
 * Gives WRITE the bytes of a backup of all that lies under /calico/.
 * @throws CalicoError `wrong-datastore` where there is no Calico store; `failed` if the datastore compacts the revision meanwhile; what WRITE throws
 */
export async function saveBackup(session: Session, write: (bytes: AsyncIterable<Uint8Array>) => Promise<void>): Promise<Saved> {
  const {cluster, revision} = await read(session, [])
  if (cluster.state !== 'present') throw new CalicoError('wrong-datastore', `There is nothing to save: this datastore is not initialised (${session.store.description})`)
  const header: BackupHeader = {clusterGUID: specOf(cluster.information).clusterGUID, revision: String(revision), savedAt: new Date().toISOString()}
  let keys = 0
  async function* pages(): AsyncGenerator<readonly Entry[]> {
    try {
      for await (const {entries} of session.store.list(CALICO_PREFIX, {revision, pageSize: PAGE})) {
        const saved = entries.filter(({key}) => !isStatus(key))
        keys += saved.length
        for (const {key, value} of saved) if (value.includes('\ufffd')) session.warn(`The value of ${key} may not be UTF-8 text: bytes that are not UTF-8 are not preserved in the backup.`)
        yield saved
      }
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error
      throw new CalicoError('failed', 'The datastore was compacted while it was saved; no backup was written', {hint: 'Run the command again.', cause: error})
    }
  }
  await write(backupBytes(header, pages()))
  return {...header, keys}
}
