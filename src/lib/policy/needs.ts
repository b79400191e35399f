/** What a selector cannot select without: finds the few that it may select among many, and the few of many selectors that may select something. */
import type {Selector} from '../model/selector/index.js'

/** A label, with this value or with any. */
export interface Need {
  readonly label: string
  readonly value?: string
}

/** SELECTOR selects nothing that has none of these; undefined: it may select what has no label at all. */
export function needsOf(selector: Selector): readonly Need[] | undefined {
  switch (selector.op) {
    case 'has':
    case 'contains':
    case 'starts with':
    case 'ends with':
      return [{label: selector.label}]
    case '==':
      return [{label: selector.label, value: selector.value}]
    case 'in':
      return selector.values.map((value) => ({label: selector.label, value}))
    case 'and': {
      const each = selector.operands.flatMap((operand) => {
        const needs = needsOf(operand)
        return needs ? [needs] : []
      })
      return each.sort((a, b) => breadth(a) - breadth(b))[0]
    }
    case 'or': {
      const each = selector.operands.map(needsOf)
      return each.every((needs) => needs !== undefined) ? each.flat() : undefined
    }
    default:
      return undefined
  }
}

/** Values say more than names: a label with any value counts as many. */
const breadth = (needs: readonly Need[]): number => needs.reduce((sum, {value}) => sum + (value === undefined ? 1000 : 1), 0)

/** Whether LABELS have one of NEEDS. */
export function meets(labels: ReadonlyMap<string, string>, needs: readonly Need[]): boolean {
  for (const {label, value} of needs) if (value === undefined ? labels.has(label) : labels.get(label) === value) return true
  return false
}

/** Things by what a selector of each needs. */
export class NeedIndex<T> {
  private readonly byNeed = new Map<string, Set<T>>()
  private readonly always: T[] = []

  /** @param items each with a selector, in an order that `candidates` keeps */
  constructor(private readonly items: readonly T[], selectorOf: (item: T) => Selector) {
    for (const item of items) {
      const needs = needsOf(selectorOf(item))
      if (needs === undefined) this.always.push(item)
      else for (const need of needs) into(this.byNeed, keyOf(need), item)
    }
  }

  /** Those whose selectors may select what has LABELS: all that do, and perhaps some that do not. */
  candidates(labels: ReadonlyMap<string, string>): readonly T[] {
    if (this.byNeed.size === 0) return this.always
    const found = new Set<T>(this.always)
    for (const [label, value] of labels) {
      for (const key of [keyOf({label}), keyOf({label, value})]) for (const item of this.byNeed.get(key) ?? []) found.add(item)
    }
    return found.size === this.always.length ? this.always : this.items.filter((item) => found.has(item))
  }
}

/** The text of NEED, by which it is found. */
export const keyOf = ({label, value}: Need): string => (value === undefined ? label : `${label}\0${value}`)

/** Adds ITEM to the set at KEY. */
export function into<T>(map: Map<string, Set<T>>, key: string, item: T): void {
  const known = map.get(key)
  if (known) known.add(item)
  else map.set(key, new Set([item]))
}
