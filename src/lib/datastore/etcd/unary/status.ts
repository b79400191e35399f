import type {Fields} from './hpack.js'

/**
 * How a unary call of gRPC ends (gRPC's "PROTOCOL-HTTP2", "http-grpc-status-mapping"): with the status that the server gives in its trailers, or with what is
 * to be said where it gives none. Words and codes are those of @grpc/grpc-js, which calls go through as well: failure.ts judges both alike.
 */

/** Names of gRPC's status codes. */
const NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]

const OK = 0
const UNKNOWN = 2
export const DEADLINE_EXCEEDED = 4
export const INTERNAL = 13
export const UNAVAILABLE = 14

/** What answers of HTTP without a status of gRPC mean; others are UNKNOWN. */
const OF_HTTP: ReadonlyMap<number, number> = new Map([
  [400, INTERNAL],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, UNAVAILABLE],
  [502, UNAVAILABLE],
  [503, UNAVAILABLE],
  [504, UNAVAILABLE],
])

/** A call that failed, in etcd3's form: `14 UNAVAILABLE: what happened`. */
export class CallError extends Error {
  constructor(
    readonly code: number,
    readonly text: string,
    /** The server certainly has not executed the call, nor ever will: nothing of it was sent, or the server said that it did not look at it. */
    readonly unsent = false,
  ) {
    super(`${code} ${NAMES[code] ?? 'UNKNOWN'}: ${text}`)
  }
}

export const unsent = (code: number, text: string): CallError => new CallError(code, text, true)

/** ERROR for a call that waited for something else, which failed with it. */
export const asUnsent = (error: unknown): CallError =>
  error instanceof CallError ? unsent(error.code, error.text) : unsent(UNAVAILABLE, error instanceof Error ? error.message : String(error))

/** HTTP/2 error codes with which a stream ends (RFC 9113 §7). */
const NO_ERROR = 0
const REFUSED_STREAM = 7
export const CANCEL = 8

/** What is known of an answer when its stream has ended. */
export interface Ended {
  /** HTTP's status; undefined = no headers came. */
  readonly httpStatus: number | undefined
  /** The trailers, which may be the headers (an answer without a message); undefined = none came. */
  readonly trailers: Fields | undefined
  /** The code with which the stream was reset. */
  readonly resetCode: number
  /** The stream began after the last one that the server's GOAWAY says it has examined, or was never begun. */
  readonly passedOver: boolean
  /** Why the connection was lost, where it was. */
  readonly reason: string | undefined
}

/** The error of a call that ended thus; undefined if its status is OK. */
export function failureOf({httpStatus, trailers, resetCode, passedOver, reason}: Ended): CallError | undefined {
  const status = trailers?.['grpc-status']
  if (status !== undefined) return status === String(OK) ? undefined : new CallError(codeIn(status), decoded(trailers?.['grpc-message'] ?? ''))
  // RFC 9113 §6.8, §8.7: the server has not done anything with such a stream.
  if (httpStatus === undefined && (passedOver || resetCode === REFUSED_STREAM)) return unsent(UNAVAILABLE, 'Stream refused by server')
  if (httpStatus !== undefined && httpStatus !== 200) return new CallError(OF_HTTP.get(httpStatus) ?? UNKNOWN, `Received HTTP status code ${httpStatus}`)
  if (reason !== undefined || resetCode === CANCEL) return new CallError(UNAVAILABLE, `Connection dropped${reason === undefined ? '' : `: ${reason}`}`)
  if (trailers !== undefined) return new CallError(UNKNOWN, 'No status information received')
  return new CallError(INTERNAL, `Received RST_STREAM with code ${resetCode}${resetCode === NO_ERROR ? ' (Call ended without gRPC status)' : ''}`)
}

/** The code that TEXT is; what is none is one that no one knows. */
const codeIn = (text: string): number => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : UNKNOWN)

/** A status message: percent-encoded UTF-8, or what it is where that cannot be decoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
