/**
 * Writing the journal (design-whole.md §4). One entry is one command. Its lines in the file: the first has what the command is and its first transaction,
 * each further transaction has one, and the last tells how the command ended; so what a killed command has done is there as far as it came.
 * Of a key that the command has written before, `edit` tells the value by the one that the part with that number left: a thousand edits of one object
 * would otherwise fill the journal with as many copies of it.
 */
import {hostname, userInfo} from 'node:os'
import {dirname} from 'node:path'
import type {Written} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {appendLines, rotateFile} from '../files/append.js'
import {makeFolder, PRIVATE_FOLDER} from '../files/folder.js'
import {fileReason} from '../files/read.js'
import {isSecretName, redactText, REMOVED} from '../redact.js'
import {textDifference} from '../text-difference.js'
import {journalPath, KEPT} from './place.js'
import type {Confirmation} from './read.js'

/** Bytes of a journal file; an entry that is larger stands alone in one. */
const LARGEST = 10 * 1024 * 1024

/** Others must not read what a cluster's objects say. */
const PRIVATE_FILE = 0o600

/** Who changes something, and with which words. */
export interface Command {
  /** As oclif has it: `profile:add`. */
  readonly id: string
  /** The command line without the program's name. Secrets in it are not written. */
  readonly words: readonly string[]
  /** Is told, once, that the journal cannot be written. */
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
  /** @throws CalicoError `refused` if there is no journal, or it cannot be written */
  checkWritable(): void
  /** Adds a transaction, which LINES of a batch have made. Never fails: a journal that cannot be written is a warning. */
  add(written: Written, lines?: readonly EntryLine[]): Promise<void>
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
  const words = withoutSecrets(command.words)
  if (path === undefined) return {id, words, begun: false, checkWritable: () => refuseWithout('CALICOCTL_JOURNAL is off'), add: () => Promise.resolve(), end: () => undefined}
  let begun = false
  let told = false
  let ended = false
  let broken = false
  /** Bytes of this entry in the present file. */
  let own = 0
  let parts = 0
  /** What the entry says last of each key, and in which part. */
  const last = new Map<string, {readonly part: number; readonly value: string}>()

  const fail = (error: unknown): void => {
    if (!broken) command.warn(`The journal ${path} cannot be written: ${error instanceof CalicoError ? error.message : fileReason(error)}. This change will be missing in \`calicoctl history\` and cannot be reverted with \`calicoctl undo\`.`)
    broken = true
  }
  const textOf = (line: object): Buffer => Buffer.from(`${JSON.stringify({v: 1, id, ...line})}\n`)

  const write = async ({writes, revision, cluster, unknown}: Written, lines: readonly EntryLine[]): Promise<void> => {
    told = true
    if (broken) return
    try {
      const changes = writes.map(({key, read, value}) => changeText(key, read?.value, value, last.get(key)))
      const [first, ...more] = lines.map(({line, id: command, words}) => ({line, command, words: withoutSecrets(words)}))
      const of = first && (more.length === 0 ? first : [first, ...more])
      const text = textOf({...(!begun && {begin: beginning({...command, words}, env)}), ...(of && {of}), cluster, revision: revision.toString(), part: parts, ...(unknown && {unknown}), changes})
      if (!begun) makeFolder(dirname(path), {mode: PRIVATE_FOLDER})
      // What fills a file by itself stays in it, however much comes.
      if (await rotateFile(path, {largest, added: text.length, keep: KEPT, alone: own})) own = 0
      appendLines(path, text, PRIVATE_FILE)
      own += text.length
      begun = true
      for (const {key, value} of writes) {
        if (value === undefined) last.delete(key)
        else last.set(key, {part: parts, value})
      }
      parts++
    } catch (error) {
      fail(error)
    }
  }

  /** One transaction after another, whoever waits for them. */
  let queue = Promise.resolve()
  return {
    id,
    words,
    get begun() {
      return told
    },
    checkWritable() {
      try {
        makeFolder(dirname(path), {mode: PRIVATE_FOLDER})
        appendLines(path, Buffer.alloc(0), PRIVATE_FILE)
      } catch (error) {
        refuseWithout(`${path} cannot be written: ${error instanceof CalicoError ? error.message : fileReason(error)}`)
      }
    },
    add: (written, lines = []) => (queue = queue.then(() => write(written, lines))),
    end(exitCode) {
      if (!begun || broken || ended) return
      ended = true
      try {
        appendLines(path, textOf({end: {time: new Date().toISOString(), exitCode}}), PRIVATE_FILE)
      } catch (error) {
        fail(error)
      }
    },
  }
}

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

/** Where a secret may stand in words: behind a name that says so, in a URL, or in a PEM. */
const SUSPICIOUS = /passw|passphrase|pwd|secret|token|credential|auth|cookie|bearer|basic|key|pass|:\/\/|@|-----|LS0tLS1|[A-Za-z0-9+/]{64}/i

/** WORDS without secrets: neither within a word, nor behind one that names what follows, such as `--password` or `EtcdPassword`. */
function withoutSecrets(words: readonly string[]): readonly string[] {
  if (!SUSPICIOUS.test(words.join(' '))) return words
  return words.map((word, at) => {
    const name = words[at - 1]
    return name !== undefined && !/[=\s]/.test(name) && isSecretName(name) ? REMOVED : redactText(word)
  })
}

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
