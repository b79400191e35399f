/** A file's text as documents: a whole YAML 1.2 stream, of which JSON is a part. */
import {isMap, isSeq, LineCounter, type Node, type ParsedNode} from 'yaml'
import {readYaml, yamlSyntaxText} from '../settings/read-yaml.js'
import type {FileProblem, Position} from './problem.js'
import type {Source} from './sources.js'
import {convert, type Converted} from './values.js'

/** One object of a file, or what stands where one should. */
export interface Item extends Converted {
  readonly file: string
  /** Where it begins. */
  readonly at: Position
  readonly positionAt: (offset: number) => Position
}

export interface FileContent {
  readonly file: string
  readonly items: readonly Item[]
  readonly problems: readonly FileProblem[]
}

/**
 * What the documents of SOURCE hold: each is an object (or a list object) or a sequence of those. Documents without content (comments, blanks) are none.
 * A stream that is no YAML has problems and no items.
 */
export function parseFile({name: file, text: whole}: Source): FileContent {
  const text = whole.replace(MARK_OF_A_DOCUMENT, '$1')
  const lines = new LineCounter()
  const positionAt = (offset: number): Position => {
    const {line, col} = lines.linePos(offset)
    return {line: Math.max(1, line), column: Math.max(1, col)}
  }
  const documents = readYaml(text, {lineCounter: lines, intAsBigInt: true, uniqueKeys: false, merge: false, version: '1.2', keepSourceTokens: false})
  if (typeof documents === 'string') return {file, items: [], problems: [{file, position: undefined, field: '', message: `not read: ${documents}`}]}
  const control = CONTROL_CHARACTER.exec(text)
  if (control !== null) return {file, items: [], problems: [{file, position: positionAt(control.index), field: '', message: controlText(control[0])}]}
  const items: Item[] = []
  const problems: FileProblem[] = []
  for (const document of documents) {
    const faults = [...document.errors, ...document.warnings]
    // The first one causes most of the others.
    for (const fault of faults.slice(0, 1)) {
      problems.push({file, position: positionAt(fault.pos[0]), field: '', message: `not YAML: ${yamlSyntaxText(fault)}`})
    }
    const {yaml} = document.directives
    if (yaml.explicit && yaml.version !== '1.2') {
      problems.push({file, position: positionAt(document.range[0]), field: '', message: `%YAML ${yaml.version}: files are read as YAML 1.2. Remove the line.`})
    }
    const {contents} = document
    if (faults.length > 0 || contents === null || isEmpty(contents)) continue
    const anchors = new Map<string, Node>()
    const add = (node: Node): void => {
      const converted = convert(node, anchors)
      items.push({...converted, file, at: positionAt(node.range?.[0] ?? 0), positionAt})
    }
    if (isSeq(contents)) {
      for (const node of contents.items) {
        if (isMap(node) || isSeq(node)) add(node)
        else problems.push({file, position: positionAt((node as Node | null)?.range?.[0] ?? contents.range[0]), field: '', message: 'must be an object with apiVersion, kind and metadata'})
      }
    } else add(contents)
  }
  return {file, items, problems}
}

/** What neither YAML nor JSON may contain as it is. */
const CONTROL_CHARACTER = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

function controlText(character: string): string {
  const digits = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return `it contains the control character U+${digits}; in a string, write "\\u${digits}" in double quotes`
}

/** A byte order mark at the beginning of a document that is not the first one: files that were put together have it. */
const MARK_OF_A_DOCUMENT = /^(---[^\n]*\n)\ufeff/gm

/** Nothing but comments and blanks; an explicit `null` is something. */
const isEmpty = (node: ParsedNode): boolean => 'source' in node && node.source === '' && (node as {type?: string}).type === 'PLAIN'
