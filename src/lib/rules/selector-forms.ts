/**
 * How tags stand in v3 selectors (datamodel-v3 §3.3). `has(T)` is what we write; `T == ''` is what calico-upgrade wrote. A tag and a selector
 * together are `(S) && has(T)`.
 */
import {tagProblem} from '../model/names.js'
import {canonical, type Selector, tryParseSelector} from '../model/selector/index.js'

/** A selector taken apart: at least one of the two. */
export interface SelectorParts {
  readonly tag?: string | undefined
  readonly selector?: string | undefined
}

/** The v3 selector for a tag, a selector, or both; undefined for neither. */
export function joinSelector({tag, selector}: SelectorParts): string | undefined {
  if (tag === undefined) return selector
  return selector === undefined ? `has(${tag})` : `(${selector}) && has(${tag})`
}

/** What {@link joinSelector} would make TEXT from; undefined if TEXT is empty, no selector, or one that rules in words do not take. */
export function splitSelector(text: string): SelectorParts | undefined {
  if (text.trim() === '') return undefined
  const {selector} = tryParseSelector(text)
  if (!selector || usesGlobal(selector)) return undefined
  const tag = tagOf(selector)
  if (tag !== undefined) return {tag}
  return splitBoth(text, selector) ?? {selector: text}
}

/** A spelling that is the same for selectors TEXT that differ only in white space, quotes, or the way they ask for a tag. */
export function comparable(text: string): string {
  const {tag, selector} = splitSelector(text) ?? {selector: text}
  const tree = selector === undefined ? undefined : tryParseSelector(selector).selector
  const spelling = tree ? canonical(tree) : selector
  return joinSelector({tag, selector: spelling}) ?? ''
}

/** Whether SELECTOR has `global()` in it, which Calico refuses in a rule's selector. */
export function usesGlobal(selector: Selector): boolean {
  switch (selector.op) {
    case 'global':
      return true
    case 'not':
      return usesGlobal(selector.operand)
    case 'and':
    case 'or':
      return selector.operands.some(usesGlobal)
    default:
      return false
  }
}

/** The tag that SELECTOR asks for, if that is all it asks. */
function tagOf(selector: Selector): string | undefined {
  const asks = selector.op === 'has' || (selector.op === '==' && selector.value === '')
  return asks && tagProblem(selector.label) === undefined ? selector.label : undefined
}

function splitBoth(text: string, tree: Selector): SelectorParts | undefined {
  const end = text.lastIndexOf(') && ')
  if (tree.op !== 'and' || tree.operands.length !== 2 || !text.startsWith('(') || end === -1) return undefined
  const last = tree.operands[1]
  const tag = last && tagOf(last)
  const selector = text.slice(1, end)
  return tag !== undefined && tryParseSelector(selector).selector ? {tag, selector} : undefined
}
