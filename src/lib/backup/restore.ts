/**
 * Restoring a backup: the store is locked, made what the backup says in many guarded transactions, and unlocked. The lock names the backup, so that
 * a restore which was killed is completed by the next one of the same backup, and no one takes what is half-done for a cluster.
 */
import {CALICO_PREFIX, checkReadable, CLUSTER_KEY, type ClusterState, specOf, unfinishedRestore} from '../client/cluster.js'
import {commit} from '../client/commit.js'
import type {Session} from '../client/session.js'
import {listPages} from '../client/snapshot.js'
import type {KeyValue, Page} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {isObject} from '../json/is-object.js'
import {parseJson, stringifyJson} from '../json/json.js'
import type {ClusterInformation} from '../model/types.js'
import {compareUtf8} from '../utf8-order.js'
import {count, kindOfKey} from './counts.js'
import {type BackupEnd, type BackupHeader, backupParts, type Entry, isStatus} from './format.js'
import {withReady} from './lock.js'

/** Of one transaction: etcd takes 128 operations, and 1.5 MB. */
const MAX_KEYS = 100
const MAX_CHARACTERS = 256 * 1024

/** Keys per request of what the store has. */
const PAGE = 500

/** A file that can be read more than once. */
export interface BackupFile {
  /** In messages. */
  readonly name: string
  readonly open: () => AsyncIterable<Uint8Array>
}

/** A backup that was read from its beginning to its end, and is good. */
export interface CheckedBackup extends BackupHeader {
  readonly file: BackupFile
  readonly keys: number
  readonly sha256: string
  readonly information: ClusterInformation
  /** The stored text of it. */
  readonly informationText: string
}

/** How many keys of each kind are, or would be. */
export interface RestoreCounts {
  readonly created: ReadonlyMap<string, number>
  readonly updated: ReadonlyMap<string, number>
  readonly deleted: ReadonlyMap<string, number>
  readonly unchanged: number
}

/** Reads all of FILE. @throws CalicoError `invalid` if it is no good backup */
export async function checkBackup(file: BackupFile): Promise<CheckedBackup> {
  let header: BackupHeader | undefined
  let end: BackupEnd | undefined
  let informationText: string | undefined
  for await (const part of backupParts(file.open(), file.name)) {
    if ('header' in part) header = part.header
    else if ('end' in part) end = part.end
    else informationText ??= part.entries.find(({key}) => key === CLUSTER_KEY)?.value
  }
  const information = informationIn(informationText)
  if (header === undefined || end === undefined || information === undefined || informationText === undefined) {
    throw new CalicoError('invalid', `${file.name} is not a valid backup: it has no readable ClusterInformation (${CLUSTER_KEY}). Nothing was changed.`)
  }
  return {...header, ...end, file, information, informationText}
}

function informationIn(text: string | undefined): ClusterInformation | undefined {
  try {
    const value = text === undefined ? undefined : parseJson(text)
    return isObject(value) && 'metadata' in value ? (value as unknown as ClusterInformation) : undefined
  } catch {
    return undefined
  }
}

/**
 * Makes all that lies under /calico/ what BACKUP says; in a dry run only counts.
 * @throws CalicoError `refused` if something lies there and REPLACE is not given, or someone else has locked the store; `wrong-datastore` if the store or
 *   the backup is of another cluster than the expected one: nothing is changed then. `unknown` if it ends half-way: the store stays locked
 */
export async function restoreBackup(session: Session, backup: CheckedBackup, {replace}: {replace: boolean}): Promise<RestoreCounts> {
  if (session.expectCluster !== undefined && backup.clusterGUID !== session.expectCluster) {
    throw new CalicoError('wrong-datastore', `${backup.file.name} is a backup of the cluster ${backup.clusterGUID ?? '(without GUID)'}, not of the expected cluster ${session.expectCluster}. Nothing was changed.`)
  }
  const lock = await takeLock(session, backup, replace)
  const counts = {created: new Map<string, number>(), updated: new Map<string, number>(), deleted: new Map<string, number>(), unchanged: 0}
  const progress = {done: 0}
  if (!session.dryRun) session.writes.remaining = `The restore is not finished, and the datastore stays locked. To complete it, run the command again with the same file`
  try {
    await writeAll(session, backup, lock, counts, progress)
    if (!session.dryRun) await giveBack(session, backup)
  } catch (error) {
    throw session.dryRun ? error : halfDone(error, progress.done)
  } finally {
    session.writes.remaining = undefined
  }
  return counts
}

const HINT = 'To complete it, run the command again with the same file.'

function halfDone(error: unknown, done: number): unknown {
  if (!(error instanceof CalicoError) || error instanceof LockLost) return error
  return new CalicoError('unknown', `The restore is not finished: ${done} keys were written or deleted, and the datastore stays locked`, {details: [error.message, ...error.details, ...(error.hint === undefined ? [] : [error.hint])], hint: HINT, cause: error})
}

/** Someone has unlocked the store, or another restore has taken it over. */
class LockLost extends CalicoError {
  constructor() {
    super('unknown', 'The restore is not finished: another client has unlocked the datastore meanwhile, or restores another backup. Only a part of the backup is restored', {
      hint: 'Find out which client it was. To restore the backup again: calicoctl datastore restore FILE --replace',
    })
  }
}

/** Locks the store in the name of BACKUP; its ClusterInformation afterwards. */
async function takeLock(session: Session, backup: CheckedBackup, replace: boolean): Promise<KeyValue | undefined> {
  const {outcome, revision} = await commit(session, [], ({cluster}) => {
    if (cluster.state !== 'empty') checkReadable(session, cluster)
    refuseUnlessFree(session, cluster, backup, replace)
    const stored = cluster.state === 'present' ? cluster.stored : undefined
    const information = cluster.state === 'present' ? cluster.information : backup.information
    const value = stringifyJson(withReady(information, false, backup.sha256))
    const writes = stored?.value === value ? [] : [{key: CLUSTER_KEY, read: stored, value}]
    return {writes, what: 'the locking of the datastore', outcome: {value, stored}}
  }, {ownCluster: true})
  return session.dryRun ? outcome.stored : {key: CLUSTER_KEY, value: outcome.value, modRevision: revision, createRevision: revision, version: 1n}
}

function refuseUnlessFree(session: Session, cluster: ClusterState, backup: CheckedBackup, replace: boolean): void {
  if (cluster.state === 'empty') return
  const restoring = cluster.state === 'present' ? unfinishedRestore(cluster.information) : undefined
  const {clusterGUID = '(without GUID)', datastoreReady} = cluster.state === 'present' ? specOf(cluster.information) : {}
  if (restoring !== undefined && datastoreReady === false && (restoring === backup.sha256 || replace)) {
    session.warn(restoring === backup.sha256 ? 'A restore of this backup was not finished; it is completed now.' : 'A restore of another backup was not finished; this restore replaces it.')
    return
  }
  if (datastoreReady === false) {
    throw new CalicoError('refused', `The datastore is locked ${restoring === undefined ? 'by another client' : 'by the unfinished restore of another backup'} (${session.store.description}). Nothing was changed.`, {
      ...(restoring === undefined ? {} : {override: '--replace'}),
      hint: restoring === undefined ? 'To unlock it when the other client is done: calicoctl datastore unlock' : 'Complete that restore with its own file, or use --replace to restore this backup instead.',
    })
  }
  if (!replace) {
    throw new CalicoError('refused', `This datastore is not empty: it contains the cluster ${clusterGUID} (${session.store.description}). Nothing was changed.`, {
      override: '--replace',
      hint: 'With --replace, everything under /calico/ is replaced by the backup; keys that are not in the backup are deleted.',
    })
  }
  if (clusterGUID !== backup.clusterGUID) session.warn(`The backup is of another cluster (${backup.clusterGUID ?? 'without GUID'}) than the one that it replaces (${clusterGUID}).`)
}

/** A key that the backup or the store has. */
interface Pair {
  readonly key: string
  /** In the backup; undefined = not there. */
  readonly value: string | undefined
  readonly current: KeyValue | undefined
}

interface Counting {
  readonly created: Map<string, number>
  readonly updated: Map<string, number>
  readonly deleted: Map<string, number>
  unchanged: number
}

async function writeAll(session: Session, backup: CheckedBackup, lock: KeyValue | undefined, counts: Counting, progress: {done: number}): Promise<void> {
  let chunk: Pair[] = []
  let size = 0
  const send = async (): Promise<void> => {
    if (chunk.length > 0 && !session.dryRun && lock) await writeChunk(session, backup, lock, chunk, progress)
    chunk = []
    size = 0
  }
  for await (const pair of pairs(entriesOf(backup), listPages(session, CALICO_PREFIX, {pageSize: PAGE}))) {
    const {key, value, current} = pair
    if (key === CLUSTER_KEY || isStatus(key)) continue
    if (value === current?.value) {
      counts.unchanged++
      continue
    }
    count(value === undefined ? counts.deleted : current ? counts.updated : counts.created, kindOfKey(key))
    const characters = key.length + (value?.length ?? 0)
    if (chunk.length === MAX_KEYS || size + characters > MAX_CHARACTERS) await send()
    chunk.push(pair)
    size += characters
  }
  await send()
}

/** Writes CHUNK while the store is locked in the name of BACKUP. */
async function writeChunk(session: Session, {sha256}: CheckedBackup, lock: KeyValue, chunk: readonly Pair[], progress: {done: number}): Promise<void> {
  const remembered = {succeeded: true, revision: lock.modRevision, results: [[lock], ...chunk.map(({current}) => (current ? [current] : []))]}
  await commit(session, chunk.map(({key}) => ({get: key})), ({cluster, results}) => {
    requireLock(cluster, sha256)
    const writes = chunk.flatMap(({key, value}, index) => {
      const found = results[index]?.[0]
      return found?.value === value ? [] : [{key, read: found, value}]
    })
    return {writes, what: `the restore of ${chunk.length} keys`, outcome: undefined}
  }, {ownCluster: true, remembered})
  progress.done += chunk.length
  // One sentence for all of them, whatever their number.
  session.writes.done.splice(0, Infinity, `the restore of ${progress.done} keys`)
}

function requireLock(cluster: ClusterState, sha256: string): void {
  if (cluster.state !== 'present' || specOf(cluster.information).datastoreReady !== false || unfinishedRestore(cluster.information) !== sha256) throw new LockLost()
}

/** Unlocks the store: its ClusterInformation becomes that of BACKUP. */
async function giveBack(session: Session, {sha256, information, informationText}: CheckedBackup): Promise<void> {
  const ready = specOf(information).datastoreReady === true && unfinishedRestore(information) === undefined
  const value = ready ? informationText : stringifyJson(withReady(information, true))
  await commit(session, [], ({cluster}) => {
    requireLock(cluster, sha256)
    return {writes: cluster.state === 'present' ? [{key: CLUSTER_KEY, read: cluster.stored, value}] : [], what: 'the unlocking of the datastore', outcome: undefined}
  }, {ownCluster: true})
}

/** The entries of BACKUP; that it is still what was checked is known at their end. */
async function* entriesOf({file, sha256}: CheckedBackup): AsyncGenerator<Entry, void> {
  for await (const part of backupParts(file.open(), file.name)) {
    if ('entries' in part) yield* part.entries
    else if ('end' in part && part.end.sha256 !== sha256) throw new CalicoError('invalid', `${file.name} was replaced while it was restored`)
  }
}

/** Both lists side by side, by key. */
async function* pairs(backup: AsyncGenerator<Entry, void>, store: AsyncIterable<Page>): AsyncGenerator<Pair> {
  const stored = keyValues(store)
  let [entry, current] = [await next(backup), await next(stored)]
  while (entry !== undefined || current !== undefined) {
    const order = entry === undefined ? 1 : current === undefined ? -1 : compareUtf8(entry.key, current.key)
    yield {key: (order <= 0 ? entry : current)?.key ?? '', value: order <= 0 ? entry?.value : undefined, current: order >= 0 ? current : undefined}
    if (order <= 0) entry = await next(backup)
    if (order >= 0) current = await next(stored)
  }
}

async function* keyValues(pages: AsyncIterable<Page>): AsyncGenerator<KeyValue, void> {
  for await (const {entries} of pages) yield* entries
}

async function next<T>(items: AsyncGenerator<T, void>): Promise<T | undefined> {
  const result = await items.next()
  return result.done === true ? undefined : result.value
}
