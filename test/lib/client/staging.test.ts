/**
 * Edits that are staged and then committed leave what the same edits leave one by one; with another writer in between, what some order of the two could
 * have left. Uids, times and the numbers of IPAM's blocks aside.
 */
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {addPools, setPools} from '../../../src/lib/client/pools.js'
import {removePools} from '../../../src/lib/client/pool-removal.js'
import {editEndpointProfiles} from '../../../src/lib/client/endpoint-profiles.js'
import {findEndpoint} from '../../../src/lib/client/endpoints.js'
import {addProfile, editProfile, removeProfile} from '../../../src/lib/client/profiles.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {together} from '../../../src/lib/client/together.js'
import type {Datastore, KeyValue} from '../../../src/lib/datastore/datastore.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {autoAssign} from '../../../src/lib/ipam/auto-assign.js'
import {releaseAddresses, releaseByHandle} from '../../../src/lib/ipam/release-addresses.js'
import {type Address, type Cidr, parseAddress, parseCidr} from '../../../src/lib/net/index.js'
import {addRule, addTag, removeRuleAt, removeTag} from '../../../src/lib/rules/edit.js'
import {createObject, unsound} from '../../support/ipam.js'
import {onBothStores, type TestStores} from '../../support/stores.js'

/** One edit: a name for reports, and what it does. */
interface Edit {
  readonly name: string
  readonly run: (session: Session) => Promise<unknown>
}

const must = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('it is missing')
  return value
}
const address = (text: string): Address => must(parseAddress(text))
const cidr = (text: string): Cidr => must(parseCidr(text))
const edit = (name: string, run: Edit['run']): Edit => ({name, run})

const profile = fc.constantFrom('a', 'b', 'c')
const tag = fc.constantFrom('x', 'y')
const network = fc.constantFrom('10.0.0.0/26', '10.0.0.64/26', '10.0.0.0/25')
const ip = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.65')
const handle = fc.constantFrom('h1', 'h2')
const ports = fc.constantFrom(80, 443)

const profileEdit: fc.Arbitrary<Edit> = fc.oneof(
  profile.map((name) => edit(`profile add ${name}`, (session) => addProfile(session, name))),
  profile.map((name) => edit(`profile remove ${name}`, (session) => removeProfile(session, name, {check: true}))),
  fc.tuple(profile, tag).map(([name, label]) => edit(`tag add ${name} ${label}`, (session) => editProfile(session, name, (before) => ({profile: addTag(before, label)})))),
  fc.tuple(profile, tag).map(([name, label]) => edit(`tag remove ${name} ${label}`, (session) => editProfile(session, name, (before) => ({profile: removeTag(before, label) ?? before})))),
  fc.tuple(profile, ports).map(([name, port]) =>
    edit(`rule add ${name} ${port}`, (session) => editProfile(session, name, addRule('inbound', {action: 'Allow', protocol: 'TCP', destination: {ports: [port]}}))),
  ),
  profile.map((name) => edit(`rule remove ${name}`, (session) => editProfile(session, name, removeRuleAt('inbound', 1)))),
  fc.tuple(fc.constantFrom('append', 'remove', 'set'), fc.uniqueArray(profile, {minLength: 1, maxLength: 2})).map(([action, names]) =>
    edit(`endpoint ${action} ${names.join()}`, async (session) => editEndpointProfiles(session, await findEndpoint(session, 'e1', {}), action, names)),
  ),
)
const addressEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(network, fc.boolean()).map(([net, natOutgoing]) => edit(`pool add ${net} ${natOutgoing}`, (session) => addPools(session, [cidr(net)], {natOutgoing, blockSize: 26}))),
  fc.tuple(network, fc.boolean()).map(([net, disabled]) => edit(`pool set ${net} ${disabled}`, (session) => setPools(session, [cidr(net)], {disabled}))),
  fc.tuple(ip, handle).map(([at, id]) => edit(`assign ${at} ${id}`, (session) => assignAddress(session, {address: address(at), node: 'n', handle: id}))),
  handle.map((id) => edit(`assign any ${id}`, (session) => autoAssign(session, {ipv4: 1, node: 'n', handle: id, pools: {ipv4: [cidr('10.0.0.0/26')]}}))),
  ip.map((at) => edit(`release ${at}`, (session) => releaseAddresses(session, [{address: address(at)}]))),
  handle.map((id) => edit(`release handle ${id}`, (session) => releaseByHandle(session, id))),
)
/** Deletions under a prefix that somebody has listed are not seen (decisions.md 9), so nobody else makes them meanwhile. */
const poolRemoval: fc.Arbitrary<Edit> = network.map((net) => edit(`pool remove ${net}`, (session) => removePools(session, [cidr(net)], {force: true})))

/** Few edits of few things, so that most of them depend on each other: what is done is to be done, refused or not needed only because of another. */
const entangledEdit: fc.Arbitrary<Edit> = fc.constantFrom(
  ...['b', 'c'].flatMap((name) => [
    edit(`profile add ${name}`, (session) => addProfile(session, name)),
    edit(`profile remove ${name}`, (session) => removeProfile(session, name, {check: true})),
    edit(`endpoint append ${name}`, async (session) => editEndpointProfiles(session, await findEndpoint(session, 'e1', {}), 'append', [name])),
    edit(`endpoint remove ${name}`, async (session) => editEndpointProfiles(session, await findEndpoint(session, 'e1', {}), 'remove', [name])),
  ]),
)

const anyEdit = fc.oneof({arbitrary: profileEdit, weight: 5}, {arbitrary: addressEdit, weight: 5}, {arbitrary: poolRemoval, weight: 1})
const edits = (one: fc.Arbitrary<Edit>, maxLength: number): fc.Arbitrary<Edit[]> =>
  fc.array(one.map((each) => Object.assign(each, {toString: () => each.name})), {minLength: 1, maxLength})

/** What became of each of EDITS. */
async function runEach(session: Session, all: readonly Edit[]): Promise<string[]> {
  const outcomes: string[] = []
  for (const {name, run} of all) outcomes.push(`${name}: ${await outcomeOf(() => run(session))}`)
  return outcomes
}

async function outcomeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run()
    return 'done'
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    return `${error.kind} ${error.message}`
  }
}

const quiet = (store: Datastore): Session => newSession(store, {warn: () => undefined})

async function entries(store: Datastore): Promise<KeyValue[]> {
  const all: KeyValue[] = []
  for await (const page of store.list('/calico/')) all.push(...page.entries)
  return all
}

/** What STORE holds, without what differs from one time to the next. */
async function contents(store: Datastore): Promise<Record<string, unknown>> {
  return Object.fromEntries((await entries(store)).map(({key, value}) => [key, value === '' ? '' : JSON.parse(value, withoutTimes) as unknown]))
}

function withoutTimes(this: unknown, name: string, value: unknown): unknown {
  if (['uid', 'creationTimestamp', 'clusterGUID', 'affinity_claim_time', 'sequenceNumber'].includes(name)) return undefined
  return name === 'sequenceNumberForAllocation' ? Object.keys((value ?? {})) : value
}

onBothStores((stores: TestStores) => {
  const runs = stores.kind === 'etcd' ? 60 : 8
  let store: Datastore
  let initial: readonly {put: string; value: string}[]

  beforeAll(async () => {
    store = await stores.empty()
    const session = quiet(store)
    for (const name of ['a', 'b', 'c']) await addProfile(session, name)
    await createObject(session, 'Node', 'n', {})
    await createObject(session, 'WorkloadEndpoint', 'n-docker-w-e1', {node: 'n', orchestrator: 'docker', workload: 'w', endpoint: 'e1', interfaceName: 'cali1', ipNetworks: ['10.0.0.2/32'], profiles: ['a', 'b']}, {namespace: 'default'})
    await addPools(session, [cidr('10.0.0.0/26')], {blockSize: 26})
    await assignAddress(session, {address: address('10.0.0.1'), node: 'n', handle: 'h1'})
    initial = (await entries(store)).map(({key, value}) => ({put: key, value}))
  })
  afterAll(() => store.close())

  /** The store as it was at first, or empty. */
  async function reset(empty = false): Promise<void> {
    const present = await entries(store)
    await store.transact({then: present.map(({key}) => ({delete: key}))})
    if (!empty) await store.transact({then: initial})
  }

  async function oneByOne(all: readonly Edit[], empty = false): Promise<{outcomes: string[]; left: Record<string, unknown>}> {
    await reset(empty)
    const outcomes = await runEach(quiet(store), all)
    return {outcomes, left: await contents(store)}
  }

  test('staged and committed as one by one', async () => {
    await fc.assert(
      fc.asyncProperty(edits(anyEdit, 10), fc.boolean(), async (all, empty) => {
        const expected = await oneByOne(all, empty)
        await reset(empty)
        const before = (await store.get('/x')).revision
        const {outcome, changes, wrote, revision} = await together(quiet(store), 'the test', (staged) => runEach(staged, all))
        expect({outcomes: outcome, left: await contents(store)}).toEqual(expected)
        expect(await unsound(store)).toEqual([])
        // One transaction, and only if there was something to do.
        expect(revision).toBe(before + (wrote ? 1n : 0n))
        expect(wrote).toBe(changes.length > 0)
      }),
      {numRuns: runs},
    )
  })

  test('another writer in between: as in some order of the two', async () => {
    const sides = (ours: fc.Arbitrary<Edit>, theirs: fc.Arbitrary<Edit>, most: number) =>
      fc.tuple(edits(ours, most), edits(theirs, 2), fc.tuple(fc.nat({max: most}), fc.nat({max: most})))
    const both = fc.oneof(sides(anyEdit, fc.oneof(profileEdit, addressEdit), 6), sides(entangledEdit, entangledEdit, 4))
    await fc.assert(
      fc.asyncProperty(both, async ([ours, others, times]) => {
        const when = times.toSorted((a, b) => a - b)
        await reset()
        const waiting = others.map((one, i) => [one, when[i] ?? 0] as const)
        const other = quiet(store)
        /** Lets the other do what it does before our step NUMBER; each thing once. */
        const until = async (number: number): Promise<void> => {
          while (waiting[0] && waiting[0][1] <= number) await outcomeOf(must(waiting.shift())[0].run.bind(undefined, other))
        }
        await together(quiet(store), 'the test', async (staged) => {
          for (const [i, one] of ours.entries()) {
            await until(i)
            await runEach(staged, [one])
          }
          await until(Infinity)
        })
        const left = await contents(store)
        expect(await unsound(store)).toEqual([])
        const possible: Record<string, unknown>[] = []
        for (let at = 0; at <= others.length; at++) {
          possible.push((await oneByOne([...others.slice(0, at), ...ours, ...others.slice(at)])).left)
        }
        expect(possible).toContainEqual(left)
      }),
      {numRuns: runs},
    )
  })
})
