/** `get -f`: the stored objects that files name. */
import {getResource, type Stored} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {CalicoError} from '../../errors.js'
import {type KindInfo, KINDS} from '../../model/kinds.js'
import type {KindName} from '../../model/resource.js'
import {shownResource} from '../../cli/output/shown.js'
import {checkPast, exported} from '../get-selection.js'
import {loadFiles} from './options.js'

export interface FoundObjects {
  /** By kind, in the order in which the kinds come first in the files. */
  readonly groups: readonly {readonly info: KindInfo; readonly found: readonly Stored[]}[]
  /** For -o json and yaml: one object as itself, several as a list, in the order of the files. */
  readonly document: unknown
  readonly number: number
  /** To be thrown once the others are shown. */
  readonly missing: CalicoError | undefined
}

/** The objects that the files of FLAGS name, each at the resourceVersion that its file has. @throws CalicoError `invalid` with all problems of the files */
export async function findInFiles(session: () => Promise<Session>, flags: Parameters<typeof loadFiles>[0] & {readonly export: boolean}): Promise<FoundObjects> {
  const {objects} = await loadFiles(flags, {judge: false})
  const found: Stored[] = []
  const missing: string[] = []
  for (const {place, resourceVersion, label} of objects) {
    const stored = await getResource(await session(), place, resourceVersion === undefined ? undefined : await readable(await session(), label, resourceVersion))
    if (stored) found.push(stored)
    else missing.push(resourceVersion === undefined ? label : `${label} at revision ${resourceVersion}`)
  }
  const kinds = [...new Set(found.map(({resource}) => resource.kind))]
  const documents = found.map((stored) => (flags.export ? exported(shownResource(stored)) : shownResource(stored)))
  return {
    groups: kinds.map((kind) => ({info: KINDS[kind as KindName], found: found.filter(({resource}) => resource.kind === kind)})),
    document: objects.length === 1 ? documents[0] : documents,
    number: found.length,
    missing: missing.length === 0 ? undefined : new CalicoError('not-found', missing.length === 1 ? `There is no ${missing[0] ?? ''}.` : `${missing.length} objects do not exist:`, {details: missing.length === 1 ? [] : missing}),
  }
}

/** The revision that TEXT, a resourceVersion of LABEL's file, is. */
async function readable(session: Session, label: string, text: string): Promise<bigint> {
  if (!/^[1-9]\d{0,18}$/.test(text)) throw new CalicoError('invalid', `${label}: metadata.resourceVersion: '${text}' is not a revision`)
  await checkPast(session, BigInt(text))
  return BigInt(text)
}

