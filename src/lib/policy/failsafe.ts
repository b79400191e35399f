/** The flows of failsafe ports, which many routes share: they are put together once for each list of ports and the entries that hold. */
import {type Address, contains, type Family} from '../net/index.js'
import {type FamilyFlows, flowsLike, NO_FAMILY_FLOWS, unionOf} from './flow-set/flow-set.js'
import type {Failsafe} from './settings.js'

const known = new WeakMap<readonly Failsafe[], Map<string, FamilyFlows>>()

/** What PORTS spare between a host and OTHER, the far end. */
export function failsafeFlows(ports: readonly Failsafe[], other: Address): FamilyFlows {
  const holds = ports.map(({net}) => net === undefined || contains(net, other))
  const key = `${other.family} ${holds.map(Number).join('')}`
  let ofPorts = known.get(ports)
  if (ofPorts === undefined) known.set(ports, (ofPorts = new Map<string, FamilyFlows>()))
  let flows = ofPorts.get(key)
  if (flows === undefined) ofPorts.set(key, (flows = unite(ports.filter((_, index) => holds[index]), other.family)))
  return flows
}

const unite = (ports: readonly Failsafe[], family: Family): FamilyFlows =>
  ports.reduce((flows, {protocol, port}) => unionOf(flows, flowsLike({family, protocol, dport: port})), NO_FAMILY_FLOWS)
