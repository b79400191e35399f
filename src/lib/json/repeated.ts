/** JSON of objects with long lists that are written again and again, with a few items changed each time: what an item was written as once is kept. */
import {isObject} from './is-object.js'
import {stringifyJson} from './json.js'

/** Lists with fewer items are written as fast without it. */
const LONG = 16

/** Of items, which never change. */
const texts = new WeakMap<object, string>()

/** As {@link stringifyJson} without INDENT; items of long lists in VALUE and in its members are written only once. */
export function repeatedJson(value: object): string {
  return membersText(value, (member) => (isObject(member) ? membersText(member, (inner) => listText(inner) ?? stringifyJson(inner)) : stringifyJson(member)))
}

function membersText(value: object, textOf: (member: unknown) => string): string {
  const members = Object.entries(value).flatMap(([name, member]) => (member === undefined ? [] : [`${JSON.stringify(name)}:${textOf(member)}`]))
  return `{${members.join(',')}}`
}

/** Undefined for what is no long list of objects. */
function listText(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length < LONG || !value.every(isObject)) return undefined
  return `[${value.map(itemText).join(',')}]`
}

function itemText(item: object): string {
  let text = texts.get(item)
  if (text === undefined) texts.set(item, (text = stringifyJson(item)))
  return text
}
