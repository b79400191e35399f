/** Releasing addresses of several blocks: one guarded step for each block, and a truthful account where it stops half-way. */
import {append} from '../append.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {type Address, formatAddress} from '../net/index.js'
import {assignedInRange} from './assigned-in-range.js'
import {type Held, refuseHeld} from './held.js'
import {StepError} from './queue.js'
import {type AddressRelease, type OnHeld, releaseAddresses, type Released} from './release-addresses.js'

/** Blocks that are handed on together: those that fit into one transaction are released in one. */
const BLOCKS_AT_ONCE = 8

/** Released addresses that an error names. */
const MAX_NAMED = 20

/** As releaseAddresses. @throws as that; CalicoError `unknown` if it fails when some are released already, naming them */
export const releaseMany = (session: Session, releases: readonly AddressRelease[], onHeld: OnHeld): Promise<Released> => releaseInTurn(session, [releases], onHeld)

/** Releases what is assigned from FIRST to LAST. What others assign there meanwhile is not looked for. @throws as releaseMany */
export async function releaseRange(session: Session, first: Address, last: Address, onHeld: OnHeld): Promise<Released> {
  const blocks = await assignedInRange(session, first, last)
  // All or nothing of them: what is not in the first steps would be found too late.
  if (onHeld === 'refuse') await refuseHeld(session, blocks.flat())
  const batches = Array.from({length: Math.ceil(blocks.length / BLOCKS_AT_ONCE)}, (_, i) => blocks.slice(i * BLOCKS_AT_ONCE, (i + 1) * BLOCKS_AT_ONCE).flat())
  return releaseInTurn(session, batches.map((addresses) => addresses.map((address) => ({address}))), onHeld)
}

async function releaseInTurn(session: Session, batches: readonly (readonly AddressRelease[])[], onHeld: OnHeld): Promise<Released> {
  const released: Address[] = []
  const unassigned: Address[] = []
  const held: Held[] = []
  for (const batch of batches) {
    try {
      const done = await releaseAddresses(session, batch, {onHeld})
      append(released, done.released)
      append(unassigned, done.unassigned)
      append(held, done.held)
    } catch (error) {
      throw partlyDone(error, [...released, ...(error instanceof StepError ? (error.outcome as Released).released : [])])
    }
  }
  return {released, unassigned, held}
}

function partlyDone(error: unknown, released: readonly Address[]): unknown {
  if (!(error instanceof CalicoError) || released.length === 0) return error
  const named = released.slice(0, MAX_NAMED).map(formatAddress).join(', ')
  const more = released.length > MAX_NAMED ? ` and ${released.length - MAX_NAMED} more` : ''
  return new CalicoError('unknown', error.message, {details: [...error.details, `Released before that, and free: ${named}${more}`], hint: error.hint ?? 'To release the rest, run the command again.', cause: error})
}
