/** The criteria of a rule that look at addresses (policy-evaluation §6.1–§6.3); what is left of the rule is a matter of protocol and ports. */
import {type Address, contains} from '../net/index.js'
import type {Expression} from './expression.js'
import type {End, Ports, Rule} from './rule.js'
import type {Claim, NamedPort} from './world.js'

/** An address, and what selectors find it by. */
export interface Place {
  readonly address: Address
  readonly claims: readonly Claim[]
}

/** Whether something that has the address of PLACE is selected by EXPRESSION. */
export const isMember = ({claims}: Place, expression: Expression): boolean => claims.some(({labels}) => expression.selects(labels))

/** Whether the criteria of RULE that look at addresses hold. AS_WRITTEN: lists that the dataplane forgets (§6.5) are checked, too. */
export function addressesMatch(rule: Rule, source: Place, destination: Place, asWritten: boolean): boolean {
  const {family} = source.address
  return !rule.never && rule.families[family] && endMatches(rule, 'source', source, asWritten) && endMatches(rule, 'destination', destination, asWritten)
}

/** Whether the criteria of the end NAME of RULE hold at PLACE. */
export function endMatches(rule: Rule, name: 'source' | 'destination', place: Place, asWritten: boolean): boolean {
  const {nets, notNets, set, notSet}: End = rule[name]
  const {family} = place.address
  if (nets && (asWritten || !rule.unchecked[family].has(`${name}.nets`)) && !nets[family].some((net) => contains(net, place.address))) return false
  if (notNets?.[family].some((net) => contains(net, place.address))) return false
  if (set && !isMember(place, set)) return false
  return !(notSet && isMember(place, notSet))
}

/** The ports that NAMES stand for at PLACE: those of the endpoints there that the end's selector selects (§6.4). */
export function namedAt({names}: Ports, place: Place, set: Expression | undefined): NamedPort[] {
  if (names.length === 0) return []
  return place.claims.flatMap(({labels, ports}) => (set && !set.selects(labels) ? [] : ports.filter(({name}) => names.includes(name))))
}
