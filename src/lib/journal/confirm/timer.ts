/** The process that waits: it takes a change back when its time is over and nobody has confirmed it. */
import {spawn} from 'node:child_process'
import {uptime} from 'node:os'
import {setTimeout as sleep} from 'node:timers/promises'
import {LockedError} from '../../client/cluster.js'
import {CalicoError, EXIT_CODES} from '../../errors.js'
import {hasEnded, ownIdentity} from '../../files/lock-file.js'
import {noteConfirmation} from '../entry.js'
import {isUndone, type Stand, STANDS} from '../undo.js'
import {readWaiting, updateWaiting, type Waiting, withTimerLock, withWaitingLock, writeWaiting} from './waiting.js'
import {TIMER} from './arm.js'

/** How often it looks whether the command has ended, and whether somebody has confirmed the change. */
const LOOK_MS = 100
const LONGEST_SLEEP_MS = 1_000

/** Between tries where the datastore does not answer: the change itself may have cut it off for a while. */
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000

/** The datastore did not say what became of it, or could not be asked: the next try finds out. So it does where the datastore was locked. */
const MAY_PASS: readonly number[] = [EXIT_CODES.unreachable, EXIT_CODES.denied, EXIT_CODES.unknown]

/** How long after its command was killed a change may still be made: what it has sent may be on its way. */
const LATE_MS = 60_000

/** Waits for the change of PATH, and has it taken back by processes of its own, which try once each, until the file says how it has ended. */
export async function runTimer(path: string, {clock = CLOCK, attempt = (id) => tryOnce(path, id, 'ignore')}: {readonly clock?: Clock; readonly attempt?: (id: string) => Promise<unknown>} = {}): Promise<void> {
  const id = await begin(path)
  if (id === undefined || !(await waitForDeadline(path, id, clock))) return
  for (let pause = FIRST_RETRY_MS; isPending(path, id); pause = Math.min(2 * pause, LONGEST_RETRY_MS)) {
    await attempt(id)
    if (isPending(path, id)) await clock.sleep(pause)
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

/** Whether the change ID waits in the file at PATH, and it is not given up to take it back. */
function isPending(path: string, id: string): boolean {
  const waiting = readWaiting(path)
  return waiting?.id === id && waiting.failed === null
}

/** What time it is. */
export interface Clock {
  /** Milliseconds since 1970; somebody may set it. */
  readonly now: () => number
  /** Milliseconds since the machine was started, those that it slept included; nobody sets it. */
  readonly uptime: () => number
  readonly sleep: (milliseconds: number) => Promise<unknown>
}

const CLOCK: Clock = {now: () => Date.now(), uptime: () => uptime() * 1_000, sleep}

/**
 * Waits until the change ID of PATH is to be taken back; false if it does not wait any more. From when the command has ended, the time that it may wait is
 * measured without the machine's clock: one that is set meanwhile makes it neither shorter nor longer.
 */
export async function waitForDeadline(path: string, id: string, clock: Clock = CLOCK): Promise<boolean> {
  let until: number | undefined
  for (;;) {
    const waiting = readWaiting(path)
    if (waiting?.id !== id) return false
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
 * Whether the change ID of PATH stands, as another process of this program finds with the settings of the command that made it.
 * @throws CalicoError `unreachable` if it cannot
 */
export function lookOnce(path: string, id: string): Promise<Stand> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [process.argv[1] ?? '', TIMER, path, '--look'], {stdio: ['ignore', 'pipe', 'pipe']})
    const output = {stdout: '', stderr: ''}
    for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (text: string) => void (output[stream] += text))
    const fail = (why: string): void =>
      reject(new CalicoError('unreachable', `It is not known whether the change ${id} was rolled back: its rollback was interrupted, and the datastore cannot be asked. The change is still pending.`, {details: why.split('\n').filter((line) => line !== '')}))
    child.on('error', ({message}) => fail(message))
    child.on('close', () => {
      const stand = STANDS.find((each) => output.stdout.trim() === each)
      if (stand) resolve(stand)
      else fail(output.stderr)
    })
  })
}

/** What taking back does to the store. */
export interface Undoing {
  /** Whether the change stands. */
  readonly look: (waiting: Waiting) => Promise<Stand>
  readonly undo: (waiting: Waiting) => Promise<void>
}

/**
 * Takes back the change ID that waits in the file at PATH, if it still does (it may be confirmed by now, and another change wait there) and stands. Before it is undone, that is noted in the file: if this process dies, or the
 * answer is lost, whoever comes next looks whether it was.
 * @param done reports it, once it is rolled back
 * @throws what LOOK and UNDO throw; unless another try can succeed, it is noted in the file, for whoever uses calicoctl next
 */
export async function takeBack(path: string, id: string, {look, undo}: Undoing, done: (waiting: Waiting) => void): Promise<void> {
  const busy = (): CalicoError => new CalicoError('conflict', 'Another process is confirming the change or rolling it back')
  await withWaitingLock(path, busy, async () => {
    const waiting = readWaiting(path)
    if (waiting?.id !== id) return
    try {
      await revert(path, waiting, {look, undo})
    } catch (error) {
      const failure = error instanceof CalicoError ? error : new CalicoError('failed', String(error))
      if (!MAY_PASS.includes(failure.exitCode) && !(failure instanceof LockedError)) {
        // What an earlier try has begun is as little known as before; this one has done nothing.
        await writeWaiting(path, {...waiting, failed: failure.message})
        noteConfirmation(waiting.id, 'failed')
      }
      throw failure
    }
    done(waiting)
  })
}

async function revert(path: string, waiting: Waiting, {look, undo}: Undoing): Promise<void> {
  const stand = await look(waiting)
  if (stand === 'undone' || (stand === 'unmade' && (waiting.begun || !mayComeLate(waiting)))) return
  if (stand === 'unmade') throw new CalicoError('unknown', 'The command was interrupted while it made the change, which was not made so far, and may still be made')
  if (stand === 'changed' && waiting.begun) throw new CalicoError('conflict', 'An earlier rollback was interrupted, and the objects were changed since: it is not known whether they were rolled back')
  await noteBegun(path, waiting)
  try {
    await undo(waiting)
  } catch (error) {
    // What an earlier try has sent may have arrived just now.
    if (!waiting.begun || !isUndone(await look(waiting))) throw error
  }
}

const mayComeLate = ({deadline, within}: Waiting): boolean => deadline !== null && Date.now() < Date.parse(deadline) - within + LATE_MS

/** A full disk keeps nothing from being taken back. */
async function noteBegun(path: string, waiting: Waiting): Promise<void> {
  try {
    await writeWaiting(path, {...waiting, begun: true})
  } catch {
    // The undo itself is in the journal, or it is not known either.
  }
}
