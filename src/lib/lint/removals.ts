/** Printed commands that remove rules: whoever runs all of them, from top to bottom, removes only the rules that were meant. Pure. */
import type {Finding} from './finding.js'
import {shellWord} from './mend.js'

/**
 * FINDINGS, which are all of a store, with no command that removes a rule because of an earlier one that is itself to be corrected: without that one, the
 * rule may be reached.
 */
export function afterCorrections(findings: readonly Finding[]): Finding[] {
  const faulty = new Set(findings.flatMap(({removal, takers}) => (removal && !takers ? [ruleId(removal)] : [])))
  return findings.map((found) => {
    const {removal, takers = []} = found
    const wrong = removal && takers.filter((index) => faulty.has(ruleId({...removal, index})))
    if (!wrong || wrong.length === 0) return found
    const numbers = wrong.map((index) => index + 1)
    return withoutRemoval(found, `correct ${numbers.length === 1 ? 'rule' : 'rules'} ${numbers.join(', ')} first, then: calicoctl lint`)
  })
}

/** FINDINGS in the order in which they are printed, with commands that can be run in this order. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  /** The rules that are removed so far, by their lists. */
  const gone = new Map<string, number[]>()
  return findings.map((found) => {
    const {removal, command, subject} = found
    if (!removal) return found
    const {list, index, byNumber} = removal
    const before = gone.get(list) ?? []
    if (before.includes(index)) return byNumber ? withoutRemoval(found, 'remove the same rule, with the command above') : {...found, command: `${command} --if-exists`}
    // A finding of a lower level is printed later, whatever its place in the list.
    if (byNumber && before.some((other) => other < index)) return withoutRemoval(found, `after the commands above for profile ${shellWord(subject.name ?? '')}: calicoctl lint`)
    gone.set(list, [...before, index])
    return found
  })
}

const ruleId = ({list, index}: {readonly list: string; readonly index: number}): string => `${list} ${index}`

function withoutRemoval({removal: _, ...found}: Finding, command: string): Finding {
  return {...found, command}
}
