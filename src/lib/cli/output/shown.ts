import type {Stored} from '../../client/resources.js'
import type {Resource} from '../../model/resource.js'

/** STORED as users see it: with its revision as `resourceVersion`, where Calico's own tools show it (decisions.md 4). */
export function shownResource<R extends Resource>({kv, resource}: Stored<R>): R {
  const {name, generateName, namespace, uid, resourceVersion: _, ...rest} = resource.metadata
  const metadata = {
    name,
    ...(generateName !== undefined && {generateName}),
    ...(namespace !== undefined && {namespace}),
    ...(uid !== undefined && {uid}),
    resourceVersion: kv.modRevision.toString(),
    ...rest,
  }
  return {...resource, metadata}
}
