/**
 * A cluster of three with a proxy before each member, a nemesis, and clients: programs that use our datastore library directly, and processes of ours. What
 * they were told is recorded, and must be linearizable key by key; a command that ends in another code than 0 and 9 has changed nothing.
 */
import {join, resolve} from 'node:path'
import {createBudget} from '../../src/lib/datastore/budget.js'
import type {Datastore} from '../../src/lib/datastore/datastore.js'
import {openDatastore} from '../../src/lib/datastore/open.js'
import {FullError} from '../../src/lib/datastore/errors.js'
import {isError} from '../../src/lib/errors.js'
import type {Profile} from '../../src/lib/model/types.js'
import {tagsOf} from '../../src/lib/rules/edit.js'
import {newRandom} from '../simulation/random.js'
import {calicoctl} from '../support/cli.js'
import {startEtcd} from '../support/etcd.js'
import {startProxy} from '../support/proxy.js'
import {findViolation, type Operation} from './linearizable.js'
import {register, type RegisterInput, type RegisterOutput, tags, type TagsInput, type TagsOutput} from './models.js'
import {type Fault, persistently, torment} from './nemesis.js'

export interface RunOptions {
  readonly seed: number
  readonly milliseconds: number
  readonly members?: number
  readonly faults: readonly Fault[]
  /** Of programs that use the library, and of processes. */
  readonly clients: {readonly programs: number; readonly processes: number}
  /** What a program's store is made to be; for tests of the checker. */
  readonly adapter?: (store: Datastore) => Datastore
}

export interface Report {
  readonly violations: readonly string[]
  readonly operations: {readonly known: number; readonly unknown: number; readonly failed: number}
  readonly exitCodes: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<Fault, number>>
}

const KEYS = ['a', 'b', 'c', 'd'].map((name) => `/calico/robustness/${name}`)
const PROFILES = ['web', 'db']
const REQUEST_MS = 2_000
const CLOCK = join(resolve(import.meta.dirname), 'clock.cjs')

export async function runCluster({seed, milliseconds, members = 3, faults, clients, adapter = (store) => store}: RunOptions): Promise<Report> {
  const random = newRandom(`robustness ${seed}`)
  const etcd = await startEtcd({members, peerProxies: true, args: ['--quota-backend-bytes', '8000000', '--backend-batch-limit', '1']})
  const proxies = await Promise.all(etcd.endpoints.map(startProxy))
  const open: Datastore[] = []
  const connect = async (endpoints: readonly string[], way: 'http2' | 'etcd3' = 'http2'): Promise<Datastore> => {
    const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: endpoints, origin: 'the test'}}}, createBudget({budgetMs: REQUEST_MS, perRequest: true}), {way})
    open.push(store)
    return store
  }
  try {
    const env = {ETCD_ENDPOINTS: proxies.map(({endpoint}) => endpoint).join(',')}
    for (const profile of PROFILES) if ((await calicoctl(['profile', 'add', profile], {env})).code !== 0) throw new Error(`profile ${profile} cannot be made`)
    const direct = await connect(etcd.endpoints)
    const first = new Map<string, readonly string[]>()
    for (const profile of PROFILES) first.set(profile, await persistently(() => readTags(direct, profile)))

    const until = performance.now() + milliseconds
    const isOver = (): boolean => performance.now() >= until
    const registers = new Map(KEYS.map((key) => [key, [] as Operation<RegisterInput, RegisterOutput>[]]))
    const profiles = new Map(PROFILES.map((profile) => [profile, [] as Operation<TagsInput, TagsOutput>[]]))
    const counts = {known: 0, unknown: 0, failed: 0}
    const exitCodes: Record<string, number> = {}

    /** Does WORK, and writes down what came of it. Undefined: nothing, for certain. */
    async function record<In, Out>(history: Operation<In, Out>[], client: string, input: In, work: () => Promise<Out | 'unknown' | undefined>): Promise<void> {
      const called = performance.now()
      const output = await work()
      const returned = performance.now()
      if (output === undefined) counts.failed++
      else if (output === 'unknown') {
        counts.unknown++
        history.push({client, input, output: undefined, called, returned: Infinity})
      } else {
        counts.known++
        history.push({client, input, output, called, returned})
      }
    }

    async function program(number: number): Promise<void> {
      const own = random.fork(`program ${number}`)
      const store = adapter(await connect(proxies.map(({endpoint}) => endpoint), number % 2 === 0 ? 'http2' : 'etcd3'))
      /** What this client saw last of each key. */
      const seen = new Map<string, string | undefined>()
      for (let i = 0; !isOver(); i++) {
        const key = own.pick(KEYS)
        const value = `${number}.${i}`
        const chosen = own.below(10)
        const input: RegisterInput = chosen < 3 ? {type: 'read'} : chosen < 4 ? {type: 'delete'} : chosen < 5 ? {type: 'put', value} : {type: 'swap', from: seen.get(key), to: value}
        await record(registers.get(key) ?? [], `program ${number}`, input, async () => {
          const output = await doOn(store, key, input)
          if (typeof output === 'object') seen.set(key, 'found' in output ? (output.found ?? undefined) : value)
          else if (output === 'written') seen.set(key, input.type === 'put' ? value : undefined)
          return output
        })
        await pause(own.below(40))
      }
    }

    async function processes(number: number): Promise<void> {
      const own = random.fork(`process ${number}`)
      const mine: {profile: string; tag: string}[] = []
      for (let i = 0; !isOver(); i++) {
        const old = own.chance(0.3) ? mine.pop() : undefined
        const {profile, tag} = old ?? {profile: own.pick(PROFILES), tag: `t${number}-${i}`}
        const shift = own.chance(0.3) ? {NODE_OPTIONS: `--require ${CLOCK}`, CLOCK_SHIFT_MS: String((own.chance(0.5) ? 1 : -1) * own.below(7_200_000))} : {}
        await record<TagsInput, TagsOutput>(profiles.get(profile) ?? [], `process ${number}`, {type: old ? 'remove' : 'add', tag}, async () => {
          const {code, stderr} = await calicoctl(['profile', profile, 'tag', old ? 'remove' : 'add', tag, '--timeout', '3s'], {env: {...env, ...shift}, timeoutMs: 60_000})
          exitCodes[String(code)] = (exitCodes[String(code)] ?? 0) + 1
          if (code === null || /at .*\.js:\d/.test(stderr)) throw new Error(`calicoctl ended with ${code}: ${stderr}`)
          if (code === 0 && !old) mine.push({profile, tag})
          return code === 0 ? 'done' : code === 9 ? 'unknown' : undefined
        })
      }
    }

    async function readers(): Promise<void> {
      const own = random.fork('reader')
      const store = adapter(await connect(proxies.map(({endpoint}) => endpoint)))
      while (!isOver()) {
        const profile = own.pick(PROFILES)
        await record<TagsInput, TagsOutput>(profiles.get(profile) ?? [], 'reader', {type: 'read'}, () => certainly(() => readTags(store, profile)))
        await pause(own.below(150))
      }
    }

    const several = (count: number, work: (number: number) => Promise<void>): Promise<void>[] => Array.from({length: count}, (_, number) => work(number))
    const [injected] = await Promise.all([
      torment({etcd, proxies}, random.fork('nemesis'), faults, isOver),
      ...several(clients.programs, program),
      ...several(clients.processes, processes),
      ...(clients.processes > 0 ? [readers()] : []),
    ])
    // The last word, of a cluster in peace.
    for (const [key, history] of registers) await record<RegisterInput, RegisterOutput>(history, 'the end', {type: 'read'}, () => persistently(() => doOn(direct, key, {type: 'read'})))
    for (const [profile, history] of profiles) await record<TagsInput, TagsOutput>(history, 'the end', {type: 'read'}, () => persistently(() => readTags(direct, profile)))
    const violations = [
      ...[...registers].flatMap(([key, history]) => violationText(key, findViolation(register, history))),
      ...[...profiles].flatMap(([profile, history]) => violationText(`the tags of ${profile}`, findViolation({...tags, initial: new Set(first.get(profile))}, history))),
    ]
    return {violations, operations: counts, exitCodes, faults: injected}
  } finally {
    for (const store of open) store.close()
    await Promise.all(proxies.map((proxy) => proxy.stop()))
    await etcd.stop()
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** What WORK gives; undefined if the store says that it has failed, and 'unknown' if it does not know. Anything else is a fault of ours. */
async function certainly<T>(work: () => Promise<T>): Promise<T | 'unknown' | undefined> {
  try {
    return await work()
  } catch (error) {
    // Of a full store only commit() finds out whether it executed the write that it refused.
    if (isError(error, 'unknown') || error instanceof FullError) return 'unknown'
    if (isError(error)) return undefined
    throw error
  }
}

async function readTags(store: Datastore, profile: string): Promise<string[]> {
  const {kv} = await store.get(`/calico/resources/v3/projectcalico.org/profiles/${profile}`)
  return kv ? tagsOf(JSON.parse(kv.value) as Profile) : []
}

function doOn(store: Datastore, key: string, input: RegisterInput): Promise<RegisterOutput | 'unknown' | undefined> {
  return certainly<RegisterOutput>(async () => {
    switch (input.type) {
      case 'read':
        return {found: (await store.get(key)).kv?.value ?? null}
      case 'put':
        await store.transact({then: [{put: key, value: input.value ?? ''}]})
        return 'written'
      case 'delete':
        await store.transact({then: [{delete: key}]})
        return 'written'
      case 'swap': {
        const {from, to} = input
        const {succeeded, results} = await store.transact({if: [from === undefined ? {key, version: 0n} : {key, value: from}], then: [{put: key, value: to}], else: [{get: key}]})
        return succeeded ? {swapped: true} : {found: results[0]?.[0]?.value ?? null}
      }
    }
  })
}

const violationText = (what: string, violation: Operation<unknown, unknown> | undefined): string[] =>
  violation ? [`${what} is not linearizable: nothing explains that ${violation.client} was told ${JSON.stringify(violation.output)} of ${JSON.stringify(violation.input)} between ${violation.called.toFixed(0)} and ${violation.returned.toFixed(0)} ms`] : []
