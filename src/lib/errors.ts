/**
 * What can go wrong, in the terms of the user, and the one place where each kind gets its exit code
 * (design.md §5, decisions.md "Exit codes, settled").
 */

/** Kind of failure → exit code. A script decides on the code, a person on the message. */
export const EXIT_CODES = {
  /** The line does not fit the grammar; printed with `Usage:`. */
  usage: 1,
  /** A value is wrong: a CIDR, a name, a port, an address outside all pools. */
  invalid: 1,
  /** Any other failure. */
  failed: 1,
  /** Must be root. */
  'not-root': 2,
  /** Nothing was changed; only with --error-unchanged. */
  unchanged: 3,
  /** A named object does not exist. */
  'not-found': 4,
  /** Another client keeps changing it, or it already exists differently. */
  conflict: 5,
  /** The datastore does not answer. */
  unreachable: 6,
  /** The datastore answers but holds no Calico data, or another cluster's than expected. */
  'wrong-datastore': 6,
  /** TLS or authentication refused. */
  denied: 7,
  /** Refused to protect the user: in use, locked, exhausted. */
  refused: 8,
  /** A write's outcome is unknown, or only a part of the work was done. */
  unknown: 9,
  /** A check ran and found problems. */
  problems: 10,
  /** SIGINT. */
  interrupted: 130,
  /** SIGTERM. */
  terminated: 143,
} as const

export type ErrorKind = keyof typeof EXIT_CODES

interface ErrorDetails {
  /** Further problems of the same line, or the lines of a longer explanation; one per line of output. */
  details?: readonly string[]
  /** What to do next, as a sentence or a command line. */
  hint?: string
  /** The flag that overrides a refusal, e.g. `--force`: on a terminal the user is asked instead. */
  override?: string
  cause?: unknown
}

/** A failure that is the user's to act on: what failed, on which object, why, and what to do next. Never printed with a stack trace. */
export class CalicoError extends Error {
  override readonly name = 'CalicoError'
  readonly details: readonly string[]
  readonly hint: string | undefined
  readonly override: string | undefined

  constructor(
    readonly kind: ErrorKind,
    message: string,
    {details = [], hint, override, cause}: ErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : {cause})
    this.details = details
    this.hint = hint
    this.override = override
  }

  get exitCode(): number {
    return EXIT_CODES[this.kind]
  }
}

/** True for a CalicoError of one of KINDS. */
export function isError(error: unknown, ...kinds: ErrorKind[]): error is CalicoError {
  return error instanceof CalicoError && (kinds.length === 0 || kinds.includes(error.kind))
}
