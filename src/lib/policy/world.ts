/** What Felix has of a store, as policy needs it: the types. `load.ts` reads it. */
import type {Address, Cidr, Family} from '../net/index.js'
import type {Direction} from './by.js'
import type {Expression, Labels} from './expression.js'
import type {Rule} from './rule.js'
import type {Settings} from './settings.js'

export interface NamedPort {
  readonly name: string
  /** The number. */
  readonly protocol: number
  readonly port: number
}

/** One claim on an address: an endpoint or a set that selectors can select. The same object for equal ones. */
export interface Claim {
  readonly labels: Labels
  readonly ports: readonly NamedPort[]
}

interface AnyEndpoint {
  readonly name: string
  readonly node: string
  readonly interfaceName: string
  readonly addresses: readonly Address[]
  readonly profiles: readonly string[]
  /** Own labels and those of the profiles. */
  readonly labels: Labels
  readonly claim: Claim
}

export interface Workload extends AnyEndpoint {
  readonly kind: 'WorkloadEndpoint'
  readonly namespace: string
  readonly orchestrator: string
  readonly workload: string
  readonly endpoint: string
  /** What users know it by: the name of its container, and of its workload. */
  readonly container?: string
  readonly shownWorkload: string
  /** The endpoint that is enforced on its interface in its place (policy-evaluation §2). */
  readonly shadowedBy?: Workload
  /** Its addresses that are translated (ipNATs). */
  readonly nats: readonly {readonly internal: Address; readonly external: Address}[]
  /** Limits on packets or connections that refuse what policy lets through. */
  readonly limits: readonly string[]
}

export interface HostEndpoint extends AnyEndpoint {
  readonly kind: 'HostEndpoint'
}

export type Endpoint = Workload | HostEndpoint

export interface Policy {
  readonly kind: 'GlobalNetworkPolicy' | 'NetworkPolicy'
  readonly name: string
  readonly namespace?: string
  readonly tier: string
  readonly order: number | undefined
  readonly directions: readonly Direction[]
  readonly selector: Expression
  /** `doNotTrack` and `preDNAT` policies are of their own stages; `forward`: applyOnForward. */
  readonly stage: 'doNotTrack' | 'preDNAT' | 'normal'
  readonly forward: boolean
  readonly ingress: readonly Rule[]
  readonly egress: readonly Rule[]
  /** Why Felix stops where it applies. */
  readonly stops?: string
}

export interface Profile {
  readonly name: string
  /** It does not exist for Felix: drops. */
  readonly missing: boolean
  readonly ingress: readonly Rule[]
  readonly egress: readonly Rule[]
  readonly stops?: string
  /** Why Felix takes it for missing although it is stored. */
  readonly problem?: Problem
}

export interface Tier {
  readonly name: string
  /** Undefined: the last; Infinity: no such object. */
  readonly order: number | undefined
  readonly missing: boolean
  readonly pass: boolean
}

export interface NodeInfo {
  readonly name: string
  readonly addresses: Partial<Readonly<Record<Family, Address>>>
  /** What the expectedIPs of its host endpoints add to them. */
  readonly more: readonly Address[]
  /** Those that its addresses are in, where the store says. */
  readonly networks: Partial<Readonly<Record<Family, Cidr>>>
  /** Those of its tunnel interfaces. */
  readonly tunnels: readonly {readonly type: 'IPIP' | 'VXLAN' | 'WireGuard'; readonly address: Address}[]
  /** From the store; empty if it lists none. */
  readonly interfaces: readonly {readonly name: string; readonly addresses: readonly Address[]}[]
}

/** An object that Felix reads otherwise than it is written. */
export interface Problem {
  readonly key: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  /**
   * `unreadable`: the value does not decode; absent after a restart, stale until then. `absent`: Felix refuses it. `stops`: Felix stops where it applies. `labels-lost`: a
   * profile whose labels no one inherits.
   */
  readonly effect: 'unreadable' | 'absent' | 'stops' | 'labels-lost'
  readonly message: string
  /** Of a policy that cannot be read: what it would apply to, where that much can be read. */
  readonly selector?: Expression
  /** Of a set that cannot be read: its labels, where that much can be read. */
  readonly labels?: Labels
  /** Of a host endpoint that cannot be read: its node, where that much can be read. */
  readonly node?: string
  /** Of a workload endpoint that Felix does not have: its addresses, where they can be read. */
  readonly addresses?: readonly Address[]
  /** The value is not even JSON. */
  readonly notJson?: true
}

/** The policies that apply somewhere in one direction, tier by tier, in order. */
export interface TierStage {
  readonly tier: Tier
  readonly policies: readonly Policy[]
}

/** A store with Felix's eyes. Nothing in it changes; answers are remembered. */
export interface World {
  readonly workloads: ReadonlyMap<string, Workload>
  readonly hostEndpoints: readonly HostEndpoint[]
  readonly nodes: ReadonlyMap<string, NodeInfo>
  readonly policies: readonly Policy[]
  readonly problems: readonly Problem[]
  /** The profile called NAME, as Felix has it. */
  readonly profile: (name: string) => Profile
  /** Why Felix stops where the profile called NAME applies; most profiles need not be read to know that it does not. */
  readonly profileStops: (name: string) => string | undefined
  readonly profileNames: readonly string[]
  readonly tier: (name: string) => Tier
  readonly settings: (node: string) => Settings
  /** Everything that claims an address: what selectors in rules find it by. */
  readonly claims: (address: Address) => readonly Claim[]
  /** The workload endpoints that have an address; several = cannot tell. */
  readonly workloadsAt: (address: Address) => readonly Workload[]
  readonly nodeAt: (address: Address) => NodeInfo | undefined
  /** The tiers and policies that apply to an endpoint, in order. */
  readonly applying: (endpoint: Endpoint, direction: Direction, stage: Stage) => readonly TierStage[]
  /** The networks that rules and sets name, each once. */
  readonly networks: () => readonly Cidr[]
  readonly pools: readonly Pool[]
  /** Why all nodes have stopped following the store. */
  readonly halted?: string
}

/** `workload`: what a workload endpoint has; `forward`: applyOnForward policies of a host endpoint. */
export type Stage = 'workload' | 'normal' | 'forward' | 'doNotTrack' | 'preDNAT'

export interface Pool {
  readonly cidr: Cidr
  readonly natOutgoing: boolean
  /** What carries its traffic between nodes; `crossSubnetOnly`: between those of different networks. */
  readonly tunnel?: {readonly type: 'IPIP' | 'VXLAN'; readonly crossSubnetOnly: boolean}
}
