import type {Selector} from './ast.js'

/** The labels of an endpoint, inherited ones included. Of an object only its own properties count. */
export type Labels = ReadonlyMap<string, string> | Readonly<Record<string, string>>

/** Whether SELECTOR matches something with LABELS. `!=` and `not in` hold when the label is absent. */
export function evaluate(selector: Selector, labels: Labels): boolean {
  switch (selector.op) {
    case 'all':
    case 'global':
      return true
    case 'not':
      return !evaluate(selector.operand, labels)
    case 'and':
      return selector.operands.every((operand) => evaluate(operand, labels))
    case 'or':
      return selector.operands.some((operand) => evaluate(operand, labels))
    case 'has':
      return labelValue(labels, selector.label) !== undefined
    case '==':
      return labelValue(labels, selector.label) === selector.value
    case '!=':
      return labelValue(labels, selector.label) !== selector.value
    case 'contains':
      return labelValue(labels, selector.label)?.includes(selector.value) ?? false
    case 'starts with':
      return labelValue(labels, selector.label)?.startsWith(selector.value) ?? false
    case 'ends with':
      return labelValue(labels, selector.label)?.endsWith(selector.value) ?? false
    case 'in':
      return isOneOf(labelValue(labels, selector.label), selector.values)
    case 'not in':
      return !isOneOf(labelValue(labels, selector.label), selector.values)
  }
}

function isOneOf(value: string | undefined, values: readonly string[]): boolean {
  return value !== undefined && values.includes(value)
}

function labelValue(labels: Labels, label: string): string | undefined {
  if (labels instanceof Map) return (labels as ReadonlyMap<string, string>).get(label)
  return Object.hasOwn(labels, label) ? (labels as Readonly<Record<string, string>>)[label] : undefined
}
