/** A task's labels, and the addresses that one of them may ask for (mesos-docker §1.1, §1.4). Pure. */
import {CalicoError} from '../../errors.js'
import {isObject} from '../../json/is-object.js'

/** By key. A label without a value, which Mesos allows, has the empty one. */
export type Labels = ReadonlyMap<string, string>

const STATIC_ADDRESSES = 'ipv4_addrs'

/**
 * The labels in VALUE, a list of `{"key", "value"}`; the last one of a key wins. A label without a value is one (Mesos makes it optional, and a task
 * must not fail for a label that is none of Calico's business); what has no key is skipped, since it can ask for nothing.
 * @throws CalicoError `invalid` for anything else: it cannot be determined whether the task was to have a certain address
 */
export function readLabels(value: unknown): Labels {
  const labels = new Map<string, string>()
  if (!value || (!Array.isArray(value) && isObject(value) && Object.keys(value).length === 0)) return labels
  if (!Array.isArray(value) || !value.every(isObject)) throw malformed()
  for (const {key, value: given} of value) {
    if (key === undefined || key === null) continue
    const text = given ?? ''
    if (typeof key !== 'string' || typeof text !== 'string') throw malformed()
    labels.set(key, text)
  }
  return labels
}

const malformed = (): CalicoError => new CalicoError('invalid', 'labels must be a list of objects with the texts "key" and "value".')

/**
 * What the label `ipv4_addrs` lists: JSON, or strings in single quotes as Python writes them; undefined without that label. Nothing is evaluated.
 * @throws CalicoError `invalid` with the recorded text
 */
export function staticAddresses(labels: Labels): unknown {
  const text = labels.get(STATIC_ADDRESSES)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    const listed = quotedList(text)
    if (listed) return listed
  }
  throw new CalicoError('invalid', `Calico detected a malformed ${STATIC_ADDRESSES} field. Ensure you've specified a string representation of a list of strings.`)
}

/** The strings of a list like `['a', "b",]`, none of which has quotes or backslashes in it; undefined if TEXT is no such list. */
function quotedList(text: string): string[] | undefined {
  const inside = /^\s*\[(.*)\]\s*$/s.exec(text)?.[1]
  if (inside === undefined) return undefined
  const items = inside.split(',')
  if (items.length > 1 && items.at(-1)?.trim() === '') items.pop()
  const strings = items.map((item) => /^\s*(['"])([^'"\\]*)\1\s*$/.exec(item)?.[2])
  return strings.every((string) => string !== undefined) ? strings : undefined
}
