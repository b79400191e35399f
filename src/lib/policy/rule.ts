/** Rules as Felix's dataplane has them, made from those that are stored (policy-evaluation §2, §6.1, §6.2, §6.5). */
import {portRange} from '../model/schema/values.js'
import {usablePort} from '../model/schema/rules.js'
import {uncheckedListsOf} from '../model/third-list.js'
import type {EntityRule, Rule as StoredRule} from '../model/types.js'
import {type Cidr, type Family, networkOf, parseCidrOrAddress} from '../net/index.js'
import type {By, RuleAction} from './by.js'
import {type Expression, type Expressions, ruleSelectors} from './expression.js'
import {hasPorts, protocolNumber} from './packets.js'

export interface Ports {
  readonly ranges: readonly (readonly [number, number])[]
  readonly names: readonly string[]
}

/** Networks of one list of a rule, by family; a list without one of a family has the rule not exist for it. */
export interface Nets {
  readonly 4: readonly Cidr[]
  readonly 6: readonly Cidr[]
}

/** The criteria of one end of the flow; absent = not asked. */
export interface End {
  readonly nets?: Nets
  readonly notNets?: Nets
  readonly set?: Expression
  /** The address must not be in it. */
  readonly notSet?: Expression
  readonly ports?: Ports
  readonly notPorts?: Ports
}

export interface Icmp {
  readonly type?: number
  readonly code?: number
}

export interface Rule {
  readonly by: By
  readonly action: RuleAction
  readonly protocol?: number
  readonly notProtocol?: number
  readonly icmp?: Icmp
  readonly notIcmp?: Icmp
  readonly source: End
  readonly destination: End
  /** Families that the rule exists for. */
  readonly families: {readonly 4: boolean; readonly 6: boolean}
  /** Lists, as `source.nets`, that the dataplane does not check (§6.5). */
  readonly unchecked: {readonly 4: ReadonlySet<string>; readonly 6: ReadonlySet<string>}
  /** What of it Felix skips, by path: fields that it does not know, and nets that are none. */
  readonly ignored: readonly string[]
  /** It asks for a Kubernetes service: never matches. */
  readonly never: boolean
}

/** Why Felix takes the object for absent. */
class RefusedRule extends Error {}

/** Why Felix stops where it meets the rule. */
export class StoppingRule extends Error {}

const ACTIONS: Readonly<Record<string, RuleAction>> = {allow: 'Allow', deny: 'Deny', log: 'Log', pass: 'Pass', '': 'Allow'}

/**
 * RULE as it is enforced. @throws RefusedRule, SelectorError: the whole object counts as absent. @throws StoppingRule: Felix stops at it
 */
export function compileRule(rule: StoredRule, by: Omit<By, 'action'>, namespace: string | undefined, expressions: Expressions): Rule {
  const {icmp, notICMP, ipVersion} = rule
  const version: number | undefined = ipVersion
  if (version !== undefined && version !== 4 && version !== 6) throw new RefusedRule(`ipVersion ${version}`)
  const protocol = protocolOf(rule.protocol, 'protocol')
  const notProtocol = protocolOf(rule.notProtocol, 'notProtocol')
  const [source, destination] = [end(rule.source ?? {}, 'source', protocol, namespace, expressions), end(rule.destination ?? {}, 'destination', protocol, namespace, expressions)]
  const byName = namedIcmpFamily(rule.protocol)
  const [wanted, unwanted] = [icmpOf(icmp, 'icmp'), icmpOf(notICMP, 'notICMP')]
  const action = ACTIONS[rule.action.toLowerCase()]
  if (action === undefined) throw new StoppingRule(`the action ${JSON.stringify(rule.action)}, which is none`)
  if (protocol !== undefined && notProtocol !== undefined) throw new StoppingRule('protocol and notProtocol in one rule')
  for (const [name, value] of [['icmp', wanted], ['notICMP', unwanted]] as const) {
    if (value !== undefined && byName === undefined) throw new StoppingRule(`${name} without the protocol ICMP or ICMPv6 by name`)
  }
  const exists = (family: Family): boolean =>
    (version ?? family) === family && (byName ?? family) === family && [source, destination].every((side) => existsFor(side, family))
  return {
    by: {...by, action},
    action,
    ...(protocol === undefined ? {} : {protocol}),
    ...(notProtocol === undefined ? {} : {notProtocol}),
    ...(wanted === undefined ? {} : {icmp: wanted}),
    ...(unwanted === undefined ? {} : {notIcmp: unwanted}),
    source,
    destination,
    families: {4: exists(4), 6: exists(6)},
    unchecked: {4: uncheckedListsOf(rule as object as Readonly<Record<string, unknown>>, 4), 6: uncheckedListsOf(rule as object as Readonly<Record<string, unknown>>, 6)},
    ignored: ignoredParts(rule),
    never: rule.source?.services !== undefined || rule.destination?.services !== undefined,
  }
}

const RULE_FIELDS = ['action', 'ipVersion', 'protocol', 'icmp', 'notProtocol', 'notICMP', 'source', 'destination', 'http', 'metadata']
const END_FIELDS = ['nets', 'selector', 'namespaceSelector', 'services', 'ports', 'notNets', 'notSelector', 'notPorts', 'serviceAccounts']

function ignoredParts(rule: StoredRule): string[] {
  const unknown = (object: object, known: readonly string[], path: string): string[] => Object.keys(object).flatMap((name) => (known.includes(name) ? [] : [path + name]))
  return [
    ...unknown(rule, RULE_FIELDS, ''),
    ...(['source', 'destination'] as const).flatMap((name) => {
      const side = rule[name] ?? {}
      const nets = (['nets', 'notNets'] as const).flatMap((list) => (side[list] ?? []).flatMap((net) => (parseCidrOrAddress(net) ? [] : [`${name}.${list} ${JSON.stringify(net)}`])))
      return [...unknown(side, END_FIELDS, `${name}.`), ...nets]
    }),
  ]
}

function protocolOf(protocol: string | number | undefined, field: string): number | undefined {
  if (protocol === undefined) return undefined
  const number = typeof protocol === 'number' ? protocol : protocolNumber(protocol)
  if (number === undefined || number < 1 || number > 255) throw new RefusedRule(`${field} ${JSON.stringify(protocol)}`)
  return number
}

/** The family that a protocol given by name binds the rule to. */
function namedIcmpFamily(protocol: string | number | undefined): Family | undefined {
  if (typeof protocol !== 'string') return undefined
  return ({icmp: 4, icmpv6: 6} as const)[protocol.toLowerCase()]
}

function icmpOf(match: {readonly type?: number; readonly code?: number} | undefined, field: string): Icmp | undefined {
  if (match === undefined) return undefined
  const {type, code} = match
  if (type !== undefined && (type < 0 || type > 254)) throw new RefusedRule(`${field}.type ${type}`)
  if (code !== undefined && (code < 0 || code > 255)) throw new RefusedRule(`${field}.code ${code}`)
  // A code without a type is not rendered.
  return type === undefined ? {} : {type, ...(code === undefined ? {} : {code})}
}

/** Whether the lists of nets of END leave the rule in existence for FAMILY. */
function existsFor({nets, notNets}: End, family: Family): boolean {
  if (nets?.[family].length === 0) return false
  return notNets === undefined || (notNets[family].length > 0 && notNets[family].every(({prefix}) => prefix > 0))
}

function end(stored: EntityRule, name: string, protocol: number | undefined, namespace: string | undefined, expressions: Expressions): End {
  const {set, not} = ruleSelectors(stored, namespace)
  const [nets, notNets] = [netsOf(stored.nets), netsOf(stored.notNets)]
  const [ports, notPorts] = [portsOf(stored.ports, `${name}.ports`, protocol), portsOf(stored.notPorts, `${name}.notPorts`, protocol)]
  return {
    ...(nets ? {nets} : {}),
    ...(notNets ? {notNets} : {}),
    ...(set ? {set: expressions.of(set)} : {}),
    ...(not ? {notSet: expressions.of(not)} : {}),
    ...(ports ? {ports} : {}),
    ...(notPorts ? {notPorts} : {}),
  }
}

/** The nets of a list that parse; a list of which nothing is left asks nothing. */
function netsOf(list: readonly string[] | undefined): Nets | undefined {
  const cidrs = (list ?? []).flatMap((text) => {
    const cidr = parseCidrOrAddress(text)
    return cidr ? [networkOf(cidr)] : []
  })
  return cidrs.length === 0 ? undefined : {4: cidrs.filter(({family}) => family === 4), 6: cidrs.filter(({family}) => family === 6)}
}

function portsOf(list: readonly (number | string)[] | undefined, field: string, protocol: number | undefined): Ports | undefined {
  if (list === undefined || list.length === 0) return undefined
  if (protocol !== undefined && !hasPorts(protocol)) throw new RefusedRule(`${field} with a protocol that has no ports`)
  const ranges: (readonly [number, number])[] = []
  const names: string[] = []
  for (const port of list) {
    const problem = usablePort(port)
    if (problem !== undefined) throw new RefusedRule(`${field}: ${problem}`)
    const range = portRange(port)
    if (range) ranges.push(range)
    else names.push(String(port))
  }
  if (ranges.length > 0 && protocol === undefined) throw new RefusedRule(`${field} with numbers, but without a protocol`)
  return {ranges, names}
}
