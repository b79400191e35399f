/** Policies and tiers as Felix reads them (policy-evaluation §4). */
import {asRecord, ownField} from '../../model/schema/codec.js'
import type {GlobalNetworkPolicySpec, NetworkPolicySpec} from '../../model/types.js'
import {type Expressions, globalPolicySelector, networkPolicySelector} from '../expression.js'
import type {Policy, Problem, Tier} from '../world.js'
import {compileRules} from './compile.js'
import {problemOf, type Raw, type StoredObjects} from './stored.js'

/** The policies that Felix can read; the problems of the others are noted. */
export function loadPolicies(stored: StoredObjects, expressions: Expressions): Policy[] {
  return [...stored.of('GlobalNetworkPolicy'), ...stored.of('NetworkPolicy')].flatMap((raw) => policy(stored, expressions, raw))
}

function policy(stored: StoredObjects, expressions: Expressions, raw: Raw): Policy[] {
  const object = stored.read<GlobalNetworkPolicySpec & NetworkPolicySpec>(raw)
  if (typeof object === 'string') {
    noteUnreadable(stored, expressions, raw, object)
    return []
  }
  const {spec} = object
  const tier = spec.tier ?? 'default'
  const kind = raw.kind as Policy['kind']
  const compiled = compileRules({ingress: spec.ingress, egress: spec.egress}, {kind, tier, ...(raw.namespace === undefined ? {} : {namespace: raw.namespace}), name: raw.name}, raw.namespace, expressions)
  const refuse = (message: string): [] => {
    stored.note(raw, 'absent', message)
    return []
  }
  if (compiled.refused !== undefined) return refuse(compiled.refused)
  let selector
  try {
    selector = raw.namespace === undefined ? globalPolicySelector(spec) : networkPolicySelector(spec, raw.namespace)
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
  if (compiled.stops !== undefined) stored.note(raw, 'stops', compiled.stops)
  const types = (spec.types ?? []).map((type) => type.toLowerCase())
  const directions = (['ingress', 'egress'] as const).filter((direction) => types.length === 0 || types.includes(direction))
  return [
    {
      kind,
      name: raw.name,
      ...(raw.namespace === undefined ? {} : {namespace: raw.namespace}),
      tier,
      order: spec.order,
      directions,
      selector: expressions.of(selector),
      stage: spec.doNotTrack ? 'doNotTrack' : spec.preDNAT ? 'preDNAT' : 'normal',
      forward: spec.applyOnForward ?? false,
      ...compiled.rules,
      ...(compiled.stops === undefined ? {} : {stops: compiled.stops}),
    },
  ]
}

/** Notes a policy that cannot be read, with what it would apply to. */
function noteUnreadable(stored: StoredObjects, expressions: Expressions, raw: Raw, message: string): void {
  const problem: Problem = {...problemOf(raw, 'unreadable', message), ...(stored.parsed(raw) === undefined ? {notJson: true} : {})}
  const spec = asRecord(ownField(asRecord(stored.parsed(raw)) ?? {}, 'spec'))
  const text = (name: string): object => (typeof spec?.[name] === 'string' ? {[name]: spec[name]} : {})
  const isOpen = ['selector', 'namespaceSelector', 'serviceAccountSelector'].some((name) => !['string', 'undefined'].includes(typeof (spec?.[name] ?? undefined)))
  if (spec === undefined || isOpen) {
    stored.problems.push(problem)
    return
  }
  const selectors = {...text('selector'), ...text('namespaceSelector'), ...text('serviceAccountSelector')}
  try {
    stored.problems.push({...problem, selector: expressions.of(raw.namespace === undefined ? globalPolicySelector(selectors) : networkPolicySelector(selectors, raw.namespace))})
  } catch {
    stored.problems.push(problem)
  }
}

/** The tiers by name; one that does not exist is as Felix takes it: without an order, its default action Deny. */
export function loadTiers(stored: StoredObjects): (name: string) => Tier {
  const tiers = new Map(stored.of('Tier').flatMap((raw) => tier(stored, raw)).map((one) => [one.name, one]))
  return (name) => tiers.get(name) ?? {name, order: undefined, missing: true, pass: false}
}

function tier(stored: StoredObjects, raw: Raw): Tier[] {
  const object = stored.decoded<{order?: number; defaultAction?: string}>(raw)
  return object ? [{name: raw.name, order: object.spec.order, missing: false, pass: object.spec.defaultAction === 'Pass'}] : []
}
