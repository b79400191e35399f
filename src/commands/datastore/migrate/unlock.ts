import DatastoreUnlock from '../unlock.js'

/** The Go calicoctl's word for it. */
export default class DatastoreMigrateUnlock extends DatastoreUnlock {
  static override hidden = true
}
