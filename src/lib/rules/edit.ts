/**
 * What an edit of a profile means (cli-v0.20 §4.4). Every edit is a function from one profile to the next, which is the same object where
 * nothing changes, together with what is to be reported about it. All else in the profile is carried along.
 */
import {append} from '../append.js'
import {CalicoError} from '../errors.js'
import {displayName, nameAnnotations} from '../model/display-name.js'
import {convertName} from '../model/names.js'
import {API_VERSION} from '../model/resource.js'
import type {Profile, ProfileSpec, Rule} from '../model/types.js'
import {compareUtf8} from '../utf8-order.js'
import {unknownV3Fields} from './check-v3.js'
import {ruleKey} from './compare.js'
import {ruleText} from './show.js'
import type {RuleLists} from './v020-json.js'
import {toV3} from './v3.js'

/** v0.20's name of a direction, seen from the endpoint. */
export type Direction = 'inbound' | 'outbound'

const LISTS = {inbound: 'ingress', outbound: 'egress'} as const

/** A profile with v0.20's default policy: inbound only from endpoints with TAG, which its own get, outbound anywhere. NAME as typed. */
export function newProfile(name: string, tag = name): Profile {
  const stored = convertName(name)
  const annotations = nameAnnotations(name, stored)
  return {
    kind: 'Profile',
    apiVersion: API_VERSION,
    metadata: {name: stored, ...(stored === name ? {} : {annotations})},
    spec: {
      ingress: [toV3({action: 'allow', from: {tag}, to: {}})],
      egress: [toV3({action: 'allow', from: {}, to: {}})],
      labelsToApply: {[tag]: ''},
    },
  }
}

/** The rules of PROFILE. */
export function rulesOf({spec}: Profile): RuleLists {
  return {inbound: spec.ingress ?? [], outbound: spec.egress ?? []}
}

export interface RuleEdit {
  readonly profile: Profile
  /** The rule's number, counted from 1: where it was added or removed, or where an equal one stands. */
  readonly at: number
}

/**
 * PROFILE with RULE as number AT of its DIRECTION (counted from 1), or at the end. The same profile if an equal rule is there already, wherever.
 * @throws CalicoError `invalid` if AT is neither the number of a rule nor the one after the last.
 */
export const addRule =
  (direction: Direction, rule: Rule, at?: number) =>
  (profile: Profile): RuleEdit => {
    const rules = rulesOf(profile)[direction]
    const present = find(rules, rule)
    if (present !== 0) return {profile, at: present}
    const place = at ?? rules.length + 1
    if (place < 1 || place > rules.length + 1) throw outOfRange(profile, direction, place, rules.length + 1)
    return {profile: withRules(profile, direction, rules.toSpliced(place - 1, 0, rule)), at: place}
  }

/** PROFILE without the first rule of its DIRECTION that equals RULE. @throws CalicoError `not-found` if there is none. */
export const removeRule =
  (direction: Direction, rule: Rule) =>
  (profile: Profile): RuleEdit => {
    const at = find(rulesOf(profile)[direction], rule)
    if (at !== 0) return removeRuleAt(direction, at)(profile)
    const name = displayName(profile.metadata).name
    const text = ruleText(rule)
    const listed = rulesOf(profile)[direction].map((other, index) => ({line: `${index + 1} ${ruleText(other)}`, common: commonWords(ruleText(other), text)}))
    const near = listed.sort((a, b) => b.common - a.common).slice(0, NEAREST_RULES).map(({line}) => line)
    throw new CalicoError('not-found', `Rule not found. Profile ${name} has no ${direction} rule: ${text}`, {
      details: near.length === 0 ? [`It has no ${direction} rules.`] : [`Its ${near.length < listed.length ? 'most similar ' : ''}${direction} rules:`, ...near.map((line) => `  ${line}`)],
      hint: `All words of a rule must be the same, and ports in the same order. To see all rules: calicoctl profile ${name} rule show`,
    })
  }

/** PROFILE without rule number AT, counted from 1, of its DIRECTION. @throws CalicoError `invalid` if there is no such number. */
export const removeRuleAt =
  (direction: Direction, at: number) =>
  (profile: Profile): RuleEdit => {
    const rules = rulesOf(profile)[direction]
    if (at < 1 || at > rules.length) throw outOfRange(profile, direction, at, rules.length)
    return {profile: withRules(profile, direction, rules.toSpliced(at - 1, 1)), at}
  }

/**
 * PROFILE with RULES in place of its own. A new rule that equals one of the old ones is kept as it is stored, not rewritten (decisions.md 6).
 * @throws CalicoError `invalid` for a rule with fields that Calico does not know, unless it is stored already: dropping them could open what
 * they were to close.
 */
export function replaceRules(profile: Profile, rules: RuleLists): Profile {
  const old = rulesOf(profile)
  const unknown: string[] = []
  const replace = (direction: Direction): readonly Rule[] => {
    const stored = new Map(old[direction].map((rule) => [ruleKey(rule), rule]))
    const next = rules[direction].map((rule, index) => {
      const same = stored.get(ruleKey(rule))
      if (same === undefined) append(unknown, unknownV3Fields(rule).map((field) => `${direction}_rules[${index}]: v3: unknown field ${field}`))
      return same ?? rule
    })
    return next.length === old[direction].length && next.every((rule, index) => rule === old[direction][index]) ? old[direction] : next
  }
  const next = {inbound: replace('inbound'), outbound: replace('outbound')}
  if (unknown.length > 0) throw new CalicoError('invalid', 'The rules have fields that Calico does not know; nothing was changed', {details: unknown})
  if (next.inbound === old.inbound && next.outbound === old.outbound) return profile
  return withRules(withRules(profile, 'inbound', next.inbound), 'outbound', next.outbound)
}

/** The tags of PROFILE, in byte order: the labels without a value that its endpoints inherit. */
export function tagsOf({spec}: Profile): string[] {
  const labels = Object.entries(spec.labelsToApply ?? {})
  return labels.flatMap(([label, value]) => (value === '' ? [label] : [])).sort(compareUtf8)
}

/** PROFILE with TAG. @throws CalicoError `conflict` if it has a label of that name with a value. */
export function addTag(profile: Profile, tag: string): Profile {
  const labels = profile.spec.labelsToApply ?? {}
  const value = Object.hasOwn(labels, tag) ? labels[tag] : undefined
  if (value === '') return profile
  if (value !== undefined) {
    throw new CalicoError('conflict', `The profile already applies the label ${tag}=${value}, so ${tag} cannot also be a tag.`, {
      hint: `Rules with "tag ${tag}" already match its endpoints.`,
    })
  }
  return withSpec(profile, {labelsToApply: {...labels, [tag]: ''}})
}

/** PROFILE without TAG; undefined if it does not have it. */
export function removeTag(profile: Profile, tag: string): Profile | undefined {
  const labels = profile.spec.labelsToApply ?? {}
  if (!Object.hasOwn(labels, tag) || labels[tag] !== '') return undefined
  const {[tag]: _, ...rest} = labels
  return withSpec(profile, {labelsToApply: rest})
}

const withSpec = (profile: Profile, changed: Partial<ProfileSpec>): Profile => ({...profile, spec: {...profile.spec, ...changed}})

const withRules = (profile: Profile, direction: Direction, rules: readonly Rule[]): Profile => withSpec(profile, {[LISTS[direction]]: rules})

/** The number, counted from 1, of the first of RULES that equals RULE; 0 = none. */
function find(rules: readonly Rule[], rule: Rule): number {
  const key = ruleKey(rule)
  return rules.findIndex((other) => ruleKey(other) === key) + 1
}

/** Stored rules that an error shows beside the one that was not found. */
const NEAREST_RULES = 3

/** How many words A and B have in common. */
function commonWords(a: string, b: string): number {
  const words = new Set(a.split(' '))
  return b.split(' ').filter((word) => words.has(word)).length
}

function outOfRange(profile: Profile, direction: Direction, at: number, last: number): CalicoError {
  const {name} = displayName(profile.metadata)
  const why = last === 0 ? `profile ${name} has no ${direction} rules` : last === 1 ? `the only valid ${direction} position in profile ${name} is 1` : `the valid ${direction} positions in profile ${name} are 1 to ${last}`
  return new CalicoError('invalid', `Position ${at} is out of range: ${why}.`, {hint: `To see the rules with their positions: calicoctl profile ${name} rule show`})
}
