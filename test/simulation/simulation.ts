/**
 * One run: actors that use the code above the datastore port, each with its own connection to one simulated store, in virtual time. The seed decides how
 * long each request and each answer takes, and so who goes on first; which answers are lost and which requests come late or twice; when the store is
 * compacted or locked, and when an actor dies. After every transaction that changes the store, and at the end, the invariants of the world are checked.
 */
import {CLUSTER_KEY} from '../../src/lib/client/cluster.js'
import {newSession, type Session} from '../../src/lib/client/session.js'
import type {Change, Datastore, Revision, Transaction} from '../../src/lib/datastore/datastore.js'
import type {State} from '../../src/lib/datastore/embedded/state.js'
import {OutcomeUnknownError} from '../../src/lib/datastore/errors.js'
import {CalicoError} from '../../src/lib/errors.js'
import {newRandom, type Random} from './random.js'
import {type Network, simulatedStore, type SimulatedStore} from './store.js'
import {newVirtualTime, type VirtualTime, within} from './virtual-time.js'

/**
 * `lost`: a write's answer never comes, whether it was executed or not; `late`: it is executed after that was told; `doubled`: it is executed again, later;
 * `slow`: seconds instead of milliseconds; `away`: nothing of an actor gets through for a while; `compaction`, `lock` (datastoreReady: false), `death` of an actor.
 * Of worlds with hosts: `killed`: a process of the actor; `cut`: what several calls make ends in the middle; `repeated`, `reordered`: calls; `silent`: the
 * Engine does not answer.
 */
export const FAULTS = ['lost', 'late', 'doubled', 'slow', 'away', 'compaction', 'lock', 'death', 'killed', 'cut', 'repeated', 'reordered', 'silent'] as const
export type Fault = (typeof FAULTS)[number]

/** What a run is made of. A smaller plan has less of the same: what stays goes on from the same chance. */
export interface Plan {
  readonly seed: number
  /** Which actors there are, by number. */
  readonly actors: readonly number[]
  /** Commands of each actor. */
  readonly commands: number
  readonly faults: readonly Fault[]
  /** Single faults, by the order in which they come, that do not happen. */
  readonly without: ReadonlySet<string>
}

/** A command of an actor, from its beginning to what it said. */
export interface Command<T = unknown> {
  readonly actor: Actor
  readonly name: string
  /** What it may change, in the world's words. */
  readonly may: ReadonlySet<string>
  /** Of the store when it began. */
  readonly began: Revision
  /** Of the store when it said what came of it. */
  ended?: Revision
  /** Undefined as long as it runs, and for one that died. */
  said?: {readonly done: T} | {readonly failed: CalicoError}
  /** Transactions that were sent while it ran, and executed. */
  readonly executed: Executed[]
}

export interface Executed {
  readonly revision: Revision
  readonly before: State
  readonly after: State
  readonly changes: readonly Change[]
}

/** What is demanded of a command. */
export interface CommandRules<T> {
  /** What it may change, in the world's words. */
  readonly may?: readonly string[]
  /** What is not true of what it said. */
  readonly untrue?: (command: Command<T>) => readonly string[]
}

export interface Actor {
  readonly name: string
  readonly number: number
  readonly random: Random
  readonly alive: boolean
  /** A new session, as a new process has it. */
  session(options?: {longLived?: boolean; dryRun?: boolean; record?: NonNullable<Session['record']>}): Session
  /** Does WORK as a command. Undefined: it failed, with a CalicoError. */
  command<T>(name: string, rules: CommandRules<T>, work: () => Promise<T>): Promise<T | undefined>
  /** A process of its own, beside the one that session() is of. */
  process(): Process
  /** Whether FAULT happens here, which it does with this PROBABILITY. */
  fault(fault: Fault, probability: number): boolean
  sleep(milliseconds: number): Promise<void>
  tell(text: string): void
}

/** A process: once it is killed, none of its requests is answered. What it has sent may still arrive. */
export interface Process {
  readonly alive: boolean
  store(): Datastore
  kill(): void
}

export interface World {
  readonly name: string
  readonly actors: number
  readonly commands: number
  /** Faults that mean nothing here, or that its invariants cannot bear. */
  readonly spared?: readonly Fault[]
  /** How many seeds it gets, in relation to the others: 1; less where each takes longer. */
  readonly share?: number
  /** How long what happens to the store and deaths take to come, milliseconds; 1,500. */
  readonly span?: number
  /** How long what a killed process has sent may take to arrive, milliseconds; as long as any other request. */
  readonly later?: number
  /** A world of its own for a run. */
  make(run: Run): WorldRun
}

export interface WorldRun {
  /** Fills the store, without faults. */
  setUp(session: Session): Promise<void>
  /** What ACTOR does; COMMANDS says how much. */
  act(actor: Actor, commands: number): Promise<void>
  /** What CHANGE needs a command to be allowed, in the words of `Command.may`. */
  needs(change: Change): readonly string[]
  /** What is wrong with a state, in words. */
  wrong(state: State): readonly string[]
  /** After all actors have ended: what is still to be done, without faults, and then found wrong. */
  end?(session: Session): Promise<readonly string[]>
}

export interface Run {
  readonly time: VirtualTime
  readonly random: Random
  readonly store: SimulatedStore
  readonly commands: readonly Command[]
  /** Notes that something is wrong. */
  violated(text: string): void
  /** For the schedule. */
  tell(who: string, text: string | (() => string)): void
}

export interface Result {
  /** What was wrong first. */
  readonly violation: string | undefined
  /** What happened, a line each. */
  readonly schedule: () => string[]
  readonly steps: number
  readonly transactions: number
  /** How many of each kind happened. */
  readonly faults: Readonly<Record<Fault, number>>
  /** Their names, as `Plan.without` takes them. */
  readonly happened: readonly string[]
  readonly commands: number
}

const LIMITS = {steps: 20_000, milliseconds: 3_600_000}

/** TAMPER as in simulatedStore(). */
export async function simulate(world: World, plan: Plan, {tamper}: {tamper?: (transaction: Transaction) => Transaction} = {}): Promise<Result> {
  const time = newVirtualTime()
  const random = newRandom(`${world.name} ${plan.seed}`)
  const store = simulatedStore(tamper === undefined ? {} : {tamper})
  const told: {readonly at: number; readonly who: string; readonly text: string | (() => string)}[] = []
  const commands: Command[] = []
  const counts = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>
  const happened: string[] = []
  const active = new Set(plan.faults.filter((fault) => !world.spared?.includes(fault)))
  const {span = 1_500, later} = world
  let violation: string | undefined
  let transactions = 0
  let quiet = true

  const tell = (who: string, text: string | (() => string)): void => void told.push({at: time.now, who, text})
  const schedule = (): string[] => told.map(({at, who, text}) => `${at.toFixed(0).padStart(8)} ms  ${who}: ${typeof text === 'string' ? text : text()}`)
  const violated = (text: string): void => {
    violation ??= text
    tell('!', text)
  }
  const run: Run = {time, random, store, commands, violated, tell}
  const here = world.make(run)

  /** Whether the fault NAME happens, which CHANCE would have. */
  function happens(fault: Fault, name: string, chance: boolean): boolean {
    if (!chance || quiet || !active.has(fault) || plan.without.has(name)) return false
    counts[fault]++
    happened.push(name)
    return true
  }

  function changed(by: readonly Command[], who: string, before: State, after: State): void {
    transactions++
    const changes = after.log.filter(({revision}) => revision === after.revision)
    for (const command of by) command.executed.push({revision: after.revision, before, after, changes})
    if (quiet) return
    const allowed = (need: string): boolean => by.some(({may}) => may.has(need))
    for (const change of changes) for (const need of here.needs(change)) if (!allowed(need)) violated(`${who} made "${need}" (revision ${after.revision}), which no command of its own was to do: ${by.map(({name}) => name).join(', ')}`)
    if (isLocked(before) && changes.some(({key}) => key !== CLUSTER_KEY)) violated(`${who} wrote ${changes.map(({key}) => key).join(', ')} while the store was locked`)
    for (const text of here.wrong(after)) violated(`after ${who} wrote revision ${after.revision}: ${text}`)
  }

  const direct: Network = (_, execute) => Promise.resolve().then(execute)

  function newActor(number: number): {actor: Actor; die: () => void} {
    const name = `actor ${number}`
    const chance = random.fork(`network of ${number}`)
    const running = new Set<Command>()
    let alive = true
    let awayUntil = 0
    let requests = 0

    const latency = (): number => (chance.chance(0.7) ? chance.next() * 10 : chance.next() * 80)

    const networkOf = (process: Pick<Process, 'alive'>): Network => (sent, execute) =>
      new Promise((resolve, reject) => {
        const id = `${number}.${requests++}`
        const [there, back, further] = [latency(), latency(), latency()]
        const draws = {lost: chance.chance(0.06), isExecuted: chance.chance(0.5), late: chance.chance(0.03), doubled: chance.chance(0.04), slow: chance.chance(0.03), away: chance.chance(0.015), long: chance.next()}
        const slow = happens('slow', `slow ${id}`, draws.slow) ? 2_000 + draws.long * 4_000 : 0
        if (happens('away', `away ${id}`, draws.away)) awayUntil = time.now + 200 + draws.long * 3_000
        const deliver = (after: number, settle: () => void): void => void time.in(after, () => alive && process.alive && settle())
        tell(name, () => `asks ${id} ${sent.verb} ${sent.what()}`)
        if (!alive || !process.alive) return
        if (time.now < awayUntil) {
          deliver(50, () => {
            tell(name, `hears of ${id} that the store is away`)
            reject(new CalicoError('unreachable', 'The simulated etcd does not answer'))
          })
          return
        }
        const arrive = (text: string): {give: () => void; succeeded?: boolean} => {
          try {
            const value = execute()
            tell('store', `${text} ${id}${sent.writes ? `, revision ${store.state.revision}` : ''}`)
            return {give: () => resolve(value), succeeded: (value as {succeeded?: boolean} | undefined)?.succeeded === true}
          } catch (error) {
            return {give: () => reject(asError(error))}
          }
        }
        // Of what was made meanwhile and deleted again, etcd cannot know that it is made a second time (the notes of decisions.md 10).
        const sentAt = store.state.revision
        const isAnew = (): boolean => store.state.log.some(({key, kv, revision}) => revision > sentAt && kv === undefined && sent.creates?.includes(key))
        if (sent.writes && happens('lost', `lost ${id}`, draws.lost)) {
          const isLate = happens('late', `late ${id}`, draws.late || draws.long < 0.3)
          if (isLate) time.in(there + back + 20 + further * 20, () => isAnew() || arrive('executes too late'))
          else if (draws.isExecuted) time.in(there, () => void arrive('executes, and loses the answer to,'))
          deliver(there + back, () => {
            tell(name, `never hears of ${id}`)
            reject(new OutcomeUnknownError('The simulated etcd has lost an answer'))
          })
          return
        }
        time.in(there + slow, () => {
          if (sent.writes && later !== undefined && !process.alive && happens('late', `late ${id}`, draws.isExecuted)) {
            time.in(draws.long * (later - there - slow), () => isAnew() || arrive('executes, long after its process was killed,'))
            return
          }
          const {give, succeeded} = arrive('executes')
          // In a row: one that was refused, by a lock that goes again, or made what was deleted meanwhile, would be made after that was told. The port forbids
          // that (it sends no write twice).
          if (sent.writes && succeeded && happens('doubled', `doubled ${id}`, draws.doubled)) arrive('executes again')
          deliver(back, give)
        })
      })

    /** Whose request is being executed. */
    let sending: readonly Command[] = []
    function storeOf(process: Pick<Process, 'alive'>): Datastore {
      const network = networkOf(process)
      return store.client(
        (sent, execute) => {
          const by = [...running]
          return network(sent, () => {
            sending = by
            return execute()
          })
        },
        (before, after) => changed(sending, name, before, after),
      )
    }

    function newProcess(): Process {
      let lives = true
      const process: Process = {
        get alive() {
          return alive && lives
        },
        store: () => storeOf(process),
        kill: () => void (lives = false),
      }
      return process
    }

    const faults = random.fork(`faults of ${number}`)
    let drawn = 0

    const actor: Actor = {
      name,
      number,
      random: random.fork(name),
      get alive() {
        return alive
      },
      session: (options = {}) => newSession(storeOf({alive: true}), {warn: (text) => tell(name, `warns: ${text}`), ...options}),
      async command<T>(words: string, {may = [], untrue = () => []}: CommandRules<T>, work: () => Promise<T>) {
        const command: Command<T> = {actor, name: words, may: new Set(may), began: store.state.revision, executed: []}
        commands.push(command)
        running.add(command)
        tell(name, `begins ${words}`)
        let said: Command<T>['said']
        try {
          said = {done: await work()}
        } catch (error) {
          if (error instanceof CalicoError) said = {failed: error}
          else violated(`${name}: ${words} threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
        }
        running.delete(command)
        command.ended = store.state.revision
        if (said) command.said = said
        tell(name, `ends ${words}: ${said && 'failed' in said ? `${said.failed.kind}: ${said.failed.message}` : 'done'}`)
        if (alive) for (const text of untrue(command)) violated(`${name}: ${words}: ${text}`)
        return said && 'done' in said ? said.done : undefined
      },
      process: newProcess,
      fault: (fault, probability) => happens(fault, `${fault} ${number}.${drawn++}`, faults.chance(probability)),
      sleep: (milliseconds) => new Promise((resolve) => void time.in(milliseconds, () => alive && resolve())),
      tell: (text) => tell(name, text),
    }
    return {
      actor,
      die: () => {
        alive = false
      },
    }
  }

  /** Starts what happens to the store by itself. */
  function begin(): void {
    const chance = random.fork('store')
    for (let i = 0; i < 3; i++) {
      const [at, long, does] = [chance.next() * span, chance.next(), chance.chance(0.35)]
      time.in(at, () => {
        if (!happens('compaction', `compaction ${i}`, does)) return
        tell('store', `is compacted at revision ${store.state.revision}`)
        store.compact()
      })
      const locks = chance.chance(0.25)
      time.in(at + long * 300, () => {
        if (!happens('lock', `lock ${i}`, locks)) return
        setReady(false)
        time.in(20 + long * 400, () => setReady(true))
      })
    }
  }

  function setReady(ready: boolean): void {
    const kv = store.state.keys.get(CLUSTER_KEY)
    if (kv === undefined) return
    tell('store', ready ? 'is unlocked' : 'is locked')
    const value = JSON.parse(kv.value) as {spec: object}
    void store.client(direct).transact({then: [{put: CLUSTER_KEY, value: JSON.stringify({...value, spec: {...value.spec, datastoreReady: ready}})}]})
  }

  /** Does WORK, without faults, to its end. */
  async function undisturbed<T>(what: string, work: (session: Session) => Promise<T>): Promise<T | undefined> {
    quiet = true
    let result: {readonly value: T} | undefined
    let ended = false
    const all = {actor: undefined as unknown as Actor, name: what, may: new Set<string>(), began: 0n, executed: []}
    const session = newSession(store.client((_, execute) => new Promise((resolve, reject) => void time.in(1, () => {
      try {
        resolve(execute())
      } catch (error) {
        reject(asError(error))
      }
    })), (before, after) => changed([all], what, before, after)), {warn: () => undefined})
    work(session).then(
      (value) => {
        result = {value}
        ended = true
      },
      (error: unknown) => {
        violated(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
        ended = true
      },
    )
    const why = await time.run(() => ended, LIMITS)
    if (why !== 'over') violated(`${what} does not end: ${why}`)
    return result?.value
  }

  await within(time, random, async () => {
    await undisturbed('the set-up', (session) => here.setUp(session))
    quiet = false
    begin()
    let open = 0
    for (const number of plan.actors) {
      const {actor, die} = newActor(number)
      open++
      let ended = false
      const end = (): void => {
        if (!ended) open--
        ended = true
      }
      here.act(actor, plan.commands).then(end, (error: unknown) => {
        violated(`${actor.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
        end()
      })
      const chance = random.fork(`death of ${number}`)
      const [at, dies] = [chance.next() * span, chance.chance(0.15)]
      time.in(at, () => {
        if (ended || !happens('death', `death ${number}`, dies)) return
        tell(actor.name, 'dies')
        die()
        end()
      })
    }
    const why = await time.run(() => open === 0 || violation !== undefined, LIMITS)
    if (why !== 'over') violated(`${open} actors do not end: ${why}`)
    if (violation !== undefined) return
    // What is still under way arrives, or does not.
    await time.run(() => false, {steps: LIMITS.steps, milliseconds: 60_000})
    for (const text of (await undisturbed('the end', (session) => here.end?.(session) ?? Promise.resolve([]))) ?? []) violated(`at the end: ${text}`)
    for (const text of here.wrong(store.state)) violated(`at the end: ${text}`)
  })
  return {violation, schedule, steps: time.steps, transactions, faults: counts, happened, commands: commands.length}
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))

function isLocked({keys}: State): boolean {
  const value = keys.get(CLUSTER_KEY)?.value
  return value?.includes('"datastoreReady":false') === true
}

/**
 * What is not true of a COMMAND of one transaction: a change that it tells is made exactly once, and what failed has changed nothing. WROTE says of its
 * result whether it tells a change.
 */
export const once =
  <T>(wrote: (result: T) => boolean) =>
  ({said, executed}: Command<T>): string[] => {
  if (said === undefined) return []
  if (executed.length > 1) return [`it was executed ${executed.length} times, at ${executed.map(({revision}) => revision).join(' and ')}`]
  if ('failed' in said) return said.failed.kind === 'unknown' || executed.length === 0 ? [] : [`it said ${said.failed.kind}, "${said.failed.message}", and was executed at revision ${executed[0]?.revision}`]
  if (wrote(said.done)) return executed.length === 1 ? [] : ['it told a change that was never made']
  return executed.length === 0 ? [] : [`it said that nothing changed, and was executed at revision ${executed[0]?.revision}`]
}
