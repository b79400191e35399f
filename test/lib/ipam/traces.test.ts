/**
 * What libcalico-go made of blocks and handles, step by step (golden/ipam-traces.jsonl), made again with the pure operations: each operation is
 * applied to the recorded state before a step and compared with the recorded state after it.
 */
import {readFileSync} from 'node:fs'
import {resolve} from 'node:path'
import {describe, expect, test} from '@jest/globals'
import {parseAffinity} from '../../../src/lib/ipam/affinity.js'
import {assignFree, assignOrdinal} from '../../../src/lib/ipam/assign.js'
import {type Block, blockCidr, countByHandle, encodeBlock, hostAffinity, isEmpty, newBlock, nextVersion, ordinalOf, parseBlock, withoutAffinity} from '../../../src/lib/ipam/block.js'
import {decrement, encodeHandle, type Handle, increment, isHandleEmpty, newHandle, parseHandle, withoutBlock} from '../../../src/lib/ipam/handle.js'
import {release, releaseHandle} from '../../../src/lib/ipam/release.js'
import {parseJson} from '../../../src/lib/json/json.js'
import {affinityKey, BLOCKS_PREFIX, handleKey, HANDLES_PREFIX} from '../../../src/lib/model/keys.js'
import {type Address, contains, parseAddress, parseCidrOrAddress} from '../../../src/lib/net/index.js'

interface ReleaseArgument {
  readonly Address: string
  readonly Handle?: string
  readonly SequenceNumber?: number
  readonly SeqFromStored?: boolean
}

interface Step {
  readonly op: string
  readonly args: {readonly Host?: string; readonly Handle?: string; readonly Attrs?: Record<string, string>; readonly IP?: string; readonly IPs?: readonly ReleaseArgument[]; readonly Key?: string; readonly Value?: string}
  readonly changed?: Readonly<Record<string, string | null>>
  readonly writes?: readonly {readonly op: string; readonly key: string; readonly value?: string}[]
  readonly error?: string
}

interface Trace {
  readonly id: string
  readonly setup: readonly {readonly kind: string; readonly spec: {readonly reservedCIDRs?: readonly string[]}}[]
  readonly steps: readonly Step[]
}

const traces = readFileSync(resolve(import.meta.dirname, '../../fixtures/golden/ipam-traces.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Trace)

/** Where libcalico-go's handle counts are wrong (golden/README.md): the blocks are the truth there. */
const MISCOUNTED = ['04', '09', '21', '22', '38', '39', '64', '65', '70', '78']

const address = (text: string): Address => parseAddress(text) ?? fail(`${text} is not an address`)
const fail = (message: string): never => {
  throw new Error(message)
}

/** A store as the trace describes it: key → value. */
type State = ReadonlyMap<string, string>

const blockAt = (state: State, key: string): Block | undefined => {
  const value = state.get(key)
  return value === undefined ? undefined : parseBlock({key, value})
}

function after(state: State, changed: Step['changed'] = {}): State {
  const next = new Map(state)
  for (const [key, value] of Object.entries(changed)) {
    if (value === null) next.delete(key)
    else next.set(key, value)
  }
  return next
}

const assigned = (block: Block): number => block.allocations.filter((index) => index !== null).length

/** The block that an assignment starts from: the stored one, raised once where its affinity had to be confirmed first, or a new one. */
function startOf(step: Step, state: State, key: string, stored: Block): Block {
  const before = blockAt(state, key)
  const creation = step.writes?.findLast((write) => write.key === key && write.op === 'create')
  // A write's value is recorded where it is not the one at the end of the step.
  const created = creation && (creation.value ?? step.changed?.[key])
  if (created) {
    const {sequenceNumber = fail('a created block has a sequence number')} = parseBlock({key, value: created})
    return newBlock(blockCidr(stored), stored.affinity ?? fail('a new block has an affinity'), {claimTime: stored.affinity_claim_time ?? '', sequenceNumber})
  }
  if (!before) return fail(`${key} was never created`)
  const {Host: host = ''} = step.args
  const affinity = affinityKey(host, blockCidr(stored))
  const value = state.get(affinity)
  const unconfirmed = step.op === 'AutoAssign' && before.affinity === hostAffinity(host) && value !== undefined && parseAffinity({key: affinity, value}).state !== 'confirmed'
  return unconfirmed ? nextVersion(before) : before
}

/** What our operations make of the block at KEY in STEP; undefined = it is deleted. */
function predicted(trace: Trace, step: Step, state: State, key: string): Block | undefined {
  const {Handle: handle, Attrs: attributes, IPs: releases = []} = step.args
  const assignee = {...(handle === undefined ? {} : {handle}), ...(attributes === undefined ? {} : {attributes})}
  const value = step.changed?.[key]
  const before = blockAt(state, key)
  switch (step.op) {
    case 'AutoAssign': {
      const stored = parseBlock({key, value: value ?? fail('an assignment does not delete blocks')})
      const start = startOf(step, state, key, stored)
      const reserved = trace.setup.flatMap(({spec}) => spec.reservedCIDRs ?? []).map((text) => parseCidrOrAddress(text) ?? fail(text))
      const {block, ordinals} = assignFree(start, assigned(stored) - assigned(start), assignee, (each) => reserved.some((cidr) => contains(cidr, each)))
      return ordinals.length === 0 ? block : nextVersion(block)
    }
    case 'AssignIP': {
      const start = startOf(step, state, key, parseBlock({key, value: value ?? fail('an assignment does not delete blocks')}))
      return nextVersion(assignOrdinal(start, ordinalOf(start, address(step.args.IP ?? '')), assignee) ?? fail('already assigned'))
    }
    case 'ClaimAffinity':
      return startOf(step, state, key, parseBlock({key, value: value ?? fail('a claim does not delete blocks')}))
    case 'ReleaseIPs':
    case 'ReleaseByHandle': {
      const block = before ?? fail(`${key} is not there`)
      const {block: released} = step.op === 'ReleaseIPs' ? releaseFrom(block, releases) : releaseHandle(block, handle ?? '')
      const affinityGoes = Object.entries(step.changed ?? {}).some(([other, now]) => now === null && other.includes('/host/') && other.endsWith(key.slice(key.lastIndexOf('/'))))
      return isEmpty(released) && (released.affinity === null || affinityGoes) ? undefined : nextVersion(released)
    }
    default: {
      const block = before ?? fail(`${key} is not there`)
      return isEmpty(block) ? undefined : nextVersion(withoutAffinity(block))
    }
  }
}

function releaseFrom(block: Block, releases: readonly ReleaseArgument[]): ReturnType<typeof release> {
  const here = releases.filter(({Address: text}) => contains(blockCidr(block), address(text)))
  return release(
    block,
    here.map(({Address: text, Handle: handle, SequenceNumber: sequenceNumber}) => ({
      ordinal: ordinalOf(block, address(text)),
      ...(handle === undefined ? {} : {handle}),
      ...(sequenceNumber === undefined ? {} : {sequenceNumber: BigInt(sequenceNumber)}),
    })),
  )
}

/** The JSON of a block; the order in which one call appends several free ordinals is random in Go. */
function comparable(block: Block | undefined, {sorted}: {sorted: boolean}): unknown {
  if (block === undefined) return null
  const {unallocated, ...rest} = parseJson(encodeBlock(block)) as {unallocated?: number[]}
  return {...rest, unallocated: sorted && unallocated ? [...unallocated].sort((a, b) => a - b) : unallocated}
}

/** The operations that change a block once, by one operation of ours. NodeDelete is several. */
const REPLAYED = new Set(['AutoAssign', 'AssignIP', 'ClaimAffinity', 'ReleaseIPs', 'ReleaseByHandle', 'ReleaseHostAffinities', 'RemoveIPAMHost', 'ReleaseAffinity', 'ReleasePoolAffinities', 'PoolDelete'])

/** Each step of TRACE with the state before it. */
function* stepsOf(trace: Trace): Generator<{step: Step; index: number; before: State; after: State}> {
  let state: State = new Map()
  for (const [index, step] of trace.steps.entries()) {
    const next = after(state, step.changed)
    yield {step, index, before: state, after: next}
    state = next
  }
}

describe('blocks change as libcalico-go changes them', () => {
  test.each(traces)('$id', (trace) => {
    for (const {step, index, before} of stepsOf(trace)) {
      if (!REPLAYED.has(step.op)) continue
      for (const [key, value] of Object.entries(step.changed ?? {})) {
        if (!key.startsWith(BLOCKS_PREFIX)) continue
        const sorted = step.op.startsWith('Release')
        const stored = value === null ? undefined : parseBlock({key, value})
        expect({step: index, key, block: comparable(predicted(trace, step, before, key), {sorted})}).toEqual({step: index, key, block: comparable(stored, {sorted})})
      }
    }
  })

  test('every operation that changes blocks was replayed', () => {
    const replayed = traces.flatMap((trace) => [...stepsOf(trace)]).filter(({step}) => REPLAYED.has(step.op) && Object.keys(step.changed ?? {}).some((key) => key.startsWith(BLOCKS_PREFIX)))
    expect(replayed.length).toBeGreaterThan(100)
  })
})

test('a release with the wrong handle or sequence number is a conflict', () => {
  const trace = traces.find(({id}) => id.startsWith('26-')) ?? fail('trace 26 is missing')
  const refused = [...stepsOf(trace)].filter(({step}) => step.op === 'ReleaseIPs' && step.error !== undefined)
  expect(refused).toHaveLength(3)
  for (const {step, before} of refused) {
    const block = blockAt(before, [...before.keys()].find((key) => key.startsWith(BLOCKS_PREFIX)) ?? '') ?? fail('no block')
    expect(() => releaseFrom(block, step.args.IPs ?? [])).toThrow(expect.objectContaining({kind: 'conflict'}))
  }
})

describe('every block and handle that libcalico-go stored is read and written back unchanged', () => {
  test.each(traces)('$id', ({steps}) => {
    for (const {changed = {}} of steps) {
      for (const [key, value] of Object.entries(changed)) {
        if (value === null) continue
        if (key.startsWith(BLOCKS_PREFIX)) expect(parseJson(encodeBlock(parseBlock({key, value})))).toEqual(parseJson(value))
        if (key.startsWith(HANDLES_PREFIX)) expect(parseJson(encodeHandle(parseHandle({key, value})))).toEqual(parseJson(value))
      }
    }
  })
})

/** The handles that our operations leave, given the blocks that libcalico-go left: what each step gave is added, what it took is taken off. */
function ourHandles(step: Step, before: State, next: State, handles: ReadonlyMap<string, Handle>): Map<string, Handle> {
  const ours = new Map(handles)
  for (const key of Object.keys(step.changed ?? {}).filter((each) => each.startsWith(BLOCKS_PREFIX))) {
    const [old, now] = [blockAt(before, key), blockAt(next, key)]
    const {cidr} = now ?? old ?? fail(key)
    const [had, has] = [old, now].map((block) => (block ? countByHandle(block) : new Map<string, number>())) as [Map<string, number>, Map<string, number>]
    for (const id of new Set([...had.keys(), ...has.keys()])) {
      const difference = (has.get(id) ?? 0) - (had.get(id) ?? 0)
      const handle = ours.get(id) ?? newHandle()
      const changed = difference >= 0 ? increment(handle, cidr, difference) : step.op === 'ReleaseByHandle' ? withoutBlock(handle, cidr) : decrement(handle, cidr, -difference)
      if (difference === 0) continue
      if (isHandleEmpty(changed)) ours.delete(id)
      else ours.set(id, changed)
    }
  }
  return ours
}

describe('handles are what libcalico-go stores, or what the blocks say where it miscounts', () => {
  const rawHandles = ({steps}: Trace): boolean => steps.some(({args}) => args.Key?.startsWith('/calico/ipam/v2/') === true)
  test.each(traces.filter((trace) => !rawHandles(trace)))('$id', (trace) => {
    let handles = new Map<string, Handle>()
    for (const {step, index, before, after: next} of stepsOf(trace)) {
      handles = ourHandles(step, before, next, handles)
      const ours = Object.fromEntries([...handles].map(([id, handle]) => [handleKey(id), handle]))
      const blocks = [...next.keys()].filter((key) => key.startsWith(BLOCKS_PREFIX)).map((key) => blockAt(next, key) ?? fail(key))
      const counted = [...handles.keys()].map((id) => [handleKey(id), blocks.flatMap((block) => (countByHandle(block).has(id) ? [[block.cidr, countByHandle(block).get(id)]] : []))] as const)
      expect({index, handles: Object.fromEntries(counted.map(([key, entries]) => [key, {block: Object.fromEntries(entries) as unknown, deleted: false}]))}).toEqual({index, handles: ours})
      if (MISCOUNTED.some((number) => trace.id.startsWith(number))) continue
      const stored = [...next].filter(([key]) => key.startsWith(HANDLES_PREFIX)).map(([key, value]) => [key, parseHandle({key, value})] as const)
      expect({index, handles: ours}).toEqual({index, handles: Object.fromEntries(stored)})
    }
  })
})
