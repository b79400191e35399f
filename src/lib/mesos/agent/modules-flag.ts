/** The flag `modules` of a Mesos agent: where its modules.json is (mesos-docker §2.2). */
import {CalicoError} from '../../errors.js'

export type ModulesFlag =
  | {readonly form: 'file'; readonly path: string}
  /** The document itself. */
  | {readonly form: 'inline'; readonly text: string}
  | {readonly form: 'wrong'}

export function readModulesFlag(value: string): ModulesFlag {
  const path = /^(?:file:\/\/)?(\/.*)$/.exec(value)?.[1]
  if (path !== undefined) return {form: 'file', path}
  return value.startsWith('{') ? {form: 'inline', text: value} : {form: 'wrong'}
}

/** The file that VALUE names; undefined if there is no value. @throws CalicoError `invalid` if it names none */
export function modulesPath(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const flag = readModulesFlag(value)
  if (flag.form === 'file') return flag.path
  const why = flag.form === 'inline' ? 'is the document itself, and not a file' : `is '${value}', which is not a file:///PATH`
  throw new CalicoError('invalid', `The agent's flag modules ${why}; nothing was changed`, {hint: 'Write the document to a file and set its path: file:///calico/modules.json'})
}
