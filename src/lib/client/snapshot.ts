import type {ListOptions, Page} from '../datastore/datastore.js'
import {CompactedError} from '../datastore/errors.js'
import {compareUtf8} from '../utf8-order.js'
import type {Session} from './session.js'

/**
 * The pages of a list at one revision. If the datastore compacts that revision away while the list is read, the list goes on once, from the
 * key it had come to, at the newest revision, and says so (operator-demand R12): the parts are then of two moments.
 * @throws CompactedError the second time
 */
export async function* listPages(session: Session, prefix: string, options: ListOptions = {}): AsyncGenerator<Page> {
  let last: string | undefined
  try {
    for await (const page of session.store.list(prefix, options)) {
      last = page.entries.at(-1)?.key ?? last
      yield page
    }
    return
  } catch (error) {
    if (!(error instanceof CompactedError) || options.revision !== undefined) throw error
  }
  session.warn('The datastore was compacted while it was listed; the following objects are from a newer revision than the previous ones.')
  for await (const page of session.store.list(prefix, options)) {
    const from = last
    yield from === undefined ? page : {...page, entries: page.entries.filter(({key}) => compareUtf8(key, from) > 0)}
  }
}
