import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {refuseMeshOff, setDefaultAs, setNodeMesh} from '../../../src/lib/client/bgp-configuration.js'
import {readCluster} from '../../../src/lib/client/cluster-version.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {createObject} from '../../support/ipam.js'

let store: FaultyStore
let session: Session

beforeEach(async () => {
  store = await faultyStore()
  session = newSession(store, {warn: () => undefined})
})
afterEach(() => store.close())

describe('the mesh is not switched off where nobody would have routes then', () => {
  test.each([
    [undefined, 2, 0, true],
    [true, 3, 0, true],
    [undefined, 1, 0, false],
    [undefined, 0, 0, false],
    [undefined, 2, 1, false],
    [false, 2, 0, false],
  ])('mesh %s, %s nodes, %s peers: refused is %s', async (mesh, nodes, peers, refused) => {
    if (mesh !== undefined) await setNodeMesh(session, mesh)
    for (let i = 0; i < nodes; i++) await createObject(session, 'Node', `n${i}`, {})
    for (let i = 0; i < peers; i++) await createObject(session, 'BGPPeer', `p${i}`, {peerIP: `192.0.2.${i + 1}`, asNumber: 64_512})
    if (refused) await expect(refuseMeshOff(session)).rejects.toMatchObject({kind: 'refused', override: '--yes', message: expect.stringContaining(`There are ${nodes} nodes and no BGP peers`)})
    else await refuseMeshOff(session)
  })
})

test('what a change of the global settings comes to: nothing where the default is what was asked for', async () => {
  expect(await setDefaultAs(session, 64_512)).toMatchObject({effective: false, change: {action: 'created'}})
  expect(await setDefaultAs(session, 64_512)).toMatchObject({effective: false, change: {action: 'unchanged'}})
  expect(await setDefaultAs(session, 65_000)).toMatchObject({effective: true, change: {action: 'updated', after: {spec: {asNumber: 65_000}}}})
  expect(await setNodeMesh(session, true)).toMatchObject({effective: false, change: {after: {spec: {asNumber: 65_000, nodeToNodeMeshEnabled: true}}}})
  expect(await setNodeMesh(session, false)).toMatchObject({effective: true})
})

test('what the store says about its cluster', async () => {
  expect(await readCluster(session)).toEqual({})
  await setDefaultAs(session, 64_512)
  expect(await readCluster(session)).toEqual({clusterGUID: expect.stringMatching(/^[0-9a-f]{32}$/), datastoreReady: true})
  const key = '/calico/resources/v3/projectcalico.org/clusterinformations/default'
  const spec = {clusterGUID: 'x', clusterType: 'typha', calicoVersion: 'v3.32.1', datastoreReady: false}
  await store.transact({then: [{put: key, value: JSON.stringify({kind: 'ClusterInformation', apiVersion: 'projectcalico.org/v3', metadata: {name: 'default'}, spec: {...spec, variant: 'Calico'}})}]})
  expect(await readCluster(session)).toEqual(spec)
})
