import {compareUtf8} from '../../utf8-order.js'
import type {Comparison, Membership, Selector} from './ast.js'
import {SelectorError} from './errors.js'

/** Parentheses, and levels of the tree, that a selector may have inside each other (decisions.md 17). Calico itself has no limit. */
export const MAX_SELECTOR_DEPTH = 1000

const MAX_LABEL_LENGTH = 512

/** A part of the tree and how many levels of it are below. */
interface Parsed {
  readonly selector: Selector
  readonly height: number
}

/**
 * Operators that are words, in the order in which they are tried: the words, which may have white space between them or none,
 * and the operator that they mean.
 */
const WORD_OPERATORS = [
  {words: ['contains'], op: 'contains'},
  {words: ['starts', 'with'], op: 'starts with'},
  {words: ['ends', 'with'], op: 'ends with'},
  {words: ['not', 'in'], op: 'not in'},
  {words: ['in'], op: 'in'},
] as const

/**
 * The selector that TEXT spells, as Calico's own parser reads it (datamodel-v3 §2.6); the empty text is `all()`.
 * Takes time linear in the text's length and never looks back further than one token.
 * @throws SelectorError
 */
export function parseSelector(text: string): Selector {
  const parser = new Parser(text)
  return parser.parse()
}

/** Like parseSelector, but an invalid text is a result: the error in place of the tree. */
export function tryParseSelector(
  text: string,
): {readonly selector: Selector; readonly error?: undefined} | {readonly selector?: undefined; readonly error: SelectorError} {
  try {
    return {selector: parseSelector(text)}
  } catch (error) {
    if (error instanceof SelectorError) return {error}
    throw error
  }
}

/** True if NAME can stand where a selector names a label. That is wider than what Kubernetes allows as a label key. */
export function isSelectorLabel(name: string): boolean {
  if (name.length === 0 || name.length > MAX_LABEL_LENGTH) return false
  for (let i = 0; i < name.length; i++) if (!isLabelCharacter(name.charCodeAt(i))) return false
  return true
}

/** Recursive descent over the characters; `at` is the place of the next one. One object per text, so that nothing is copied. */
class Parser {
  private at = 0
  private depth = 0

  constructor(private readonly text: string) {}

  parse(): Selector {
    this.skipSpace()
    if (this.atEnd()) return {op: 'all'}
    const {selector} = this.parseChain('or')
    if (!this.atEnd()) this.fail(`unexpected ${this.next()} after the end of the expression`)
    return selector
  }

  /** `a || b || c`, whose operands are `&&` chains, or `a && b && c`, whose operands are single terms. */
  private parseChain(op: 'and' | 'or'): Parsed {
    const sign = op === 'or' ? '||' : '&&'
    const operand = (): Parsed => (op === 'or' ? this.parseChain('and') : this.parseTerm())
    const first = operand()
    if (!this.take(sign)) return first
    const operands = [first.selector]
    let height = first.height
    do {
      this.skipSpace()
      const parsed = operand()
      operands.push(parsed.selector)
      height = Math.max(height, parsed.height)
    } while (this.take(sign))
    return this.above(height, {op, operands})
  }

  /** A term with any number of `!` before it: an even number says nothing. */
  private parseTerm(): Parsed {
    let negated = false
    while (this.text[this.at] === '!') {
      negated = !negated
      this.at++
      this.skipSpace()
    }
    const term = this.parseOperand()
    this.skipSpace()
    return negated ? this.above(term.height, {op: 'not', operand: term.selector}) : term
  }

  private parseOperand(): Parsed {
    if (this.take('(')) return this.parseGroup()
    if (this.take('all(')) return {selector: this.closed({op: 'all'}), height: 0}
    if (this.take('global(')) return {selector: this.closed({op: 'global'}), height: 0}
    if (this.take('has(')) {
      this.skipSpace()
      return {selector: this.closed({op: 'has', label: this.parseLabel()}), height: 0}
    }
    return {selector: this.parseComparison(), height: 0}
  }

  /** What follows a `(`, up to and with its `)`. */
  private parseGroup(): Parsed {
    if (++this.depth > MAX_SELECTOR_DEPTH) this.failDepth()
    this.skipSpace()
    const group = this.parseChain('or')
    if (!this.take(')')) this.fail(`expected ')' instead of ${this.next()}`)
    this.depth--
    return group
  }

  /** SELECTOR, if the parenthesis of its keyword is closed here. */
  private closed(selector: Selector): Selector {
    this.skipSpace()
    if (!this.take(')')) this.fail(`expected ')' after '${selector.op}(' instead of ${this.next()}`)
    return selector
  }

  private parseComparison(): Comparison | Membership {
    const label = this.parseLabel()
    this.skipSpace()
    const op = this.parseOperator(label)
    this.skipSpace()
    return op === 'in' || op === 'not in' ? {op, label, values: this.parseSet()} : {op, label, value: this.parseString()}
  }

  private parseLabel(): string {
    const start = this.at
    while (isLabelCharacter(this.text.charCodeAt(this.at))) this.at++
    if (this.at === start) this.fail(`expected a label instead of ${this.next()}`)
    if (this.at - start > MAX_LABEL_LENGTH) {
      this.at = start
      this.fail(`a label longer than ${MAX_LABEL_LENGTH} characters`)
    }
    return this.text.slice(start, this.at)
  }

  private parseOperator(label: string): Comparison['op'] | Membership['op'] {
    if (this.take('==')) return '=='
    if (this.take('!=')) return '!='
    for (const {words, op} of WORD_OPERATORS) if (this.takeWords(words)) return op
    const shown = label.length > 40 ? `${label.slice(0, 40)}…` : label
    return this.fail(`expected an operator (==, !=, in, not in, contains, starts with, ends with) after label '${shown}' instead of ${this.next()}`)
  }

  /** `{'a', "b"}`, with one comma allowed before the `}`. */
  private parseSet(): string[] {
    if (!this.take('{')) this.fail(`expected '{' instead of ${this.next()}`)
    const values = new Set<string>()
    this.skipSpace()
    while (this.atQuote()) {
      values.add(this.parseString())
      this.skipSpace()
      if (!this.take(',')) break
      this.skipSpace()
    }
    if (!this.take('}')) this.fail(`expected a string in quotes or '}' instead of ${this.next()}`)
    return [...values].sort(compareUtf8)
  }

  /** A string in either kind of quotes. There are no escapes: it ends at the next quote of its kind. */
  private parseString(): string {
    if (!this.atQuote()) this.fail(`expected a string in quotes instead of ${this.next()}`)
    const end = this.text.indexOf(this.text.charAt(this.at), this.at + 1)
    if (end === -1) this.fail('a string without an end')
    const value = this.text.slice(this.at + 1, end)
    this.at = end + 1
    return value
  }

  private above(height: number, selector: Selector): Parsed {
    if (height >= MAX_SELECTOR_DEPTH) this.failDepth()
    return {selector, height: height + 1}
  }

  /** Goes past PART if it is next. */
  private take(part: string): boolean {
    if (!this.text.startsWith(part, this.at)) return false
    this.at += part.length
    return true
  }

  /** Goes past WORDS if they are next; the last one must not run on into a longer word. */
  private takeWords(words: readonly string[]): boolean {
    const start = this.at
    for (const word of words) {
      this.skipSpace()
      if (!this.take(word)) {
        this.at = start
        return false
      }
    }
    if (!isLabelCharacter(this.text.charCodeAt(this.at))) return true
    this.at = start
    return false
  }

  /** White space is space and tab, nothing else. */
  private skipSpace(): void {
    while (this.text[this.at] === ' ' || this.text[this.at] === '\t') this.at++
  }

  private atQuote(): boolean {
    return this.text[this.at] === '"' || this.text[this.at] === "'"
  }

  private atEnd(): boolean {
    return this.at === this.text.length
  }

  /** What stands here, for a message. */
  private next(): string {
    const code = this.text.codePointAt(this.at)
    return code === undefined ? 'the end' : JSON.stringify(String.fromCodePoint(code))
  }

  private failDepth(): never {
    return this.fail(`an expression nested more than ${MAX_SELECTOR_DEPTH} levels deep`)
  }

  private fail(problem: string): never {
    throw new SelectorError(problem, this.at)
  }
}

/** `[a-zA-Z0-9_./-]`; false for the NaN of the end of a text. */
function isLabelCharacter(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) || // a-z
    (code >= 0x41 && code <= 0x5a) || // A-Z
    (code >= 0x2d && code <= 0x39) || // - . / 0-9
    code === 0x5f // _
  )
}
