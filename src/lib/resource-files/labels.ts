/** `label`: one label of an object. Pure. */
import {CalicoError} from '../errors.js'
import {asRecord, ownField} from '../model/schema/codec.js'

export interface LabelChange {
  readonly key: string
  /** Undefined = the label is removed. */
  readonly value: string | undefined
  /** Another value may be replaced. */
  readonly overwrite: boolean
}

/** The change that TEXT, KEY=VALUE or a key to REMOVE, asks for. @throws CalicoError `invalid` */
export function readLabel(text: string, {overwrite, remove}: {readonly overwrite: boolean; readonly remove: boolean}): LabelChange {
  const [key = '', value, ...more] = text.split('=')
  if (remove) {
    if (key === '' || value !== undefined) throw new CalicoError('invalid', `'${text}' is not the key of a label: with --remove, give the key alone`)
    return {key, value: undefined, overwrite}
  }
  if (key === '' || value === undefined || more.length > 0) throw new CalicoError('invalid', `'${text}' is not a label: give KEY=VALUE, or the KEY with --remove`)
  return {key, value, overwrite}
}

/** OBJECT with the label. @throws CalicoError `conflict` if it has another value; `not-found` if it has none to remove */
export function labelled(object: unknown, {key, value, overwrite}: LabelChange): unknown {
  const record = asRecord(object) ?? {}
  const metadata = asRecord(ownField(record, 'metadata')) ?? {}
  const labels = asRecord(ownField(metadata, 'labels')) ?? {}
  const before = ownField(labels, key) as string | undefined
  if (value === undefined && before === undefined) throw new CalicoError('not-found', `The object has no label ${key}. Nothing was changed.`)
  if (value !== undefined && before !== undefined && before !== value && !overwrite) throw new CalicoError('conflict', `The label ${key} is already ${before}. Nothing was changed.`, {hint: 'To change its value, use --overwrite.'})
  const others = Object.entries(labels).filter(([name]) => name !== key)
  const after = [...others, ...(value === undefined ? [] : [[key, value] as const])]
  const {labels: _, ...rest} = metadata
  return {...record, metadata: {...rest, ...(after.length > 0 ? {labels: Object.fromEntries(after)} : {})}}
}
