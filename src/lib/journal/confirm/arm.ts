/** Beginning `--confirm-within`: the change is noted as one that waits, and a process is started that rolls it back, before anything is written. */
import {spawn, spawnSync} from 'node:child_process'
import {existsSync} from 'node:fs'
import {unlink} from 'node:fs/promises'
import {hostname} from 'node:os'
import {setTimeout as sleep} from 'node:timers/promises'
import {CalicoError} from '../../errors.js'
import {workingFolder} from '../../files/folder.js'
import {ownIdentity} from '../../files/lock-file.js'
import {fileReason} from '../../files/read.js'
import type {JournalEntry} from '../entry.js'
import {ON_THE_HOST} from '../undo.js'
import {isRolledBack} from './late.js'
import {makeWaitingFolder, moveAside, readWaiting, type StoreOptions, updateWaiting, type Waiting, waitingPath, withTimerLock, withWaitingLock, writeWaiting} from './waiting.js'

/** How long the timer's process may take to begin. */
const START_MS = 15_000
const LOOK_MS = 10

/** The longest time that a change can wait. */
const LONGEST_MS = 30 * 24 * 3_600_000

/** The variables that the timer's settings come from. */
export const HANDED_ON = /^(?:CALICO|ETCD_|DATASTORE_TYPE$|XDG_STATE_HOME$|HOME$|SUDO_USER$|NODE_EXTRA_CA_CERTS$)/

/** The hidden command that waits. */
export const TIMER = '__confirm'

/** A change that waits from now on. */
export interface Armed {
  /** The command has ended. @returns what to report of it: when its change is rolled back. Nothing, if it has changed nothing: then nothing waits. Never fails. */
  end(): Promise<readonly string[]>
}

export interface ArmOptions {
  readonly entry: JournalEntry
  /** The cluster that is about to be changed. */
  readonly cluster: string
  /** Milliseconds. */
  readonly within: number
  readonly options: StoreOptions
  readonly env?: NodeJS.ProcessEnv
}

/** @throws CalicoError `refused` if the command ID, as oclif has it, changes more than undo reverts by itself */
export function refuseOnHost(id: string): void {
  if (ON_THE_HOST[id] !== undefined) throw new CalicoError('refused', `--confirm-within: changes that calicoctl ${id.replaceAll(':', ' ')} makes on this host cannot be rolled back automatically; nothing was changed`, {hint: `To revert them manually: ${ON_THE_HOST[id]}`})
}

/**
 * @throws CalicoError `invalid` if the time is too long; `refused` if there is no journal to roll the change back from, or another change waits in this cluster; `failed` if the timer cannot be
 * started. Nothing waits then.
 */
export async function arm({entry, cluster, within, options, env = process.env}: ArmOptions): Promise<Armed> {
  if (within > LONGEST_MS) throw new CalicoError('invalid', '--confirm-within: the time can be at most 30 days')
  entry.insist()
  const path = waitingPath(env, cluster)
  makeWaitingFolder(path)
  const busy = (): CalicoError => new CalicoError('refused', 'Another calicoctl process is starting, confirming or rolling back a change of this cluster; nothing was changed')
  const waiting: Waiting = {
    v: 1, id: entry.id, words: entry.words, cluster, host: hostname(), within, deadline: null, command: ownIdentity(), timer: null, failed: null, options,
    folder: workingFolder(),
    env: Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value !== undefined && HANDED_ON.test(name) ? [[name, value]] : []))),
  }
  await withWaitingLock(path, busy, async () => {
    const other = readWaiting(path)
    if (other && !isRolledBack(other)) throw waitsAlready(other)
    try {
      if (other) moveAside(path, other)
      await writeWaiting(path, waiting)
    } catch (error) {
      throw new CalicoError('failed', `--confirm-within: ${path} cannot be written: ${fileReason(error)}; nothing was changed`, {cause: error})
    }
    try {
      await startTimer(path, entry.id)
    } catch (error) {
      // It may begin just now.
      const begun = await withTimerLock(path, async () => {
        if (hasTimer(path)) return true
        await unlink(path)
        return false
      })
      if (!begun) throw error
    }
  }, {begins: true})
  const end = async (): Promise<readonly string[]> => {
    // Confirmed, or rolled back by another command, meanwhile.
    const now = readWaiting(path)
    if (now?.id !== entry.id) return []
    if (!entry.begun) {
      await withWaitingLock(path, busy, () => unlink(path))
      return []
    }
    const deadline = new Date(Date.now() + within).toISOString()
    if (!(await updateWaiting(path, entry.id, busy, (waits) => ({...waits, deadline})))) return []
    return [`This change will be rolled back at ${deadline.replace(/\.[0-9]+Z$/, 'Z')} (in ${within / 1000} s) unless it is confirmed first: calicoctl confirm ${entry.id}`]
  }
  return {
    async end() {
      try {
        return await end()
      } catch (error) {
        return [`Warning: ${path}: ${error instanceof CalicoError ? error.message : fileReason(error)}. The change ${entry.id} will be rolled back in ${within / 1000} s unless it is confirmed first: calicoctl confirm ${entry.id}`]
      }
    },
  }
}

const waitsAlready = ({id, words}: Waiting): CalicoError =>
  new CalicoError('refused', `The change ${id} (${words.join(' ')}) of this cluster is not confirmed yet; nothing was changed`, {hint: `Confirm it or revert it first: calicoctl confirm ${id}, or calicoctl undo ${id}`})

/** Starts the process that waits for the file at PATH, and is there until it has begun. It survives this process, its terminal and its login. */
async function startTimer(path: string, id: string): Promise<void> {
  const program = [process.execPath, process.argv[1] ?? '', TIMER, path]
  if (!startUnit(program, id)) startDetached(program)
  for (const until = Date.now() + START_MS; !hasTimer(path);) {
    await sleep(LOOK_MS)
    if (Date.now() > until) throw new CalicoError('failed', `--confirm-within: the process that rolls the change back did not start within ${START_MS / 1000} s; nothing was changed`)
  }
}

/** Whether the process that waits for the file at PATH has begun. */
const hasTimer = (path: string): boolean => readWaiting(path)?.timer !== null

/** As a transient unit where systemd runs: it ends other processes at logout. Secrets do not go there, where everybody could read them. */
function startUnit(program: readonly string[], id: string): boolean {
  if (!existsSync('/run/systemd/system')) return false
  const user = process.geteuid?.() === 0 ? [] : ['--user']
  const {status} = spawnSync('systemd-run', [...user, '--quiet', '--collect', `--unit=calicoctl-confirm-${id}`, '--', ...program], {stdio: 'ignore', timeout: START_MS})
  return status === 0
}

/** In a session of its own, without any of our files. */
function startDetached([program = '', ...words]: readonly string[]): void {
  const child = spawn(program, words, {detached: true, stdio: 'ignore', cwd: '/'})
  child.on('error', () => undefined) // the caller sees that it does not begin
  child.unref()
}
