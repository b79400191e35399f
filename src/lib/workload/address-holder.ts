/** Who has an address: the endpoint that it is an address of. */
import {type Endpoint, endpointAddresses, listEndpoints} from '../client/endpoints.js'
import type {Session} from '../client/session.js'
import {isError} from '../errors.js'
import {type Address, equalAddresses} from '../net/index.js'
import {findEndpoints} from './workload.js'

/** The endpoint that has ADDRESS: it is looked for on NODE first, and then, as where that is not known, among all. */
export async function holderOf(session: Session, address: Address, node: string | undefined): Promise<Endpoint | undefined> {
  const has = ({stored}: Endpoint): boolean => endpointAddresses(stored.resource).some((each) => equalAddresses(each, address))
  const near = node === undefined ? undefined : (await endpointsOn(session, node)).find(has)
  if (near) return near
  for await (const endpoint of listEndpoints(session, {})) if (has(endpoint)) return endpoint
  return undefined
}

/** The endpoints on NODE, which is what an attribute of an address says; none if that can be no node. */
async function endpointsOn(session: Session, node: string): Promise<Endpoint[]> {
  try {
    return await findEndpoints(session, [{node}])
  } catch (error) {
    if (isError(error, 'invalid')) return []
    throw error
  }
}
