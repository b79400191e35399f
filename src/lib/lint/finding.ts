/** What lint has found. Pure. */
import type {KindName} from '../model/resource.js'
import {type Code, type Level, LEVELS, levelOf} from './codes.js'
import {compareUtf8} from '../utf8-order.js'

/** What a finding is about: an object, or, without a kind, a key or several that begin with it. */
export interface Subject {
  readonly key: string
  readonly kind?: KindName | undefined
  readonly name?: string | undefined
  readonly namespace?: string | undefined
}

export interface Finding {
  readonly code: Code
  readonly level: Level
  readonly subject: Subject
  /** The path of the field in the object; '' = the object itself. */
  readonly field: string
  /** Why it is found, as a sentence whose subject is the field or the object. */
  readonly message: string
  /** What mends it: a command line, or what to do first and then one. */
  readonly command: string
  /** The rule that the command removes. */
  readonly removal?: Removal
  /** The rules of the same list that leave this one nothing, by their indexes. */
  readonly takers?: readonly number[]
}

/** A rule of a profile that a command removes. */
export interface Removal {
  /** Which list of which profile: the same text for the same one. */
  readonly list: string
  readonly index: number
  /** The command names the rule by its number: it means another rule once one before it has been removed. */
  readonly byNumber: boolean
}

/** MEND: a command line, or one with what is to be known of it. */
export const finding = (code: Code, subject: Subject, field: string, message: string, mend: string | Pick<Finding, 'command' | 'removal' | 'takers'>): Finding => ({
  code,
  level: levelOf(code),
  subject,
  field,
  message,
  ...(typeof mend === 'string' ? {command: mend} : mend),
})

/** How SUBJECT is called in messages: `profile/web`, `workloadendpoint/default/h1-docker-a-eth0`, or its key. */
export function subjectLabel({kind, namespace, name, key}: Subject): string {
  if (kind === undefined || name === undefined) return key
  return `${kind.toLowerCase()}/${namespace === undefined ? '' : `${namespace}/`}${name}`
}

/** Errors first; those of one level by key, and of one key by field. The rules of one list from the last to the first: to remove one changes the numbers of those behind it only. */
export function compareFindings(a: Finding, b: Finding): number {
  return LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || compareUtf8(a.subject.key, b.subject.key) || compareFields(a.field, b.field) || compareUtf8(a.code, b.code)
}

function compareFields(a: string, b: string): number {
  const [one, other] = [a, b].map((field) => /^spec\.(ingress|egress)\[(\d+)\]/.exec(field))
  return one && other && one[1] === other[1] && one[2] !== other[2] ? Number(other[2]) - Number(one[2]) : compareUtf8(a, b)
}
