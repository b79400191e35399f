/**
 * From the nodes of a YAML document to plain values, with what a reader of files must know beyond them: keys that stand twice, aliases that
 * explode, and scalars that a reader of YAML 1.1, as today's Go calicoctl is, takes for something else than YAML 1.2 does.
 */
import {type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap} from 'yaml'
import {isObject} from '../json/is-object.js'

/** Objects and lists inside each other. Calico's objects have ten levels. */
const DEEPEST = 100

/** Nodes that aliases may add to one document. */
const MOST_COPIES = 100_000

/** What YAML 1.1 takes for true or false, or for a number, and YAML 1.2 for a text. */
const OTHER_IN_1_1 = /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF|[-+]?0[bB][01_]+|[-+]?0[oO][0-7_]+|[-+]?0[xX][0-9a-fA-F_]+|[-+]?(?=[0-9]*_)[0-9][0-9_]*(?:\.[0-9_]*)?)$/

/** A number with a zero before it, which is octal in YAML 1.1 and decimal in YAML 1.2. */
const OCTAL_IN_1_1 = /^[-+]?0+[1-7][0-7]*$/

export interface Finding {
  /** Where: an index into the text. */
  readonly offset: number
  readonly field: string
  readonly message: string
}

export interface Converted {
  readonly value: unknown
  /** What is wrong with it. */
  readonly findings: readonly Finding[]
  /** The value is not what the text says: there is no sense in looking at it any closer. */
  readonly broken: boolean
  /** Unquoted scalars that are something else in YAML 1.1: no texts, or other numbers. */
  readonly ambiguous: readonly Finding[]
  /** Unquoted scalars that are no texts, by the path of the field: as they were written. */
  readonly plain: ReadonlyMap<string, string>
  /** Where values begin, by the path of the field. */
  readonly values: ReadonlyMap<string, number>
  /** Where keys begin, by the path of the field. */
  readonly keys: ReadonlyMap<string, number>
}

/** The path of the field KEY below PARENT, as the model's problems have it for fields of objects. */
const memberPath = (parent: string, key: string): string => (parent === '' ? key : `${parent}.${key}`)
/** The same for maps with keys of the user's. */
const entryPath = (parent: string, key: string): string => `${parent}[${JSON.stringify(key)}]`

/** ROOT, a node of a document whose anchors so far are ANCHORS (which are added to). */
export function convert(root: Node, anchors: Map<string, Node>): Converted {
  const findings: Finding[] = []
  const ambiguous: Finding[] = []
  const plain = new Map<string, string>()
  const values = new Map<string, number>()
  const keys = new Map<string, number>()
  let copies = 0
  let broken = false
  const find = (node: {range?: readonly number[] | null | undefined}, field: string, message: string): null => {
    findings.push({offset: node.range?.[0] ?? 0, field, message})
    return null
  }
  const breakOff = (node: {range?: readonly number[] | null | undefined}, field: string, message: string): null => {
    broken = true
    return find(node, field, message)
  }

  const visit = (node: unknown, path: string, depth: number, copied: boolean, names: readonly string[] = [path]): unknown => {
    if (copied && ++copies > MOST_COPIES) {
      if (copies === MOST_COPIES + 1) breakOff(root, path, `its aliases make more than ${MOST_COPIES} nodes`)
      return undefined
    }
    if (node === null || node === undefined) return null
    const {range, anchor} = node as Node & {anchor?: string}
    const place = range?.[0]
    if (place !== undefined && !copied) for (const name of names) if (!values.has(name)) values.set(name, place)
    if (depth > DEEPEST) return breakOff(node, path, `there are more than ${DEEPEST} objects and lists inside each other`)
    if (isAlias(node)) return alias(node, path, depth)
    if (anchor) anchors.set(anchor, node as Node)
    if (isScalar(node)) return scalar(node, path, names)
    if (isSeq(node)) return node.items.map((item, index) => visit(item, `${path}[${index}]`, depth + 1, copied))
    if (isMap(node)) return map(node, path, depth, copied)
    return breakOff(node, path, 'this cannot be read')
  }

  const alias = (node: Alias, path: string, depth: number): unknown => {
    const target = anchors.get(node.source)
    return target === undefined ? breakOff(node, path, `there is no anchor &${node.source} before it`) : visit(target, path, depth + 1, true)
  }

  const scalar = (node: Scalar, path: string, names: readonly string[]): unknown => {
    const value = typeof node.value === 'bigint' && Number.isSafeInteger(Number(node.value)) ? Number(node.value) : node.value
    if (typeof value === 'object' && value !== null) return find(node, path, `the tag ${node.tag ?? ''} is not supported`)
    if (node.type !== 'PLAIN' || node.tag !== undefined) return value
    if (typeof value === 'string') {
      if (OTHER_IN_1_1.test(value)) ambiguous.push({offset: node.range?.[0] ?? 0, field: path, message: unquoted(value)})
    } else if (node.source) {
      if (OCTAL_IN_1_1.test(node.source)) ambiguous.push({offset: node.range?.[0] ?? 0, field: path, message: twoNumbers(node.source)})
      for (const name of names) plain.set(name, node.source)
    }
    return value
  }

  const map = (node: YAMLMap, path: string, depth: number, copied: boolean): unknown => {
    const result: Record<string, unknown> = {}
    const merged: Pair[] = []
    for (const pair of node.items) {
      const key: unknown = pair.key
      if (isScalar(key) && key.value === '<<' && key.type === 'PLAIN') {
        merged.push(pair)
        continue
      }
      const name = keyText(key, path)
      if (name === null) continue
      if (Object.hasOwn(result, name)) {
        find(key as Node, memberPath(path, name), 'the key is duplicated')
        continue
      }
      const names = [memberPath(path, name), entryPath(path, name)]
      const start = (key as Node).range?.[0]
      if (start !== undefined && !copied) for (const alternative of names) keys.set(alternative, start)
      set(result, name, visit(pair.value, memberPath(path, name), depth + 1, copied, names))
    }
    for (const pair of merged) merge(pair, result, path, depth)
    return result
  }

  const keyText = (key: unknown, path: string): string | null => {
    const node = isAlias(key) ? anchors.get(key.source) : key
    if (!isScalar(node)) return find(key as Node, path, 'a key must be a string')
    if (typeof node.value === 'string') {
      if (node.type === 'PLAIN' && OTHER_IN_1_1.test(node.value)) ambiguous.push({offset: node.range?.[0] ?? 0, field: memberPath(path, node.value), message: unquoted(node.value)})
      return node.value
    }
    const source = node.source ?? ''
    return find(node, path, source === '' ? 'a key must not be empty' : `a key must be a string: write "${source}" in quotes`)
  }

  /** `<<: *other`: its fields are added. One that stands there already is refused, as Go's calicoctl does: which of the two holds is easily misread. */
  const merge = ({key, value}: Pair, result: Record<string, unknown>, path: string, depth: number): void => {
    const sources = isSeq(value) ? value.items : [value]
    for (const source of sources) {
      const fields = visit(source, path, depth + 1, true)
      if (!isObject(fields)) {
        if (findings.length === 0) find(key as Node, path, 'only an object can be merged with <<')
        continue
      }
      for (const [name, field] of Object.entries(fields)) {
        if (Object.hasOwn(result, name)) find(key as Node, memberPath(path, name), 'the key is duplicated: here and in the object merged with <<')
        else set(result, name, field)
      }
    }
  }

  const value = visit(root, '', 0, false)
  return {value, findings, broken, ambiguous, plain, values, keys}
}

const unquoted = (source: string): string => `without quotes, ${source} is not a string for every reader of YAML: write "${source}"`

const twoNumbers = (source: string): string => `${source} is ${parseInt(source, 8)} for some readers of YAML and ${parseInt(source, 10)} for others: write the number that is meant, without the leading zero`

function set(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(record, key, {value, enumerable: true, configurable: true, writable: true})
  else record[key] = value
}
