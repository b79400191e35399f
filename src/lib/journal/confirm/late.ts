/**
 * What a process that is gone had sent may still be on its way to the datastore. So a change is rolled back and yet may be made: its file stays, with the
 * transactions that may be executed late, until none can arrive any more.
 */
import type {Waiting} from './waiting.js'

/** How long after its sender has ended a transaction may still be executed. */
const LATE_MS = 60_000

/** When what the command of WAITING had sent can no longer arrive, milliseconds since 1970; undefined as long as the end of the command is not noted. */
export const lateUntil = ({deadline, within}: Waiting): number | undefined => (deadline === null ? undefined : Date.parse(deadline) - within + LATE_MS)

/** When what the last rollback of WAITING that was interrupted had sent can no longer arrive, milliseconds since 1970. */
export const rollbackUntil = ({tried}: Waiting): number => (tried === undefined ? 0 : Date.parse(tried) + LATE_MS)

/** Whether WAITING is rolled back, and only what arrives late is still looked for. */
export const isRolledBack = ({late, failed}: Waiting): boolean => late !== undefined && failed === null

/** WAITING, whose command has ended, with the end of the command: now, if that was not noted before. */
export const withEnd = (waiting: Waiting, now: number): Waiting => ({...waiting, deadline: waiting.deadline ?? new Date(now + waiting.within).toISOString()})
