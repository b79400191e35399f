/** Those who assign and release addresses on several nodes; each actor is a process that may have several calls under way at once. */
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {assignedAddresses, autoAssign, type Assignment} from '../../../src/lib/ipam/auto-assign.js'
import {releaseHostAffinities} from '../../../src/lib/client/affinities.js'
import {claimAffinity} from '../../../src/lib/ipam/claims.js'
import {releaseAddresses, releaseByHandle} from '../../../src/lib/ipam/release-addresses.js'
import {runCheck} from '../../../src/lib/ipam/run-check.js'
import {addPools} from '../../../src/lib/client/pools.js'
import type {Session} from '../../../src/lib/client/session.js'
import type {State} from '../../../src/lib/datastore/embedded/state.js'
import {type Address, formatAddress, parseAddress} from '../../../src/lib/net/index.js'
import {createObject} from '../../support/ipam.js'
import type {Actor, Command, World} from '../simulation.js'
import {addressNeeds, ownersIn, unsoundIn} from './ipam-state.js'
import {cidrOf} from './stored.js'

const NODES = ['n1', 'n2', 'n3']

/** Small: blocks are full soon, and are borrowed, given back and taken again. */
const POOL = '10.0.0.0/27'

export const addresses: World = {
  name: 'addresses',
  actors: 4,
  commands: 4,
  make: ({store}) => {
    /** What each handle has been told to have, and nobody was asked to release since. */
    const told = new Map<string, Set<string>>()
    /** Handles of calls that failed, and so have nothing. */
    const failed = new Set<string>()
    /** Handles of which nobody knows: the answer was lost, or the actor died. */
    const open = new Set<string>()

    async function assign(actor: Actor, session: Session, handle: string): Promise<string[]> {
      const {random} = actor
      const node = random.pick(NODES)
      const request = {node, handle, attributes: {node}}
      const single = random.chance(0.3) ? parseAddress(`10.0.0.${random.below(32)}`) : undefined
      const count = 1 + random.below(3)
      open.add(handle)
      const given = await actor.command<Address[]>(
        single ? `assign ${formatAddress(single)} for ${handle} on ${node}` : `assign ${count} for ${handle} on ${node}`,
        {may: [`+ ${handle}`], untrue: (command) => untrueOfAssignment(command, handle)},
        async () => {
          if (single) {
            await assignAddress(session, {...request, address: single})
            return [single]
          }
          const assignment: Assignment = await autoAssign(session, {...request, ipv4: count})
          if (assignment.error && assignedAddresses(assignment).length === 0) throw assignment.error
          return assignedAddresses(assignment)
        },
      )
      return (given ?? []).map(formatAddress)
    }

    function untrueOfAssignment({said}: Command<Address[]>, handle: string): string[] {
      if (said === undefined) return []
      if ('failed' in said) {
        if (said.failed.kind === 'unknown') return []
        open.delete(handle)
        failed.add(handle)
        return [...ownersIn(store.state)].some(([, owner]) => owner === handle) ? [`it failed with ${said.failed.kind}, "${said.failed.message}", and ${handle} has addresses`] : []
      }
      open.delete(handle)
      const given = said.done.map(formatAddress)
      told.set(handle, new Set(given))
      const owners = ownersIn(store.state)
      return given.filter((address) => owners.get(address) !== handle).map((address) => `${address} was given to ${handle}, and ${owners.get(address) ?? 'nobody'} has it`)
    }

    async function release(actor: Actor, session: Session, handle: string, given: readonly string[]): Promise<void> {
      told.delete(handle)
      open.add(handle)
      const addressesOf = given.flatMap((text) => parseAddress(text) ?? [])
      const isByHandle = actor.random.chance(0.5)
      await actor.command(
        isByHandle ? `release all of ${handle}` : `release ${given.join(', ')} of ${handle}`,
        {
          may: [`- ${handle}`],
          untrue: ({said}) => {
            if (said === undefined || 'failed' in said) return []
            open.delete(handle)
            failed.add(handle)
            const owners = ownersIn(store.state)
            return given.filter((address) => owners.get(address) === handle).map((address) => `${address} was released, and ${handle} has it still`)
          },
        },
        () => (isByHandle ? releaseByHandle(session, handle) : releaseAddresses(session, addressesOf.map((address) => ({address, handle})))),
      )
    }

    async function step(actor: Actor, session: Session, handle: string, mine: Map<string, string[]>): Promise<void> {
      const {random} = actor
      const chosen = random.below(8)
      const [own] = [...mine]
      if (chosen < 2 && own) {
        mine.delete(own[0])
        await release(actor, session, ...own)
      } else if (chosen === 2) {
        const node = random.pick(NODES)
        await actor.command(`release the blocks of ${node}`, {}, () => releaseHostAffinities(session, node))
      } else if (chosen === 3) {
        const node = random.pick(NODES)
        await actor.command(`claim a block for ${node}`, {}, () => claimAffinity(session, cidrOf(`10.0.0.${random.below(8) * 4}/30`), node))
      } else {
        const given = await assign(actor, session, handle)
        if (given.length > 0) mine.set(handle, given)
      }
    }

    /** Each address that was told to somebody is that one's, whatever others do. */
    function wrong(state: State): string[] {
      const owners = ownersIn(state)
      const lost = [...told].flatMap(([handle, given]) => [...given].filter((address) => owners.get(address) !== handle).map((address) => `${address} is ${handle}'s, and ${owners.get(address) ?? 'nobody'} has it`))
      return [...unsoundIn(state), ...lost]
    }

    return {
      async setUp(session) {
        for (const node of NODES) await createObject(session, 'Node', node, {})
        await addPools(session, [cidrOf(POOL)], {blockSize: 30})
      },
      async act(actor, commands) {
        const session = actor.session()
        const mine = new Map<string, string[]>()
        for (let i = 0; i < commands; i++) {
          const calls = actor.random.chance(0.3) ? 2 : 1
          await Promise.all(Array.from({length: calls}, (_, call) => step(actor, session, `h${actor.number}-${i}-${call}`, mine)))
          if (actor.random.chance(0.3)) await actor.sleep(actor.random.next() * 100)
        }
      },
      needs: addressNeeds,
      wrong,
      async end(session) {
        const left = [...ownersIn(store.state)].filter(([, handle]) => failed.has(handle) && !open.has(handle)).map(([address, handle]) => `${address} is assigned to ${handle}, whose call failed or which was released`)
        const {findings} = await runCheck(session, {repair: false, graceMs: 0, holders: []})
        // Nothing but handles has these addresses.
        return [...left, ...findings.filter(({class: kind}) => kind !== 'leaked-address').map(({class: kind, subject, message}) => `ipam check finds ${kind}: ${subject} ${message}`)]
      },
    }
  },
}
