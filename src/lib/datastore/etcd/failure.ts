import {CallError} from './unary/status.js'

/**
 * What a failed request to etcd means for the request itself: may it be sent again, and where? Decided by gRPC's status code and
 * by etcd's own message. When in doubt a request may have been executed.
 */

/** What became of the request. */
type Fate =
  /** It never left this process: there was no connection. */
  | 'never-sent'
  /** etcd answered that it did not execute it. */
  | 'not-executed'
  /** etcd answered that it refuses it, and may have executed it all the same; it will not do so later. */
  | 'answered'
  /** It may have been executed. */
  | 'unknown'

/** Where the same request has a chance. */
type Remedy =
  /** On another endpoint, or here a little later. */
  | 'elsewhere'
  /** Here, after logging in again. */
  | 'new-token'
  /** Here, without logging in: this etcd has authentication switched off. */
  | 'no-login'
  /** Nowhere: the request itself is refused. */
  | 'none'

/** What the user must be informed of; explain.ts has the words. */
export type Problem =
  | 'no-connection'
  | 'timeout'
  | 'interrupted'
  | 'no-leader'
  | 'busy'
  | 'not-etcd'
  | 'wrong-password'
  | 'no-credentials'
  | 'no-permission'
  | 'login'
  | 'no-space'
  | 'too-large'
  | 'compacted'
  | 'future-revision'
  | 'refused'

export interface Failure {
  readonly fate: Fate
  readonly remedy: Remedy
  readonly problem: Problem
  /** gRPC's or etcd's own words. */
  readonly text: string
  readonly cause: unknown
}

type Verdict = Pick<Failure, 'fate' | 'remedy' | 'problem'>

const verdict = (fate: Fate, remedy: Remedy, problem: Problem): Verdict => ({fate, remedy, problem})

/**
 * Messages, first match wins. etcd refuses with the first group before it proposes the request to the cluster or while it
 * applies it without effect (its server/etcdserver/api/v3rpc and apply code), but for a full store (FullError); "request timed out" and "leader changed" are not
 * among them on purpose.
 */
const BY_TEXT: readonly (readonly [string, Verdict])[] = [
  ['No connection established', verdict('never-sent', 'elsewhere', 'no-connection')],
  ['Name resolution failed', verdict('never-sent', 'elsewhere', 'no-connection')],
  ['Waiting for LB pick', verdict('never-sent', 'elsewhere', 'timeout')],
  ['Channel closed before call started', verdict('never-sent', 'elsewhere', 'interrupted')],
  ['authentication failed, invalid user ID or password', verdict('not-executed', 'none', 'wrong-password')],
  ['authentication is not enabled', verdict('not-executed', 'no-login', 'login')],
  ['user name is empty', verdict('not-executed', 'none', 'no-credentials')],
  ['user name not found', verdict('not-executed', 'none', 'wrong-password')],
  ['permission denied', verdict('not-executed', 'none', 'no-permission')],
  ['invalid auth token', verdict('not-executed', 'new-token', 'login')],
  ['revision of auth store is old', verdict('not-executed', 'new-token', 'login')],
  ['revision in header is old', verdict('not-executed', 'new-token', 'login')],
  ['etcdserver: no leader', verdict('not-executed', 'elsewhere', 'no-leader')],
  ['etcdserver: too many requests', verdict('not-executed', 'elsewhere', 'busy')],
  ['etcdserver: not capable', verdict('not-executed', 'elsewhere', 'busy')],
  ['database space exceeded', verdict('answered', 'none', 'no-space')],
  ['request is too large', verdict('not-executed', 'none', 'too-large')],
  ['too many operations in txn request', verdict('not-executed', 'none', 'too-large')],
  ['received message larger than max', verdict('not-executed', 'none', 'too-large')],
  ['revision has been compacted', verdict('not-executed', 'none', 'compacted')],
  // grpc-js' words, with the code of what etcd does not know, for a good status behind no message, or a part of one.
  ['No message received', verdict('unknown', 'elsewhere', 'interrupted')],
  // What is before etcd, and not etcd, speaks in HTTP's codes, which gRPC translates into codes that etcd gives as well.
  ['Received HTTP status code 4', verdict('not-executed', 'elsewhere', 'not-etcd')],
  ['Received HTTP status code', verdict('unknown', 'elsewhere', 'interrupted')],
  ['is a future revision', verdict('not-executed', 'none', 'future-revision')],
]

/** gRPC status codes (grpc.io/docs/guides/status-codes) for messages that BY_TEXT does not know. */
const BY_CODE = new Map<number, Verdict>([
  [3, verdict('not-executed', 'none', 'refused')],
  [4, verdict('unknown', 'elsewhere', 'timeout')],
  [5, verdict('not-executed', 'none', 'refused')],
  [6, verdict('not-executed', 'none', 'refused')],
  [7, verdict('not-executed', 'none', 'no-permission')],
  [9, verdict('not-executed', 'none', 'refused')],
  [11, verdict('not-executed', 'none', 'refused')],
  [12, verdict('not-executed', 'elsewhere', 'not-etcd')],
  [16, verdict('not-executed', 'none', 'no-credentials')],
])

const IN_DOUBT = verdict('unknown', 'elsewhere', 'interrupted')

/** Classifies what a call of a client threw. etcd3 keeps gRPC's code only at the head of the message: `14 UNAVAILABLE: …`. */
export function classify(cause: unknown): Failure {
  const message = cause instanceof Error ? cause.message : String(cause)
  const [, code, text = message] = /^(\d+) [A-Z_]+: (.*)$/s.exec(message) ?? []
  const found = BY_TEXT.find(([words]) => text.includes(words))?.[1] ?? BY_CODE.get(Number(code)) ?? IN_DOUBT
  return {...found, text, cause, ...(cause instanceof CallError && cause.unsent && {fate: 'never-sent'})}
}
