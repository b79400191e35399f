/** The tree of a Calico selector (datamodel-v3 §2.6). Pure data: walk it by a switch on `op`. */

/** An operator that compares a label's value with a string. */
export type ComparisonOperator = '==' | '!=' | 'contains' | 'starts with' | 'ends with'

/** An operator that compares a label's value with a set of strings. */
export type SetOperator = 'in' | 'not in'

export interface Comparison {
  readonly op: ComparisonOperator
  readonly label: string
  readonly value: string
}

export interface Membership {
  readonly op: SetOperator
  readonly label: string
  /** In byte order of their UTF-8, each once. */
  readonly values: readonly string[]
}

export interface Has {
  readonly op: 'has'
  readonly label: string
}

/** `all()`: everything; `global()`: everything that is not in a namespace, which has no labels to look at and so is true as well. */
export interface Constant {
  readonly op: 'all' | 'global'
}

export interface Not {
  readonly op: 'not'
  readonly operand: Selector
}

/** A chain of `&&` (`and`) or `||` (`or`) as it was written: never fewer than two operands, and operands in parentheses keep a tree of their own. */
export interface Chain {
  readonly op: 'and' | 'or'
  readonly operands: readonly Selector[]
}

export type Selector = Comparison | Membership | Has | Constant | Not | Chain
