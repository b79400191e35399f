/** Selectors as Felix uses them: parsed once, with the prefixes and namespaces that it adds (policy-evaluation §4, §6.3), and remembered per set of labels. */
import {evaluate, parseSelector, type Selector} from '../model/selector/index.js'
import {meets, needsOf} from './needs.js'

/** The labels of one endpoint or set, inherited ones included: one object for each distinct map, so that answers can be remembered by it. */
export interface Labels {
  readonly id: number
  readonly map: ReadonlyMap<string, string>
}

export class Expression {
  private readonly known = new Map<Labels, boolean>()
  private readonly needs

  constructor(readonly selector: Selector) {
    this.needs = needsOf(selector)
  }

  /** Whether it selects what has LABELS. */
  selects(labels: Labels): boolean {
    // Most selectors select few: nothing is remembered about all the others.
    if (this.needs && !meets(labels.map, this.needs)) return false
    let answer = this.known.get(labels)
    if (answer === undefined) {
      answer = evaluate(this.selector, labels.map)
      this.known.set(labels, answer)
    }
    return answer
  }
}

/** Gives the same expression for the same selector. */
export class Expressions {
  private readonly byText = new Map<string, Expression>()

  of(selector: Selector): Expression {
    const text = JSON.stringify(selector)
    let expression = this.byText.get(text)
    if (expression === undefined) {
      expression = new Expression(selector)
      this.byText.set(text, expression)
    }
    return expression
  }
}

export const NAMESPACE_LABEL = 'projectcalico.org/namespace'
export const SERVICE_ACCOUNT_LABEL = 'projectcalico.org/serviceaccount'
export const NAMESPACE_PREFIX = 'pcns.'
export const SERVICE_ACCOUNT_PREFIX = 'pcsa.'

const ALL: Selector = {op: 'all'}

/** SELECTOR with every part that has no parts of its own replaced by what CHANGE makes of it. */
function mapLeaves(selector: Selector, change: (leaf: Exclude<Selector, {op: 'not' | 'and' | 'or'}>) => Selector): Selector {
  switch (selector.op) {
    case 'not':
      return {op: 'not', operand: mapLeaves(selector.operand, change)}
    case 'and':
    case 'or':
      return {op: selector.op, operands: selector.operands.map((operand) => mapLeaves(operand, change))}
    default:
      return change(selector)
  }
}

const prefixed = (selector: Selector, prefix: string): Selector => mapLeaves(selector, (leaf) => ('label' in leaf ? {...leaf, label: prefix + leaf.label} : leaf))

const allIsHas = (selector: Selector, label: string): Selector => mapLeaves(selector, (leaf) => (leaf.op === 'all' ? {op: 'has', label} : leaf))

const and = (...parts: readonly (Selector | undefined)[]): Selector | undefined => {
  const operands = parts.filter((part) => part !== undefined)
  return operands.length > 1 ? {op: 'and', operands} : operands[0]
}

const parsed = (text: string | undefined): Selector | undefined => (text === undefined || text === '' ? undefined : parseSelector(text))

export interface PolicySelectors {
  readonly selector?: string
  readonly namespaceSelector?: string
  readonly serviceAccountSelector?: string
}

/** What a GlobalNetworkPolicy applies to. @throws SelectorError */
export function globalPolicySelector({selector, namespaceSelector, serviceAccountSelector}: PolicySelectors): Selector {
  let result = parsed(selector) ?? ALL
  const [namespaces, accounts] = [parsed(namespaceSelector), parsed(serviceAccountSelector)]
  if (namespaces) result = allIsHas(and(result, prefixed(namespaces, NAMESPACE_PREFIX)) ?? ALL, NAMESPACE_LABEL)
  if (accounts) result = allIsHas(and(result, prefixed(accounts, SERVICE_ACCOUNT_PREFIX)) ?? ALL, SERVICE_ACCOUNT_LABEL)
  return result
}

/** What a NetworkPolicy of NAMESPACE applies to. @throws SelectorError */
export function networkPolicySelector({selector, serviceAccountSelector}: PolicySelectors, namespace: string): Selector {
  const accounts = parsed(serviceAccountSelector)
  return and(parsed(selector), {op: '==', label: NAMESPACE_LABEL, value: namespace}, accounts && prefixed(accounts, SERVICE_ACCOUNT_PREFIX)) ?? ALL
}

export interface SideSelectors {
  readonly selector?: string
  readonly notSelector?: string
  readonly namespaceSelector?: string
  readonly serviceAccounts?: {readonly names?: readonly string[]; readonly selector?: string}
}

/**
 * The sets that one side of a rule names: `set` must have the address, `not` must not have it. NAMESPACE is that of a NetworkPolicy.
 * @throws SelectorError
 */
export function ruleSelectors({selector, notSelector, namespaceSelector, serviceAccounts}: SideSelectors, namespace: string | undefined): {set?: Selector; not?: Selector} {
  const own = parsed(selector)
  const negative = parsed(notSelector)
  const names = serviceAccounts?.names ?? []
  const accountSelector = parsed(serviceAccounts?.selector)
  const accounts = and(
    names.length > 0 ? {op: 'in', label: SERVICE_ACCOUNT_LABEL, values: [...names]} : undefined,
    accountSelector && prefixed(accountSelector, SERVICE_ACCOUNT_PREFIX),
  )
  const given = parsed(namespaceSelector)
  const bound = own !== undefined || negative !== undefined || accounts !== undefined || given !== undefined
  const positive = and(bound ? namespaces(given, namespace) : undefined, accounts, own)
  if (positive && negative) return {set: {op: 'and', operands: [positive, {op: 'not', operand: negative}]}}
  return {...(positive ? {set: positive} : {}), ...(negative ? {not: negative} : {})}
}

function namespaces(given: Selector | undefined, namespace: string | undefined): Selector | undefined {
  if (given === undefined) return namespace === undefined ? undefined : {op: '==', label: NAMESPACE_LABEL, value: namespace}
  return mapLeaves(given, (leaf) => {
    if (leaf.op === 'all') return {op: 'has', label: NAMESPACE_LABEL}
    if (leaf.op === 'global') return {op: 'not', operand: {op: 'has', label: NAMESPACE_LABEL}}
    return 'label' in leaf ? {...leaf, label: NAMESPACE_PREFIX + leaf.label} : leaf
  })
}
