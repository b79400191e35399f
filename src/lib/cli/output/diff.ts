import {objectLabel} from '../../client/resources.js'
import {stringifyYaml} from '../../json/yaml.js'
import {escapeLines, escapeText} from '../../printable.js'
import {type Colour, hasColours, painted} from '../colour.js'

/** An object before and after; undefined = it is not there. */
export interface Difference {
  readonly kind: string
  readonly name: string
  readonly before: unknown
  readonly after: unknown
}

/** A unified diff of the object's YAML, as a dry run prints it. */
export async function diffText({kind, name, before, after}: Difference): Promise<string> {
  const text = async (object: unknown): Promise<string | undefined> => (object === undefined ? undefined : stringifyYaml(object))
  return textDiff(objectLabel(kind, name), await text(before), await text(after))
}

/** A unified diff of what is called LABEL, in colours where it is for a terminal; undefined = it is not there. */
export async function textDiff(label: string, before: string | undefined, after: string | undefined): Promise<string> {
  const {createTwoFilesPatch} = await import('diff')
  const name = (text: string | undefined): string => (text === undefined ? '/dev/null' : escapeText(label))
  const patch = createTwoFilesPatch(name(before), name(after), before ?? '', after ?? '', undefined, undefined, {context: 3})
  const text = escapeLines(patch.replace(/^(Index: .*\n)?=+\n/, ''))
  return hasColours('stdout') ? coloured(text) : text
}

/** As git's: what goes is red, what comes is green, places are cyan, names are bold. The text itself says the same without them. */
const COLOURS: readonly (readonly [begin: string, colour: Colour])[] = [
  ['--- ', 'bold'],
  ['+++ ', 'bold'],
  ['@@ ', 'cyan'],
  ['-', 'red'],
  ['+', 'green'],
]

/** The lines of the unified diff TEXT in colours. */
function coloured(text: string): string {
  return text.replaceAll(/^.+$/gm, (line) => {
    const colour = COLOURS.find(([begin]) => line.startsWith(begin))?.[1]
    return colour === undefined ? line : painted(line, colour)
  })
}
