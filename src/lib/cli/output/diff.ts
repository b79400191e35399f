import {objectLabel, type ResourceChange} from '../../client/resources.js'
import {escapeLines, escapeText} from '../../printable.js'
import {indentedJson} from './render.js'

/** CHANGE as a unified diff of the object's JSON, as a dry run prints it. */
export function diffText({kind, name, before, after}: ResourceChange): Promise<string> {
  const text = (object: unknown): string | undefined => (object === undefined ? undefined : `${indentedJson(object)}\n`)
  return textDiff(objectLabel(kind, name), text(before), text(after))
}

/** A unified diff of what is called LABEL; undefined = it is not there. */
export async function textDiff(label: string, before: string | undefined, after: string | undefined): Promise<string> {
  const {createTwoFilesPatch} = await import('diff')
  const name = (text: string | undefined): string => (text === undefined ? '/dev/null' : escapeText(label))
  const patch = createTwoFilesPatch(name(before), name(after), before ?? '', after ?? '', undefined, undefined, {context: 3})
  return escapeLines(patch.replace(/^(Index: .*\n)?=+\n/, ''))
}
