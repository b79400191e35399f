/** Resources on a draft of IPAM, so that an endpoint, its profiles and its addresses change in one guarded transaction. */
import {tryParse} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {Codec} from '../ipam/draft.js'
import {stringifyJson} from '../json/json.js'
import type {KindName, Resource} from '../model/resource.js'

/** How objects of KIND are read and written on a draft; one that cannot be read is null, and reported. */
export const resourceCodec = <R extends Resource>(session: Session, kind: KindName): Codec<R | null> => ({
  parse: (kv) => tryParse<R>(session, kind, kv)?.resource ?? null,
  encode: (resource) => stringifyJson(resource),
})
