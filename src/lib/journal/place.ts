import {homedir} from 'node:os'
import {workingFolder} from '../files/folder.js'
import {stateFolder} from '../settings/state-folder.js'
import {givenVariable} from '../settings/table.js'

/** How many of the files before the present one are kept. */
export const KEPT = 3

/** The journal's absolute path by ENV; undefined if there is to be none (`CALICOCTL_JOURNAL=off`). */
export function journalPath(env: Readonly<Record<string, string | undefined>>, home: () => string = homedir): string | undefined {
  const given = givenVariable(env, 'CALICOCTL_JOURNAL')?.value
  if (given === 'off') return undefined
  if (given === undefined) return `${stateFolder(env, home)}/journal.jsonl`
  return given.startsWith('/') ? given : `${workingFolder()}/${given}`
}
