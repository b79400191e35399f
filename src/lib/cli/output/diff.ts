import {objectLabel, type ResourceChange} from '../../client/resources.js'
import {escapeLines} from './escape.js'
import {indentedJson} from './render.js'

/** CHANGE as a unified diff of the object's JSON, as a dry run prints it. */
export async function diffText({kind, name, before, after}: ResourceChange): Promise<string> {
  const {createTwoFilesPatch} = await import('diff')
  const label = objectLabel(kind, name)
  const text = (object: unknown): string => (object === undefined ? '' : `${indentedJson(object)}\n`)
  const patch = createTwoFilesPatch(before ? label : '/dev/null', after ? label : '/dev/null', text(before), text(after), undefined, undefined, {context: 3})
  return escapeLines(patch.replace(/^(Index: .*\n)?=+\n/, ''))
}
