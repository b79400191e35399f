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
  /** A quote is never closed, or the text ends with a backslash: what is added behind it would become a part of it. */
  readonly unfinished: boolean
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

/** The line of TEXT, from 1, that has a quote which is never closed, or nothing behind its last backslash; undefined if there is none. */
export function unfinishedLine(text: string): number | undefined {
  let line = 1
  for (const {raw, assignment} of pieces(text)) {
    if (assignment?.unfinished) return line
    line += raw.split('\n').length - 1
  }
  return undefined
}

/** TEXT, which must be finished (see {@link unfinishedLine}), with NAME=VALUE: the line that counts is changed, else one is added at the end; the same text if it says so already. */
export function setVariable(text: string, name: string, value: string): string {
  const all = pieces(text)
  const at = all.findLastIndex(({assignment}) => assignment?.name === name)
  const found = all[at]?.assignment
  const line = `${name}=${quoted(value)}`
  if (!found) return `${text}${text === '' || (text.endsWith('\n') && !isContinued(all.at(-1))) ? '' : '\n'}${line}\n`
  if (found.value === value) return text
  return all.map(({raw}, index) => (index === at ? found.before + line + found.after : raw)).join('')
}

/** Whether the line feed at the end of PIECE, the last one, is behind a backslash: what is added would belong to its value. */
const isContinued = (piece: Piece | undefined): boolean => piece?.assignment?.after === ''

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
  const {value, end, unfinished} = readValue(text, start + head.length)
  const next = lineEnd(text, end)
  return {end: next, assignment: {name: head.slice(0, -1), value, unfinished, before: text.slice(from, start), after: text.slice(end, next)}}
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
function readValue(text: string, from: number): {value: string | undefined; end: number; unfinished: boolean} {
  let value = ''
  let literal = true
  let unfinished = false
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
    unfinished ||= part.unfinished === true
    at = part.end
    end = at
    kept = value
  }
  return {value: literal ? kept : undefined, end, unfinished}
}

interface Part {
  readonly value: string
  readonly end: number
  readonly literal: boolean
  readonly unfinished?: boolean
}

/** A quoted text, a character behind a backslash, or a single character. */
function readPart(text: string, at: number): Part {
  const character = text.charAt(at)
  if (character === '\\') return readEscape(text, at)
  if (character === "'") {
    const close = text.indexOf("'", at + 1)
    return close < 0 ? unclosed(text, at) : {value: text.slice(at + 1, close), end: close + 1, literal: true}
  }
  if (character === '"') return readDoubleQuoted(text, at)
  return {value: character, end: at + 1, literal: !EXPANDED.includes(character)}
}

/** What a shell replaces by something else. */
const EXPANDED = '$`'

/** A quote that is never closed counts as a character like others: no one reads such a file as it was meant. */
const unclosed = (text: string, at: number): Part => ({value: text.charAt(at), end: at + 1, literal: false, unfinished: true})

function readEscape(text: string, at: number): Part {
  const next = text.startsWith('\r\n', at + 1) ? '\r\n' : text.charAt(at + 1)
  return {value: next.endsWith('\n') ? '' : next, end: at + 1 + next.length, literal: true, unfinished: next === '' || text.slice(at + 1) === '\r'}
}

function readDoubleQuoted(text: string, from: number): Part {
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
  if (at >= text.length) return unclosed(text, from)
  return {value, end: at + 1, literal}
}

/** VALUE as both a shell and systemd read it. It must not have control characters. */
const quoted = (value: string): string => (/^[A-Za-z0-9_./:@,%+=-]*$/.test(value) ? value : `"${value.replaceAll(/["\\$`]/g, '\\$&')}"`)
