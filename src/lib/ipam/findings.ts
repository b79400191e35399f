/** What `ipam check` can find wrong, and what would put it right. */
import type {Address} from '../net/index.js'

/** Every class of inconsistency, with what it means. */
export const FINDING_CLASSES = {
  'leaked-address': 'assigned, but no endpoint, node or container uses it',
  'unassigned-address': 'used by an endpoint or node, but not assigned, so that it can be assigned again',
  'shared-address': 'used by two endpoints',
  'twice-assigned-address': 'assigned in two blocks',
  'free-list': 'the list of free addresses of a block does not match its assignments',
  'nested-block': 'a block lies within another',
  'empty-block': 'a block without node and addresses',
  'missing-handle': 'addresses have a handle that does not exist',
  'wrong-handle': 'the counts of a handle do not match the blocks',
  'missing-affinity': 'a block of a node without affinity: its routes are not announced',
  'stale-affinity': 'an affinity to a block that does not exist or belongs to another node',
  'unconfirmed-affinity': 'an unconfirmed affinity: the routes of the block are not announced',
  'unreadable': 'a stored value that cannot be read',
} as const

export type FindingClass = keyof typeof FINDING_CLASSES

/** What puts a finding right, without taking anything from anybody. */
export type Repair =
  | {readonly type: 'release'; readonly address: Address; readonly handle: string | undefined; readonly sequenceNumber: bigint}
  /** Make the handle count what the blocks have. BLOCKS: all that it names or should name. */
  | {readonly type: 'handle'; readonly id: string; readonly blocks: readonly string[]}
  | {readonly type: 'delete-affinity'; readonly key: string; readonly block: string; readonly owner: string}
  | {readonly type: 'confirm-affinity'; readonly key: string; readonly block: string; readonly owner: string}
  | {readonly type: 'delete-block'; readonly block: string}
  | {readonly type: 'free-list'; readonly block: string}

export interface Finding {
  readonly class: FindingClass
  /** The address, block, handle, affinity or key. */
  readonly subject: string
  readonly message: string
  /** What it is that was seen: another look means the same thing only if this is the same. */
  readonly identity: string
  /** undefined = not to be repaired without someone's judgement. */
  readonly repair: Repair | undefined
  /** It may be one step of something under way: it is reported only if another look finds it too. */
  readonly passing?: boolean
}

/** Something that has an address and must not lose it: an endpoint, a running container. */
export interface Holder {
  readonly address: Address
  /** For messages: `container web`. */
  readonly description: string
}
