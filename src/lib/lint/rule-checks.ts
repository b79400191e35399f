/** Rules among each other, and against those whom they are about. Pure. */
import {append} from '../append.js'
import {displayName} from '../model/display-name.js'
import {tryParseSelector} from '../model/selector/index.js'
import {uncheckedLists} from '../model/third-list.js'
import type {GlobalNetworkPolicySpec, Rule} from '../model/types.js'
import {covers, coveringTogether, type Matcher, matcher} from '../rules/covers.js'
import {splitSelector} from '../rules/selector-forms.js'
import {ruleText} from '../rules/show.js'
import {compareUtf8} from '../utf8-order.js'
import {type Finding, finding} from './finding.js'
import {deleteCommand, editCommand, ruleMend, shellWord} from './mend.js'
import type {Readable, World} from './world.js'

type Direction = 'ingress' | 'egress'
const DIRECTIONS = ['ingress', 'egress'] as const

export type Policy = Readable<'GlobalNetworkPolicy'> | Readable<'NetworkPolicy'>
type WithRules = Readable<'Profile'> | Policy

/** The policies of WORLD that decide something, staged ones left out. */
export const policiesOf = (world: World): readonly Policy[] => [...world.of('GlobalNetworkPolicy'), ...world.of('NetworkPolicy')]

/** A policy's spec with what only global ones have. */
export const specOf = ({resource}: Policy): GlobalNetworkPolicySpec => resource.spec

/** Whether rules of DIRECTION count: no types in the store are both (policy-evaluation §4). */
export const hasDirection = ({types}: GlobalNetworkPolicySpec, direction: Direction): boolean =>
  types === undefined || types.length === 0 || types.some((type) => type.toLowerCase() === direction)

interface JudgedRule {
  readonly rule: Rule
  readonly index: number
  readonly field: string
  readonly match: Matcher | undefined
}

export function ruleFindings(world: World): Finding[] {
  const ports = definedPorts(world)
  const nobody = nobodyFinder(world)
  const profiles = profileNames(world)
  const found: Finding[] = []
  const policies = policiesOf(world)
  for (const object of [...world.of('Profile'), ...policies]) {
    for (const direction of DIRECTIONS) {
      const rules = judged(object, direction)
      if (rules.length === 0) continue
      if (object.kind !== 'Profile' && !hasDirection(specOf(object), direction)) {
        found.push(finding('matches-nothing', object, `spec.${direction}`, `has rules, but the policy's types do not include ${direction === 'ingress' ? 'Ingress' : 'Egress'}: they have no effect`, editCommand(object)))
        continue
      }
      const live = rules.filter((each) => {
        const reason = whyNothing(each, ports)
        if (reason !== undefined) found.push(finding('matches-nothing', object, each.field, `cannot match any traffic: ${reason}`, ruleMend(object, each.field)))
        return reason === undefined
      })
      for (const [rule, earlier] of shadowed(live)) {
        const names = earlier.map((each) => ruleName(object, each))
        found.push(finding('rule-never-reached', object, rule.field, neverDecides(names, earlier.map((each) => each.rule)), {...ruleMend(object, rule.field), takers: earlier.map(({index}) => index)}))
      }
      for (const {rule, field} of rules) {
        for (const end of ['source', 'destination'] as const) {
          const text = rule[end]?.selector
          if (text === undefined || rule[end]?.namespaceSelector !== undefined || rule[end]?.serviceAccounts !== undefined) continue
          append(found, nobodyFindings(object, `${field}.${end}.selector`, text, nobody(text, 'member', object.namespace), profiles))
        }
      }
    }
  }
  for (const policy of policies) {
    const {selector, namespaceSelector, serviceAccountSelector} = specOf(policy)
    if (selector === undefined || namespaceSelector !== undefined || serviceAccountSelector !== undefined) continue
    if (nobody(selector, 'endpoint', policy.namespace)) {
      found.push(finding('selects-nobody', policy, 'spec.selector', `selects no endpoint: ${selector}`, deleteCommand(policy)))
    }
  }
  return unique([...found, ...shadowedByPolicies(policies)])
}

/** Of findings about one field of one object with one code, the first. */
function unique(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>()
  return findings.filter(({code, subject, field}) => {
    const id = `${code}\n${subject.key}\n${field}`
    if (seen.has(id)) return false
    seen.add(id)
    return true
  })
}

const judged = (object: WithRules, direction: Direction): JudgedRule[] =>
  (object.resource.spec[direction] ?? []).map((rule, index) => ({rule, index, field: `spec.${direction}[${index}]`, match: matcher(rule, {namespaced: object.kind === 'NetworkPolicy'})}))

/** A rule by its number, counted from 1, as "rule show" has it: `inbound rule 3`; of a policy `ingress rule 3`. */
function ruleName({kind}: WithRules, {field}: JudgedRule): string {
  const [, direction = '', index = ''] = /^spec\.(\w+)\[(\d+)\]/.exec(field) ?? []
  const word = kind === 'Profile' ? {ingress: 'inbound', egress: 'outbound'}[direction] : direction
  return `${word ?? ''} rule ${Number(index) + 1}`
}

/** What is said of a rule to which those called NAMES, which are RULES, leave nothing. */
function neverDecides(names: readonly string[], rules: readonly Rule[]): string {
  const texts = `${rules.slice(0, 5).map(ruleText).join('; ')}${rules.length > 5 ? '; …' : ''}`
  return names.length === 1 ? `never matches: ${names.join()} before it matches all its traffic (${texts})` : `never matches: ${names.join(', ')} before it together match all its traffic (${texts})`
}

/** Rules of one list to which earlier ones leave nothing, each with the first that takes all, or those that do together. */
function* shadowed(rules: readonly JudgedRule[]): Generator<readonly [JudgedRule, readonly JudgedRule[]]> {
  for (const [at, later] of rules.entries()) {
    const {match} = later
    // What Felix enforces wider than it is written may reach further than what is written.
    if (!match || isWider(later.rule)) continue
    const before = rules.slice(0, at)
    const earlier = before.find((each) => each.match && covers(each.match, match))
    const takers = earlier ? [earlier] : coveringTogether(before, (each) => each.match, match)
    if (takers.length > 0) yield [later, takers]
  }
}

const isWider = (rule: Rule): boolean => uncheckedLists(rule as unknown as Readonly<Record<string, unknown>>).length > 0

/** Rules that are examined for each policy behind them. */
const MOST_BROAD = 100

/** Rules of policies that a policy before them in the tier, which applies to every endpoint, leaves nothing. */
function shadowedByPolicies(policies: readonly Policy[]): Finding[] {
  const found: Finding[] = []
  const tiers = new Map<string, Policy[]>()
  for (const policy of policies) {
    const {tier = 'default', doNotTrack, preDNAT} = specOf(policy)
    if (doNotTrack || preDNAT) continue
    const list = tiers.get(tier)
    if (list) list.push(policy)
    else tiers.set(tier, [policy])
  }
  for (const list of tiers.values()) {
    for (const direction of DIRECTIONS) {
      const broad: {policy: Policy; judged: JudgedRule; match: Matcher}[] = []
      for (const policy of list.sort(comparePolicies)) {
        const spec = specOf(policy)
        if (!hasDirection(spec, direction)) continue
        const rules = judged(policy, direction)
        for (const later of rules) {
          const {match} = later
          if (!match || isWider(later.rule)) continue
          const before = broad.filter((each) => (specOf(each.policy).applyOnForward ?? false) >= (spec.applyOnForward ?? false))
          const earlier = before.find((each) => covers(each.match, match))
          const takers = earlier ? [earlier] : coveringTogether(before, (each) => each.match, match)
          if (takers.length === 0) continue
          const names = takers.map((each) => `${ruleName(each.policy, each.judged)} of the policy ${each.policy.name}`)
          found.push(finding('rule-never-reached', policy, later.field, neverDecides(names, takers.map((each) => each.judged.rule)), ruleMend(policy, later.field)))
        }
        if (!appliesToAll(policy)) continue
        for (const each of rules) if (each.match && each.match.action !== 'log' && broad.length < MOST_BROAD) broad.push({policy, judged: each, match: each.match})
      }
    }
  }
  return found
}

function appliesToAll(policy: Policy): boolean {
  const {selector = '', namespaceSelector, serviceAccountSelector} = specOf(policy)
  return policy.kind === 'GlobalNetworkPolicy' && namespaceSelector === undefined && serviceAccountSelector === undefined && (selector === '' || /^\s*all\(\s*\)\s*$/.test(selector))
}

/** As Felix orders the policies of a tier (policy-evaluation §5). */
function comparePolicies(a: Policy, b: Policy): number {
  const [orderA, orderB] = [specOf(a).order ?? Infinity, specOf(b).order ?? Infinity]
  if (orderA !== orderB) return orderA - orderB
  const id = ({name, namespace = '', kind}: Policy): string => `${name}/${namespace}/${kind}`
  return compareUtf8(id(a), id(b))
}

/** The named ports of endpoints, as `name/protocol number` and `name`. */
function definedPorts({endpoints}: World): ReadonlySet<string> {
  const ports = new Set<string>()
  for (const {object} of endpoints) {
    for (const {name, protocol} of object.resource?.spec.ports ?? []) {
      const known = matcher({action: 'Allow', protocol})?.protocol
      ports.add(name)
      if (known !== undefined) ports.add(`${name}/${known}`)
    }
  }
  return ports
}

/** Why no packet can match RULE; undefined if one can, or if it cannot be judged. */
function whyNothing({rule, match}: JudgedRule, ports: ReadonlySet<string>): string | undefined {
  if (!match) return undefined
  if (match.families.length === 0) return 'its protocol, ipVersion and networks are of different IP versions'
  for (const [at, end] of (['source', 'destination'] as const).entries()) {
    const side = match.ends[at]
    if (!side) continue
    if (rule[end]?.services !== undefined) return `${end}.services needs Kubernetes`
    if (match.families.every((family) => side.addresses[family].length === 0)) return `${end}.notNets excludes every address of ${end}.nets`
    const {any, names, numbers} = side.ports
    const isDefined = (name: string): boolean => ports.has(match.protocol === undefined ? name : `${name}/${match.protocol}`)
    if (!any && numbers.length === 0 && !names.some(isDefined)) return `no endpoint has a port named ${names.join(' or ')}`
  }
  return undefined
}

type NobodyFinder = (text: string, who: 'member' | 'endpoint', namespace: string | undefined) => boolean

/** Whether a selector matches no one, neither of those that are there nor of those whom a profile would label. */
function nobodyFinder(world: World): NobodyFinder {
  const known = new Map<string, boolean>()
  const isEmpty = !world.groups.some(({what}) => what !== 'profile')
  return (text, who, namespace) => {
    const id = `${who}\n${namespace ?? ''}\n${text}`
    const before = known.get(id)
    if (before !== undefined) return before
    const result = ask()
    known.set(id, result)
    return result
    function ask(): boolean {
      const {selector} = tryParseSelector(text)
      if (!selector || text.trim() === '') return false
      const tag = splitSelector(text)?.tag
      // In a store without endpoints everything but a tag may be meant for those to come.
      if (isEmpty && tag === undefined) return false
      if (tag !== undefined && world.lostLabels.has(tag)) return false
      for (const {what, labels} of world.matching(selector)) {
        if (who === 'endpoint' && what === 'set') continue
        if (namespace === undefined || what === 'profile' || labels.get('projectcalico.org/namespace') === namespace) return false
      }
      return true
    }
  }
}

/** The profiles by the names under which users know them. */
function profileNames(world: World): ReadonlyMap<string, Readable<'Profile'>> {
  return new Map(world.of('Profile').flatMap((profile) => [[profile.name, profile], [displayName(profile.resource.metadata).name, profile]] as const))
}

function nobodyFindings(object: WithRules, field: string, text: string, nobody: boolean, profiles: ReadonlyMap<string, Readable<'Profile'>>): Finding[] {
  if (!nobody) return []
  const tag = splitSelector(text)?.tag
  const profile = tag === undefined ? undefined : profiles.get(tag)
  if (tag !== undefined && profile) {
    const command = `calicoctl profile ${shellWord(profile.name)} tag add ${shellWord(tag)}`
    return [finding('profile-without-tag', profile, 'spec.labelsToApply', `does not have the tag ${tag}, which rules match and no other profile has: these rules match nothing`, command)]
  }
  const message = tag === undefined ? `matches no endpoint and no network set: ${text}` : `matches the tag ${tag}, which no endpoint, profile or network set has`
  return [finding('selects-nobody', object, field, message, ruleMend(object, field))]
}
