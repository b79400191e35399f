/** Calico's selector language: text ⇄ tree, and whether labels match (datamodel-v3 §2.6). */

export type {Chain, Comparison, ComparisonOperator, Constant, Has, Membership, Not, Selector, SetOperator} from './ast.js'
export {canonical} from './canonical.js'
export {SelectorError} from './errors.js'
export {evaluate, type Labels} from './evaluate.js'
export {isSelectorLabel, MAX_SELECTOR_DEPTH, parseSelector, tryParseSelector} from './parse.js'
