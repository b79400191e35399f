import type {Selector} from './ast.js'

/**
 * SELECTOR in the spelling that Calico gives it (datamodel-v3 §2.6): sets sorted, strings in double quotes, every chain in parentheses.
 * Reading it back gives a selector of the same meaning; of the same spelling too, except that `!!`, which Calico writes for
 * `!(!x)`, is read as nothing.
 */
export function canonical(selector: Selector): string {
  switch (selector.op) {
    case 'all':
    case 'global':
      return `${selector.op}()`
    case 'has':
      return `has(${selector.label})`
    case 'not':
      return `!${canonical(selector.operand)}`
    case 'and':
      return `(${selector.operands.map(canonical).join(' && ')})`
    case 'or':
      return `(${selector.operands.map(canonical).join(' || ')})`
    case 'in':
    case 'not in':
      return `${selector.label} ${selector.op} {${selector.values.map(quoted).join(', ')}}`
    default:
      return `${selector.label} ${selector.op} ${quoted(selector.value)}`
  }
}

function quoted(text: string): string {
  return text.includes('"') ? `'${text}'` : `"${text}"`
}
