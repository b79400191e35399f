/** The process that waits: it takes a change back when its time is over and nobody has confirmed it. */
import {spawn} from 'node:child_process'
import {uptime} from 'node:os'
import {setTimeout as sleep} from 'node:timers/promises'
import {CalicoError, EXIT_CODES} from '../../errors.js'
import {hasEnded, ownIdentity} from '../../files/lock-file.js'
import {noteConfirmation} from '../entry.js'
import {readWaiting, updateWaiting, type Waiting, withWaitingLock, writeWaiting} from './waiting.js'
import {TIMER} from './arm.js'

/** How often it looks whether the command has ended, and whether somebody has confirmed the change. */
const LOOK_MS = 100
const LONGEST_SLEEP_MS = 1_000

/** Between tries where the datastore does not answer: the change itself may have cut it off for a while. */
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000
const NO_ANSWER: readonly number[] = [EXIT_CODES.unreachable, EXIT_CODES.denied]

/** Waits for the change of PATH, and has it taken back by a process of its own, which tries once. */
export async function runTimer(path: string): Promise<void> {
  const first = readWaiting(path)
  if (!first) return
  await writeWaiting(path, {...first, timer: ownIdentity()})
  if (!(await waitForDeadline(path, first.id))) return
  for (let pause = FIRST_RETRY_MS; readWaiting(path)?.id === first.id; pause = Math.min(2 * pause, LONGEST_RETRY_MS)) {
    const code = await tryOnce(path, 'ignore')
    if (!NO_ANSWER.includes(code)) return
    await sleep(pause)
  }
}

/** What time it is. */
export interface Clock {
  /** Milliseconds since 1970; somebody may set it. */
  readonly now: () => number
  /** Milliseconds since the machine was started, those that it slept included; nobody sets it. */
  readonly uptime: () => number
  readonly sleep: (milliseconds: number) => Promise<unknown>
}

const CLOCK: Clock = {now: Date.now, uptime: () => uptime() * 1_000, sleep}

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

/** Takes the change of PATH back in another process of this program. @returns its exit code */
export function tryOnce(path: string, output: 'ignore' | 'inherit'): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [process.argv[1] ?? '', TIMER, path, '--now'], {stdio: output})
    child.on('error', () => resolve(EXIT_CODES.failed))
    child.on('close', (code) => resolve(code ?? EXIT_CODES.failed))
  })
}

/**
 * Has UNDO take back the change that waits in the file at PATH, if it still does.
 * @throws what UNDO throws; unless the datastore did not answer, it is noted in the file, for whoever uses calicoctl next
 */
export async function takeBack(path: string, undo: (waiting: Waiting) => Promise<void>, done: (waiting: Waiting) => void): Promise<void> {
  const busy = (): CalicoError => new CalicoError('conflict', 'Another process is confirming the change or rolling it back')
  await withWaitingLock(path, busy, async () => {
    const waiting = readWaiting(path)
    if (!waiting) return
    try {
      await undo(waiting)
    } catch (error) {
      const failure = error instanceof CalicoError ? error : new CalicoError('failed', String(error))
      if (!NO_ANSWER.includes(failure.exitCode)) {
        await writeWaiting(path, {...waiting, failed: failure.message})
        noteConfirmation(waiting.id, 'failed')
      }
      throw failure
    }
    done(waiting)
  })
}

