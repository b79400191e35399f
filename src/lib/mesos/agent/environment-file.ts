/**
 * Files of `NAME=value` lines such as /etc/default/mesos-slave, which both a shell and systemd read: comments, `export`, quotes, continued lines.
 * Reading keeps every character, so that an edit changes the line that it means and no other. Pure.
 */

/** A stretch of the file; all of them in order are its text. */
interface Piece {
  /** With its line feeds. */
  readonly raw: string
  readonly assignment?: Assignment
}

interface Assignment {
  readonly name: string
  /** Undefined if only a shell could tell: it has `$` or a backtick that is not quoted. */
  readonly value: string | undefined
  /** What stands before the name: blanks, `export `. */
  readonly before: string
  /** What stands behind the value: blanks, a comment, the line's end. */
  readonly after: string
}

/** What a file says of a variable. */
export interface Variable {
  /** Undefined if only a shell could tell. */
  readonly value: string | undefined
  /** As it is written. */
  readonly raw: string
}

/** The variables of TEXT. The last one of a name counts, as for a shell and for systemd. */
export function readVariables(text: string): Map<string, Variable> {
  const variables = new Map<string, Variable>()
  for (const {raw, assignment} of pieces(text)) if (assignment) variables.set(assignment.name, {value: assignment.value, raw: raw.trim()})
  return variables
}

/** The values of TEXT by name; those that only a shell could tell are left out. */
export function environmentOf(text: string): Record<string, string> {
  return Object.fromEntries([...readVariables(text)].flatMap(([name, {value}]) => (value === undefined ? [] : [[name, value]])))
}

/** TEXT with NAME=VALUE: the line that counts is changed, else one is added at the end; the same text if it says so already. */
export function setVariable(text: string, name: string, value: string): string {
  const all = pieces(text)
  const at = all.findLastIndex(({assignment}) => assignment?.name === name)
  const found = all[at]?.assignment
  const line = `${name}=${quoted(value)}`
  if (!found) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`
  if (found.value === value) return text
  return all.map(({raw}, index) => (index === at ? found.before + line + found.after : raw)).join('')
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*=/y

function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let at = 0
  while (at < text.length) {
    const {end, assignment} = nextPiece(text, at)
    found.push({raw: text.slice(at, end), ...(assignment && {assignment})})
    at = end
  }
  return found
}

/** The piece of TEXT that begins at FROM, the start of a line. */
function nextPiece(text: string, from: number): {end: number; assignment?: Assignment} {
  const start = skipExport(text, skipBlanks(text, from))
  NAME.lastIndex = start
  const head = NAME.exec(text)?.[0]
  if (head === undefined) return {end: lineEnd(text, from)}
  const {value, end} = readValue(text, start + head.length)
  const next = lineEnd(text, end)
  return {end: next, assignment: {name: head.slice(0, -1), value, before: text.slice(from, start), after: text.slice(end, next)}}
}

const isBlank = (character: string): boolean => character === ' ' || character === '\t'

function skipBlanks(text: string, from: number): number {
  let at = from
  while (isBlank(text.charAt(at))) at++
  return at
}

function skipExport(text: string, from: number): number {
  const after = from + 'export'.length
  return text.startsWith('export', from) && isBlank(text.charAt(after)) ? skipBlanks(text, after) : from
}

/** Behind the line feed of the line that AT is in. */
function lineEnd(text: string, at: number): number {
  const feed = text.indexOf('\n', at)
  return feed < 0 ? text.length : feed + 1
}

/** The value that begins at FROM, and where it ends: before the blanks and the comment behind it. */
function readValue(text: string, from: number): {value: string | undefined; end: number} {
  let value = ''
  let literal = true
  let at = from
  /** Where the value ends if only blanks follow, and its text until there. */
  let end = from
  let kept = ''
  while (at < text.length && text.charAt(at) !== '\n' && text.charAt(at) !== '\r') {
    const character = text.charAt(at)
    if (isBlank(character)) {
      const next = skipBlanks(text, at)
      if (text.charAt(next) === '#') break
      value += text.slice(at, next)
      at = next
      continue
    }
    const part = readPart(text, at)
    value += part.value
    literal &&= part.literal
    at = part.end
    end = at
    kept = value
  }
  return {value: literal ? kept : undefined, end}
}

/** A quoted text, a character behind a backslash, or a single character. */
function readPart(text: string, at: number): {value: string; end: number; literal: boolean} {
  const character = text.charAt(at)
  if (character === '\\') return readEscape(text, at)
  if (character === "'") {
    const close = text.indexOf("'", at + 1)
    if (close >= 0) return {value: text.slice(at + 1, close), end: close + 1, literal: true}
  }
  if (character === '"') return readDoubleQuoted(text, at)
  return {value: character, end: at + 1, literal: !EXPANDED.includes(character)}
}

/** What a shell replaces by something else. */
const EXPANDED = '$`'

function readEscape(text: string, at: number): {value: string; end: number; literal: boolean} {
  const next = text.slice(at + 1).startsWith('\r\n') ? '\r\n' : text.charAt(at + 1)
  return {value: next.endsWith('\n') ? '' : next, end: at + 1 + next.length, literal: true}
}

function readDoubleQuoted(text: string, from: number): {value: string; end: number; literal: boolean} {
  let value = ''
  let literal = true
  let at = from + 1
  while (at < text.length && text.charAt(at) !== '"') {
    const character = text.charAt(at)
    const next = text.charAt(at + 1)
    if (character === '\\' && '"\\$`\n'.includes(next) && next !== '') {
      value += next === '\n' ? '' : next
      at += 2
      continue
    }
    literal &&= !EXPANDED.includes(character)
    value += character
    at++
  }
  // A quote that is never closed is a character like others: nobody reads such a file as it was meant.
  if (at >= text.length) return {value: '"', end: from + 1, literal: false}
  return {value, end: at + 1, literal}
}

/** VALUE as both a shell and systemd read it. It must not have control characters. */
const quoted = (value: string): string => (/^[A-Za-z0-9_./:@,%+=-]*$/.test(value) ? value : `"${value.replaceAll(/["\\$`]/g, '\\$&')}"`)
