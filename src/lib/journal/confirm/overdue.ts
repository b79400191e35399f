/** What a command says of changes that were not confirmed and not rolled back, for example because the host was started anew meanwhile. */
import {isRolledBack} from './late.js'
import {tryOnce} from './timer.js'
import {listWaiting, stateOf, type Waiting} from './waiting.js'

export interface Reporter {
  readonly note: (lines: readonly string[]) => void
  /** Whether the user says yes; false where no one can be asked. */
  readonly ask: (question: readonly string[]) => Promise<boolean>
}

/** Reports each change of this user on this host that is past its time, with what to do; on a terminal it offers to roll it back. Never fails. */
export async function reportOverdue(env: NodeJS.ProcessEnv, {note, ask}: Reporter): Promise<void> {
  for (const {path, waiting} of overdueOnes(env)) {
    note([`Warning: ${overdueText(waiting)}`, `  Roll it back: ${waiting.failed?.includes('changed since') ? 'undo the later changes first (calicoctl history), then ' : ''}calicoctl undo ${waiting.id}`, ...(isRolledBack(waiting) ? [] : [`  Keep it:      calicoctl confirm ${waiting.id}`])])
    if (waiting.failed === null && (await ask(['Roll it back now?']))) await tryOnce(path, waiting.id, 'inherit')
  }
}

function overdueOnes(env: NodeJS.ProcessEnv): ReturnType<typeof listWaiting> {
  try {
    return listWaiting(env).filter(({waiting}) => ['overdue', 'failed'].includes(stateOf(waiting, Date.now())))
  } catch {
    return []
  }
}

function overdueText({id, words, deadline, begun, late, failed}: Waiting): string {
  const name = `The change ${id} (${words.join(' ')})`
  if (failed !== null) return `${name} was not confirmed in time, and could not be rolled back: ${failed}.`
  if (late !== undefined) return `${name} was rolled back, but its command had been interrupted, and the process that looked for late writes was interrupted, too: the change may have been made since.`
  if (begun) return `${name} was not confirmed in time. Its rollback was interrupted and may have been made: both commands find that out.`
  return `${name} was neither confirmed nor rolled back in time${deadline === null ? '' : ` (${deadline})`}.`
}
