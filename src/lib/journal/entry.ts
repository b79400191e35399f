/**
 * Writing the journal (design-whole.md §4). One entry is one command. Its lines in the file: the first has what the command is and its first transaction,
 * each further transaction has one, and the last says how the command ended; so what a killed command has done is there as far as it came.
 * A transaction is written before it is sent, as one whose outcome is unknown; a line with its part's number says what became of it. Where that is missing,
 * because the process was killed or the host lost its power, whoever asks finds it in the datastore (undo.ts). A program that knows no such lines takes each part
 * for one whose answer was lost, and does the same.
 * Of a key that the command has written before, `edit` tells the value by the one that the part with that number left: a thousand edits of one object
 * would otherwise fill the journal with as many copies of it.
 */
import {hostname, userInfo} from 'node:os'
import {dirname} from 'node:path'
import type {Outcome, Recorder, Written} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {appendFlushed, appendFlushing, appendLines, rotateFile} from '../files/append.js'
import {makeFolder, PRIVATE_FOLDER} from '../files/folder.js'
import {fileReason} from '../files/read.js'
import {redactWords} from '../redact.js'
import {textDifference} from '../text-difference.js'
import {journalPath, KEPT} from './place.js'
import type {Confirmation} from './read.js'

/** Bytes of a journal file; an entry that is larger stands alone in one. */
const LARGEST = 10 * 1024 * 1024

/** How long lines of a command may be kept from the disk, where it makes many changes in a short time. */
const FLUSH_MS = 100

/** Others must not read what a cluster's objects say. */
const PRIVATE_FILE = 0o600

/** Who changes something, and with which words. */
export interface Command {
  /** As oclif has it: `profile:add`. */
  readonly id: string
  /** The command line without the program's name. Secrets in it are not written. */
  readonly words: readonly string[]
  /** Is called once, with why the journal cannot be written. */
  readonly warn: (message: string) => void
}

/** A line of a batch that has made a transaction, or its part of one. */
export interface EntryLine {
  /** Counted from 1. */
  readonly line: number
  /** As oclif has it. */
  readonly id: string
  readonly words: readonly string[]
}

export interface JournalEntry {
  readonly id: string
  /** The command line without secrets. */
  readonly words: readonly string[]
  /** Whether anything has been written, or may have been. */
  readonly begun: boolean
  /** From now on, a change that cannot be written to the journal is refused. @throws CalicoError `refused` if there is no journal, or it cannot be written */
  insist(): void
  /**
   * Adds a transaction that is about to be sent, which LINES of a batch make; what it returns is called with the outcome.
   * Never fails, for a journal that cannot be written is a warning. @throws CalicoError `refused` after insist()
   */
  add(written: Written, lines?: readonly EntryLine[]): ReturnType<Recorder>
  /** Ends the entry with the command's exit code. Only the first end counts. */
  end(exitCode: number): void
}

export interface EntryOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Bytes at which the file is rotated. */
  readonly largest?: number
}

/** A new entry for COMMAND; nothing is written before the first transaction. */
export function newEntry(command: Command, {env = process.env, largest = LARGEST}: EntryOptions = {}): JournalEntry {
  const path = journalPath(env)
  const id = newId()
  const words = redactWords(command.words)
  if (path === undefined) return {id, words, begun: false, insist: () => refuseWithout('CALICOCTL_JOURNAL is off'), add: () => Promise.resolve(() => Promise.resolve()), end: () => undefined}
  let insists = false
  let begun = false
  /** Transactions that were executed, or may have been. */
  let possible = 0
  let ended = false
  let broken = false
  /** Bytes of this entry in the present file. */
  let own = 0
  let parts = 0
  /** What the entry says last of each key, and in which part. */
  const last = new Map<string, {readonly part: number; readonly value: string}>()

  /** Ends when what was last given to the disk is there. */
  let flushed: Promise<void> = Promise.resolve()
  let flushedAt = -Infinity
  /** Something has been written since. */
  let dirty = false

  const fail = (error: unknown, missing: string): void => {
    if (!broken) command.warn(`${whyNot(path, error)}. ${missing}`)
    broken = true
  }
  const textOf = (line: object): Buffer => Buffer.from(`${JSON.stringify({v: 1, id, ...line})}\n`)
  const keep = (text: Buffer): void => {
    const isDue = insists || performance.now() - flushedAt >= FLUSH_MS
    if (isDue) {
      flushed = appendFlushing(path, text, PRIVATE_FILE)
      flushedAt = performance.now()
    } else appendLines(path, text, PRIVATE_FILE)
    dirty = !isDue
    own += text.length
  }

  /** @returns the number of the part; undefined where it cannot be written */
  const write = async ({writes, revision, cluster}: Written, lines: readonly EntryLine[]): Promise<number | undefined> => {
    if (broken) return undefined
    try {
      const part = parts
      const changes = writes.map(({key, read, value}) => changeText(key, read?.value, value, last.get(key)))
      const [first, ...more] = lines.map(({line, id: command, words}) => ({line, command, words: redactWords(words)}))
      const of = first && (more.length === 0 ? first : [first, ...more])
      const text = textOf({...(!begun && {begin: beginning({...command, words}, env)}), ...(of && {of}), cluster, revision: revision.toString(), part, unknown: true, changes})
      if (!begun) makeFolder(dirname(path), {mode: PRIVATE_FOLDER})
      // What fills a file by itself stays in it, however much comes.
      if (await rotateFile(path, {largest, added: text.length, keep: KEPT, alone: own})) own = 0
      keep(text)
      begun = true
      parts++
      return part
    } catch (error) {
      if (insists) refuseWithout(whyNot(path, error))
      fail(error, 'This change will be missing in `calicoctl history` and cannot be reverted with `calicoctl undo`.')
      return undefined
    }
  }

  const settled = (part: number, writes: Written['writes'], outcome: Outcome): void => {
    for (const {key, value} of outcome === 'not made' ? [] : writes) {
      if (value === undefined) last.delete(key)
      else last.set(key, {part, value})
    }
    if (outcome === 'unknown') return
    try {
      const text = textOf({part, made: outcome === 'not made' ? null : outcome.toString()})
      appendLines(path, text, PRIVATE_FILE)
      own += text.length
    } catch (error) {
      fail(error, 'In `calicoctl history` the outcome of this change will be unknown.')
    }
  }

  /** One transaction after another, whoever waits for them. */
  let queue: Promise<unknown> = Promise.resolve()
  return {
    id,
    words,
    get begun() {
      return possible > 0
    },
    insist() {
      insists = true
      try {
        makeFolder(dirname(path), {mode: PRIVATE_FOLDER})
        appendLines(path, Buffer.alloc(0), PRIVATE_FILE)
      } catch (error) {
        refuseWithout(whyNot(path, error))
      }
    },
    async add(written, lines = []) {
      const turn = queue.then(() => write(written, lines))
      queue = turn.catch(() => undefined)
      const part = await turn
      // What must be in the journal must be there before; else the disk may take as long as the datastore.
      if (insists) await flushed
      possible++
      return async (outcome) => {
        if (outcome === 'not made') possible--
        if (part !== undefined) settled(part, written.writes, outcome)
        await flushed
      }
    },
    end(exitCode) {
      if (!begun || broken || ended) return
      ended = true
      try {
        const append = dirty ? appendFlushed : appendLines
        append(path, textOf({end: {time: new Date().toISOString(), exitCode}}), PRIVATE_FILE)
      } catch (error) {
        fail(error, 'In `calicoctl history` this change will have no exit code.')
      }
    },
  }
}

const whyNot = (path: string, error: unknown): string => `The journal ${path} cannot be written: ${error instanceof CalicoError ? error.message : fileReason(error)}`

/** What became of KEY; by the value that the entry has LAST, where the change begins with that. */
function changeText(key: string, before: string | undefined, after: string | undefined, last: {readonly part: number; readonly value: string} | undefined): object {
  const edit = last !== undefined && before === last.value && after !== undefined ? textDifference(after, before) : undefined
  return Array.isArray(edit) ? {key, of: last?.part, edit} : {key, before: before ?? null, after: after ?? null}
}

const beginning = ({id, words}: Command, env: EntryOptions['env']): object => ({
  time: new Date().toISOString(),
  user: userName(),
  ...(env?.SUDO_USER ? {sudoUser: env.SUDO_USER} : {}),
  host: hostname(),
  pid: process.pid,
  command: id,
  words,
})

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A user id without a name, as containers have.
    return String(process.getuid?.() ?? '')
  }
}

/** What is undone by itself is undone from the journal. */
function refuseWithout(why: string): never {
  throw new CalicoError('refused', `Without the journal, the change could not be rolled back: ${why}; nothing was changed`)
}

/** Notes how the change ID ended that was to be confirmed; where the journal cannot be written, it is not noted. */
export function noteConfirmation(id: string, outcome: Confirmation, env: NodeJS.ProcessEnv = process.env): void {
  const path = journalPath(env)
  if (path === undefined) return
  try {
    appendLines(path, Buffer.from(`${JSON.stringify({v: 1, id, confirmation: {time: new Date().toISOString(), outcome}})}\n`), PRIVATE_FILE)
  } catch {
    // What is in the journal of the change itself is what can be undone.
  }
}

/** The time and three digits by chance: short enough to be typed. */
function newId(): string {
  const chance = Math.floor(Math.random() * 36 ** 3)
  return `${Date.now().toString(36)}${chance.toString(36).padStart(3, '0')}`
}
