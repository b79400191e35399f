/**
 * The text of a batch → its command lines: words, quotes, backslashes, comments and continuation as `sh` has them. What only a shell can do (variables,
 * patterns, pipes …) is refused by name, never passed on as text that would mean something else in a shell (design-whole.md §2). Pure.
 */

/** One command line. */
export interface BatchLine {
  /** The number of its first line, from 1. */
  readonly line: number
  readonly words: readonly string[]
}

/** Why a line cannot be read: a sentence without its full stop. */
export interface LineProblem {
  readonly line: number
  readonly problem: string
}

/** What begins with `$`: variables, special parameters, arithmetic and the output of commands; a `$` before anything else is a character. */
const EXPANSION = /\$(?:\\\n|[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]|\{[^}\n]*\}?|\(\(?)/y
/** What has a meaning outside quotes, and is not handed on. */
const OPERATORS: readonly (readonly [text: string, meaning: string])[] = [
  ['&&', 'a list of commands'], ['||', 'a list of commands'], [';', 'a list of commands'], ['|', 'a pipe'], ['&', 'a command in the background'],
  ['<<', 'a here-document'], ['>>', 'a redirection'], ['<', 'a redirection'], ['>', 'a redirection'], ['(', 'a subshell'], [')', 'a subshell'],
  ['*', 'a pattern of file names'], ['?', 'a pattern of file names'], ['[', 'a pattern of file names'],
]
const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*\+?=/
const PLAIN = /[A-Za-z0-9_./:,@%+-]+/y
const BRACES = /\{[^{}\s'"\\]*(?:,|\.\.)[^{}\s'"\\]*\}/y

/** The command lines of TEXT in order, and what is wrong in it. Empty lines and comments are no lines. Line ends may be those of Windows. */
export function readLines(text: string): {lines: BatchLine[]; problems: LineProblem[]} {
  const reader = new Reader(text.replaceAll('\r\n', '\n'))
  reader.readAll()
  return reader
}

/** WORD as sh and {@link readLines} read it back. */
export const quoteWord = (word: string): string => (/^[A-Za-z0-9_./:,@%+=-]+$/.test(word) && !ASSIGNMENT.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)

class Reader {
  readonly lines: BatchLine[] = []
  readonly problems: LineProblem[] = []
  private at = 0
  /** The line that is being read, and where its command line began. */
  private line = 1
  private first = 1
  private words: string[] = []
  /** The word so far; undefined between words. */
  private word: string | undefined
  /** Something in this word was quoted: it is no assignment. */
  private quoted = false
  /** What is wrong with this command line. */
  private found = new Set<string>()

  constructor(private readonly text: string) {}

  readAll(): void {
    while (this.at < this.text.length) {
      // Most of a line means nothing but itself.
      PLAIN.lastIndex = this.at
      const plain = PLAIN.exec(this.text)?.[0]
      if (plain === undefined) this.readOne()
      else this.take(plain)
    }
    this.endLine()
  }

  private readOne(): void {
    const character = this.text.charAt(this.at)
    switch (character) {
      case '\n':
        this.endLine()
        this.at++
        this.line++
        this.first = this.line
        return
      case ' ':
      case '\t':
        this.endWord()
        this.at++
        return
      case '#':
        if (this.word !== undefined) { this.take(character); return; }
        this.at = this.endOfLine()
        return
      case '\\':
        { this.backslash(); return; }
      case "'":
        { this.singleQuoted(); return; }
      case '"':
        { this.doubleQuoted(); return; }
      case '$':
      case '`':
        { this.expansion({inQuotes: false}); return; }
      case '~':
        if (this.word === undefined) this.refuse('~', 'the home folder')
        { this.take(character); return; }
      case '{':
        BRACES.lastIndex = this.at
        if (BRACES.test(this.text)) this.refuse('{…}', 'a list of alternatives')
        { this.take(character); return; }
      default:
        { this.plain(character); return; }
    }
  }

  private plain(character: string): void {
    const operator = OPERATORS.find(([text]) => this.text.startsWith(text, this.at))
    if (operator === undefined) { this.take(character); return; }
    this.refuse(...operator)
    this.endWord()
    this.at += operator[0].length
  }

  private take(text: string, length = text.length): void {
    if (text === '\0') this.note('it contains a NUL character')
    if (text === '=' && this.words.length === 0 && ASSIGNMENT.test(`${this.word ?? ''}=`) && !this.quoted) this.refuse(`${this.word ?? ''}=`, 'setting a variable')
    this.word = (this.word ?? '') + text
    this.at += length
  }

  private backslash(): void {
    const next = this.text.charAt(this.at + 1)
    if (next === '') {
      this.note('it ends with a backslash, but there is no next line')
      this.at++
    } else if (next === '\n') {
      this.at += 2
      this.line++
      if (this.word === undefined && this.words.length === 0) this.first = this.line
    } else {
      this.quoted = true
      this.take(next, 2)
    }
  }

  private singleQuoted(): void {
    const end = this.text.indexOf("'", this.at + 1)
    if (end < 0) { this.unclosed("'"); return; }
    this.quoted = true
    const text = this.text.slice(this.at + 1, end)
    this.word = (this.word ?? '') + text
    if (text.includes('\0')) this.note('it contains a NUL character')
    this.line += text.split('\n').length - 1
    this.at = end + 1
  }

  private doubleQuoted(): void {
    const start = this.at
    this.quoted = true
    this.word ??= ''
    this.at++
    for (;;) {
      const character = this.text.charAt(this.at)
      if (character === '') {
        this.at = start
        this.unclosed('"'); return;
      }
      if (character === '"') break
      if (character === '\\') this.backslashInQuotes()
      else if (character === '$' || character === '`') this.expansion({inQuotes: true})
      else {
        if (character === '\n') this.line++
        this.take(character)
      }
    }
    this.at++
  }

  private backslashInQuotes(): void {
    const next = this.text.charAt(this.at + 1)
    if (next === '\n') {
      this.at += 2
      this.line++
    } else if (next !== '' && '$`"\\'.includes(next)) this.take(next, 2)
    else this.take('\\')
  }

  private expansion({inQuotes}: {inQuotes: boolean}): void {
    if (this.text.charAt(this.at) === '`') {
      this.refuse('`…`', 'the output of a command')
      this.take('`'); return;
    }
    EXPANSION.lastIndex = this.at
    const match = EXPANSION.exec(this.text)?.[0]
    if (match === undefined) {
      const next = this.text.charAt(this.at + 1)
      if (!inQuotes && (next === "'" || next === '"')) this.refuse(`$${next}`, 'a special quotation')
      this.take('$'); return;
    }
    if (match.endsWith('\n')) {
      this.refuse('$', 'a variable')
      this.take('$'); return;
    }
    this.refuse(match.startsWith('$(') ? `${match}…)` : match, match.startsWith('$((') ? 'a calculation' : match.startsWith('$(') ? 'the output of a command' : 'a variable')
    this.take(match)
  }

  private unclosed(quote: string): void {
    this.note(`the quote ${quote} is not closed`)
    this.word ??= ''
    this.at = this.text.length
  }

  private endWord(): void {
    if (this.word !== undefined) this.words.push(this.word)
    this.word = undefined
    this.quoted = false
  }

  private endLine(): void {
    this.endWord()
    const words = this.words[0] === 'calicoctl' ? this.words.slice(1) : this.words
    if (this.found.size > 0) this.problems.push({line: this.first, problem: [...this.found].join('; ')})
    else if (this.words.length > 0) this.lines.push({line: this.first, words})
    this.words = []
    this.found = new Set()
  }

  private refuse(text: string, meaning: string): void {
    this.note(`${text} (${meaning}) is shell syntax, which a batch does not support. If it is meant literally, put it in single quotes`)
  }

  private note(problem: string): void {
    this.found.add(problem)
  }

  private endOfLine(): number {
    const end = this.text.indexOf('\n', this.at)
    return end < 0 ? this.text.length : end
  }
}
