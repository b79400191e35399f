/**
 * What a patch makes of an object: Kubernetes' strategic merge patch, as Calico's kinds have it (their lists name no merge keys: a list is replaced), JSON
 * Merge Patch (RFC 7386) and JSON Patch (RFC 6902). Pure.
 */
import {isDeepStrictEqual} from 'node:util'
import {CalicoError} from '../errors.js'
import {stringifyJson} from '../json/json.js'
import {asRecord, ownField} from '../model/schema/codec.js'

export type PatchType = 'strategic' | 'merge' | 'json'

type Fields = Readonly<Record<string, unknown>>

/** What PATCH says, checked as far as it can be without an object. */
export type Patch = (object: unknown) => unknown

/**
 * PATCH, the value of a JSON text, as the TYPE of patch that it is.
 * @throws CalicoError `invalid` if it is none; the patch itself throws `invalid` where it does not fit the object, and `conflict` where a test of it fails
 */
export const readPatch = (type: PatchType, patch: unknown): Patch => READERS[type](patch)

const READERS: Readonly<Record<PatchType, (patch: unknown) => Patch>> = {
  strategic(patch) {
    const fields = fieldsOf(patch, 'strategic')
    return (object) => (fields === undefined ? object : strategic(object, fields, ''))
  },
  merge(patch) {
    const fields = fieldsOf(patch, 'merge')
    return (object) => (fields === undefined ? object : merged(object, fields))
  },
  json(patch) {
    if (!Array.isArray(patch)) throw new CalicoError('invalid', 'A patch of the type json is a list of operations (RFC 6902): [{"op": "replace", "path": "/spec/order", "value": 20}]', {hint: 'For an object with the fields to change, omit --type.'})
    const operations = patch.map(readOperation)
    return (object) => operations.reduce((value, operate) => operate(value), object)
  },
}

/** PATCH as fields; undefined for null, which changes nothing. */
function fieldsOf(patch: unknown, type: PatchType): Fields | undefined {
  if (patch === null) return undefined
  if (Array.isArray(patch)) throw new CalicoError('invalid', `A patch of the type ${type} is an object with the fields to change, not a list`, {hint: 'A list of operations (RFC 6902) needs --type json.'})
  const fields = asRecord(patch)
  if (fields === undefined) throw new CalicoError('invalid', `A patch of the type ${type} is an object with the fields to change: {"spec": {"order": 20}}`)
  return fields
}

/** RFC 7386. */
function merged(object: unknown, patch: unknown): unknown {
  const fields = asRecord(patch)
  if (fields === undefined) return patch
  return overlaid(asRecord(object) ?? {}, fields, (value, before) => merged(before, value))
}

/** BEFORE with FIELDS: null removes, what else there is becomes what CHANGE says. */
function overlaid(before: Fields, fields: Fields, change: (value: unknown, before: unknown, name: string) => unknown): Fields {
  const kept = Object.entries(before).map(([name, value]): [string, unknown] | undefined => {
    if (!Object.hasOwn(fields, name)) return [name, value]
    return fields[name] === null ? undefined : [name, change(fields[name], value, name)]
  })
  const added = Object.entries(fields).filter(([name, value]) => value !== null && !Object.hasOwn(before, name)).map(([name, value]): [string, unknown] => [name, change(value, undefined, name)])
  return Object.fromEntries([...kept.filter((entry) => entry !== undefined), ...added])
}

/** Kubernetes' strategic merge patch, with the directives that mean something without merge keys: `$patch` and `$retainKeys` of an object. */
function strategic(object: unknown, patch: unknown, path: string): unknown {
  const fields = asRecord(patch)
  if (fields === undefined) return patch
  const wrong = Object.keys(fields).find((name) => name.startsWith('$') && !['$patch', '$retainKeys'].includes(name))
  if (wrong !== undefined) throw new CalicoError('invalid', `The patch has ${wrong}${at(path)}: only the directives $patch and $retainKeys are supported, because Calico's lists are replaced as a whole`)
  const {$patch: directive, $retainKeys: retained, ...rest} = fields
  if (directive !== undefined) {
    if (directive === 'replace' && retained !== undefined) throw new CalicoError('invalid', `The patch has $retainKeys${at(path)} beside $patch: replace, which keeps no field`)
    if (directive === 'replace') return rest
    if (directive === 'delete') return {}
    throw new CalicoError('invalid', `The patch has $patch: ${stringifyJson(directive)}${at(path)}: it must be replace or delete. Maps are merged without it.`)
  }
  const before = asRecord(object) ?? {}
  if (retained === undefined) return overlaid(before, rest, (value, old, name) => strategic(old, value, path === '' ? name : `${path}.${name}`))
  if (!Array.isArray(retained) || !retained.every((name) => typeof name === 'string')) throw new CalicoError('invalid', `The patch has $retainKeys${at(path)} that is not a list of names`)
  const others = Object.keys(rest).filter((name) => !retained.includes(name))
  if (others.length > 0) throw new CalicoError('invalid', `The patch has ${others.join(', ')}${at(path)}, which $retainKeys there does not name`)
  const left = Object.fromEntries(Object.entries(before).filter(([name]) => retained.includes(name)))
  return overlaid(left, rest, (value, old, name) => strategic(old, value, path === '' ? name : `${path}.${name}`))
}

const at = (path: string): string => (path === '' ? '' : ` in ${path}`)

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const
type Operation = (typeof OPERATIONS)[number]

/** The operation number INDEX of a JSON Patch. */
function readOperation(value: unknown, index: number): Patch {
  const fields = asRecord(value)
  const wrong = (message: string): CalicoError => new CalicoError('invalid', `Operation ${index + 1} of the patch: ${message}`)
  const op = fields && ownField(fields, 'op')
  if (fields === undefined || !OPERATIONS.some((name) => name === op)) throw wrong(`"op" must be one of ${OPERATIONS.join(', ')}`)
  const pointer = (name: 'path' | 'from'): readonly string[] => {
    const text = ownField(fields, name)
    if (typeof text !== 'string' || !/^(\/([^~]|~[01])*)?$/.test(text)) throw wrong(`"${name}" must be a JSON pointer such as /spec/order`)
    return text.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  }
  const path = pointer('path')
  const needsValue = op === 'add' || op === 'replace' || op === 'test'
  if (needsValue && !Object.hasOwn(fields, 'value')) throw wrong(`${op} needs a "value"`)
  const from = op === 'move' || op === 'copy' ? pointer('from') : []
  if (op === 'move' && from.length < path.length && from.every((part, depth) => part === path[depth])) throw wrong('a value cannot be moved into itself')
  const {value: given} = fields
  const missing = (tokens: readonly string[]): CalicoError => wrong(`the object has nothing at /${tokens.join('/')}`)
  const get = (object: unknown, tokens: readonly string[]): unknown => tokens.reduce((found, token) => childOf(found, token, () => missing(tokens)), object)
  const operate: Readonly<Record<Operation, Patch>> = {
    add: (object) => put(object, path, given, () => missing(path)),
    remove: (object) => without(object, path, () => missing(path)),
    replace: (object) => (path.length === 0 ? given : put(without(object, path, () => missing(path)), path, given, () => missing(path))),
    move: (object) => put(without(object, from, () => missing(from)), path, get(object, from), () => missing(path)),
    copy: (object) => put(object, path, get(object, from), () => missing(path)),
    test(object) {
      const found = get(object, path)
      if (isDeepStrictEqual(found, given)) return object
      throw new CalicoError('conflict', `Operation ${index + 1} of the patch: /${path.join('/')} is ${stringifyJson(found)}, not ${stringifyJson(given)}. Nothing was changed.`)
    },
  }
  return operate[op as Operation]
}

type Missing = () => CalicoError

/** What TOKEN leads to in VALUE. */
function childOf(value: unknown, token: string, missing: Missing): unknown {
  if (Array.isArray(value)) return (value as readonly unknown[])[indexOf(token, value.length - 1, missing)]
  const fields = asRecord(value)
  if (fields === undefined || !Object.hasOwn(fields, token)) throw missing()
  return fields[token]
}

function indexOf(token: string, last: number, missing: Missing): number {
  if (!/^(0|[1-9]\d{0,8})$/.test(token) || Number(token) > last) throw missing()
  return Number(token)
}

/** VALUE with what stands at TOKENS exchanged by CHANGE, which gets the object or list that holds it. */
function changed(value: unknown, [token, ...more]: readonly string[], change: (holder: unknown, token: string) => unknown, missing: Missing): unknown {
  if (token === undefined) throw missing()
  if (more.length === 0) return change(value, token)
  const child = changed(childOf(value, token, missing), more, change, missing)
  return Array.isArray(value) ? (value as readonly unknown[]).with(Number(token), child) : {...(value as Fields), [token]: child}
}

function put(value: unknown, path: readonly string[], added: unknown, missing: Missing): unknown {
  if (path.length === 0) return added
  return changed(value, path, (holder, token) => {
    if (Array.isArray(holder)) return (holder as readonly unknown[]).toSpliced(token === '-' ? holder.length : indexOf(token, holder.length, missing), 0, added)
    const fields = asRecord(holder)
    if (fields === undefined) throw missing()
    return {...fields, [token]: added}
  }, missing)
}

const without = (value: unknown, path: readonly string[], missing: Missing): unknown =>
  changed(value, path, (holder, token) => {
    childOf(holder, token, missing)
    if (Array.isArray(holder)) return (holder as readonly unknown[]).toSpliced(Number(token), 1)
    return Object.fromEntries(Object.entries(holder as Fields).filter(([name]) => name !== token))
  }, missing)
