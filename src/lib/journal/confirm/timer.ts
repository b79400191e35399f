/** The process that waits: it rolls a change back when its time is over and no one has confirmed it. */
import {spawn} from 'node:child_process'
import {uptime} from 'node:os'
import {setTimeout as sleep} from 'node:timers/promises'
import {LockedError} from '../../client/cluster.js'
import {CalicoError, EXIT_CODES, isError} from '../../errors.js'
import {hasEnded, ownIdentity} from '../../files/lock-file.js'
import {noteConfirmation} from '../entry.js'
import {type Found, isUndone, STANDS} from '../undo.js'
import {isRolledBack} from './late.js'
import {findWaiting, readWaiting, updateWaiting, type Waiting, type WaitingFile, withTimerLock, withWaitingLock, writeWaiting} from './waiting.js'
import {TIMER} from './arm.js'

/** How often it looks whether the command has ended, and whether a user has confirmed the change. */
const LOOK_MS = 100
const LONGEST_SLEEP_MS = 1_000

/** Between tries where the datastore does not answer: the change itself may have cut it off for a while. */
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000

/** The datastore did not say what became of it, or could not be asked: the next try finds out. So it does where the datastore was locked. */
const MAY_PASS: readonly number[] = [EXIT_CODES.unreachable, EXIT_CODES.denied, EXIT_CODES.unknown]

/** Between looks at a change that is rolled back: what its command had sent may arrive late. */
const LATE_LOOK_MS = 5_000

/**
 * Waits for the change of PATH, and has it rolled back by processes of its own, which try once each, until its file is gone or says that it could not be: once it is
 * rolled back, what arrives late is looked for.
 */
export async function runTimer(path: string, {clock = CLOCK, attempt = (id, at) => tryOnce(at, id, 'ignore')}: {readonly clock?: Clock; readonly attempt?: (id: string, at: string) => Promise<unknown>} = {}): Promise<void> {
  const id = await begin(path)
  if (id === undefined || !(await waitForDeadline(path, id, clock))) return
  let file = pending(path, id)
  for (let pause = FIRST_RETRY_MS; file; pause = Math.min(2 * pause, LONGEST_RETRY_MS)) {
    await attempt(id, file.path)
    file = pending(path, id)
    if (file) await clock.sleep(isRolledBack(file.waiting) ? LATE_LOOK_MS : pause)
    file = pending(path, id)
  }
}

/** Notes this process as the one that waits. @returns the ID of the change; undefined if the command has given it up meanwhile */
async function begin(path: string): Promise<string | undefined> {
  if (!readWaiting(path)) return undefined
  try {
    return await withTimerLock(path, async () => {
      const waiting = readWaiting(path)
      if (waiting) await writeWaiting(path, {...waiting, timer: ownIdentity()})
      return waiting?.id
    })
  } catch (error) {
    // Whoever gave it up has removed the folder, too.
    if (!readWaiting(path)) return undefined
    throw error
  }
}

/** The file of the change ID of PATH, unless it has ended or it is given up to roll it back. */
function pending(path: string, id: string): WaitingFile | undefined {
  const file = findWaiting(path, id)
  return file?.waiting.failed === null ? file : undefined
}

/** What time it is. */
export interface Clock {
  /** Milliseconds since 1970; a user may set it. */
  readonly now: () => number
  /** Milliseconds since the machine was started, those that it slept included; no one sets it. */
  readonly uptime: () => number
  readonly sleep: (milliseconds: number) => Promise<unknown>
}

const CLOCK: Clock = {now: () => Date.now(), uptime: () => uptime() * 1_000, sleep}

/**
 * Waits until the change ID of PATH is to be rolled back; false if it does not wait any more. From when the command has ended, the time that it may wait is
 * measured without the machine's clock: one that is set meanwhile makes it neither shorter nor longer.
 */
export async function waitForDeadline(path: string, id: string, clock: Clock = CLOCK): Promise<boolean> {
  let until: number | undefined
  for (;;) {
    const waiting = findWaiting(path, id)?.waiting
    if (!waiting) return false
    // By undo, before its time was over.
    if (isRolledBack(waiting)) return true
    const {deadline, within, command} = waiting
    if (deadline === null) {
      if (hasEnded(command)) await setDeadline(path, id, new Date(clock.now() + within).toISOString())
      else await clock.sleep(LOOK_MS)
      continue
    }
    until ??= clock.uptime() + Math.min(Math.max(Date.parse(deadline) - clock.now(), 0), within)
    const left = until - clock.uptime()
    if (left <= 0) return true
    await clock.sleep(Math.min(left, LONGEST_SLEEP_MS))
  }
}

/** Another process may be at it: then it is tried again. */
async function setDeadline(path: string, id: string, deadline: string): Promise<void> {
  const busy = new CalicoError('conflict', 'Another process is confirming the change')
  try {
    await updateWaiting(path, id, () => busy, (waiting) => ({...waiting, deadline}))
  } catch (error) {
    if (error !== busy) throw error
  }
}

/** Takes the change ID of PATH back in another process of this program. @returns its exit code */
export function tryOnce(path: string, id: string, output: 'ignore' | 'inherit'): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [process.argv[1] ?? '', TIMER, path, '--now', id], {stdio: output})
    child.on('error', () => resolve(EXIT_CODES.failed))
    child.on('close', (code) => resolve(code ?? EXIT_CODES.unknown))
  })
}

/**
 * How the change ID of PATH stands, as another process of this program finds with the settings of the command that made it.
 * @throws CalicoError `unreachable` if it cannot
 */
export function lookOnce(path: string, id: string): Promise<Found> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [process.argv[1] ?? '', TIMER, path, '--look'], {stdio: ['ignore', 'pipe', 'pipe']})
    const output = {stdout: '', stderr: ''}
    for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (text: string) => void (output[stream] += text))
    const fail = (why: string): void =>
      reject(new CalicoError('unreachable', `It is not known whether the change ${id} was rolled back: its rollback was interrupted, and the datastore cannot be asked. The change is still pending.`, {details: why.split('\n').filter((line) => line !== '')}))
    child.on('error', ({message}) => fail(message))
    child.on('close', () => {
      const [word, ...numbers] = output.stdout.trim().split(' ')
      const stand = STANDS.find((each) => each === word)
      if (stand) resolve({stand, late: numbers.map(Number)})
      else fail(output.stderr)
    })
  })
}

/** What lookOnce() reads. */
export const foundText = ({stand, late}: Found): string => [stand, ...late].join(' ')

/** What rolling back does to the store. Once a change is rolled back, both are about those parts of it that may be executed late. */
export interface Undoing {
  readonly look: (waiting: Waiting) => Promise<Found>
  readonly undo: (waiting: Waiting) => Promise<void>
}

/**
 * Takes back the change ID that waits in the file at PATH, if it still does (it may be confirmed by now, and another change wait there) and stands. Before it is undone, that is noted in the file: if this process dies, or the
 * answer is lost, whoever comes next looks whether it was.
 * @param done reports it, once it is rolled back, with the numbers of the parts that may be executed late
 * @throws what LOOK and UNDO throw; unless another try can succeed, it is noted in the file, for whoever uses calicoctl next
 */
export async function takeBack(path: string, id: string, {look, undo}: Undoing, done: (waiting: Waiting, late: readonly number[]) => Promise<void> | void): Promise<void> {
  const busy = (): CalicoError => new CalicoError('conflict', 'Another process is confirming the change or rolling it back')
  await withWaitingLock(path, busy, async () => {
    const waiting = readWaiting(path)
    if (waiting?.id !== id) return
    let late: readonly number[]
    try {
      late = await revert(path, waiting, {look, undo})
    } catch (error) {
      const failure = error instanceof CalicoError ? error : new CalicoError('failed', String(error))
      if (!MAY_PASS.includes(failure.exitCode) && !(failure instanceof LockedError)) {
        // What an earlier try has begun is as little known as before; this one has done nothing.
        await writeWaiting(path, {...waiting, failed: failure.message})
        noteConfirmation(waiting.id, 'failed')
      }
      throw failure
    }
    await done(waiting, late)
  })
}

/** @returns the numbers of the parts that may be executed late: as of before it was undone, so that what arrives meanwhile is among them */
async function revert(path: string, waiting: Waiting, {look, undo}: Undoing): Promise<readonly number[]> {
  const {stand, late} = await look(waiting)
  if (isUndone(stand)) return late
  if (stand === 'changed') {
    // By others, after the rollback: nothing of it has arrived late.
    if (waiting.late?.length === late.length) return late
    if (waiting.begun && waiting.late === undefined) throw new CalicoError('conflict', 'An earlier rollback was interrupted, and the objects were changed since: it is not known whether they were rolled back')
  }
  await noteBegun(path, waiting)
  try {
    await undo(waiting)
  } catch (error) {
    // It has sent nothing that could arrive later.
    if (error instanceof CalicoError && error.kind !== 'unknown') await writeWaiting(path, waiting)
    // What an earlier try has sent may have arrived just now, or a user has undone it.
    if ((waiting.begun || isError(error, 'conflict', 'not-found')) && isUndone((await look(waiting)).stand)) return late
    throw error
  }
  return late
}

/** A full disk keeps nothing from being rolled back. */
async function noteBegun(path: string, waiting: Waiting): Promise<void> {
  try {
    await writeWaiting(path, {...waiting, begun: true, tried: new Date().toISOString()})
  } catch {
    // The undo itself is in the journal, or it is not known either.
  }
}
