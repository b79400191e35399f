/** Whether a transaction was executed whose answer never came: what the store says of its keys (decisions.md 10). */
import type {Revision} from '../datastore/datastore.js'
import type {Session} from './session.js'

/** What a transaction makes of a key. */
export interface Effect {
  readonly key: string
  /** Undefined: the key did not exist before. */
  readonly read: unknown
  /** Undefined: it is deleted. */
  readonly value: string | undefined
}

/**
 * The revision at which a transaction with EFFECTS, which was decided on at revision AFTER, was executed; undefined if it was not (yet: it carries compares
 * on what it read, so that a later try of the same change and it cannot both be executed). A transaction has one revision: another client may have written some
 * of its keys as it would have, but not all at once.
 * @throws CompactedError if the store has forgotten what is needed to tell; the datastore's errors
 */
export async function executedAt({store}: Pick<Session, 'store'>, effects: readonly Effect[], after: Revision): Promise<Revision | undefined> {
  const [put, ...otherPuts] = effects.filter(({value}) => value !== undefined)
  const deletions = effects.filter(({value}) => value === undefined)
  if (!put) return areGone({store}, deletions, after)
  const changes = await store.history(put.key, after + 1n)
  for (const {revision} of changes.filter(({kv}) => kv?.value === put.value)) {
    if (await allWritten({store}, [...otherPuts, ...deletions], revision)) return revision
  }
  return undefined
}

/** Whether REVISION made each of EFFECTS. */
async function allWritten({store}: Pick<Session, 'store'>, effects: readonly Effect[], revision: Revision): Promise<boolean> {
  for (const {key, read, value} of effects) {
    // The deletion of a key that does not exist leaves no trace.
    if (value === undefined && read === undefined) continue
    const changes = await store.history(key, revision)
    if (!changes.some((change) => change.revision === revision && change.kv?.value === value)) return false
  }
  return true
}

/** The present revision if all of DELETIONS, which were there at AFTER, are gone, or were made anew since. */
async function areGone({store}: Pick<Session, 'store'>, deletions: readonly Effect[], after: Revision): Promise<Revision | undefined> {
  if (deletions.length === 0) return undefined
  const {results, revision} = await store.transact({then: deletions.map(({key}) => ({get: key}))})
  return results.every(([kv]) => kv === undefined || kv.createRevision > after) ? revision : undefined
}
