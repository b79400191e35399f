/** What decides about flows, read from a datastore at one revision. */
import {kindPrefix} from '../model/keys.js'
import {type Entry, loadWorld, POLICY_KINDS} from '../policy/load.js'
import type {World} from '../policy/world.js'
import {read} from './resources.js'
import type {Session} from './session.js'
import {listPages} from './snapshot.js'

/** All objects of the store that decide about flows. @throws CalicoError if the store cannot be read or is not Calico's */
export async function readPolicyEntries(session: Session): Promise<Entry[]> {
  const {revision} = await read(session, [])
  const lists = await Promise.all(POLICY_KINDS.map((kind) => all(session, kindPrefix(kind), revision)))
  return lists.flat()
}

async function all(session: Session, prefix: string, revision: bigint): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const page of listPages(session, prefix, {revision})) for (const {key, value} of page.entries) entries.push({key, value})
  return entries
}

/** The store with Felix's eyes. */
export const readWorld = async (session: Session): Promise<World> => loadWorld(await readPolicyEntries(session))
