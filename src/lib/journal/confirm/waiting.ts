/**
 * Changes that wait to be confirmed (design-whole.md §4), a file each in a folder of the user's that is there only while one waits: a command sees by one
 * look whether there is any. In each cluster one change can wait. The files have what the timer needs, also credentials: they are their owner's alone.
 */
import {readdirSync, renameSync, rmdirSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {CalicoError} from '../../errors.js'
import {makeFolder, PRIVATE_FOLDER} from '../../files/folder.js'
import {hasEnded, type Identity, isElsewhere, withLockFile} from '../../files/lock-file.js'
import {fileReason, readTextFile} from '../../files/read.js'
import {replaceFile} from '../../files/replace.js'
import {waitingFolder} from '../../settings/state-folder.js'

const PRIVATE_FILE = 0o600

/** How long a process that has the lock may take before another gives up. */
const PATIENCE_MS = 2_000

/** How long a timer of another pid namespace, which cannot be seen, is taken for alive. */
const UNSEEN_MS = 60_000

/** The options of the command line that choose the store. */
export interface StoreOptions {
  readonly datastore?: string | undefined
  readonly config?: string | undefined
  readonly 'expect-cluster'?: string | undefined
  readonly timeout?: number | undefined
}

/** A change that waits. */
export interface Waiting {
  readonly v: 1
  /** Its ID in the journal. */
  readonly id: string
  /** The command line without secrets. */
  readonly words: readonly string[]
  readonly cluster: string
  readonly host: string
  /** Milliseconds from the end of the command to the undo. */
  readonly within: number
  /** When it is rolled back, ISO 8601; null while the command runs. */
  readonly deadline: string | null
  /** The process of the command. */
  readonly command: Identity
  /** The process that waits; null before it has begun. */
  readonly timer: Identity | null
  /** A process has begun to roll it back, and has not said how that ended: it may be rolled back. */
  readonly begun?: true
  /** When it began, ISO 8601. */
  readonly tried?: string
  /** It is rolled back. These of its transactions, by their numbers in the journal's entry, were not executed by then, and may be executed late. */
  readonly late?: readonly number[]
  /** Why it could not be rolled back. */
  readonly failed: string | null
  readonly options: StoreOptions
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/** A waiting change with the path of its file. */
export interface WaitingFile {
  readonly path: string
  readonly waiting: Waiting
}

/** The path of the file for CLUSTER. */
export const waitingPath = (env: NodeJS.ProcessEnv, cluster: string): string => join(waitingFolder(env), `c-${encodeURIComponent(cluster).slice(0, 200)}.json`)

/** The path of the file of the change ID of PATH's cluster, once it is rolled back and another change waits at PATH. */
const asidePath = (path: string, id: string): string => path.replace(/\.json$/, `@${id}.json`)

/** Moves the file at PATH aside for another change, whoever holds its lock: WAITING is rolled back. @throws Error with a `code`, as node:fs */
export const moveAside = (path: string, {id}: Waiting): void => renameSync(path, asidePath(path, id))

/** The file of the change ID: at PATH, or beside it. */
export function findWaiting(path: string, id: string): WaitingFile | undefined {
  return [path, asidePath(path, id)].flatMap((at) => {
    const waiting = readWaiting(at)
    return waiting?.id === id ? {path: at, waiting} : []
  })[0]
}

/** What waits, the one that is rolled back first in front; files that cannot be read are skipped. */
export function listWaiting(env: NodeJS.ProcessEnv): WaitingFile[] {
  const folder = waitingFolder(env)
  return names(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => {
      const waiting = readWaiting(path)
      return waiting ? [{path, waiting}] : []
    })
    .sort((a, b) => ((a.waiting.deadline ?? '~') < (b.waiting.deadline ?? '~') ? -1 : 1))
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.startsWith('c-') && name.endsWith('.json'))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw new CalicoError('failed', `The folder ${folder} cannot be read: ${fileReason(error)}`, {cause: error})
  }
}

/** What the file at PATH says; undefined if there is none, or it is none of ours. */
export function readWaiting(path: string): Waiting | undefined {
  try {
    return waitingIn(readTextFile(path, {noLinks: true}))
  } catch {
    return undefined
  }
}

/** The waiting change that TEXT, the content of a file, is; undefined if it is none. @throws Error for what is not JSON */
export function waitingIn(text: string): Waiting | undefined {
  const value = JSON.parse(text) as Waiting | null
  return value !== null && isWaiting(value) ? value : undefined
}

/** As IDs of the journal are: they go on to scripts by -o name. */
const ID = /^[a-z0-9]{1,32}$/

function isWaiting({v, id, words, within, deadline, begun, tried, late, failed, command, timer, cluster, host, options, env, folder}: Partial<Waiting>): boolean {
  const isText = (value: unknown): value is string => typeof value === 'string'
  const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null
  const isNumber = (value: unknown): boolean => isText(value) && /^\d{1,20}$/.test(value)
  const isProcess = (value: unknown): boolean => isRecord(value) && ['pid', 'started', 'namespace'].every((name) => isNumber((value as Record<string, unknown>)[name]))
  const isTime = (value: unknown): boolean => isText(value) && !Number.isNaN(Date.parse(value))
  return (
    v === 1 && isText(id) && ID.test(id) && Array.isArray(words) && words.every(isText) && typeof within === 'number' && (deadline === null || isTime(deadline)) && (begun === undefined || (begun as unknown) === true) &&
    (tried === undefined || isTime(tried)) && (late === undefined || (Array.isArray(late) && late.every((part) => Number.isSafeInteger(part)))) && (failed === null || isText(failed)) && isProcess(command) && (timer === null || isProcess(timer)) && isText(cluster) && isText(host) && isText(folder) && isRecord(options) && isRecord(env) && Object.values(env ?? {}).every(isText)
  )
}

/** Makes the file at PATH say WAITING. @throws Error with a `code`, as node:fs */
export const writeWaiting = (path: string, waiting: Waiting): Promise<void> => replaceFile(path, `${JSON.stringify(waiting)}\n`, {mode: PRIVATE_FILE})

/** Makes the folder of PATH, which is its owner's alone. */
export const makeWaitingFolder = (path: string): void => makeFolder(dirname(path), {mode: PRIVATE_FOLDER})

/**
 * Does WORK while no other process begins, ends or rolls back the change of PATH; the folder is removed afterwards if nothing waits any more.
 * @param busy the error if another process has the lock for too long
 * @param begins a change begins to wait, so the folder is made where the one that ended last has removed it
 */
export async function withWaitingLock<T>(path: string, busy: () => CalicoError, work: () => Promise<T>, {begins = false} = {}): Promise<T> {
  const until = Date.now() + PATIENCE_MS
  try {
    return await withLockFile(join(dirname(path), `.${basename(path)}.lock`), {patient: () => Date.now() < until, late: busy, ...(begins && {makeFolder: () => makeWaitingFolder(path)})}, work)
  } finally {
    removeIfEmpty(dirname(path))
  }
}

/** Makes the file at PATH say what CHANGE makes of it, unless the change ID, which it was about, has ended meanwhile. @returns whether it still waits */
export async function updateWaiting(path: string, id: string, busy: () => CalicoError, change: (waiting: Waiting) => Waiting): Promise<boolean> {
  try {
    return await withWaitingLock(path, busy, async () => {
      const now = readWaiting(path)
      if (now?.id !== id) return false
      await writeWaiting(path, change(now))
      return true
    })
  } catch (error) {
    // Whoever ended it has removed the folder, too.
    if (readWaiting(path)?.id !== id) return false
    throw error
  }
}

/**
 * Does WORK while the timer of PATH neither begins nor is given up. That is a lock of its own: whoever starts a timer has the other one meanwhile.
 * @throws what WORK throws; CalicoError `conflict` if another process has the lock for too long, `failed` if there is no folder any more
 */
export function withTimerLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const until = Date.now() + PATIENCE_MS
  return withLockFile(join(dirname(path), `.${basename(path)}.timer`), {patient: () => Date.now() < until, late: () => new CalicoError('conflict', 'The process that rolls the change back is being started')}, work)
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Others wait, or it is gone already.
  }
}

export type State = 'running' | 'waiting' | 'overdue' | 'failed' | 'undone'

/**
 * How it stands with WAITING at NOW, milliseconds since 1970. `overdue`: its time is over, and no process is left that would roll it back; `undone`: it is rolled
 * back, and a process reverts what arrives late.
 */
export function stateOf({failed, late, deadline, command, timer}: Waiting, now: number): State {
  if (failed !== null) return 'failed'
  const isOver = (by: Identity | null): boolean => by === null || (isElsewhere(by) ? deadline !== null && now > Date.parse(deadline) + UNSEEN_MS : hasEnded(by))
  if (deadline === null) return isOver(command) && isOver(timer) ? 'overdue' : 'running'
  if (late !== undefined) return isOver(timer) ? 'overdue' : 'undone'
  return now >= Date.parse(deadline) && isOver(timer) ? 'overdue' : 'waiting'
}
