/** Reading the journal. What is torn, or not ours, is skipped. */
import {CalicoError} from '../errors.js'
import {generations} from '../files/append.js'
import {fileReason, readTextFile} from '../files/read.js'
import {textFromDifference} from '../text-difference.js'
import {KEPT} from './place.js'

/** What happened to one key; undefined = it did not exist. */
export interface KeyChange {
  readonly key: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/** A line of a batch. */
export interface PartLine {
  /** Counted from 1. */
  readonly line: number
  /** As oclif has it. */
  readonly command: string
  readonly words: readonly string[]
}

/** One transaction of a command. */
export interface Part {
  /** The lines of a batch that made it: one, or with --atomic all that changed something. */
  readonly of: readonly PartLine[]
  /** The answer was lost, or the process was killed before it came: it was executed or not. */
  readonly unknown: boolean
  readonly cluster: string | undefined
  readonly revision: string
  readonly changes: readonly KeyChange[]
}

/** One command that changed something. */
export interface Entry {
  readonly id: string
  /** ISO 8601, UTC. */
  readonly time: string
  readonly user: string
  /** Who has called sudo. */
  readonly sudoUser: string | undefined
  readonly host: string
  /** As oclif has it: `profile:add`. */
  readonly command: string
  readonly words: readonly string[]
  readonly parts: readonly Part[]
  /** Undefined: the command has not ended, or was killed. */
  readonly exitCode: number | undefined
  /** How it ended if it was to be confirmed. */
  readonly confirmation: Confirmation | undefined
}

const CONFIRMATIONS = ['confirmed', 'undone', 'failed'] as const
export type Confirmation = (typeof CONFIRMATIONS)[number]

/** As they are written; they go on to scripts by -o name. */
const ID = /^[a-z0-9]{1,32}$/

const REVISION = /^[0-9]{1,19}$/

/** The largest file that is read; a longer text is none for Node. */
const LARGEST_FILE = 500 * 1024 * 1024

/**
 * The entries of the journal at PATH with those of the files before it, newest first; none where there is no file.
 * @param skipped is called with the number of lines that are none of a journal, if there are any
 * @throws CalicoError `failed` if a file cannot be read
 */
export function readJournal(path: string, skipped?: (lines: number) => void): Entry[] {
  return parseJournal(generations(path, KEPT).toReversed().map(textOf), skipped)
}

function textOf(path: string): string {
  try {
    return readTextFile(path, {largest: LARGEST_FILE})
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw new CalicoError('failed', `The journal ${path} cannot be read: ${fileReason(error)}`, {cause: error})
  }
}

type Draft = {-readonly [K in keyof Entry]: Entry[K]} & {
  readonly stored: StoredPart[]
  /** By the part's number: the revision at which it was executed; null if it was not. */
  readonly outcomes: Map<unknown, string | null>
}

/** The entries in TEXTS, the oldest file first; newest entry first. SKIPPED as readJournal() has it. */
export function parseJournal(texts: readonly string[], skipped?: (lines: number) => void): Entry[] {
  const entries = new Map<string, Draft>()
  let unread = 0
  for (const line of texts.flatMap((text) => text.split('\n'))) {
    if (line === '') continue
    const read = parseLine(line)
    if (!read) {
      unread++
      continue
    }
    const {id, begin, part, made, exitCode, confirmation} = read
    if (begin) entries.set(id, {id, ...begin, parts: [], stored: [], outcomes: new Map(), exitCode: undefined, confirmation: undefined})
    const entry = entries.get(id)
    // The beginning may be in a file that is gone: what is left of such an entry cannot be reverted as a whole.
    if (!entry) continue
    if (part) entry.stored.push(part)
    if (made) entry.outcomes.set(made.part, made.revision)
    if (exitCode !== undefined) entry.exitCode = exitCode
    if (confirmation !== undefined) entry.confirmation = confirmation
  }
  if (unread > 0) skipped?.(unread)
  // A command none of whose transactions was executed has changed nothing.
  return [...entries.values()].reverse().map(({stored, outcomes, ...entry}) => ({...entry, parts: partsOf(stored, outcomes)})).filter(({parts}) => parts.length > 0)
}

type StoredPart = Omit<Part, 'changes'> & {readonly part: unknown; readonly changes: readonly unknown[]}

interface Line {
  readonly id: string
  readonly begin: Omit<Entry, 'id' | 'parts' | 'exitCode' | 'confirmation'> | undefined
  readonly part: StoredPart | undefined
  readonly made: {readonly part: unknown; readonly revision: string | null} | undefined
  readonly exitCode: number | undefined
  readonly confirmation: Confirmation | undefined
}

function parseLine(line: string): Line | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isObject(value) || value.v !== 1 || typeof value.id !== 'string' || !ID.test(value.id)) return undefined
  const {id, begin, end, of, revision, part, unknown, made, changes, cluster, confirmation} = value
  return {
    id,
    begin: isObject(begin) ? beginOf(begin) : undefined,
    part: typeof revision === 'string' && REVISION.test(revision) && Array.isArray(changes) ? {of: (Array.isArray(of) ? of : [of]).flatMap(lineOf), unknown: unknown === true, cluster: textIn(cluster), revision, part, changes} : undefined,
    made: made === null || (typeof made === 'string' && REVISION.test(made)) ? {part, revision: made} : undefined,
    exitCode: isObject(end) && typeof end.exitCode === 'number' ? end.exitCode : undefined,
    confirmation: isObject(confirmation) ? CONFIRMATIONS.find((outcome) => outcome === confirmation.outcome) : undefined,
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const beginOf = ({time, user, sudoUser, host, command, words}: Record<string, unknown>): Line['begin'] => ({
  time: textIn(time) ?? '',
  user: textIn(user) ?? '',
  sudoUser: textIn(sudoUser),
  host: textIn(host) ?? '',
  command: textIn(command) ?? '',
  words: wordsIn(words),
})

const wordsIn = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))) : [])

function lineOf(value: unknown): PartLine | [] {
  if (!isObject(value)) return []
  const {line, command, words} = value
  return typeof line === 'number' && Number.isSafeInteger(line) ? {line, command: textIn(command) ?? '', words: wordsIn(words)} : []
}

/** What an entry's parts left of each key, by their numbers. */
type Left = Map<unknown, Map<string, string>>

/** Those of STORED that were executed, or may have been, with their values. */
function partsOf(stored: readonly StoredPart[], outcomes: ReadonlyMap<unknown, string | null>): Part[] {
  const left: Left = new Map()
  return stored.flatMap(({part, changes: texts, ...rest}) => {
    const own = new Map<string, string>()
    const changes = texts.flatMap((text) => changeOf(text, left))
    for (const {key, after} of changes) if (after !== undefined) own.set(key, after)
    left.set(part, own)
    const made = outcomes.get(part)
    return made === null ? [] : [{...rest, changes, ...(made !== undefined && {revision: made, unknown: false})}]
  })
}

/** None for what is no change, and for an edit of a value that is not there: its line was torn. Undo then finds another value than it expects. */
function changeOf(value: unknown, left: Left): KeyChange | [] {
  if (!isObject(value) || typeof value.key !== 'string') return []
  const {key, edit, of} = value
  if (!Array.isArray(edit)) return {key, before: textIn(value.before), after: textIn(value.after)}
  const before = left.get(of)?.get(key)
  const after = before === undefined ? undefined : textFromDifference(edit, before)
  return after === undefined ? [] : {key, before, after}
}

/** What ENTRY has made of each key, from before its first to after its last write; keys that ended as they were are left out. */
export function netChanges({parts}: {readonly parts: readonly Pick<Part, 'changes'>[]}): KeyChange[] {
  const net = new Map<string, KeyChange>()
  for (const change of parts.flatMap(({changes}) => changes)) {
    const first = net.get(change.key)
    net.set(change.key, first ? {...change, before: first.before} : change)
  }
  return [...net.values()].filter(({before, after}) => before !== after)
}
