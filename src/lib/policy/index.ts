/** Who reaches whom, and why, with Felix's eyes (design-whole §5, policy-evaluation.md). Pure: objects in, verdicts out. */

export {type Division, divide, passing, type Passing, passingBetween} from './between.js'
export {type By, byKey, type Direction, type ForwardVerdict, type SideVerdict, type Verdict} from './by.js'
export {evaluateFlow, type Evaluation, type TracedSide} from './evaluate.js'
export {difference, type FlowSet, intersection, isEmpty, NO_FLOWS, type Packet, sameFlows, union} from './flow-set/flow-set.js'
export {flowTexts} from './flow-set/text.js'
export {type FlowChange, flowChanges, type FlowEnd} from './flow-changes.js'
export {flowsBetween, type Group, hostGroup, hostGroups, neverFlows, outsideGroups, textsBetween, workloadGroups} from './groups.js'
export {doubtAbout, judge, type Judgement, ruleLabel, type Warning} from './judge.js'
export {type Entry, loadWorld, POLICY_KINDS} from './load.js'
export {type Cell, type Matrix, type MatrixGroup, policyMatrix} from './matrix.js'
export {hostParty, type Party, partyAt, workloadParty} from './parties.js'
export type {Endpoint, HostEndpoint, NodeInfo, Policy, Problem, Profile, Tier, Workload, World} from './world.js'
