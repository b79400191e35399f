/** A node that is named on the line must be one that the store has something of: a slip of the hand must not pass for a node without anything. */
import {isKnownNode, knownNodes} from '../client/known-nodes.js'
import {namesOfThisHost, nodeNameInputs} from '../client/node-name.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {nodeName} from '../model/names.js'
import {nearestFew} from '../cli/suggest.js'

/** Names that an error shows. */
const MAX_NAMED = 5

/**
 * Makes sure that the store has something of the node that is called TYPED on the line: a Node, settings, peers, blocks or endpoints. This host's
 * node needs nothing: its settings may be made before its first `node`.
 * @throws CalicoError `not-found` with the nearest names; `invalid` for what cannot be a node's name
 */
export async function requireKnownNode(session: Session, typed: string): Promise<void> {
  const name = nodeName(typed)
  if (!namesOfThisHost(nodeNameInputs()).includes(name)) await requireStoredNode(session, name)
}

/** As {@link requireKnownNode}, for NAME as stored, whichever host it is. */
export async function requireStoredNode(session: Session, name: string): Promise<void> {
  if (await isKnownNode(session, name)) return
  throw new CalicoError('not-found', `Node ${name} does not exist: the datastore has no Node, settings, peers, blocks or endpoints of it`, {hint: await nodesHint(session, name)})
}

/** Which nodes there are instead of NAME: the nearest names, or, where none is near, some of all. */
export async function nodesHint(session: Session, name: string): Promise<string> {
  const all = [...(await knownNodes(session))].sort()
  const near = nearestFew(name, all, MAX_NAMED)
  const listed = all.length <= MAX_NAMED ? all.join(', ') : `${all.slice(0, MAX_NAMED).join(', ')} and ${all.length - MAX_NAMED} more`
  if (near.length > 0) return `Did you mean ${near.join(', ')}?`
  return all.length > 0 ? `The nodes in the datastore: ${listed}.` : 'There are no nodes in the datastore.'
}
