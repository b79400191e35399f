/** What the datastore itself still knows of an object's past, whoever made it. */
import type {Change} from '../datastore/datastore.js'
import {CompactedError} from '../datastore/errors.js'
import type {Session} from '../client/session.js'

/** The changes of KEY that SESSION's store has not compacted yet, oldest first. */
export async function knownChanges({store}: Session, key: string): Promise<readonly Change[]> {
  for (let from = 1n, tries = 0; ; tries++) {
    try {
      return await store.history(key, from)
    } catch (error) {
      // Compacted further meanwhile: again. A store that does not say how far has nothing to show.
      if (!(error instanceof CompactedError)) throw error
      if (error.oldest === undefined || tries === 3) return []
      from = error.oldest + 1n
    }
  }
}
