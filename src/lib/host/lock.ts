/** One process at a time on one thing of this host. */
import {lstatSync} from 'node:fs'
import {join} from 'node:path'
import {CalicoError} from '../errors.js'
import {makeFolder, PRIVATE_FOLDER} from '../files/folder.js'
import {type Holder, withLockFile} from '../files/lock-file.js'

const PATIENCE_MS = 15_000

/** Of the locks: of this boot, and root's alone, so that no one else can hold one up. */
const FOLDER = '/run/calicoctl'

interface HostLockOptions {
  readonly patienceMs?: number
  /** Instead of /run/calicoctl. */
  readonly folder?: string
}

/**
 * Does WORK while no other process does work under NAME: letters, digits, `-`, `_` and `/`. The lock is a file that names its holder's process; one
 * whose process has ended counts no more. It holds for all that share /run.
 * @throws CalicoError `conflict` if it is not free within 15 s; `not-root` or `failed` if there can be no lock
 */
export async function withHostLock<T>(name: string, what: string, work: () => Promise<T>, {patienceMs = PATIENCE_MS, folder = FOLDER}: HostLockOptions = {}): Promise<T> {
  if (!/^[A-Za-z0-9/_-]{1,200}$/.test(name)) throw new TypeError(`no name of a lock: ${name}`)
  prepareFolder(folder)
  const path = join(folder, `${name.replaceAll('/', '.')}.lock`)
  const deadline = Date.now() + patienceMs
  return withLockFile(path, {patient: () => Date.now() < deadline, late: (holder) => tooLong(path, what, patienceMs, holder)}, work)
}

function tooLong(path: string, what: string, patienceMs: number, holder: Holder | undefined): CalicoError {
  const message = `Another process${holder === undefined ? '' : ` (${holder.pid}${holder.elsewhere ? ', of another pid namespace' : ''})`} has locked ${what} for ${patienceMs / 1000} s`
  if (!holder?.elsewhere) return new CalicoError('conflict', message, {hint: 'Run the command again after that process has ended.'})
  return new CalicoError('conflict', message, {hint: `It is not possible to check from here whether it is still running. Run the command again after it has ended; if it was killed, remove its lock: rm ${path}`})
}

/** @throws CalicoError if FOLDER cannot be made, or is not this user's alone */
function prepareFolder(folder: string): void {
  try {
    makeFolder(folder, {mode: PRIVATE_FOLDER, parents: 0o755})
  } catch (error) {
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code
    throw code === 'EACCES' ? new CalicoError('not-root', `The folder of this host's locks, ${folder}, can be created only by root`, {hint: 'Run it with sudo; keep its settings with: sudo -E', cause: error}) : error
  }
  const stats = lstatSync(folder)
  const own = process.geteuid?.() ?? 0
  if (!stats.isDirectory()) throw new CalicoError('failed', `${folder} must be a folder (for the locks of this host), but is not`, {hint: `Remove it: rm ${folder}`})
  if (stats.uid !== own) throw new CalicoError(own === 0 ? 'failed' : 'not-root', `The folder of this host's locks, ${folder}, belongs to the user ${stats.uid}`, {hint: own === 0 ? `Change its owner: chown root: ${folder}` : 'Run it with sudo; keep its settings with: sudo -E'})
  if ((stats.mode & 0o077) !== 0) throw new CalicoError('failed', `The folder of this host's locks, ${folder}, is accessible to other users`, {hint: `Restrict it, and remove its contents: chmod 700 ${folder}`})
}
