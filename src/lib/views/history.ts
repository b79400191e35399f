/** `history` and `undo`: the journal on a terminal. */
import type {Change} from '../datastore/datastore.js'
import type {OwnItem} from '../documents/own.js'
import {CalicoError} from '../errors.js'
import {parseJson} from '../json/json.js'
import type {KindInfo} from '../model/kinds.js'
import {parseKey, resourceKey} from '../model/keys.js'
import {formatCidr, networkOf, parseCidr} from '../net/index.js'
import {isIpam, labelOf, objectOf, wordOf} from '../journal/objects.js'
import {type Confirmation, type Entry, type KeyChange, netChanges, type PartLine, readJournal} from '../journal/read.js'
import {ChangedSinceError, type UndoPlan} from '../journal/undo.js'
import {journalPath} from '../journal/place.js'
import {textDiff} from '../cli/output/diff.js'
import {ownDocument, type Presentation, shortIds} from '../cli/output/presentation.js'
import {indentedJson} from '../cli/output/render.js'
import {whatChanged} from '../cli/output/what-changed.js'
import {storedName} from './get.js'

/** The entries of this user's journal, newest first; NOTE gets a warning if it has lines that are none. @throws CalicoError `refused` if there is none, by CALICOCTL_JOURNAL=off */
export function journal(note?: (line: string) => void): Entry[] {
  const path = journalPath(process.env)
  if (path === undefined) throw new CalicoError('refused', 'There is no journal: CALICOCTL_JOURNAL is off', {hint: 'Unset it, or set it to the journal\'s path.'})
  return readJournal(path, (lines) => note?.(`Warning: ${lines === 1 ? 'A line' : `${lines} lines`} of the journal ${path} cannot be read; ${lines === 1 ? 'it was' : 'they were'} skipped.`))
}

/** The key of the object stored under NAME. */
export const keyOfObject = (info: KindInfo, name: string, namespace: string): string => resourceKey(info.kind, name, info.namespaced ? namespace : undefined)

/** The stored name of the object that ENTRIES know as TYPED, the newest that they have: a pool that is gone is still called by its CIDR. */
export function nameInJournal(info: KindInfo, typed: string, entries: readonly Entry[]): string {
  const cidr = info.kind === 'IPPool' && typed.includes('/') ? parseCidr(typed) : undefined
  if (cidr !== undefined) {
    const wanted = formatCidr(networkOf(cidr))
    for (const {key, before, after} of entries.flatMap(({parts}) => parts.flatMap(({changes}) => changes))) {
      const parsed = parseKey(key)
      if (parsed?.type === 'resource' && parsed.kind === 'IPPool' && objectOf(key, before, after)?.name === wanted) return parsed.name
    }
  }
  return storedName(info, typed)
}

/** A line of the history: an entry of the journal, or a revision that only the datastore knows. */
export interface Row {
  readonly entry: Entry | undefined
  /** Of the last transaction, or of the object's change. */
  readonly revision: string
  readonly changes: readonly KeyChange[]
  /** The lines of a batch that made them. */
  readonly lines: readonly PartLine[]
  /** Whether they were made is not known. */
  readonly unknown: boolean
}

export function entryRow(entry: Entry): Row {
  const lines = new Map(entry.parts.flatMap(({of}) => of.map((line) => [line.line, line])))
  return {entry, revision: entry.parts.at(-1)?.revision ?? '', changes: netChanges(entry), lines: [...lines.values()], unknown: entry.parts.some(({unknown}) => unknown)}
}

/**
 * The changes of KEY, newest first: those in ENTRIES (one line for each transaction), and those that the store knows, KNOWN, whoever made them. A change of
 * CLUSTER that both know is one line, also where only the store knows that it was made; CLUSTER undefined = the store was not asked.
 */
export function objectRows(key: string, entries: readonly Entry[], known: readonly Change[], cluster: string | undefined): Row[] {
  const recorded = entries.flatMap((entry) =>
    entry.parts.flatMap(({revision, changes, unknown, of, cluster: where}) =>
      cluster === undefined || where === cluster ? changes.filter((change) => change.key === key).map((change): Row => ({entry, revision, changes: [change], lines: of, unknown})) : [],
    ),
  )
  const seen = new Set(recorded.flatMap(({revision, unknown}) => (unknown ? [] : revision)))
  const own = recorded.map((row): Row => {
    const made = row.unknown ? known.find(({revision, kv}) => revision > BigInt(row.revision) && kv?.value === row.changes[0]?.after && !seen.has(revision.toString())) : undefined
    if (made === undefined) return row
    seen.add(made.revision.toString())
    return {...row, revision: made.revision.toString(), unknown: false}
  })
  const others = known
    .filter(({revision}) => !seen.has(revision.toString()))
    .map(({revision, kv, previous}): Row => ({entry: undefined, lines: [], unknown: false, revision: revision.toString(), changes: [{key, before: kv?.version === 1n ? undefined : (previous?.value ?? ''), after: kv?.value}]}))
  return [...own, ...others].sort((a, b) => compareRevisions(b.revision, a.revision))
}

const compareRevisions = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)

/** How many objects a cell of the table names. */
const NAMED = 3

/** ROWS to be shown. */
export function presentHistory(rows: readonly Row[]): Presentation<Row> {
  return {
    rows,
    alignment: 'left',
    columns: [
      {header: 'ID', value: ({entry}) => entry?.id ?? '-'},
      {header: 'TIME', value: (row) => timeOf(row), short: (row) => timeOf(row).split('T')},
      {header: 'USER', value: ({entry}) => (entry ? userOf(entry) : '-')},
      {header: 'HOST', value: ({entry}) => entry?.host ?? '-', wide: true},
      {header: 'REVISION', value: ({revision}) => revision, rank: 1},
      {header: 'CLUSTER', value: ({entry}) => entry?.parts[0]?.cluster ?? '', wide: true},
      {header: 'CHANGES', value: ({changes}) => summary(changes), short: ({changes}) => summary(changes).map(shortIds), prose: true},
      {header: 'COMMAND', value: commandText, short: (row) => shortIds(commandText(row)), prose: true},
    ],
    name: ({entry}) => entry?.id ?? '',
    document: (all) => ownDocument('ChangeList', {items: all.map(changeDocument)}),
  }
}

const timeOf = ({entry}: Row): string => entry?.time.replace(/\.[0-9]+Z$/, 'Z') ?? '-'

const commandText = (row: Row): string => (row.entry ? commandOf(row.entry, row) : '-')

const userOf = ({user, sudoUser}: Entry): string => (sudoUser === undefined ? user : `${user} (${sudoUser})`)

const CONFIRMATIONS: Readonly<Record<Confirmation, string>> = {confirmed: 'confirmed', undone: 'not confirmed, rolled back', failed: 'not confirmed, could not be rolled back'}

/** What the command was, and how it ended unless that was well. */
function commandOf({words, exitCode, confirmation}: Entry, {lines, unknown}: Row): string {
  const [first, ...more] = lines
  const of = first === undefined ? '' : more.length === 0 ? `, line ${first.line}: ${first.words.join(' ')}` : `, ${lines.length} lines`
  const end = exitCode === 0 ? [] : [exitCode === undefined ? 'killed, or still running' : `exit code ${exitCode}`]
  const remarks = [...end, ...(unknown ? ['outcome unknown'] : []), ...(confirmation === undefined ? [] : [CONFIRMATIONS[confirmation]])]
  return `${words.join(' ')}${of}${remarks.length === 0 ? '' : ` (${remarks.join(', ')})`}`
}

function summary(changes: readonly KeyChange[]): readonly string[] {
  const objects = changes.filter(({key}) => !isIpam(key))
  const lines = objects.slice(0, objects.length > NAMED + 1 ? NAMED : NAMED + 1).map((change) => `${labelOf(change)} ${wordOf(change)}`)
  const [more, ipam] = [objects.length - lines.length, changes.length - objects.length]
  return [...lines, ...(more === 0 ? [] : [`and ${more} more`]), ...(ipam === 0 ? [] : [`${ipam} ${ipam === 1 ? 'key' : 'keys'} of IPAM`])]
}

function changeDocument({entry, revision, changes, lines, unknown}: Row): OwnItem<'ChangeList'> {
  return {
    ...(entry && {
      id: entry.id,
      time: entry.time,
      user: entry.user,
      ...(entry.sudoUser !== undefined && {sudoUser: entry.sudoUser}),
      host: entry.host,
      command: entry.words,
      ...(entry.exitCode !== undefined && {exitCode: entry.exitCode}),
      ...(entry.confirmation !== undefined && {confirmation: entry.confirmation}),
      ...(entry.parts[0]?.cluster !== undefined && {clusterGUID: entry.parts[0].cluster}),
    }),
    revision,
    ...(lines.length > 0 && {lines: lines.map(({line, words}) => ({line, command: words}))}),
    ...(unknown && {outcome: 'unknown'}),
    changes: changes.map((change) => ({key: change.key, ...objectOf(change.key, change.before, change.after), change: wordOf(change), before: change.before ?? null, after: change.after ?? null})),
  }
}

/** The difference that PLAN would make. */
export const undoDiff = async ({changes}: UndoPlan): Promise<string> =>
  (await Promise.all(changes.map((change) => textDiff(labelOf(change), pretty(change.after), pretty(change.before))))).join('')

/** ERROR with the differences as details, from what the change left to what there is now. */
export async function withDifference(error: ChangedSinceError): Promise<CalicoError> {
  const diffs = await Promise.all(error.objects.map(({change, now}) => textDiff(labelOf(change), pretty(change.after), pretty(now))))
  return new CalicoError('conflict', error.message, {details: diffs.join('').trimEnd().split('\n'), ...(error.hint !== undefined && {hint: error.hint})})
}

/** VALUE, stored JSON, as lines. */
function pretty(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const object = parsed(value)
  return `${typeof object === 'string' ? value : indentedJson(object)}\n`
}

/** What undoing CHANGE makes of its object, for a note: `profile/web deleted`, `profile/web updated (ingress changed)`. */
export function undoneText(change: KeyChange, dryRun: boolean): string {
  const [before, after] = [change.after, change.before]
  const detail = before === undefined || after === undefined ? undefined : whatChanged(parsed(before), parsed(after))
  return `${labelOf(change)} ${dryRun ? 'would be ' : ''}${wordOf({before, after})}${detail === undefined ? '' : ` (${detail})`}`
}

/** The JSON in VALUE; the text itself where it is none. */
function parsed(value: string): unknown {
  try {
    return parseJson(value)
  } catch {
    return value
  }
}
