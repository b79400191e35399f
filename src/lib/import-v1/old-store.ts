/**
 * What a store of v0.20 holds: the keys and values of etcd's v2 API as its recursive get gives them (cli-v0.20 §2). Everything in it is another owner's
 * text; nothing is believed but what was examined.
 */
import {CalicoError} from '../errors.js'
import {JsonError} from '../json/errors.js'
import {isObject} from '../json/is-object.js'
import {parseJson, shownJson} from '../json/json.js'
import {compareUtf8} from '../utf8-order.js'

/** Keys with their values, and the folders, which may be empty. */
export interface OldStore {
  readonly values: ReadonlyMap<string, string>
  readonly folders: ReadonlySet<string>
}

/** Where all of v0.20's keys lie. */
export const OLD_ROOT = '/calico'

/**
 * The store in BYTES, the answer of etcd's v2 API to `GET /v2/keys/calico?recursive=true`, or to that of a folder below it.
 * @param name where BYTES come from, as the beginning of a sentence
 * @throws CalicoError `invalid` if they are something else
 */
export function readDump(bytes: Uint8Array, name: string): OldStore {
  const bad = (why: string, cause?: unknown): CalicoError =>
    new CalicoError('invalid', `${name} is not a dump of etcd's v2 API: ${why}. Nothing was changed.`, {
      hint: "To create one: curl 'http://HOST:PORT/v2/keys/calico?recursive=true' > FILE",
      ...(cause === undefined ? {} : {cause}),
    })
  let answer: unknown
  try {
    answer = parseJson(new TextDecoder('utf-8', {fatal: true}).decode(bytes))
  } catch (error) {
    if (error instanceof JsonError) throw bad(error.message, error)
    throw bad('it is not UTF-8 text', error)
  }
  if (!isObject(answer)) throw bad('it is not a JSON object')
  if (answer.errorCode !== undefined) throw bad('it is an error of etcd: ' + shownJson(answer).slice(0, 200))
  if (!isObject(answer.node)) throw bad('it has no "node"')
  return readNodes(answer.node, bad)
}

function readNodes(root: Record<string, unknown>, bad: (why: string) => CalicoError): OldStore {
  const values = new Map<string, string>()
  const folders = new Set<string>()
  const seen = new Set<string>()
  const open: {readonly node: unknown; readonly parent: string | undefined}[] = [{node: root, parent: undefined}]
  for (let item = open.pop(); item; item = open.pop()) {
    const {node, parent} = item
    if (!isObject(node)) throw bad(`an item of the folder ${quoted(parent)} is not a node`)
    // etcd leaves the key of its root away.
    const key = node.key === undefined && parent === undefined ? '' : node.key
    if (typeof key !== 'string') throw bad(`a node in the folder ${quoted(parent)} has no "key"`)
    if (parent !== undefined && !isChild(key, parent)) throw bad(`the node ${quoted(key)} is in the folder ${quoted(parent)}, where it does not belong`)
    if (seen.has(key)) throw bad(`the key ${quoted(key)} is in it twice`)
    seen.add(key)
    const {dir, nodes, value} = node
    if (dir !== undefined && typeof dir !== 'boolean') throw bad(`"dir" of ${quoted(key)} is neither true nor false`)
    if (dir === true || nodes !== undefined) {
      if (nodes !== undefined && nodes !== null && !Array.isArray(nodes)) throw bad(`"nodes" of ${quoted(key)} is not a list`)
      folders.add(key)
      for (const child of nodes ?? []) open.push({node: child, parent: key})
    } else if (typeof value === 'string') values.set(key, value)
    else throw bad(`${quoted(key)} is neither a folder nor does it have a string value`)
  }
  return {values, folders}
}

const isChild = (key: string, parent: string): boolean => key.startsWith(`${parent}/`) && key.length > parent.length + 1 && !key.slice(parent.length + 1).includes('/')

const quoted = (text: string | undefined): string => JSON.stringify(text === undefined || text === '' ? '/' : text.length > 120 ? `${text.slice(0, 119)}…` : text)

/**
 * STORES as one. @throws CalicoError `invalid` if two of them say different things of a key
 */
export function mergeStores(stores: readonly OldStore[]): OldStore {
  const values = new Map<string, string>()
  const folders = new Set<string>()
  for (const store of stores) {
    for (const [key, value] of store.values) {
      const other = values.get(key)
      if (other !== undefined && other !== value) throw new CalicoError('invalid', `Two of the dumps have different values of ${key}; nothing was changed`, {hint: 'Create both dumps again while nothing changes the datastore.'})
      values.set(key, value)
    }
    for (const folder of store.folders) folders.add(folder)
  }
  return {values, folders}
}

/** The trees that v0.20 wrote, below OLD_ROOT. */
const TREES = ['v1', 'bgp/v1', 'ipam/v2'] as const

/** Which of v0.20's trees STORE has something of. @throws CalicoError `not-found` if it has none */
export function treesIn({values, folders}: OldStore, name: string): ReadonlySet<(typeof TREES)[number]> {
  const keys = [...values.keys(), ...folders]
  const found = TREES.filter((tree) => keys.some((key) => key === `${OLD_ROOT}/${tree}` || key.startsWith(`${OLD_ROOT}/${tree}/`)))
  if (found.length > 0 && values.size > 0) return new Set(found)
  if (found.length > 0) throw new CalicoError('not-found', `${name} has folders of Calico v0.20, but no values in them; nothing was changed`, {hint: 'Check that the dump was created with ?recursive=true.'})
  const older = keys.find((key) => key.startsWith(`${OLD_ROOT}/`))
  throw new CalicoError('not-found', `${name} has no data of Calico v0.20: it contains neither ${TREES.map((tree) => `${OLD_ROOT}/${tree}`).join(' nor ')}. Nothing was changed.`, {
    hint: older === undefined ? 'Is it the etcd that v0.20 used? Its setting was ETCD_AUTHORITY or ETCD_ENDPOINTS.' : `It has ${older}: the layout of a Calico before v0.5, which v0.20 could not read either.`,
  })
}

/** A store as converters use it: what no one takes is left over, and reported. */
export interface Source {
  /** The value of KEY, which is taken by this. */
  take(key: string): string | undefined
  /** The names in FOLDER, sorted. */
  names(folder: string): readonly string[]
  /** Whether KEY has a value that was not taken. */
  isLeft(key: string): boolean
  /** Whether KEY has a value, taken or not. */
  has(key: string): boolean
  /** The keys under PREFIX that were not taken, sorted. */
  rest(prefix?: string): string[]
}

export function sourceOf({values, folders}: OldStore): Source {
  const children = new Map<string, Set<string>>()
  const note = (key: string): void => {
    for (let end = key.lastIndexOf('/'); end >= 0; ) {
      const parent = key.slice(0, end)
      const siblings = children.get(parent)
      const name = key.slice(end + 1)
      if (siblings?.has(name)) return
      if (siblings) siblings.add(name)
      else children.set(parent, new Set([name]))
      key = parent
      end = key.lastIndexOf('/')
    }
  }
  for (const key of values.keys()) note(key)
  for (const folder of folders) note(folder)
  const left = new Set(values.keys())
  return {
    take(key) {
      left.delete(key)
      return values.get(key)
    },
    names: (folder) => [...(children.get(folder) ?? [])].sort(compareUtf8),
    isLeft: (key) => left.has(key),
    has: (key) => values.has(key),
    rest: (prefix = '') => [...left].filter((key) => key.startsWith(prefix)).sort(compareUtf8),
  }
}
