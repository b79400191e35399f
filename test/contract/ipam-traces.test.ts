/**
 * libcalico-go's IPAM, step by step, on both datastores: every operation of golden/ipam-traces.jsonl is made with ours, and the state after it
 * compared. Where a host looks for its first block is free (datamodel-v3 §4.3): it is set to what Go chose.
 */
import {readFileSync} from 'node:fs'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, jest, test} from '@jest/globals'
import type {Session} from '../../src/lib/client/session.js'
import type {Datastore} from '../../src/lib/datastore/datastore.js'
import {CalicoError} from '../../src/lib/errors.js'
import type {Pool} from '../../src/lib/ipam/pool.js'
import {openDatastore} from '../../src/lib/datastore/open.js'
import {parseJson} from '../../src/lib/json/json.js'
import {BLOCKS_PREFIX, HANDLES_PREFIX, IPAM_CONFIG_KEY, IPAM_PREFIX, parseKey} from '../../src/lib/model/keys.js'
import type {KindName, Resource} from '../../src/lib/model/resource.js'
import {type Address, type Cidr, contains, firstAddress, formatAddress, formatCidr, indexIn, parseAddress, parseCidr} from '../../src/lib/net/index.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'

/** The blocks that Go makes in the present step, in its order, and those of earlier steps, newest first. */
let chosen: {now: Cidr[]; before: Cidr[]; calls: number} = {now: [], before: [], calls: 0}

const realWalk = await import('../../src/lib/ipam/walk.js')
jest.unstable_mockModule('../../src/lib/ipam/walk.js', () => ({
  ...realWalk,
  startIndex({cidr, blockSize}: Pool) {
    const within = (blocks: readonly Cidr[]) => blocks.filter((block) => contains(cidr, firstAddress(block)) && block.prefix === blockSize)
    const now = within(chosen.now)
    const single = blockSize === (cidr.family === 4 ? 32 : 128)
    const first = (single ? now[chosen.calls++] : now[0]) ?? within(chosen.before)[0]
    const size = 1n << BigInt((cidr.family === 4 ? 32 : 128) - blockSize)
    return first === undefined ? 0n : (indexIn(cidr, firstAddress(first)) ?? 0n) / size
  },
}))
const {assignedAddresses, autoAssign} = await import('../../src/lib/ipam/auto-assign.js')
const {assignAddress} = await import('../../src/lib/ipam/assign-address.js')
const {releaseAddresses, releaseByHandle} = await import('../../src/lib/ipam/release-addresses.js')
const {addressesByHandle} = await import('../../src/lib/ipam/by-handle.js')
const {countByHandle, nextVersion, parseBlock, encodeBlock, sequenceNumberAt, ordinalOf} = await import('../../src/lib/ipam/block.js')
const {releaseHostAffinities} = await import('../../src/lib/client/affinities.js')
const {claimAffinity, releaseAffinity} = await import('../../src/lib/ipam/claims.js')
const {DEFAULT_CONFIG} = await import('../../src/lib/ipam/config.js')
const {getIpamConfig, setIpamConfig} = await import('../../src/lib/ipam/configure.js')
const {releaseAffinities} = await import('../../src/lib/client/affinities.js')
const {removePools} = await import('../../src/lib/client/pool-removal.js')
const {changeResource} = await import('../../src/lib/client/resources.js')
const {newSession} = await import('../../src/lib/client/session.js')

/** The arguments of all operations, as recorded; each operation has those that it names. */
interface Arguments {
  readonly Host: string
  readonly Handle: string
  readonly CIDR: string
  readonly MustBeEmpty: boolean
  readonly Key: string
  readonly Value: string
  readonly Replace: readonly (readonly [string, string])[]
  readonly Object: Resource
  readonly IPs: readonly {readonly Address: string; readonly Handle?: string; readonly SequenceNumber?: number; readonly SeqFromStored?: boolean}[]
}

interface Step {
  readonly op: string
  readonly args: Arguments
  readonly changed?: Readonly<Record<string, string | null>>
  readonly writes?: readonly {readonly op: string; readonly key: string}[]
  readonly result?: unknown
  readonly error?: string
}

interface Trace {
  readonly id: string
  readonly setup: readonly Resource[]
  readonly steps: readonly Step[]
}

const traces = readFileSync(resolve(import.meta.dirname, '../fixtures/golden/ipam-traces.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Trace)

/** Where libcalico-go's handle counts are wrong (golden/README.md): the blocks are the truth there. */
const MISCOUNTED = ['04', '09', '21', '22', '38', '39', '64', '65', '70', '78']

type State = Map<string, string>

const must = <T>(value: T | undefined | null): T => {
  if (value === undefined || value === null) throw new Error('the trace is not as expected')
  return value
}
const address = (text: string): Address => must(parseAddress(text))
const cidr = (text: string): Cidr => must(parseCidr(text))

async function stateOf(store: Datastore): Promise<State> {
  const state: State = new Map()
  for await (const {entries} of store.list(IPAM_PREFIX)) for (const {key, value} of entries) state.set(key, value)
  return state
}

/** An operation with ours. @returns what to compare with Go's result, as texts */
type Operation = (session: Session, args: Arguments, ours: State, step: Step) => Promise<unknown>

interface AutoAssignArguments {
  readonly Num4?: number
  readonly Num6?: number
  readonly Host: string
  readonly Handle?: string
  readonly Attrs?: Record<string, string>
  readonly Use: 'Workload'
  readonly MaxBlocks?: number
  readonly MaxAlloc?: number
  readonly Pools4?: readonly string[]
}

/** For operations whose result does not matter. */
const done = (_: unknown): undefined => undefined

/** Optional members, left out where they are undefined. */
function given<T extends object>(values: T): {[K in keyof T]?: Exclude<T[K], undefined>} {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  async AutoAssign(session, args) {
    const {Num4, Num6, Host, Handle, Attrs, Use, MaxBlocks, MaxAlloc, Pools4} = args as unknown as AutoAssignArguments
    const outcome = await autoAssign(session, {
      node: Host,
      use: Use,
      ...given({ipv4: Num4, ipv6: Num6, handle: Handle, attributes: Attrs, maxBlocks: MaxBlocks, maxPerHandle: MaxAlloc}),
      ...(Pools4 ? {pools: {ipv4: Pools4.map(cidr)}} : {}),
    })
    return {addresses: assignedAddresses(outcome).map(formatAddress), error: outcome.error}
  },
  async AssignIP(session, args) {
    const {IP, Host, Handle, Attrs} = args as unknown as {IP: string; Host: string; Handle?: string; Attrs?: Record<string, string>}
    await assignAddress(session, {address: address(IP), node: Host, ...given({handle: Handle, attributes: Attrs})})
  },
  async ReleaseIPs(session, {IPs: releases}, ours) {
    const wanted = releases.map(({Address: text, Handle: handle, SequenceNumber, SeqFromStored}) => {
      const ip = parseAddress(text)
      if (!ip) throw new CalicoError('invalid', text) // our commands parse addresses before they call
      const block = SeqFromStored ? [...ours].filter(([key]) => key.startsWith(BLOCKS_PREFIX)).map(([key, value]) => parseBlock({key, value})).find((each) => contains(cidr(each.cidr), ip)) : undefined
      const sequenceNumber = block ? sequenceNumberAt(block, ordinalOf(block, ip)) : SequenceNumber === undefined ? undefined : BigInt(SequenceNumber)
      return {address: ip, ...given({handle, sequenceNumber})}
    })
    const {unassigned} = await releaseAddresses(session, wanted)
    return {unassigned: unassigned.map(formatAddress)}
  },
  ReleaseByHandle: async (session, {Handle}) => done(await releaseByHandle(session, Handle)),
  IPsByHandle: async (session, {Handle}) => ({ips: (await addressesByHandle(session, Handle)).map(formatAddress)}),
  async ClaimAffinity(session, {CIDR, Host}) {
    const {claimed, failed} = await claimAffinity(session, cidr(CIDR), Host)
    return {claimed: claimed.map(formatCidr), failed: failed.map(formatCidr)}
  },
  ReleaseAffinity: async (session, {CIDR, Host, MustBeEmpty}) => done(await releaseAffinity(session, cidr(CIDR), Host, {mustBeEmpty: MustBeEmpty})),
  ReleaseHostAffinities: async (session, {Host}) => done(await releaseHostAffinities(session, Host)),
  RemoveIPAMHost: async (session, {Host}) => done(await releaseHostAffinities(session, Host)),
  ReleasePoolAffinities: async (session, {CIDR}) => done(await releaseAffinities(session, {within: cidr(CIDR)})),
  PoolDelete: async (session) => done(await removePools(session, [cidr('10.1.0.0/24')], {force: true})),
  GetIPAMConfig: async (session) => ({config: await getIpamConfig(session)}),
  async SetIPAMConfig(session, args) {
    const {Strict = false, AutoAlloc = true, MaxPerHost = 0} = args as unknown as {Strict?: boolean; AutoAlloc?: boolean; MaxPerHost?: number}
    await setIpamConfig(session, {strictAffinity: Strict, autoAllocateBlocks: AutoAlloc, maxBlocksPerHost: MaxPerHost})
  },
  /** Removing a Node: of IPAM, its endpoints' addresses and its affinities. */
  async NodeDelete(session, {Host}) {
    await releaseAddresses(session, [{address: address('10.1.0.64')}], {onHeld: 'release'})
    await releaseHostAffinities(session, Host)
  },
  // What the test itself does to the store.
  Apply: async (session, {Object: object}) => create(session, object),
  RawPut: async ({store}, {Key, Value}) => done(await store.transact({then: [{put: Key, value: Value}]})),
  RawDelete: async ({store}, {Key}) => done(await store.transact({then: [{delete: Key}]})),
  async RawReplace({store}, {Key, Replace}, ours) {
    let value = must(ours.get(Key))
    for (const [pattern, by] of Replace) value = value.replace(new RegExp(pattern), by)
    await store.transact({then: [{put: Key, value}]})
  },
  async SetOwnerAttributes({store}, _, ours, {changed = {}}) {
    for (const [key, value] of Object.entries(changed)) {
      const {attributes = null} = parseBlock({key, value: must(value)})
      await store.transact({then: [{put: key, value: encodeBlock({...nextVersion(parseBlock({key, value: must(ours.get(key))})), attributes})}]})
    }
  },
  EnsureBlock: () => Promise.resolve(),
  GetUtilization: () => Promise.resolve(),
}

async function create(session: Session, object: Resource): Promise<void> {
  const {kind, metadata, spec} = object as Resource & {spec: Record<string, string>}
  const name = kind === 'WorkloadEndpoint' ? `${must(spec.node).replaceAll('-', '--')}-${must(spec.orchestrator)}-${must(spec.workload)}-${must(spec.endpoint)}` : metadata.name
  const place = {kind: kind as KindName, name, ...(metadata.namespace === undefined ? {} : {namespace: metadata.namespace})}
  await changeResource(session, place, (before) => ({...before, ...object, metadata: {...before?.metadata, ...metadata, name}}))
}

/** Runs TRACE on an empty STORE. */
async function replay(trace: Trace, store: Datastore): Promise<void> {
  const session = newSession(store, {warn: () => undefined})
  for (const object of trace.setup) await create(session, object)
  chosen = {now: [], before: [], calls: 0}
  const numbers = {go: new Map<string, bigint>(), ours: new Map<string, bigint>()}
  const go: State = new Map()
  for (const [index, step] of trace.steps.entries()) {
    chosen.now = (step.writes ?? []).flatMap(({op, key}) => {
      const parsed = op === 'create' ? parseKey(key) : undefined
      return parsed?.type === 'block' ? [cidr(parsed.cidr)] : []
    })
    chosen.calls = 0
    const outcome = await run(must(OPERATIONS[step.op]), session, step)
    for (const [key, value] of Object.entries(step.changed ?? {})) {
      if (!key.startsWith(IPAM_PREFIX)) continue
      if (value === null) go.delete(key)
      else go.set(key, value)
    }
    const ours = await stateOf(store)
    const at = {trace: trace.id, step: index, op: step.op}
    const options = {sorted: step.op.startsWith('Release'), fromBlocks: MISCOUNTED.some((number) => trace.id.startsWith(number))}
    expect({...at, state: comparable(ours, numbers.ours, options)}).toEqual({...at, state: comparable(go, numbers.go, options)})
    expect({...at, ...outcome}).toEqual({...at, ...expected(step)})
    chosen.before.unshift(...chosen.now)
  }
}

interface Outcome {
  readonly failed: boolean
  readonly result?: unknown
}

async function run(operation: Operation, session: Session, step: Step): Promise<Outcome> {
  try {
    const result = (await operation(session, step.args, await stateOf(session.store), step)) as {error?: unknown} | undefined
    const {error, ...rest} = result ?? {}
    return {failed: error !== undefined, ...(COMPARED[step.op] ? {result: rest} : {})}
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    return {failed: true}
  }
}

interface GoAddresses {
  readonly ips: readonly string[]
}

/** What Go's result says in our terms, for operations whose result matters. */
const COMPARED: Readonly<Record<string, (result: never) => unknown>> = {
  AutoAssign: ({v4, v6}: {v4: GoAddresses | null; v6: GoAddresses | null}) => ({addresses: [...(v4?.ips ?? []), ...(v6?.ips ?? [])].map((text) => text.replace(/\/.*/, ''))}),
  ReleaseIPs: ({unallocated}: {unallocated: readonly string[]}) => ({unassigned: unallocated}),
  IPsByHandle: (result: GoAddresses) => result,
  ClaimAffinity: (result: object) => result,
}

function expected({op, result, error}: Step): Outcome {
  const failed = error !== undefined
  // Ours throws where Go returns an empty result with the error.
  const read = COMPARED[op]?.(result as never) as {addresses?: readonly string[]} | undefined
  return {failed, ...(read === undefined || (failed && !(read.addresses ?? []).length && !OWN_EMPTY.test(error)) ? {} : {result: read})}
}

/** Errors that come with a list of addresses in ours too, even an empty one. */
const OWN_EMPTY = /per host block limit|failed to find or claim/

/** STATE without what may differ: times, where sequence numbers start, the order in which one call frees addresses. */
function comparable(state: State, starts: Map<string, bigint>, {sorted, fromBlocks}: {sorted: boolean; fromBlocks: boolean}): unknown {
  const entries = [...state].map(([key, value]) => [key, value === '' ? '' : parseJson(value)] as const)
  const blocks = [...state].filter(([key]) => key.startsWith(BLOCKS_PREFIX)).map(([key, value]) => parseBlock({key, value}))
  for (const key of starts.keys()) if (!state.has(key)) starts.delete(key)
  return Object.fromEntries([
    ...entries.filter(([key]) => !key.startsWith(BLOCKS_PREFIX) && !key.startsWith(HANDLES_PREFIX) && key !== IPAM_CONFIG_KEY),
    ...entries.filter(([key]) => key.startsWith(HANDLES_PREFIX)).flatMap(([key, value]) => (fromBlocks ? handleFromBlocks(key, blocks) : [[key, value] as const])),
    ...blocks.map((block) => [block.cidr, comparableBlock(block, starts, sorted)]),
    [IPAM_CONFIG_KEY, comparableConfig(state.get(IPAM_CONFIG_KEY))],
  ])
}

function handleFromBlocks(key: string, blocks: readonly ReturnType<typeof parseBlock>[]): (readonly [string, unknown])[] {
  const id = key.slice(HANDLES_PREFIX.length)
  const counts = blocks.flatMap((block) => (countByHandle(block).has(id) ? [[block.cidr, countByHandle(block).get(id)]] : []))
  return counts.length === 0 ? [] : [[key, {block: Object.fromEntries(counts) as unknown, deleted: false}]]
}

function comparableBlock(block: ReturnType<typeof parseBlock>, starts: Map<string, bigint>, sorted: boolean): unknown {
  const {unallocated, affinity_claim_time: claimed, sequenceNumber = 0n, sequenceNumberForAllocation, ...rest} = block
  const key = `/calico/ipam/v2/assignment/ipv${block.cidr.includes(':') ? 6 : 4}/block/${block.cidr.replace('/', '-')}`
  const first = Object.values(sequenceNumberForAllocation ?? {}).reduce((least, number) => (number < least ? number : least), sequenceNumber)
  const start = starts.get(key)
  // One that was made anew counts from another time.
  if (start === undefined || first - start > 10_000n) starts.set(key, first)
  const from = must(starts.get(key))
  return {
    ...rest,
    unallocated: sorted ? [...(unallocated ?? [])].sort((a, b) => a - b) : unallocated,
    claimed: claimed === undefined ? 'never' : claimed.startsWith('2020') ? 'long ago' : 'now',
    sequenceNumber: sequenceNumber - from,
    sequenceNumbers: Object.fromEntries(Object.entries(sequenceNumberForAllocation ?? {}).map(([ordinal, number]) => [ordinal, number - from])),
  }
}

/** A missing configuration is the default one. What a library caller of Go's drops, ours keeps (datamodel-v3 §4.10). */
function comparableConfig(value: string | undefined): unknown {
  const {kubeVirtVMAddressPersistence: _, ...config} = (value === undefined ? DEFAULT_CONFIG : parseJson(value)) as Record<string, unknown>
  return config
}

/** What TRACE leaves of its handles must be in the blocks, whatever Go counted. */
async function expectExactHandles(store: Datastore): Promise<void> {
  const state = await stateOf(store)
  const blocks = [...state].filter(([key]) => key.startsWith(BLOCKS_PREFIX)).map(([key, value]) => parseBlock({key, value}))
  const handles = [...state].filter(([key]) => key.startsWith(HANDLES_PREFIX)).map(([key, value]) => [key, parseJson(value)])
  expect(handles).toEqual(handles.flatMap(([key]) => handleFromBlocks(key as string, blocks)))
}

/** Stores empty of everything of Calico's. */
const STORES: Readonly<Record<string, () => Promise<{empty: () => Promise<Datastore>; stop: () => Promise<void>}>>> = {
  async etcd() {
    const etcd: TestEtcd = await startEtcd()
    const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin: 'the test'}}}, {perRequest: true})
    return {
      async empty() {
        await etcd.ctl('del', '--prefix', '/calico/')
        return store
      },
      async stop() {
        store.close()
        await etcd.stop()
      },
    }
  },
  async embedded() {
    const directory = await mkdtemp(join(tmpdir(), 'calicoctl-traces-'))
    let number = 0
    return {
      empty: () => openDatastore({datastore: {type: 'embedded', path: {value: join(directory, `${number++}.json`), origin: 'the test'}}}, {perRequest: true}),
      stop: () => rm(directory, {recursive: true}),
    }
  },
}

describe.each(Object.keys(STORES))('%s reaches the states that libcalico-go reaches', (name) => {
  let stores: Awaited<ReturnType<(typeof STORES)[string]>>
  beforeAll(async () => {
    stores = await must(STORES[name])()
  })
  afterAll(() => stores.stop())

  test.each(traces)('$id', async (trace) => {
    const store = await stores.empty()
    await replay(trace, store)
    if (MISCOUNTED.some((number) => trace.id.startsWith(number))) await expectExactHandles(store)
  })
})
