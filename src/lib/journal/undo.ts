/** Reverting a change that the journal has: in one guarded transaction, in several where it does not fit into one (design-whole.md §4). */
import {guidOf} from '../client/cluster.js'
import {commit, type Seen, type Write} from '../client/commit.js'
import {executedAt} from '../client/executed.js'
import {portions, rank} from '../client/portions.js'
import type {Session} from '../client/session.js'
import type {Compare, KeyValue, Revision} from '../datastore/datastore.js'
import {CompactedError, TooLargeError} from '../datastore/errors.js'
import {CalicoError, isError} from '../errors.js'
import {refuseInUse} from './in-use.js'
import {initialisationIn, isIpam, labelOf, objectOf} from './objects.js'
import {type Entry, type KeyChange, netChanges, type Part} from './read.js'

/** Commands that change the host, too, by their oclif ids, with what takes that back. */
export const ON_THE_HOST: Readonly<Record<string, string>> = {
  'container:add': 'calicoctl container remove NAME',
  'container:remove': 'calicoctl container add NAME IP',
  'container:ip:add': 'calicoctl container NAME ip remove IP',
  'container:ip:remove': 'calicoctl container NAME ip add IP',
  'endpoint:gc': 'calicoctl container add NAME IP',
  node: 'calicoctl node stop, calicoctl node remove',
  'node:remove': 'calicoctl node',
}

/** Commands that change addresses, with what takes that back. */
const ADDRESSES: Readonly<Record<string, string>> = {
  'ipam:assign': 'calicoctl ipam release IP',
  'ipam:release': 'calicoctl ipam assign IP',
  'ipam:configure': 'calicoctl ipam configure',
}

/** How to revert what COMMAND, a word of the journal, has done; nothing for a command that TABLE does not have. */
const wayBack = (table: Readonly<Record<string, string>>, command: string): string | readonly [] => (Object.hasOwn(table, command) ? table[command] : undefined) ?? []

/** Reads of one transaction. */
const KEYS_PER_READ = 100

/** What can be reverted of an entry, and what cannot. */
export interface UndoPlan {
  readonly entry: Entry
  /** Stored objects as they are to be again (`before`), if they are still as the entry left them (`after`). */
  readonly changes: readonly KeyChange[]
  /** What stays, one sentence each. */
  readonly rest: readonly string[]
  /** The entry initialised the datastore, which stays. */
  readonly initialised: boolean
}

/** The entry that is meant by ID, or the last one. ENTRIES are newest first. @throws CalicoError `not-found` */
export function chooseEntry(entries: readonly Entry[], id: string | undefined): Entry {
  const found = id === undefined ? entries[0] : entries.find((entry) => entry.id === id)
  if (found) return found
  if (id !== undefined) throw new CalicoError('not-found', `There is no change ${id} in the journal.`, {hint: 'To see the changes: calicoctl history'})
  throw new CalicoError('not-found', 'There is nothing to undo: the journal has no changes.', {hint: 'The journal contains only changes made by this user with calicoctl on this host.'})
}

/** What ENTRY has done is what these PARTS of it have. @throws CalicoError `refused` if nothing of ENTRY can be reverted here, naming the command that does; `not-found` if it has changed nothing in the end */
export function planUndo(entry: Entry, parts: readonly Part[] = entry.parts): UndoPlan {
  const all = netChanges({parts})
  const initialisation = initialisationIn(all)
  const addresses = all.filter(({key}) => isIpam(key))
  // A node that was made for its addresses must be there as long as they are.
  const stays = (change: KeyChange): boolean => isIpam(change.key) || initialisation.includes(change.key) || (addresses.length > 0 && change.before === undefined && objectOf(change.key)?.kind === 'Node')
  const changes = all.filter((change) => !stays(change))
  const commands = [...new Set(parts.flatMap(({of}) => (of.length === 0 ? [entry.command] : of.map(({command}) => command))))]
  const host = commands.flatMap((command) => wayBack(ON_THE_HOST, command))
  const release = commands.flatMap((command) => wayBack(ADDRESSES, command))
  const rest = [
    ...(addresses.length === 0 ? [] : [`The addresses and blocks of IPAM (${addresses.length} ${addresses.length === 1 ? 'key' : 'keys'}) are not reverted: ${release.length > 0 ? release.join(', ') : 'calicoctl ipam check shows leftovers, calicoctl ipam release IP releases an address'}`]),
    ...(host.length === 0 ? [] : [`Changes of the host ${entry.host} are not reverted: ${host.join(', ')}`]),
  ]
  const plan = {entry, changes, rest, initialised: initialisation.length > 0}
  if (changes.length > 0) return plan
  if (rest.length === 0) {
    const isMissing = parts.length < entry.parts.length
    throw nothingToUndo(entry, plan.initialised ? 'it initialised the datastore, which is not reverted' : isMissing ? 'it was not made' : 'all objects have their previous values', isMissing ? {hint: 'To revert an earlier change: calicoctl undo ID. To see the changes: calicoctl history'} : {})
  }
  throw new CalicoError('refused', `${nameOf(entry)} changed no stored object that undo can revert; nothing was changed`, {details: rest})
}

const nothingToUndo = (entry: Entry, why: string, options: {hint?: string} = {}): CalicoError => new CalicoError('not-found', `There is nothing to undo in ${nameOf(entry)}: ${why}.`, options)

/** ENTRY in messages. */
export const nameOf = ({id, words}: Entry): string => `${id} (${words.join(' ')})`

/** Something has changed since: what was expected (`after` of the change) and what there is. */
export class ChangedSinceError extends CalicoError {
  constructor(
    entry: Entry,
    readonly objects: readonly {readonly change: KeyChange; readonly now: string | undefined}[],
  ) {
    super('conflict', `${objects.map(({change}) => labelOf(change)).join(', ')} changed since ${nameOf(entry)}; nothing was changed`, {
      hint: 'Undo the later changes first (calicoctl history KIND NAME shows them), or change the object with its own command.',
    })
  }
}

/**
 * Makes the objects of ENTRY what they were before, byte for byte, if all of them are still as the entry left them. In a dry run nothing is written. What does not fit
 * into one transaction is written in several, in an order in which nothing refers to what is gone; PROGRESS receives how many.
 * @returns what was reverted, and what was not
 * @throws ChangedSinceError (`conflict`); CalicoError `wrong-datastore` for another cluster's entry; `refused` if others use what it created; `unknown` if it failed
 * between two transactions; what planUndo() throws, and what commit() throws
 */
export async function undo(session: Session, entry: Entry, progress: (text: string) => void = () => undefined): Promise<UndoPlan> {
  let plan = planUndo(entry)
  try {
    const {outcome} = await commit(session, [], async (seen) => {
      checkCluster(session, seen, entry)
      const now = await readKeys(session, netChanges(entry))
      plan = planUndo(entry, await executedParts(session, entry, now))
      plan = {...plan, changes: pendingOf(entry, plan.changes, now)}
      return {...(await revertTo(session, entry, plan.changes, now, seen)), outcome: plan}
    })
    return outcome
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error
    await undoInParts(session, plan, progress)
    return plan
  }
}

/**
 * What of CHANGES is still to be reverted where NOW stands at the keys. Some may have been reverted before: by an undo in several transactions that was interrupted, or before
 * another part of the change arrived at the datastore.
 * @throws ChangedSinceError; CalicoError `not-found` if nothing is left
 */
function pendingOf(entry: Entry, changes: readonly KeyChange[], now: ReadonlyMap<string, KeyValue | undefined>): readonly KeyChange[] {
  const valueOf = ({key}: KeyChange): string | undefined => now.get(key)?.value
  const pending = changes.filter((change) => valueOf(change) !== change.before)
  refuseChanged(entry, pending, now)
  if (pending.length === 0) throw nothingToUndo(entry, 'all objects have their previous values')
  return pending
}

/** @throws ChangedSinceError if NOW, what stands at the keys of CHANGES, is not what they made */
function refuseChanged(entry: Entry, changes: readonly KeyChange[], now: ReadonlyMap<string, KeyValue | undefined>): void {
  const changed = changes.map((change) => ({change, now: now.get(change.key)?.value})).filter(({change, now: value}) => value !== change.after)
  if (changed.length > 0) throw new ChangedSinceError(entry, changed)
}

/** The transaction that makes CHANGES what they were, where NOW stands at their keys. */
async function revertTo(session: Session, entry: Entry, changes: readonly KeyChange[], now: ReadonlyMap<string, KeyValue | undefined>, {revision}: Seen): Promise<{writes: Write[]; guards: Compare[]; what: string}> {
  const guards = await refuseInUse(session, changes, revision)
  return {writes: changes.map(({key, before}) => ({key, read: now.get(key), value: before})), guards, what: `the undoing of ${nameOf(entry)}`}
}

async function undoInParts(session: Session, {entry, changes}: UndoPlan, progress: (text: string) => void): Promise<void> {
  const parts = portionsOf(changes)
  progress(`${changes.length} objects are reverted in ${parts.length} transactions.`)
  let done = 0
  for (const part of parts) {
    session.writes.remaining = `${changes.length - done} of ${changes.length} objects have not been reverted yet. To revert them: calicoctl undo ${entry.id}`
    try {
      await commit(session, [], async (seen) => {
        checkCluster(session, seen, entry)
        const now = await readKeys(session, part)
        refuseChanged(entry, part, now)
        return {...(await revertTo(session, entry, part, now, seen)), outcome: undefined}
      })
    } catch (error) {
      if (done === 0 || !(error instanceof CalicoError)) throw error
      throw new CalicoError('unknown', `${done} of ${changes.length} objects were reverted, but the others were not: ${error.message}`, {details: error.details, hint: `To revert the rest: calicoctl undo ${entry.id}`, cause: error})
    }
    done += part.length
  }
  session.writes.remaining = undefined
}

/**
 * CHANGES in parts that fit into a transaction each, reverted in an order in which nothing refers to what is gone, and nothing that is used goes: all pools, since those that
 * come back may be where others go; what comes back, before what refers to it; what changes; what goes, after what refers to it.
 */
export function portionsOf(changes: readonly KeyChange[]): KeyChange[][] {
  const place = ({key, before, after}: KeyChange): number => {
    const kind = objectOf(key)?.kind ?? ''
    if (kind === 'IPPool') return 0
    return before === undefined ? 400 - rank(kind) : (after === undefined ? 100 : 200) + rank(kind)
  }
  const sizeOf = ({key, before}: KeyChange): number => Buffer.byteLength(key) + Buffer.byteLength(before ?? '')
  return portions([...changes].sort((a, b) => place(a) - place(b)), sizeOf)
}

/**
 * How it stands with a change: some of its objects are as it left them; none is, and some are as before; it was not made, as far as the datastore tells of a command
 * that was killed (a made one that was undone looks the same); or all were changed since.
 */
export const STANDS = ['made', 'undone', 'unmade', 'changed'] as const
export type Stand = (typeof STANDS)[number]

/** Of a change that a user has begun to revert. */
export const isUndone = (stand: Stand): boolean => stand === 'undone' || stand === 'unmade'

/**
 * What has become of ENTRY, as its objects tell it, which undo reverts all at once. Nothing is written.
 * @throws CalicoError `wrong-datastore` for another cluster's entry, `refused` if undo could not revert anything of it; the datastore's errors
 */
export async function standOf(session: Session, entry: Entry): Promise<Stand> {
  const {outcome} = await commit<Stand>(session, [], async (seen) => {
    checkCluster(session, seen, entry)
    return {writes: [], what: 'looking', outcome: await lookedAt(session, entry)}
  }, {ownCluster: true})
  return outcome
}

/** How it stands with a change, and which of its parts, by their numbers, may be executed late. */
export interface Found {
  readonly stand: Stand
  readonly late: readonly number[]
}

/** What has become of ENTRY, or of only those of its parts that have these NUMBERS, whose command has ended. Nothing is written. @throws as standOf() */
export async function lookAt(session: Session, entry: Entry, numbers?: readonly number[]): Promise<Found> {
  // In this order: what arrives in between is reverted, and looked for in vain.
  const late = await lateParts(session, entry, numbers)
  return {stand: await standOf(session, onlyParts(entry, numbers)), late}
}

/** ENTRY with only those of its parts that have these NUMBERS; undefined: with all. */
export const onlyParts = (entry: Entry, numbers: readonly number[] | undefined): Entry => (numbers === undefined ? entry : {...entry, parts: entry.parts.filter((_, at) => numbers.includes(at))})

/** Those of the parts of ENTRY (of its NUMBERS) that its command has sent and that were not executed so far, as far as the datastore knows. */
export async function lateParts(session: Session, {parts}: Entry, numbers?: readonly number[]): Promise<readonly number[]> {
  const late: number[] = []
  for (const [at, part] of parts.entries()) if (part.unknown && numbers?.includes(at) !== false && !(await isInHistory(session, part))) late.push(at)
  return late
}

/** False also where the store has forgotten it. */
async function isInHistory(session: Session, part: Part): Promise<boolean> {
  try {
    return (await executedPartAt(session, part)) !== undefined
  } catch (error) {
    if (error instanceof CompactedError) return false
    throw error
  }
}

const editsOf = ({changes}: Part): readonly KeyChange[] => changes.filter(({before, after}) => before !== after)

/** The revision at which PART was executed; undefined if it was not. @throws CompactedError */
const executedPartAt = (session: Session, part: Part): Promise<Revision | undefined> => executedAt(session, editsOf(part).map(({key, before, after}) => ({key, read: before, value: after})), BigInt(part.revision))

async function lookedAt(session: Session, entry: Entry): Promise<Stand> {
  const now = await readKeys(session, netChanges(entry))
  let parts = entry.parts
  let changes: readonly KeyChange[]
  try {
    parts = await executedParts(session, entry, now)
    ;({changes} = planUndo(entry, parts))
  } catch (error) {
    if (isError(error, 'not-found')) return parts.length < entry.parts.length ? 'unmade' : 'undone'
    if (error instanceof UnclearError) return 'changed'
    throw error
  }
  const made = new Map<string, Set<string | undefined>>()
  for (const {key, after} of parts.flatMap((part) => part.changes)) made.set(key, (made.get(key) ?? new Set()).add(after))
  const isAs = ({key, before}: KeyChange): Stand => {
    const value = now.get(key)?.value
    return value === before ? 'undone' : made.get(key)?.has(value) === true ? 'made' : 'changed'
  }
  const stands = new Set(changes.map(isAs))
  return STANDS.find((stand) => stands.has(stand)) ?? 'changed'
}

/** Nobody can tell which parts of a change were executed. */
class UnclearError extends CalicoError {
  constructor(entry: Entry) {
    super('conflict', `It is not known which parts of ${nameOf(entry)} were made: its command was interrupted, its objects changed since, and the datastore has compacted their history; nothing was changed`, {
      hint: 'To see the changes of an object: calicoctl history KIND NAME',
    })
  }
}

/**
 * The parts of ENTRY that were executed, where NOW is what stands at its keys. A last one of which nothing is known is among them: it is not as it would have left its keys.
 * @throws UnclearError if nothing is known of one before it
 */
async function executedParts(session: Session, entry: Entry, now: ReadonlyMap<string, KeyValue | undefined>): Promise<readonly Part[]> {
  /** What stood at keys before the later parts. */
  const later = new Map<string, string | undefined>()
  const executed: Part[] = []
  for (const part of entry.parts.toReversed()) {
    const was = part.unknown ? await wasExecuted(session, part, now, later) : true
    if (was === undefined && part.changes.some(({key}) => later.has(key))) throw new UnclearError(entry)
    if (was === false) continue
    for (const {key, before} of part.changes) later.set(key, before)
    executed.unshift(part)
  }
  return executed
}

/** Whether a part was executed whose outcome the journal does not have: as far as its keys tell it, by them; else by their history. Undefined: nothing is known. */
async function wasExecuted(session: Session, part: Part, now: ReadonlyMap<string, KeyValue | undefined>, later: ReadonlyMap<string, string | undefined>): Promise<boolean | undefined> {
  const edits = editsOf(part)
  const valueOf = (key: string): string | undefined => (later.has(key) ? later.get(key) : now.get(key)?.value)
  if (edits.every(({key, after}) => valueOf(key) === after)) return true
  // What was reverted since has nothing to undo either.
  if (edits.every(({key, before}) => valueOf(key) === before)) return false
  const decided = BigInt(part.revision)
  if (edits.some(({key}) => !later.has(key) && (now.get(key)?.modRevision ?? decided + 1n) <= decided)) return false
  try {
    return (await executedPartAt(session, part)) !== undefined
  } catch (error) {
    if (error instanceof CompactedError) return undefined
    throw error
  }
}

function checkCluster(session: Session, {cluster}: Seen, entry: Entry): void {
  const here = cluster.state === 'present' ? guidOf(cluster.information) : undefined
  const there = entry.parts.find((part) => part.cluster !== undefined)?.cluster
  if (here !== undefined && here === there) return
  throw new CalicoError('wrong-datastore', `${nameOf(entry)} was made in another cluster: in ${there ?? 'one without a GUID'}, and this is ${here ?? 'one without a GUID'} (${session.store.description}); nothing was changed`, {
    hint: 'Give the datastore with --datastore, or another change: calicoctl undo ID.',
  })
}

async function readKeys(session: Session, changes: readonly KeyChange[]): Promise<ReadonlyMap<string, KeyValue | undefined>> {
  const found = new Map<string, KeyValue | undefined>()
  for (let start = 0; start < changes.length; start += KEYS_PER_READ) {
    const keys = changes.slice(start, start + KEYS_PER_READ).map(({key}) => key)
    const {results} = await session.store.transact({then: keys.map((key) => ({get: key}))})
    keys.forEach((key, at) => found.set(key, results[at]?.[0]))
  }
  return found
}
