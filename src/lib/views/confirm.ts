/** `confirm` on a terminal. */
import type {OwnItem} from '../documents/own.js'
import {isRolledBack, lateUntil} from '../journal/confirm/late.js'
import {stateOf, type State, type Waiting} from '../journal/confirm/waiting.js'
import {ownDocument, type Presentation} from '../cli/output/presentation.js'

const STATES: Readonly<Record<State, string>> = {running: 'the command runs', waiting: 'pending', overdue: 'not confirmed in time', failed: 'could not be rolled back', undone: 'rolled back, looking for late writes'}

/** Changes that wait, to be shown. */
export function presentWaiting(rows: readonly Waiting[], now: number): Presentation<Waiting> {
  return {
    rows,
    alignment: 'left',
    columns: [
      {header: 'ID', value: ({id}) => id},
      {header: 'UNTIL', value: untilOf},
      {header: 'STATE', value: (waiting) => STATES[stateOf(waiting, now)]},
      {header: 'CLUSTER', value: ({cluster}) => cluster, wide: true},
      {header: 'COMMAND', value: ({words}) => words.join(' '), prose: true},
      {header: 'PROBLEM', value: ({failed}) => failed ?? '', wide: true},
    ],
    name: ({id}) => id,
    document: (all) => ownDocument('WaitingChangeList', {items: all.map((waiting) => waitingDocument(waiting, now))}),
  }
}

function waitingDocument(waiting: Waiting, now: number): OwnItem<'WaitingChangeList'> {
  const {id, words, cluster, host, within, deadline, failed} = waiting
  return {id, command: words, clusterGUID: cluster, host, withinSeconds: within / 1000, deadline, state: stateOf(waiting, now), ...(failed !== null && {problem: failed})}
}

/** When WAITING is rolled back; once it is, how long what arrives late is looked for. */
function untilOf(waiting: Waiting): string {
  const until = isRolledBack(waiting) ? lateUntil(waiting) : undefined
  return until !== undefined ? shortTime(new Date(until).toISOString()) : waiting.deadline === null ? '-' : shortTime(waiting.deadline)
}

/** TIME, ISO 8601, without fractions of a second. */
const shortTime = (time: string): string => time.replace(/\.[0-9]+Z$/, 'Z')
