/** The Node that addresses are assigned for: its labels choose the pools (datamodel-v3 §4.1). */
import {CalicoError} from '../errors.js'
import {resourceKey} from '../model/keys.js'
import {API_VERSION} from '../model/resource.js'
import type {Node} from '../model/types.js'
import {prepareChange} from '../client/resources.js'
import {nodeCodec} from './codecs.js'
import type {Draft} from './draft.js'
import type {Labels} from './pool.js'

/**
 * The labels of node NAME. With CREATE, a Node that does not exist is created, without anything but its name.
 * @throws CalicoError `not-found`; `invalid` for one that cannot be read
 */
export async function requireNode(draft: Draft, name: string, {create}: {create: boolean}): Promise<{labels: Labels; created: boolean}> {
  const key = resourceKey('Node', name)
  const codec = nodeCodec(draft.session)
  const stored = await draft.get(codec, key)
  draft.restOn(key)
  if (stored === null) throw new CalicoError('invalid', `The stored value of node ${name} cannot be read`)
  if (stored) return {labels: stored.metadata.labels ?? {}, created: false}
  if (!create) {
    throw new CalicoError('not-found', `Node ${name} does not exist, so its pools cannot be determined`, {hint: 'To create it, run on that host: calicoctl node'})
  }
  const node: Node = {kind: 'Node', apiVersion: API_VERSION, metadata: {name}, spec: {}}
  const {after} = prepareChange<Node>({kind: 'Node', name}, undefined, node).change
  draft.set(codec, key, after)
  return {labels: {}, created: true}
}
