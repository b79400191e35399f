/** export: the cluster as text. */
import {rank} from '../../client/portions.js'
import {BUILT_IN} from '../../client/profiles.js'
import {listResources} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {stringifyYaml} from '../../json/yaml.js'
import {findKind} from '../../model/kinds.js'
import {KIND_NAMES, type KindName, type Resource} from '../../model/resource.js'

/** The kinds that WORDS name, all of them if there are none, in the order in which they need each other; the words that name none. */
export function kindsToExport(words: readonly string[]): {kinds: readonly KindName[]; unknown: readonly string[]} {
  const named = words.map((word) => findKind(word)?.kind)
  const unknown = words.filter((_, at) => named[at] === undefined || named[at] === 'ClusterInformation')
  const kinds = KIND_NAMES.filter((kind) => kind !== 'ClusterInformation' && (words.length === 0 || named.includes(kind)))
  return {kinds: [...kinds].sort((a, b) => rank(a) - rank(b)), unknown}
}

/** Characters that are written together. */
const PIECE = 64 * 1024

/** All objects of KINDS as YAML documents, in pieces of some size, page by page. */
export async function* exported(session: Session, kinds: readonly KindName[]): AsyncGenerator<string> {
  let piece = ''
  for (const kind of kinds) {
    for await (const {resource} of listResources(session, kind)) {
      if (kind === 'Profile' && resource.metadata.name === BUILT_IN) continue
      piece += `---\n${await stringifyYaml(withoutStore(resource))}`
      if (piece.length < PIECE) continue
      yield piece
      piece = ''
    }
  }
  if (piece !== '') yield piece
}

/** RESOURCE without what the datastore and Calico's components add. */
export function withoutStore({kind, apiVersion, metadata, spec, status: _, ...rest}: Resource): unknown {
  const {uid: _uid, creationTimestamp: _time, resourceVersion: _version, ...kept} = metadata
  return {apiVersion, kind, metadata: kept, spec, ...rest}
}
