import DatastoreLock from '../lock.js'

/** The Go calicoctl's word for it. */
export default class DatastoreMigrateLock extends DatastoreLock {
  static override hidden = true
}
