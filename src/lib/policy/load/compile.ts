import type {Rule as StoredRule} from '../../model/types.js'
import type {By} from '../by.js'
import type {Expressions} from '../expression.js'
import {compileRule, type Rule, StoppingRule} from '../rule.js'

/** The rules of a profile or policy, BY whom they are; `refused` if Felix takes none of them, and why; `stops` if it stops over them. */
export function compileRules(
  {ingress = [], egress = []}: {ingress: readonly StoredRule[] | undefined; egress: readonly StoredRule[] | undefined},
  by: Omit<By, 'action' | 'direction' | 'index'>,
  namespace: string | undefined,
  expressions: Expressions,
): {rules: {ingress: Rule[]; egress: Rule[]}; refused?: string; stops?: string} {
  const rules = {ingress: [] as Rule[], egress: [] as Rule[]}
  let stops: string | undefined
  for (const [direction, list] of [
    ['ingress', ingress],
    ['egress', egress],
  ] as const) {
    for (const [index, rule] of list.entries()) {
      try {
        rules[direction].push(compileRule(rule, {...by, direction, index}, namespace, expressions))
      } catch (error) {
        if (!(error instanceof Error)) throw error
        const message = `${direction} rule ${index + 1}: ${error.message}`
        if (!(error instanceof StoppingRule)) return {rules, refused: message}
        stops ??= message
      }
    }
  }
  return {rules, ...(stops === undefined ? {} : {stops})}
}
