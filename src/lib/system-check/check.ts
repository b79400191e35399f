/** What a check of this host is: data in a table. Facts are gathered through {@link Sources}; judging them is pure. */
import type {HostInterface} from '../host/candidates.js'
import type {NodeNameInputs} from '../client/node-name.js'
import type {Session} from '../client/session.js'
import type {EngineVersions} from '../docker/version.js'
import type {CalicoError} from '../errors.js'
import type {EtcdMember} from './etcd-members.js'
import type {Files} from './files.js'

/** What the datastore said when it was asked whether a node may start with it. */
export type DatastoreFacts =
  | {readonly state: 'answers'; readonly session: Session; readonly cluster: 'present' | 'empty'}
  | {readonly state: 'fails'; readonly error: CalicoError}

/** Where facts come from. Tests give recorded ones. */
export interface Sources {
  readonly files: Files
  readonly nodeName: NodeNameInputs
  /** URLs of etcd; undefined with the embedded store. */
  readonly endpoints: readonly string[] | undefined
  /** Asks each endpoint of etcd over HTTP. */
  readonly members: () => Promise<readonly EtcdMember[]>
  readonly datastore: () => Promise<DatastoreFacts>
  /** What the Docker Engine says of its versions; undefined where none is wanted. @throws CalicoError if it does not answer */
  readonly engine: () => Promise<EngineVersions | undefined>
  readonly interfaces: () => Promise<readonly HostInterface[]>
}

export interface CheckOptions {
  /** Docker networks are wanted. */
  readonly libnetwork: boolean
}

export interface Verdict {
  /** `skipped`: it could not be examined, for a reason that another check tells. */
  readonly state: 'ok' | 'wrong' | 'skipped'
  /** What was found, a line without a full stop. */
  readonly found: string
}

export interface Check<Facts> {
  /** As `-o name` shows it: lower case, no spaces. */
  readonly name: string
  /** Calico does not work when it is wrong. */
  readonly required: boolean
  readonly gather: (sources: Sources) => Facts | Promise<Facts>
  readonly judge: (facts: Facts, options: CheckOptions) => Verdict
  /** What to do when it is wrong, a sentence. */
  readonly remedy: string
}

export const ok = (found: string): Verdict => ({state: 'ok', found})
export const wrong = (found: string): Verdict => ({state: 'wrong', found})
export const skipped = (found: string): Verdict => ({state: 'skipped', found})

/** ok or wrong, by whether there are PROBLEMS. */
export const verdict = (problems: readonly string[], good: string): Verdict => (problems.length === 0 ? ok(good) : wrong(problems.join('; ')))
