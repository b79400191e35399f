/** Profiles: labels, tags and rules (cli-v0.20 §4.4, datamodel-v3 §3.2, §3.3), by the functions with which our commands edit profiles. */
import {BUILT_IN} from '../client/profiles.js'
import {CalicoError} from '../errors.js'
import {isObject} from '../json/is-object.js'
import {checkLabels} from '../model/validation/names.js'
import {convertName, pluginTag, tagProblem} from '../model/names.js'
import {problemText, type Problem} from '../model/resource.js'
import {addTag, newProfile, removeTag, replaceRules} from '../rules/edit.js'
import {readRulesDocument} from '../rules/v020-json.js'
import {addResource, attempt, type Gathered, lose, takeJson, takeObject} from './gather.js'
import {OLD_ROOT} from './old-store.js'

const PROFILES = `${OLD_ROOT}/v1/policy/profile`

/** The name of a profile, and the tag, that v0.20's Docker driver made of a network: its id. */
export const isNetworkId = (text: unknown): text is string => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text)

export function convertProfiles(gathered: Gathered): void {
  for (const name of gathered.source.names(PROFILES)) convertProfile(gathered, name)
}

function convertProfile(gathered: Gathered, name: string): void {
  const folder = `${PROFILES}/${name}`
  const keys = ['tags', 'labels', 'rules'].map((part) => `${folder}/${part}`).filter((key) => gathered.source.has(key))
  if (keys.length === 0) {
    if (gathered.source.rest(`${folder}/`).length === 0) lose(gathered, folder, 'the profile is empty: it has neither tags nor rules')
    return
  }
  const tags = tagsOf(gathered, `${folder}/tags`)
  const labels = labelsOf(gathered, `${folder}/labels`)
  const rules = rulesOf(gathered, `${folder}/rules`, name)
  if (!rules) {
    lose(gathered, folder, 'the profile cannot be imported without all of its rules, because a missing rule could allow traffic that it denies. Endpoints with this profile drop the traffic that it would decide')
    return
  }
  if (name === BUILT_IN) {
    lose(gathered, folder, 'Calico provides a profile of this name itself, which allows all traffic')
    return
  }
  const profile = attempt(gathered, folder, () => {
    const own = newProfile(name, pluginTag(name))
    const bare = removeTag(own, pluginTag(name)) ?? own
    const tagged = tags.reduce(addTag, labels ? {...bare, spec: {...bare.spec, labelsToApply: labels}} : bare)
    return replaceRules(tagged, rules)
  })
  if (profile) addResource(gathered, {kind: 'Profile', name: convertName(name)}, profile, keys)
}

function tagsOf(gathered: Gathered, key: string): string[] {
  const tags = takeJson(gathered, key)
  if (tags === undefined) return []
  if (!Array.isArray(tags)) {
    lose(gathered, key, 'its value is not a list of tags')
    return []
  }
  return [...new Set(tags as unknown[])].flatMap((tag) => {
    if (isNetworkId(tag)) return [pluginTag(tag)]
    const problem = typeof tag === 'string' ? tagProblem(tag) : 'it is not a string'
    if (problem === undefined) return [tag as string]
    lose(gathered, key, `the tag ${JSON.stringify(tag)} is not a valid tag in current Calico versions: ${problem}`)
    return []
  })
}

function labelsOf(gathered: Gathered, key: string): Record<string, string> | undefined {
  const labels = takeObject(gathered, key)
  if (labels === undefined) return undefined
  const good: Record<string, string> = {}
  for (const [name, value] of Object.entries(labels)) {
    const problems: Problem[] = []
    if (typeof value === 'string') checkLabels({[name]: value}, 'labels', (field, message) => problems.push({field, message}))
    if (typeof value !== 'string') lose(gathered, key, `the label ${JSON.stringify(name)} has a value that is not a string`)
    else if (problems.length > 0) lose(gathered, key, `the label ${JSON.stringify(name)}: ${problems.map(problemText).join('; ')}`)
    else Object.defineProperty(good, name, {value, enumerable: true, configurable: true, writable: true})
  }
  return good
}

/** The rules at KEY; none where it is missing, as v0.20 read that; undefined, and lost, where one of them cannot be said today. */
function rulesOf(gathered: Gathered, key: string, profile: string) {
  if (!gathered.source.has(key)) return {inbound: [], outbound: []}
  const document = takeObject(gathered, key)
  if (!document) return undefined
  const {id: _, ...rest} = document
  const read = readRulesDocument(withNetworkTags({inbound_rules: [], outbound_rules: [], ...rest}), profile, () => undefined)
  if (read.ok) return read.rules
  lose(gathered, key, new CalicoError('invalid', 'its rules are not valid', {details: read.problems}))
  return undefined
}

const TAG_KEYS = ['src_tag', 'dst_tag', '!src_tag', '!dst_tag']

/** DOCUMENT with tags that are the ids of Docker networks, which are too long for labels, as our Docker driver writes them. */
function withNetworkTags(document: Readonly<Record<string, unknown>>): unknown {
  const rule = (value: unknown): unknown => {
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, tag]) => [key, TAG_KEYS.includes(key) && isNetworkId(tag) ? pluginTag(tag) : tag]))
  }
  const list = (value: unknown): unknown => (Array.isArray(value) ? value.map(rule) : value)
  return {...document, inbound_rules: list(document.inbound_rules), outbound_rules: list(document.outbound_rules)}
}
