/** What an edit changed of an object, in a few words. Pure. */
import {isObject} from '../../json/is-object.js'

/** Fields that say nothing about what was meant. */
const IGNORED = ['kind', 'apiVersion', 'uid', 'creationTimestamp', 'resourceVersion']
/** Parts of the envelope that everybody knows. */
const ENVELOPE = ['spec', 'metadata']
/** So many differences are reported, and values of so many characters. */
const MOST = 4
const LONGEST = 40

const isScalar = (value: unknown): boolean => typeof value !== 'object'
const isTextMap = (value: unknown): boolean => value === undefined || (isObject(value) && Object.values(value).every((each) => typeof each === 'string'))
const isScalarList = (value: unknown): value is readonly unknown[] | undefined => value === undefined || (Array.isArray(value) && value.every(isScalar))
const text = (value: unknown): string => (value === undefined ? 'none' : isScalar(value) ? `${value as string | number | boolean}` : JSON.stringify(value))

/** What differs between BEFORE and AFTER: `order 5 → 6`, `profiles: +web -db`, `labels: +team=shop`, `ingress changed`; undefined if nothing does. */
export function whatChanged(before: unknown, after: unknown): string | undefined {
  const found = [...differences('', before, after)]
  if (found.length === 0) return undefined
  return [...found.slice(0, MOST), ...(found.length > MOST ? [`and ${found.length - MOST} more`] : [])].join(', ')
}

function* differences(path: string, before: unknown, after: unknown): Generator<string> {
  if (JSON.stringify(before, digits) === JSON.stringify(after, digits)) return
  const name = path.split('.').at(-1) ?? ''
  if (isScalar(before) && isScalar(after)) {
    const [was, is] = [text(before), text(after)]
    yield was.length > LONGEST || is.length > LONGEST ? `${path} changed` : `${path} ${was} → ${is}`
  } else if (/^(labels|annotations|labelsToApply)$/.test(name) && isTextMap(before) && isTextMap(after)) {
    yield `${path}: ${mapDifference((before ?? {}) as Readonly<Record<string, string>>, (after ?? {}) as Readonly<Record<string, string>>)}`
  } else if (isScalarList(before) && isScalarList(after)) {
    yield `${path}: ${listDifference((before ?? []).map(text), (after ?? []).map(text))}`
  } else if ((isObject(before) || before === undefined) && (isObject(after) || after === undefined)) {
    const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])
    for (const key of keys) {
      if (IGNORED.includes(key) && path.split('.').length < 2) continue
      yield* differences(path === '' || ENVELOPE.includes(path) ? key : `${path}.${key}`, before?.[key], after?.[key])
    }
  } else if (path !== '') yield `${path} changed`
}

const digits = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

function listDifference(before: readonly string[], after: readonly string[]): string {
  const parts = [...after.filter((each) => !before.includes(each)).map((each) => `+${each}`), ...before.filter((each) => !after.includes(each)).map((each) => `-${each}`)]
  return parts.length === 0 ? 'other order' : shortened(parts)
}

function mapDifference(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string {
  const entry = (key: string, value: string): string => (value === '' || value.length > LONGEST ? key : `${key}=${value}`)
  return shortened([
    ...Object.entries(after).filter(([key, value]) => before[key] !== value).map(([key, value]) => `+${entry(key, value)}`),
    ...Object.entries(before).filter(([key]) => after[key] === undefined).map(([key]) => `-${key}`),
  ])
}

const shortened = (parts: readonly string[]): string => [...parts.slice(0, MOST), ...(parts.length > MOST ? [`and ${parts.length - MOST} more`] : [])].join(' ')
