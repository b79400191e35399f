/** Stores that are broken on purpose: what they make of a transaction. The worlds must find them out. */
import {CLUSTER_KEY} from '../../src/lib/client/cluster.js'
import type {Compare, Transaction} from '../../src/lib/datastore/datastore.js'

const without = (dropped: (compare: Compare) => boolean) => ({if: all = [], ...rest}: Transaction): Transaction => ({...rest, if: all.filter((compare) => !dropped(compare))})

export const BROKEN: Readonly<Record<string, ((transaction: Transaction) => Transaction) | undefined>> = {
  'conditions-on-keys': without((compare) => 'key' in compare && compare.key !== CLUSTER_KEY),
  'conditions-on-prefixes': without((compare) => 'prefix' in compare),
  'condition-on-cluster': without((compare) => 'key' in compare && compare.key === CLUSTER_KEY),
}
