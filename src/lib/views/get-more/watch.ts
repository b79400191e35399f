/** `get --watch`: the objects that there are, then every change of them, until it is interrupted. */
import {append} from '../../append.js'
import {listResources, type Stored, tryParse} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import type {Change, Revision} from '../../datastore/datastore.js'
import {CompactedError} from '../../datastore/errors.js'
import {stringifyJson} from '../../json/json.js'
import {stringifyYaml} from '../../json/yaml.js'
import {displayName} from '../../model/display-name.js'
import {kindPrefix, resourceKey} from '../../model/keys.js'
import type {KindInfo} from '../../model/kinds.js'
import {evaluate, type Selector} from '../../model/selector/index.js'
import {escapeJson, escapeText} from '../../printable.js'
import type {Column, OutputFormat} from '../../cli/output/presentation.js'
import {isSafeName} from '../../cli/output/safe-name.js'
import {shownResource} from '../../cli/output/shown.js'
import {exported} from '../get-selection.js'
import {findName} from '../get.js'
import {bareLines, cellsOf, widthsOf} from './bare.js'

export interface Event {
  readonly event: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** Of a deletion: as it was before. */
  readonly stored: Stored
}

export interface Watched {
  readonly names: readonly string[]
  /** Undefined = of all namespaces. */
  readonly namespace: string | undefined
  readonly selector?: Selector | undefined
}

/**
 * The objects of the kind INFO that are WANTED, as ADDED, then what becomes of them, in batches, until SIGNAL aborts. An object that the selector does not
 * match any more is DELETED. Where the datastore has compacted what happened, the objects are listed again and what differs is reported.
 */
export async function* watchResources(session: Session, info: KindInfo, {names, namespace, selector}: Watched, signal: AbortSignal): AsyncGenerator<readonly Event[]> {
  const {kind, namespaced} = info
  const under = namespaced && namespace !== undefined ? `${namespace}/` : ''
  const stored = await Promise.all(names.map((name) => findName(session, info, name)))
  const keys = names.length === 0 ? undefined : new Set(stored.map((name) => resourceKey(kind, name, namespaced ? (namespace ?? 'default') : undefined)))
  const known = new Map<string, Stored>()
  const isWanted = ({kv, resource}: Stored): boolean => (keys === undefined || keys.has(kv.key)) && (selector === undefined || evaluate(selector, resource.metadata.labels ?? {}))

  /** What STORED, as it is now, is to those who have seen what was before. */
  function seen(stored: Stored): Event[] {
    const before = known.get(stored.kv.key)
    if (!isWanted(stored)) return gone(stored.kv.key)
    if (before?.kv.modRevision === stored.kv.modRevision) return []
    known.set(stored.kv.key, stored)
    return [{event: before ? 'MODIFIED' : 'ADDED', stored}]
  }
  function gone(key: string): Event[] {
    const before = known.get(key)
    known.delete(key)
    return before ? [{event: 'DELETED', stored: before}] : []
  }
  function happened({key, kv}: Change): Event[] {
    if (kv === undefined) return gone(key)
    const stored = tryParse(session, kind, kv)
    return stored ? seen(stored) : []
  }
  /** What is there now, compared with what was known. */
  async function look(): Promise<{events: Event[]; revision: Revision}> {
    let revision = 0n
    const events: Event[] = []
    const found = new Set<string>()
    for await (const stored of listResources(session, kind, {under, at: (read) => (revision = read)})) {
      found.add(stored.kv.key)
      for (const event of seen(stored)) events.push(event)
    }
    for (const key of [...known.keys()]) if (!found.has(key)) append(events, gone(key))
    return {events, revision}
  }

  while (!signal.aborted) {
    const {events, revision} = await look()
    yield events
    try {
      for await (const batch of session.store.watch(kindPrefix(kind) + under, revision + 1n, signal)) {
        const changes = batch.flatMap(happened)
        if (changes.length > 0) yield changes
      }
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error
      session.warn('The datastore was compacted before all changes were read: all objects are read again, and changes in between may be missing.')
    }
  }
}

/** How EVENTS are printed, batch by batch. WITHEXPORT as --export. */
export function eventPrinter(columns: readonly Column<Stored>[], format: OutputFormat, withExport: boolean): (events: readonly Event[]) => Promise<string> {
  let widths: number[] | undefined
  const object = (stored: Stored): unknown => (withExport ? exported(shownResource(stored)) : shownResource(stored))
  const shown = columns.filter(({wide}) => !wide || format !== 'table')
  return async (events) => {
    if (format === 'json') return events.map(({event, stored}) => `${escapeJson(stringifyJson({event, object: object(stored)}))}\n`).join('')
    if (format === 'yaml') return (await Promise.all(events.map(async ({event, stored}) => `---\n${await stringifyYaml({event, object: object(stored)})}`))).join('')
    if (format === 'name') return events.map(({stored: {resource}}) => displayName(resource.metadata).name).filter(isSafeName).map((name) => `${escapeText(name)}\n`).join('')
    const rows = events.map(({event, stored}) => [event, ...cellsOf(shown, stored)])
    if (format === 'plain') return rows.map((row) => `${row.join('\t')}\n`).join('')
    const first = widths === undefined ? [['EVENT', ...shown.map(({header}) => header)]] : []
    widths ??= widthsOf([['MODIFIED', ...first[0]?.slice(1) ?? []], ...rows])
    return bareLines([...first, ...rows], widths).map((line) => `${line}\n`).join('')
  }
}
