import type {Settings} from '../settings/types.js'
import {createBudget, type Budget, type BudgetOptions} from './budget.js'
import type {Datastore} from './datastore.js'
import type {ConnectionOptions} from './etcd/connection.js'

/**
 * The datastore that SETTINGS name; it connects at its first request. The adapters and what they import are loaded only here,
 * when they are needed.
 * @param budget how long the requests may take together; the default is 10 seconds from the first one on
 * @param options LONGLIVED, for servers: a cluster that has been replaced by another is used from then on (`Datastore.generation`);
 *   ONSLOW is informed which etcd has not answered for a second
 */
export async function openDatastore({datastore}: Pick<Settings, 'datastore'>, budget: Budget | BudgetOptions = {}, options: ConnectionOptions = {}): Promise<Datastore> {
  const own = 'remaining' in budget ? budget : createBudget(budget)
  if (datastore.type === 'embedded') {
    const {openEmbedded} = await import('./embedded/embedded-datastore.js')
    return openEmbedded(datastore, own)
  }
  const {openEtcd} = await import('./etcd/etcd-datastore.js')
  return openEtcd(datastore, own, options)
}
