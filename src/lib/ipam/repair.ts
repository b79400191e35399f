/**
 * Putting right what a check found, by the two-look rule (operator-demand §1 row 3): something is repaired only if a second look, after a grace
 * period, finds the very same, and only in a transaction that holds if no endpoint and no node has changed since that look.
 */
import {append} from '../append.js'
import {commit} from '../client/commit.js'
import type {Session} from '../client/session.js'
import type {Compare, Revision} from '../datastore/datastore.js'
import {isError} from '../errors.js'
import {blockKey, handleKey, kindPrefix} from '../model/keys.js'
import {type Cidr, parseCidr} from '../net/index.js'
import {confirmed, confirmedAffinity} from './affinity.js'
import {type Block, countByHandle, hasUnknownFields, isEmpty, nextVersion} from './block.js'
import {AFFINITY, BLOCK, HANDLE} from './codecs.js'
import {type Draft, newDraft} from './draft.js'
import type {Finding, Repair} from './findings.js'
import {isHandleEmpty, newHandle} from './handle.js'
import {lookedAlready} from './held.js'
import {emptyMemory} from './memory.js'
import {releaseOn} from './release-addresses.js'

/** Those of SECOND that were found by FIRST too, just so. */
export function foundTwice(first: readonly Finding[], second: readonly Finding[]): Finding[] {
  const name = ({class: kind, subject, identity}: Finding): string => `${kind}\n${subject}\n${identity}`
  const before = new Set(first.map(name))
  return second.filter((finding) => before.has(name(finding)))
}

/**
 * Repairs FINDINGS of a look at REVISION, several in a transaction.
 * @returns those that were repaired; the others are no longer as they were found, or an endpoint or a node has changed meanwhile
 */
export async function repairAll(session: Session, findings: readonly Finding[], revision: Revision): Promise<Finding[]> {
  // Addresses first: their handles are counted right after that.
  const open = findings.filter(({repair}) => repair !== undefined).sort((a, b) => rank(a) - rank(b))
  const done: Finding[] = []
  while (open.length > 0) {
    const {repaired, tried} = await repairSome(session, open, revision)
    append(done, repaired)
    open.splice(0, Math.max(tried, 1))
  }
  return done
}

const rank = ({repair}: Finding): number => (repair?.type === 'release' ? 0 : repair?.type === 'handle' ? 1 : 2)

/** What one repair may add to a transaction. */
const KEYS_PER_REPAIR = 8

async function repairSome(session: Session, findings: readonly Finding[], revision: Revision): Promise<{repaired: Finding[]; tried: number}> {
  const witnesses: Compare[] = [kindPrefix('WorkloadEndpoint'), kindPrefix('Node')].map((prefix) => ({prefix, unchangedSince: revision}))
  let isFirst = true
  let tried = 0
  const {outcome} = await commit(session, [], async () => {
    const repaired: Finding[] = []
    // Something has changed since the look: what it was takes another look.
    if (!isFirst) return {writes: [], what: '', outcome: repaired}
    isFirst = false
    const draft = newDraft(session, emptyMemory(), [])
    for (const finding of findings) {
      if (!draft.hasRoom(KEYS_PER_REPAIR)) break
      tried++
      if (finding.repair && (await apply(draft, finding.repair))) repaired.push(finding)
    }
    return {writes: draft.writes(), guards: [...draft.guards(), ...witnesses], what: `the repair of ${repaired.length} ${repaired.length === 1 ? 'problem' : 'problems'}`, outcome: repaired}
  })
  return {repaired: outcome, tried}
}

/** Makes REPAIR on DRAFT; false if there is nothing to repair any more. */
async function apply(draft: Draft, repair: Repair): Promise<boolean> {
  switch (repair.type) {
    case 'release':
      return applyRelease(draft, repair)
    case 'handle':
      return countAgain(draft, repair)
    case 'delete-affinity': {
      const block = await draft.get(BLOCK, keyOf(repair.block))
      draft.restOn(keyOf(repair.block))
      if ((await draft.get(AFFINITY, repair.key)) === undefined || block?.affinity === repair.owner) return false
      draft.set(AFFINITY, repair.key, undefined)
      return true
    }
    case 'confirm-affinity': {
      const block = await draft.get(BLOCK, keyOf(repair.block))
      if (block?.affinity !== repair.owner) return false
      const affinity = await draft.get(AFFINITY, repair.key)
      draft.set(AFFINITY, repair.key, affinity ? confirmed(affinity) : confirmedAffinity())
      // As Calico does: whoever was about to take the block away notices.
      draft.set(BLOCK, keyOf(repair.block), nextVersion(block))
      return true
    }
    case 'delete-block':
    case 'free-list': {
      const block = await draft.get(BLOCK, keyOf(repair.block))
      if (!block || (repair.type === 'delete-block' && !(isEmpty(block) && block.affinity === null))) return false
      draft.set(BLOCK, keyOf(repair.block), repair.type === 'delete-block' ? undefined : nextVersion({...block, unallocated: expectedUnallocated(block) ?? []}))
      return true
    }
  }
}

async function applyRelease(draft: Draft, {address, handle, sequenceNumber}: Extract<Repair, {type: 'release'}>): Promise<boolean> {
  try {
    const {released} = await releaseOn(draft, [{address, sequenceNumber, ...(handle === undefined ? {} : {handle})}], lookedAlready)
    return released.length > 0
  } catch (error) {
    if (isError(error, 'conflict')) return false
    throw error
  }
}

async function countAgain(draft: Draft, {id, blocks}: Extract<Repair, {type: 'handle'}>): Promise<boolean> {
  const before = await draft.get(HANDLE, handleKey(id))
  const cidrs = [...new Set([...Object.keys(before?.block ?? {}), ...blocks])]
  const counts: Record<string, number> = {}
  for (const text of cidrs) {
    const block = await draft.get(BLOCK, keyOf(text))
    draft.restOn(keyOf(text))
    const count = block && countByHandle(block).get(id)
    if (count !== undefined) counts[text] = count
  }
  const after = {...(before ?? newHandle()), block: counts}
  draft.set(HANDLE, handleKey(id), isHandleEmpty(after) ? undefined : after)
  return true
}

function keyOf(block: string): string {
  const cidr: Cidr | undefined = parseCidr(block)
  return cidr ? blockKey(cidr) : block
}

/**
 * The list of free ordinals that BLOCK should have: its own, if that names each of them once, else without the wrong ones and with the missing ones.
 * A block with fields that we do not know may keep addresses back on purpose (operator-demand R9): there the missing ones stay so.
 */
export function expectedUnallocated(block: Block): readonly number[] | null | undefined {
  const {allocations, unallocated} = block
  const listed = new Set((unallocated ?? []).filter((ordinal) => allocations[ordinal] === null))
  const missing = hasUnknownFields(block) ? [] : allocations.flatMap((index, ordinal) => (index === null && !listed.has(ordinal) ? ordinal : []))
  return missing.length === 0 && listed.size === (unallocated ?? []).length ? unallocated : [...listed, ...missing]
}
