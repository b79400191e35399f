/** What the files of a command say, as one change: the objects to write and those to delete. */
import {append} from '../append.js'
import {removePools} from '../client/pool-removal.js'
import type {ResourceChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {TooLargeError} from '../datastore/errors.js'
import {CalicoError} from '../errors.js'
import type {IPPool} from '../model/types.js'
import {parseCidr} from '../net/index.js'
import type {FileObject} from './objects.js'
import {removeObjects} from './remove.js'
import type {LeftOver} from './sets.js'
import {fitInOne, writeObjects, type WriteOptions} from './write.js'

export interface ApplyOptions extends WriteOptions {
  /** In one transaction or not at all. */
  readonly atomic: boolean
}

export interface Wanted {
  readonly objects: readonly FileObject[]
  /** To be deleted, after the objects are written. */
  readonly deletions: readonly LeftOver[]
}

/** Objects beyond which one transaction is not even tried where several will do. */
const MOST_TRIED = 1_000

/** For messages about all that a command changes. */
const WHAT = 'the change of these files'

/**
 * Writes and deletes what WANTED says; one change for each object, those of the files in their order first.
 * In one transaction where the datastore takes it; else, unless it must be atomic, in several: first what is written, in the order of references, then the deletions.
 * @throws CalicoError as writeObjects() and removeObjects(); `refused`, and nothing is changed, if it must be atomic and does not fit, or if a node were to be deleted
 */
export async function applyWanted(session: Session, wanted: Wanted, options: ApplyOptions): Promise<readonly ResourceChange[]> {
  const {objects, deletions} = wanted
  refuseNodes(deletions)
  const count = objects.length + deletions.length
  if (count === 0) return []
  if (deletions.length === 0 && (!options.atomic || fitInOne(objects))) return writeObjects(session, objects, options)
  if (options.atomic || session.dryRun || count <= MOST_TRIED) {
    try {
      return await inOne(session, wanted, options)
    } catch (error) {
      if (options.atomic || !(error instanceof CalicoError) || !(error.cause instanceof TooLargeError)) throw error
      options.progress('The change does not fit into one transaction: it is made in several, with the deletions last.')
    }
  } else if (deletions.length > 0) {
    // Every reason why a deletion is refused is reported before anything is written.
    const {rehearse} = await import('../client/together.js')
    await rehearse(session, WHAT, (staged) => stagedChanges(staged, wanted, options))
  }
  return inSeveral(session, wanted, options)
}

async function inOne(session: Session, wanted: Wanted, options: WriteOptions): Promise<readonly ResourceChange[]> {
  const {together} = await import('../client/together.js')
  return (await together(session, WHAT, (staged) => stagedChanges(staged, wanted, options))).outcome
}

/** Does all that WANTED says with SESSION, which is on a stage: as many steps as it takes. */
export async function stagedChanges(session: Session, wanted: Wanted, options: WriteOptions): Promise<readonly ResourceChange[]> {
  return steps(session, wanted, {...options, progress: () => undefined})
}

async function inSeveral(session: Session, wanted: Wanted, options: WriteOptions): Promise<readonly ResourceChange[]> {
  const written: ResourceChange[] = []
  try {
    return await steps(session, wanted, options, written)
  } catch (error) {
    const done = written.filter(({action}) => action !== 'unchanged').length
    if (done === 0 || !(error instanceof CalicoError)) throw error
    throw new CalicoError('unknown', `${done} objects were written; not all deletions were made: ${error.message}`, {
      details: error.details,
      hint: 'The completed changes are kept. To make the rest, run the same command again.',
      cause: error,
    })
  }
}

/** DONE gets what has been written before the deletions. */
async function steps(session: Session, {objects, deletions}: Wanted, options: WriteOptions, done: ResourceChange[] = []): Promise<readonly ResourceChange[]> {
  append(done, objects.length === 0 ? [] : await writeObjects(session, objects, options))
  const changes = [...done]
  const pools = deletions.filter(({place}) => place.kind === 'IPPool')
  const others = deletions.filter(({place}) => place.kind !== 'IPPool')
  if (others.length > 0) append(changes, await removeObjects(session, others, {force: false, skipMissing: true, atomic: false}))
  const cidrs = pools.flatMap(({resource}) => parseCidr((resource as IPPool).spec.cidr) ?? [])
  if (cidrs.length > 0) append(changes, (await removePools(session, cidrs, {force: false})).changes)
  return changes
}

/** A node takes its endpoints, addresses and blocks with it, in steps of its own. @throws CalicoError `refused` */
function refuseNodes(deletions: readonly LeftOver[]): void {
  const nodes = deletions.filter(({place}) => place.kind === 'Node')
  if (nodes.length === 0) return
  throw new CalicoError('refused', 'A node is not deleted like other objects, because its endpoints, addresses and blocks are removed with it; nothing was changed', {
    details: nodes.map(({place: {name}}) => `calicoctl node remove --hostname=${name}`),
  })
}
