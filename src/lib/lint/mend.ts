/** The command lines that mend what lint finds. Pure. */
import type {Subject} from './finding.js'

/** WORD as a shell reads it as one. */
export const shellWord = (word: string): string => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

const objectWords = ({kind, name = '', namespace}: Subject): string => `${(kind ?? '').toLowerCase()} ${shellWord(name)}${namespace === undefined ? '' : ` -n ${shellWord(namespace)}`}`

/** Change the object in an editor; one whose name `edit` does not take has to be made anew. */
export const editCommand = (subject: Subject): string => (/^[a-z0-9.-]+$/.test(subject.name ?? '') ? `calicoctl edit ${objectWords(subject)}` : `${deleteCommand(subject)}, then create it again`)

export const deleteCommand = (subject: Subject): string => `calicoctl delete ${objectWords(subject)}`

/** For values that no command of ours can read. */
export const rawCommand = ({key}: Subject): string => `etcdctl get ${shellWord(key)}; write a corrected value with etcdctl put, or delete it: etcdctl del ${shellWord(key)}`

const DIRECTIONS: Readonly<Record<string, string>> = {ingress: 'inbound', egress: 'outbound'}

/** How to take away the rule that FIELD lies in (`spec.ingress[0].source`); of a policy, how to change it. */
export function ruleCommand(subject: Subject, field: string): string {
  const [, list = '', index] = /^spec\.(ingress|egress)\[(\d+)\]/.exec(field) ?? []
  if (subject.kind !== 'Profile' || index === undefined) return editCommand(subject)
  return `calicoctl profile ${shellWord(subject.name ?? '')} rule remove ${DIRECTIONS[list] ?? ''} --at=${Number(index) + 1}`
}
