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
}

export const finding = (code: Code, subject: Subject, field: string, message: string, command: string): Finding => ({code, level: levelOf(code), subject, field, message, command})

/** How SUBJECT is called in messages: `profile/web`, `workloadendpoint/default/h1-docker-a-eth0`, or its key. */
export function subjectLabel({kind, namespace, name, key}: Subject): string {
  if (kind === undefined || name === undefined) return key
  return `${kind.toLowerCase()}/${namespace === undefined ? '' : `${namespace}/`}${name}`
}

/** Errors first; those of one level by key, and of one key by field. */
export function compareFindings(a: Finding, b: Finding): number {
  return LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || compareUtf8(a.subject.key, b.subject.key) || compareUtf8(a.field, b.field) || compareUtf8(a.code, b.code)
}
