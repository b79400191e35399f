import {CalicoError} from '../errors.js'
import type {Revision} from './datastore.js'

/** The answer to a write was lost: it may or may not have been executed. Whoever wrote must read again and decide (operator-demand R1). */
export class OutcomeUnknownError extends CalicoError {
  constructor(message: string, cause?: unknown) {
    super('unknown', message, {cause})
  }
}

/**
 * The store is full. A write that was answered so was refused, or was executed: etcd judges it before it proposes it, and again when it applies it, where the
 * one that crosses the quota is executed and answered all the same (its quotaApplierV3, v3.3 to v3.8). It is never executed later than it was answered.
 */
export class FullError extends CalicoError {
  constructor(message: string, {hint, cause}: {hint?: string; cause?: unknown} = {}) {
    super('failed', message, {cause, ...(hint !== undefined && {hint})})
  }
}

/** A transaction has more operations, conditions or bytes than the store takes in one request; nothing was written. */
export class TooLargeError extends CalicoError {
  constructor(message: string, {hint, cause}: {hint?: string; cause?: unknown} = {}) {
    super('failed', message, {cause, ...(hint !== undefined && {hint})})
  }
}

/** The user's roles in the store have no right to something that was asked; nothing was done. */
export class ForbiddenError extends CalicoError {
  constructor(
    message: string,
    /** The same error for SUBJECT, a part of what was asked: `writing KEY`. */
    readonly about: (subject: string) => CalicoError,
    {hint, cause}: {hint?: string; cause?: unknown} = {},
  ) {
    super('denied', message, {cause, ...(hint !== undefined && {hint})})
  }
}

/** The revision asked for has been compacted away. */
export class CompactedError extends CalicoError {
  constructor(
    /** The oldest revision that can still be read, where the store says. */
    readonly oldest: Revision | undefined,
    cause?: unknown,
  ) {
    super('failed', 'the requested revision is no longer available (it has been compacted)', {cause})
  }
}
