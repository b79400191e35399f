/** The command lines that mend what lint finds. Pure. */
import type {ResourceOf, Rule} from '../model/types.js'
import {sameRule} from '../rules/compare.js'
import {ruleText, wordsOf} from '../rules/show.js'
import {fromV3} from '../rules/v3.js'
import {readRuleWords} from '../rules/words.js'
import type {Finding, Subject} from './finding.js'
import type {StoredObject} from './stored.js'

/** WORD as a shell reads it as one. */
export const shellWord = (word: string): string => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

const objectWords = ({kind, name = '', namespace}: Subject): string => `${(kind ?? '').toLowerCase()} ${shellWord(name)}${namespace === undefined ? '' : ` -n ${shellWord(namespace)}`}`

/** Change the object in an editor; one whose name `edit` does not take has to be made anew. */
export const editCommand = (subject: Subject): string => (/^[a-z0-9.-]+$/.test(subject.name ?? '') ? `calicoctl edit ${objectWords(subject)}` : `${deleteCommand(subject)}, then create it again`)

export const deleteCommand = (subject: Subject): string => `calicoctl delete ${objectWords(subject)}`

/** For values that no command of ours can read. */
export const rawCommand = ({key}: Subject): string => `etcdctl get ${shellWord(key)}; write a corrected value with etcdctl put, or delete it: etcdctl del ${shellWord(key)}`

const DIRECTIONS: Readonly<Record<string, string>> = {ingress: 'inbound', egress: 'outbound'}

/** How to mend something: a command line, and the rule that it removes. */
export type Mend = Pick<Finding, 'command' | 'removal'>

/** How to take away the rule that FIELD lies in (`spec.ingress[0].source`); of a policy, how to change it. */
export function ruleMend(object: StoredObject, field: string): Mend {
  const [, list, number] = /^spec\.(ingress|egress)\[(\d+)\]/.exec(field) ?? []
  if (object.kind !== 'Profile' || list === undefined) return {command: editCommand(object)}
  const index = Number(number)
  const words = uniqueWords((object.resource as ResourceOf['Profile'] | undefined)?.spec[list as 'ingress' | 'egress'] ?? [], index)
  const command = `calicoctl profile ${shellWord(object.name)} rule remove ${DIRECTIONS[list] ?? ''} ${words ?? `--at=${index + 1}`}`
  return {command, removal: {list: `${object.key} ${list}`, index, byNumber: words === undefined}}
}

/** The words that mean the rule of INDEX and no other of RULES, as typed in a shell; undefined where `rule remove` does not take such words. */
function uniqueWords(rules: readonly Rule[], index: number): string | undefined {
  const rule = rules[index]
  const words = rule && fromV3(rule)
  if (!rule || !words) return undefined
  const read = readRuleWords(wordsOf(words))
  if (!read.ok || !sameRule(read.rule, rule) || rules.some((other, at) => at !== index && sameRule(other, rule))) return undefined
  const text = ruleText(rule)
  // What is escaped when it is printed would be another rule when it is typed.
  return /^[\x20-\x7e]*$/.test(text) ? text : undefined
}
