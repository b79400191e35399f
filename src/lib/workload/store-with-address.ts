/**
 * An endpoint is stored together with its claim to an address that was assigned before: whoever takes an address without endpoint for left over
 * (`ipam check --repair`) may have released it since, and an endpoint must never have an address that another client can get.
 */
import type {Endpoint} from '../client/endpoints.js'
import {keyOf, prepareChange, type ResourceChange, reportWider} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {POOLS_PREFIX} from '../ipam/lists.js'
import {submit} from '../ipam/queue.js'
import {takeAddress} from '../ipam/reassign.js'
import {handleKey, IPAM_CONFIG_KEY, resourceKey} from '../model/keys.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {type Address, formatAddress} from '../net/index.js'
import {resourceCodec} from './resource-codec.js'
import {handleOf, type Workload} from './workload.js'

/**
 * Makes the endpoint at PLACE what EDIT says (undefined = there is none), in one transaction that holds only if ADDRESS is WORKLOAD's. One that has become
 * free since it was assigned is assigned anew in the same transaction.
 * @throws CalicoError `conflict` if the address is another owner's by now; what EDIT throws; `invalid` as prepareChange; see also commit()
 */
export async function storeWithAddress(
  session: Session,
  {place, id}: Pick<Endpoint, 'place' | 'id'>,
  {workload, address}: {readonly workload: Workload; readonly address: Address},
  edit: (stored: WorkloadEndpoint | undefined) => WorkloadEndpoint,
): Promise<ResourceChange<WorkloadEndpoint>> {
  const codec = resourceCodec<WorkloadEndpoint>(session, 'WorkloadEndpoint')
  const key = keyOf(place)
  const handle = handleOf(workload)
  const {node} = workload
  const change = await submit<ResourceChange<WorkloadEndpoint>>(session, {
    what: `the endpoint ${id} with ${formatAddress(address)}`,
    reads: () => [{get: key}, {get: resourceKey('Node', node)}, {list: POOLS_PREFIX}, {get: IPAM_CONFIG_KEY}, {get: handleKey(handle)}],
    async plan(draft) {
      const stored = await draft.get(codec, key)
      if (stored === null) throw new CalicoError('conflict', `Endpoint ${id} exists, but its stored value cannot be read`)
      const kv = {key, value: '', modRevision: 0n, createRevision: 0n, version: 0n}
      const prepared = prepareChange<WorkloadEndpoint>(place, stored && {kv, resource: stored}, edit(stored)).change
      await takeAddress(draft, {address, node, owner: {handle, attributes: {node}}, mayMove: () => false})
      draft.restOn(key)
      if (prepared.action !== 'unchanged') draft.set(codec, key, prepared.after)
      return {outcome: prepared}
    },
  })
  reportWider(session, change)
  return {...change, name: id}
}
