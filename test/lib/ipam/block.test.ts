import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {CalicoError} from '../../../src/lib/errors.js'
import {assignFree, assignOrdinal, freeCount} from '../../../src/lib/ipam/assign.js'
import {addressesOf, assignedIn, type Block, blockCidr, countByHandle, encodeBlock, hostAffinity, isEmpty, newBlock, nextVersion, ordinalOf, ownerOf, parseBlock, sequenceNumberAt, withoutAffinity} from '../../../src/lib/ipam/block.js'
import {release, releaseHandle} from '../../../src/lib/ipam/release.js'
import {type Cidr, formatAddress, parseAddress, parseCidr} from '../../../src/lib/net/index.js'

const KEY = '/calico/ipam/v2/assignment/ipv4/block/10.1.0.0-29'

const cidr = (text: string): Cidr => {
  const parsed = parseCidr(text)
  if (!parsed) throw new Error(text)
  return parsed
}
const START = 1782326400123456789n
const fresh = (text = '10.1.0.0/29'): Block => newBlock(cidr(text), hostAffinity('host-1'), {claimTime: '2026-06-24T18:40:00Z', sequenceNumber: START})
const read = (value: unknown): Block => parseBlock({key: KEY, value: typeof value === 'string' ? value : JSON.stringify(value)})

/** A /29 with two attributes, as libcalico-go writes it. */
const STORED =
  '{"cidr":"10.1.0.0/29","affinity":"host:host-1","affinity_claim_time":"2026-06-24T18:40:00Z","allocations":[0,1,null,0,null,null,null,null],"unallocated":[2,4,5,6,7],' +
  '"attributes":[{"handle_id":"h1","secondary":{"node":"host-1"}},{"handle_id":"h2"}],"sequenceNumber":1782326400123456791,' +
  '"sequenceNumberForAllocation":{"0":1782326400123456789,"1":1782326400123456790,"3":1782326400123456789},"deleted":false}'

describe('reading and writing', () => {
  test.each([['10.1.0.0/20', true], ['10.1.0.0/19', false], ['10.1.0.0/32', true], ['fd00::/116', true], ['fd00::/115', false], ['fd00::/128', true]])('a block of the size %s: %s', (text, isBlock) => {
    const parsed = cidr(text)
    const size = 2 ** ((parsed.family === 4 ? 32 : 128) - parsed.prefix)
    const value = {cidr: text, affinity: 'host:a', allocations: Array(size).fill(null), unallocated: Array.from({length: size}, (_, at) => at), attributes: [], deleted: false}
    if (isBlock) expect(read(value).allocations).toHaveLength(size)
    else expect(() => read(value)).toThrow('a block cannot be a /')
  })

  test('64-bit numbers and fields of a newer Calico are kept to the last digit', () => {
    const value = STORED.replace('"deleted":false', '"deleted":false,"releasedAt":{"2":"2026-06-24T18:41:00Z"},"epoch":18446744073709551615').replace('{"handle_id":"h2"}', '{"handle_id":"h2","releasedAt":"2026-06-24T18:41:00Z"}')
    const text = encodeBlock(read(value))
    expect(text).toBe(value)
    expect(read(value).sequenceNumber).toBe(1782326400123456791n)
    expect(sequenceNumberAt(read(value), 1)).toBe(1782326400123456790n)
  })

  test.each([
    ['attributes null', {attributes: null, allocations: Array(8).fill(null)}],
    ['attributes []', {attributes: [], allocations: Array(8).fill(null)}],
    ['no affinity', {affinity: null}],
    ['the affinity of v0.20 for none', {affinity: ''}],
    ['a legacy hostAffinity', {hostAffinity: 'host-1'}],
    ['no unallocated', {unallocated: undefined}],
    ['unallocated null', {unallocated: null}],
    ['no sequence numbers', {sequenceNumber: undefined, sequenceNumberForAllocation: undefined}],
    ['sequence numbers null', {sequenceNumberForAllocation: null}],
    ['small sequence numbers', {sequenceNumber: 3, sequenceNumberForAllocation: {0: 1}}],
  ])('%s is written as it was read', (_, changed) => {
    const value = JSON.stringify({...(JSON.parse(STORED) as object), sequenceNumber: 7, sequenceNumberForAllocation: {}, ...changed})
    expect(encodeBlock(read(value))).toBe(value)
  })

  test.each([
    ['not JSON', '{'],
    ['not an object', '[]'],
    ['no cidr', {cidr: undefined}],
    ['host bits', {cidr: '10.1.0.1/29'}],
    ['a block of the size of a pool', {cidr: '10.0.0.0/8'}],
    ['too few allocations', {allocations: [null]}],
    ['an index without attribute', {allocations: [2, ...Array<null>(7).fill(null)]}],
    ['an index without attributes at all', {attributes: null}],
    ['an index that is not a number', {allocations: ['0', ...Array<null>(7).fill(null)]}],
    ['a free ordinal outside', {unallocated: [8]}],
    ['a negative free ordinal', {unallocated: [-1]}],
    ['an attribute that is not an object', {attributes: ['h1', {}]}],
    ['a handle that is a number', {attributes: [{handle_id: 1}, {}]}],
    ['an owner that is a number', {attributes: [{secondary: {node: 1}}, {}]}],
    ['an affinity that is a number', {affinity: 7}],
    ['a sequence number that is text', {sequenceNumber: '7'}],
    ['a negative sequence number', {sequenceNumber: -1}],
    ['a fraction among the sequence numbers', {sequenceNumberForAllocation: {0: 1.5}}],
  ])('%s is refused, naming the key', (_, changed) => {
    const value = typeof changed === 'string' ? changed : {...(JSON.parse(STORED) as object), ...changed}
    expect(() => read(value)).toThrow(CalicoError)
    expect(() => read(value)).toThrow(expect.objectContaining({kind: 'invalid', message: expect.stringContaining(KEY) as unknown}))
  })

  test('a sequence number above 64 bits is refused', () => {
    expect(() => read(STORED.replace('"sequenceNumber":1782326400123456791', '"sequenceNumber":18446744073709551616'))).toThrow(/64-bit/)
  })
})

describe('a new block', () => {
  test('is written as libcalico-go writes it', () => {
    expect(encodeBlock(fresh())).toBe(
      '{"cidr":"10.1.0.0/29","affinity":"host:host-1","affinity_claim_time":"2026-06-24T18:40:00Z","allocations":[null,null,null,null,null,null,null,null],"unallocated":[0,1,2,3,4,5,6,7],' +
        '"attributes":null,"sequenceNumber":1782326400123456789,"sequenceNumberForAllocation":{},"deleted":false}',
    )
  })

  test('has one address at /32 and /128', () => {
    expect(fresh('10.1.0.5/32').allocations).toEqual([null])
    expect(fresh('fd00::5/128').unallocated).toEqual([0])
  })

  test('gives ordinal 0 first, at its own sequence number', () => {
    const {block, ordinals} = assignFree(fresh(), 1, {handle: 'h1', attributes: {node: 'host-1'}})
    expect(ordinals).toEqual([0])
    expect(nextVersion(block)).toMatchObject({
      unallocated: [1, 2, 3, 4, 5, 6, 7],
      attributes: [{handle_id: 'h1', secondary: {node: 'host-1'}}],
      sequenceNumber: START + 1n,
      sequenceNumberForAllocation: {0: START},
    })
  })
})

describe('what a block says', () => {
  test('its owner', () => {
    expect(ownerOf(read(STORED))).toEqual({type: 'host', host: 'host-1'})
    expect(ownerOf(read(STORED.replace('host:host-1', 'virtual:load-balancer')))).toEqual({type: 'virtual', host: 'load-balancer'})
    for (const none of ['""', 'null', '"host:"', '"host-1"']) expect(ownerOf(read(STORED.replace('"host:host-1"', none)))).toBeUndefined()
  })

  test('its assignments', () => {
    expect([...assignedIn(read(STORED))].map(({address, attribute}) => [formatAddress(address), attribute.handle_id])).toEqual([['10.1.0.0', 'h1'], ['10.1.0.1', 'h2'], ['10.1.0.3', 'h1']])
    expect(countByHandle(read(STORED))).toEqual(new Map([['h1', 2], ['h2', 1]]))
    expect(addressesOf(read(STORED), 'h1').map(formatAddress)).toEqual(['10.1.0.0', '10.1.0.3'])
  })

  test('a handle ends at a carriage return', () => {
    const block = read(STORED.replace('"handle_id":"h1"', '"handle_id":"h1\\r\\nhost"'))
    expect(countByHandle(block).get('h1')).toBe(2)
    expect(releaseHandle(block, 'h1').ordinals).toEqual([0, 3])
  })

  test('only addresses that Windows set aside = empty', () => {
    const {block} = assignFree(fresh(), 3, {handle: 'Windows-Reserved-IPAM-Handle'})
    expect(isEmpty(block)).toBe(true)
    expect(isEmpty(assignFree(block, 1, {}).block)).toBe(false)
  })

  test('ordinals of addresses; none for one outside', () => {
    const address = (text: string) => parseAddress(text) ?? {family: 4 as const, value: 0n}
    expect(ordinalOf(fresh(), address('10.1.0.7'))).toBe(7)
    expect(() => ordinalOf(fresh(), address('10.1.0.8'))).toThrow(RangeError)
    expect(() => ordinalOf(fresh(), address('fd00::1'))).toThrow(RangeError)
  })
})

describe('assignment', () => {
  test('an attribute that says the same is shared; absent and {} are not the same, nor is one with more in it', () => {
    const handle = 'h'
    const first = assignFree(fresh(), 1, {handle, attributes: {a: '1', b: '2'}}).block
    expect(assignFree(first, 1, {handle, attributes: {b: '2', a: '1'}}).block.attributes).toHaveLength(1)
    expect(assignFree(first, 1, {handle, attributes: {a: '1'}}).block.attributes).toHaveLength(2)
    expect(assignFree(first, 1, {attributes: {a: '1', b: '2'}}).block.attributes).toHaveLength(2)
    const plain = assignFree(fresh(), 1, {handle}).block
    expect(plain.attributes).toEqual([{handle_id: 'h'}])
    expect(assignFree(plain, 1, {handle}).block.attributes).toHaveLength(1)
    expect(assignFree(plain, 1, {handle, attributes: {}}).block.attributes).toEqual([{handle_id: 'h'}, {handle_id: 'h'}])
    const newer = read(STORED.replace('{"handle_id":"h2"}', '{"handle_id":"h2","releasedAt":"2026-06-24T18:41:00Z"}'))
    expect(assignFree(newer, 1, {handle: 'h2'}).block.attributes).toHaveLength(3)
  })

  test('passes reserved addresses over and leaves them in the list', () => {
    const {block, ordinals} = assignFree(fresh(), 2, {}, ({value}) => value % 2n === 0n)
    expect(ordinals).toEqual([1, 3])
    expect(block.unallocated).toEqual([0, 2, 4, 5, 6, 7])
    expect(freeCount(fresh(), ({value}) => value % 2n === 0n)).toBe(4)
  })

  test('a list of free ordinals that lies never leads to a second assignment', () => {
    const lying = read(STORED.replace('"unallocated":[2,4,5,6,7]', '"unallocated":[0,2,2,4]'))
    expect(assignFree(lying, 9, {}).ordinals).toEqual([2, 4])
    expect(freeCount(lying)).toBe(2)
  })

  test('of one address: not twice', () => {
    const block = assignOrdinal(fresh(), 5, {handle: 'h'})
    expect(block?.unallocated).toEqual([0, 1, 2, 3, 4, 6, 7])
    expect(block && assignOrdinal(block, 5, {handle: 'i'})).toBeUndefined()
  })

  test('from a full block: nothing, and the same block', () => {
    const full = assignFree(fresh(), 8, {}).block
    expect(assignFree(full, 1, {handle: 'h'})).toEqual({block: full, ordinals: []})
    expect(assignFree(full, 1, {handle: 'h'}).block).toBe(full)
  })
})

describe('release', () => {
  test('goes to the end of the list, renumbers the attributes and forgets the sequence number', () => {
    const {block, countByHandle: counts} = release(read(STORED), [{ordinal: 3}, {ordinal: 0}, {ordinal: 0}])
    expect(block).toMatchObject({allocations: [null, 0, null, null, null, null, null, null], unallocated: [2, 4, 5, 6, 7, 3, 0], attributes: [{handle_id: 'h2'}]})
    expect(block.sequenceNumberForAllocation).toEqual({1: 1782326400123456790n})
    expect(counts).toEqual(new Map([['h1', 2]]))
  })

  test('what is free already is told, and nothing changes', () => {
    const block = read(STORED)
    expect(release(block, [{ordinal: 2}])).toEqual({block, ordinals: [], unassigned: [2], countByHandle: new Map()})
    expect(release(block, [{ordinal: 2}]).block).toBe(block)
  })

  test.each([
    [{ordinal: 0, handle: 'other'}],
    [{ordinal: 0, sequenceNumber: 5n}],
    [{ordinal: 2, sequenceNumber: 5n}],
  ])('%p is a conflict', (wrong) => {
    expect(() => release(read(STORED), [{ordinal: 1}, wrong])).toThrow(expect.objectContaining({kind: 'conflict'}))
  })

  test('by handle leaves the sequence numbers, and takes attributes of the handle that nobody uses', () => {
    const block = read(STORED.replace('{"handle_id":"h2"}]', '{"handle_id":"h2"},{"handle_id":"h1"},{"handle_id":"unused"}]'))
    const {block: released, ordinals} = releaseHandle(block, 'h1')
    expect(ordinals).toEqual([0, 3])
    expect(released.attributes).toEqual([{handle_id: 'h2'}, {handle_id: 'unused'}])
    expect(released.sequenceNumberForAllocation).toEqual(block.sequenceNumberForAllocation)
    expect(releaseHandle(block, 'nobody').block).toBe(block)
  })

  test('by handle and sequence number spares the others, with their attribute', () => {
    const later = assignFree(nextVersion(assignFree(fresh(), 1, {handle: 'h'}).block), 1, {handle: 'h'}).block
    const {block, ordinals} = releaseHandle(later, 'h', {sequenceNumber: START})
    expect(ordinals).toEqual([0])
    expect(block).toMatchObject({allocations: [null, 0, null, null, null, null, null, null], attributes: [{handle_id: 'h'}]})
  })
})

test('a block without affinity keeps its assignments and loses the time of its claim', () => {
  const {affinity_claim_time: time, ...rest} = withoutAffinity(read(STORED))
  expect(time).toBeUndefined()
  expect(rest.affinity).toBeNull()
  expect(rest.allocations).toEqual(read(STORED).allocations)
})

test('the sequence number of the last version wraps as an unsigned 64-bit number does', () => {
  expect(nextVersion({...fresh(), sequenceNumber: 18446744073709551615n}).sequenceNumber).toBe(0n)
  expect(nextVersion(read(STORED.replace('"sequenceNumber":1782326400123456791,', ''))).sequenceNumber).toBe(1n)
})

/** What must hold of every block that operations have made. */
function isSound(block: Block): void {
  const free = block.allocations.flatMap((index, ordinal) => (index === null ? [ordinal] : []))
  expect([...(block.unallocated ?? [])].sort((a, b) => a - b)).toEqual(free)
  const used = new Set(block.allocations.filter((index) => index !== null))
  expect([...used].sort()).toEqual((block.attributes ?? []).map((_, index) => index).sort())
  for (const [ordinal, index] of block.allocations.entries()) if (index !== null) expect(block.sequenceNumberForAllocation).toHaveProperty(String(ordinal))
}

test('after any sequence of operations every address is free or assigned, every attribute used, and the text reads back', () => {
  const owner = fc.record({handle: fc.constantFrom('a', 'b', 'c'), attributes: fc.constantFrom({node: 'n1'}, {node: 'n2'})})
  const operation = fc.oneof(
    fc.tuple(fc.nat(6), owner).map(([count, who]) => (block: Block) => assignFree(block, count, who).block),
    fc.tuple(fc.nat(15), owner).map(([ordinal, who]) => (block: Block) => assignOrdinal(block, ordinal, who) ?? block),
    fc.array(fc.nat(15)).map((ordinals) => (block: Block) => release(block, ordinals.map((ordinal) => ({ordinal}))).block),
    fc.constantFrom('a', 'b', 'c').map((handle) => (block: Block) => releaseHandle(block, handle).block),
  )
  fc.assert(
    fc.property(fc.constantFrom('10.1.0.0/28', 'fd00::f0/124'), fc.array(operation, {maxLength: 30}), (text, operations) => {
      let block = fresh(text)
      for (const apply of operations) {
        block = nextVersion(apply(block))
        isSound(block)
      }
      expect(block.sequenceNumber).toBe(START + BigInt(operations.length))
      expect(read(encodeBlock(block))).toEqual(block)
      expect([...countByHandle(block).values()].reduce((sum, count) => sum + count, 0)).toBe([...assignedIn(block)].length)
      expect(blockCidr(block)).toEqual(cidr(text))
    }),
  )
})
