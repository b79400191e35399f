import type YAML from 'yaml'
import type {CreateNodeOptions, DocumentOptions, SchemaOptions, ToStringOptions} from 'yaml'
import {CalicoError} from '../errors.js'
import {escapeYaml} from '../printable.js'
import {quickYaml} from './quick-yaml.js'

/** Objects and lists inside each other. Calico's objects have ten levels; the library goes down by recursion and ends at some hundreds. */
const DEEPEST = 200

const STRING_TAG = 'tag:yaml.org,2002:str'

/**
 * VALUE as YAML in which texts are quoted that a reader of YAML 1.1, as Python's and Go's are, would take for a time, number or yes and no. Texts and keys
 * with something in them that is not printable are in double quotes, with escapes.
 * @throws CalicoError `failed` if it is nested too deeply
 */
export async function stringifyYaml(value: unknown): Promise<string> {
  const write = (writer ??= yamlWriter((await import('yaml')).stringify))
  return write(value)
}

let writer: ((value: unknown) => string) | undefined

/** The library's forms of so many texts are kept: those that stand in many objects. */
const MOST_SCALARS = 2_000

function yamlWriter(stringify: typeof YAML.stringify): (value: unknown) => string {
  const known = new Map<string, string>()
  const quick = quickYaml((text) => {
    let form = known.get(text)
    if (form === undefined) {
      if (known.size > MOST_SCALARS) known.clear()
      known.set(text, (form = stringify({k: text}, YAML_OPTIONS).slice('k: '.length, -1)))
    }
    return form
  }, DEEPEST)
  return (value) => {
    const text = quick(value)
    if (text !== undefined) return text
    if (isDeep(value)) throw new CalicoError('failed', `It is nested more than ${DEEPEST} levels deep, which cannot be printed as YAML`, {hint: 'Use JSON: -o json'})
    return stringify(value, YAML_OPTIONS)
  }
}

/** How the library writes what {@link quickYaml} does not. `=` and `<<` are no texts in YAML 1.1, but its types value and merge. */
export const YAML_OPTIONS = {
  lineWidth: 0,
  compat: 'yaml-1.1',
  aliasDuplicateObjects: false,
  // A text of several lines is a block, or one line in double quotes.
  doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
  customTags: (tags) =>
    tags.map((tag) => {
      if (typeof tag === 'string' || tag.collection !== undefined || tag.tag !== STRING_TAG || tag.stringify === undefined) return tag
      const {stringify: write} = tag
      return {
        ...tag,
        stringify(item, ...rest) {
          const safe = escapeYaml(String(item.value)) === item.value && item.value !== '=' && item.value !== '<<'
          return escapeYaml(write(safe ? item : Object.assign(item, {type: 'QUOTE_DOUBLE'}), ...rest))
        },
      }
    }),
} satisfies ToStringOptions & DocumentOptions & SchemaOptions & CreateNodeOptions

function isDeep(value: unknown, left = DEEPEST): boolean {
  if (typeof value !== 'object' || value === null) return false
  return left === 0 || Object.values(value).some((member) => isDeep(member, left - 1))
}
