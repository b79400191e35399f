/** `cleanup` never releases an address that another endpoint of the agent has. */
import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {HANDLE_ANNOTATION} from '../../../../src/lib/client/endpoints.js'
import {changeResource} from '../../../../src/lib/client/resources.js'
import {newSession, type Session} from '../../../../src/lib/client/session.js'
import {assignAddress} from '../../../../src/lib/ipam/assign-address.js'
import {cleanup} from '../../../../src/lib/mesos/plugin/cleanup.js'
import {type Container, containerOf} from '../../../../src/lib/mesos/plugin/container.js'
import {API_VERSION} from '../../../../src/lib/model/resource.js'
import {parseAddress} from '../../../../src/lib/net/index.js'
import {faultyStore, type FaultyStore} from '../../../support/faulty-store.js'
import {allAssigned, createObject} from '../../../support/ipam.js'

let store: FaultyStore
let session: Session
beforeEach(async () => {
  store = await faultyStore()
  session = newSession(store, {warn: () => undefined})
  await createObject(session, 'IPPool', 'pool', {cidr: '10.1.0.0/24'})
  await createObject(session, 'Node', 'a', {})
})
afterEach(() => store.close())

/** An endpoint of CONTAINER whose addresses have the handle UID. */
async function isolated(container: Container, uid: string, address: string): Promise<void> {
  const {node, workload, endpointId: endpoint, place} = container
  await changeResource(session, place, () => ({
    kind: 'WorkloadEndpoint',
    apiVersion: API_VERSION,
    metadata: {name: place.name, namespace: 'default', annotations: {[HANDLE_ANNOTATION]: uid}},
    spec: {node, orchestrator: 'mesos', workload, endpoint, interfaceName: `cali${endpoint.slice(0, 8)}`, ipNetworks: [`${address}/32`]},
  }))
}

test.each([
  ['of the same uid', '10.1.0.2', ['10.1.0.2'], /10\.1\.0\.2 not released: endpoint \S+ of mesos workload c2 on a uses it/],
  ['that is both of theirs', '10.1.0.1', ['10.1.0.1'], /10\.1\.0\.1 not released/],
])('an address %s', async (_, second, left, said) => {
  for (const text of new Set(['10.1.0.1', second])) {
    const address = parseAddress(text)
    if (address) await assignAddress(session, {address, node: 'a', handle: 'uid', attributes: {node: 'a', type: 'mesos'}})
  }
  const [one, two] = [containerOf('a', 'c1'), containerOf('a', 'c2')]
  await isolated(one, 'uid', '10.1.0.1')
  await isolated(two, 'uid', second)
  const lines: string[] = []
  const log = (line: string): void => void lines.push(line)
  await cleanup(session, one, {idempotent: false}, log)
  expect(await allAssigned(store)).toEqual(left)
  expect(lines.join('\n')).toMatch(said)
  await cleanup(session, two, {idempotent: false}, log)
  expect(await allAssigned(store)).toEqual([])
})
