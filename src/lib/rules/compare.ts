/** When two rules are the same rule (cli-v0.20 §4.4.7, decisions.md 6). */
import type {EntityRule, Rule} from '../model/types.js'
import {fromV3, toV3} from './v3.js'
import {comparable} from './selector-forms.js'

/**
 * A text that is equal for rules that say the same: every field counts, lists in their order; spelling does not (`has(T)` and `T == ''`,
 * a side that is missing and one that is empty).
 */
export function ruleKey(rule: Rule): string {
  let key = keys.get(rule)
  if (key === undefined) keys.set(rule, (key = newKey(rule)))
  return key
}

/** Of rules, which never change. */
const keys = new WeakMap<Rule, string>()

function newKey(rule: Rule): string {
  const words = fromV3(rule)
  const {source = {}, destination = {}, ...rest} = words ? toV3(words) : rule
  return stableJson({...rest, source: sideKey(source), destination: sideKey(destination)})
}

export const sameRule = (a: Rule, b: Rule): boolean => a === b || ruleKey(a) === ruleKey(b)

function sideKey(side: EntityRule): EntityRule {
  const {selector, notSelector} = side
  return {
    ...side,
    ...(selector === undefined ? {} : {selector: comparable(selector)}),
    ...(notSelector === undefined ? {} : {notSelector: comparable(notSelector)}),
  }
}

/** VALUE as JSON with the members of every object in one order. */
function stableJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${stableJson(member)}`)
    .join(',')}}`
}
