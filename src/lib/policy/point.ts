/** A place on a packet's way where policy decides: one side of a flow, or a host endpoint that it passes (policy-evaluation §6–§8). */
import type {Direction} from './by.js'
import type {FamilyFlows} from './flow-set/flow-set.js'
import type {Place} from './match-addresses.js'
import type {Profile, TierStage} from './world.js'

export interface Point {
  readonly node: string
  /** The name of the host endpoint, if it is one. */
  readonly hostEndpoint?: string
  readonly direction: Direction
  readonly source: Place
  readonly destination: Place
  /** doNotTrack policies. */
  readonly doNotTrack: readonly TierStage[]
  readonly preDnat: readonly TierStage[]
  /** What the host takes from a workload whatever its policy says. */
  readonly router: FamilyFlows
  /** What a workload may not send. */
  readonly encapsulated: FamilyFlows
  /** What connection tracking drops. */
  readonly invalid: FamilyFlows
  /** Failsafe ports: they spare a packet doNotTrack and preDNAT policies, and where `failsafeAllows`, all others. */
  readonly failsafe: FamilyFlows
  readonly failsafeAllows: boolean
  readonly tiers: readonly TierStage[]
  readonly profiles: readonly Profile[]
  /** What becomes of a packet about which nothing was decided: `undefined` = it goes on. */
  readonly atEnd: 'deny' | undefined
  /** Ends behind doNotTrack and preDNAT. */
  readonly early: boolean
  /** What all points with the same tiers have in common that have the same key; undefined: nothing is remembered of it. */
  readonly sameAs?: string
}
