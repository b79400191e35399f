import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {assignedAddresses, autoAssign} from '../../../src/lib/ipam/auto-assign.js'
import {addressUse} from '../../../src/lib/ipam/utilization.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {createObject} from '../../support/ipam.js'

let store: FaultyStore
let session: Session
const warnings: string[] = []

beforeEach(async () => {
  store = await faultyStore()
  warnings.length = 0
  session = newSession(store, {warn: (warning) => warnings.push(warning), announce: () => undefined})
  await createObject(session, 'IPPool', 'second', {cidr: '10.2.0.0/26', blockSize: 26})
  await createObject(session, 'IPPool', 'first', {cidr: '10.1.0.0/27', blockSize: 29})
  await createObject(session, 'IPPool', 'six', {cidr: 'fd00::/120', blockSize: 122})
  for (const node of ['b', 'a']) await createObject(session, 'Node', node, {})
})
afterEach(() => store.close())

const texts = async (blocks: boolean, nodes: boolean): Promise<string[]> =>
  (await addressUse(session, {blocks, nodes})).map(({grouping, cidr, node = '-', total, used}) => `${grouping} ${cidr} ${node} ${used} of ${total}`)

test('pools without blocks', async () => {
  expect(await texts(true, true)).toEqual(['IP Pool 10.1.0.0/27 - 0 of 32', 'IP Pool 10.2.0.0/26 - 0 of 64', 'IP Pool fd00::/120 - 0 of 256'])
})

test('pools, each followed by its blocks; those of no pool; nodes with what is in their blocks', async () => {
  await autoAssign(session, {ipv4: 2, ipv6: 3, node: 'b', handle: 'h1'})
  const {families} = await autoAssign(session, {ipv4: 9, node: 'a', handle: 'h2'})
  expect(assignedAddresses({families, error: undefined, createdNode: false})).toHaveLength(9)
  const free = '"allocations":[0,null,null,null],"unallocated":[1,2,3],"attributes":[{}],"deleted":false}'
  for (const [key, value] of [
    ['10.9.0.4-30', `{"cidr":"10.9.0.4/30","affinity":"host:a",${free}`],
    ['10.9.0.0-30', `{"cidr":"10.9.0.0/30","affinity":null,${free}`],
    ['10.9.0.8-30', '{'],
  ] as const) await store.transact({then: [{put: `/calico/ipam/v2/assignment/ipv4/block/${key}`, value}]})
  const pools = ['IP Pool 10.1.0.0/27 - 11 of 32', 'IP Pool 10.2.0.0/26 - 0 of 64', 'IP Pool fd00::/120 - 3 of 256']
  expect(await texts(false, false)).toEqual(pools)
  expect(await texts(false, true)).toEqual([...pools, 'Node  a 10 of 20', 'Node  b 5 of 72'])
  const rows = await texts(true, false)
  expect(rows.filter((row) => row.startsWith('IP Pool'))).toEqual(pools)
  const ofFirst = rows.slice(1, rows.indexOf('IP Pool 10.2.0.0/26 - 0 of 64'))
  expect(ofFirst.map((row) => row.replace(/\S+\/29 /, '')).sort()).toEqual(['Block a 1 of 8', 'Block a 8 of 8', 'Block b 2 of 8'])
  expect(ofFirst).toEqual([...ofFirst].sort((x, y) => Number(/\.(\d+)\/29/.exec(x)?.[1]) - Number(/\.(\d+)\/29/.exec(y)?.[1])))
  expect(rows.at(-3)).toMatch(/^Block fd00::\S*\/122 b 3 of 64$/)
  expect(rows.slice(-2)).toEqual(['Block 10.9.0.0/30 - 1 of 4', 'Block 10.9.0.4/30 a 1 of 4'])
  expect(new Set(warnings)).toEqual(new Set([expect.stringMatching(/10\.9\.0\.8-30 cannot be read: .+ It is ignored\.$/)]))
})
