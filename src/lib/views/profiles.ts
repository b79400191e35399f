/** What the commands on profiles share: arguments, the words of a rule, and how profiles, tags and rules are shown (cli-v0.20 §4.4). */
import {existsSync} from 'node:fs'
import {Args, Flags} from '@oclif/core'
import {getProfile, type IfMissing, type NamedProfile} from '../client/profiles.js'
import type {ProfileUse} from '../client/profile-uses.js'
import type {Session} from '../client/session.js'
import type {OwnItem} from '../documents/own.js'
import type {DockerNetwork} from '../docker/networks.js'
import {CalicoError, isError} from '../errors.js'
import {pluginTag, tagProblem} from '../model/names.js'
import type {Profile, Rule} from '../model/types.js'
import {type Direction, newProfile, rulesOf, tagsOf} from '../rules/edit.js'
import {ruleText, rulesLines} from '../rules/show.js'
import {type RuleLists, rulesDocument} from '../rules/v020-json.js'
import {readRuleWords} from '../rules/words.js'
import {compareUtf8} from '../utf8-order.js'
import {readProfileName} from '../cli/arguments.js'
import {checked} from '../cli/base-command.js'
import {ownDocument, type Presentation, resourceList} from '../cli/output/presentation.js'
import {shortId} from '../model/display-name.js'
import {shownResource} from '../cli/output/shown.js'

/** What Docker shows of a network's id: all of it, or its beginning. */
const NETWORK_ID = /^[0-9a-f]{12,64}$/

/** The profile that a line is about. */
export interface Meant {
  readonly name: string
  /** It is made where it is that of a Calico Docker network of this host. */
  readonly ifMissing: IfMissing
}

/**
 * The profile that TYPED means: itself; or, where no such profile is stored and it may be the id of a Docker network, that network's profile (decisions.md
 * 29). TELL is informed when it is, and when a profile has been made for a network. Docker is asked only where a profile is missing, and where Docker is away the
 * profile is.
 */
export async function meantProfile(session: Session, typed: string, note: (text: string) => void): Promise<Meant> {
  let network: DockerNetwork | undefined
  let name = typed
  if (NETWORK_ID.test(typed) && !(await isStored(session, typed))) {
    network = await askDocker(typed)
    if (network?.id.startsWith(typed)) {
      name = network.options.profile ?? network.name
      note(`${typed} is the Docker network ${network.name}; its profile is ${name}.`)
    } else network = undefined
  }
  let asked: Promise<Profile | undefined> | undefined
  return {
    name,
    ifMissing: {
      make: (missing) => (asked ??= networkProfile(missing, network, {askByName: !NETWORK_ID.test(typed)})),
      made: (missing) => note(`${missing} is a Calico Docker network of this host: its profile ${session.dryRun ? 'would be' : 'was'} created, with the default rules.`),
    },
  }
}

/** How the driver is called, unless someone gives its socket another name. */
const DRIVER = 'calico'

/**
 * The profile NAME as the driver would make it, if it is NETWORK's, or that of a Calico Docker network of this host that is called so.
 * @throws CalicoError `not-found` for a network of that name with another profile
 */
async function networkProfile(name: string, network: DockerNetwork | undefined, {askByName}: {askByName: boolean}): Promise<Profile | undefined> {
  const found = network ?? (askByName ? await askDocker(name, {onlyLocal: true}) : undefined)
  if (!found || (found.driver !== DRIVER && !(await isRemembered(found.id)))) return undefined
  const profile = found.options.profile ?? found.name
  if (profile !== name) {
    throw new CalicoError('not-found', `Profile ${name} not found.`, {hint: `${name} is a Docker network whose profile is ${profile} (--opt profile): calicoctl profile ${profile} …`})
  }
  return newProfile(name, pluginTag(name))
}

/** The network that WORD means; undefined where there is none, or Docker does not answer. @throws CalicoError `conflict` if several are called so */
async function askDocker(word: string, {onlyLocal = false}: {onlyLocal?: boolean} = {}): Promise<DockerNetwork | undefined> {
  const {dockerNetworks} = await import('../docker/networks.js')
  const docker = dockerNetworks()
  if (docker.local ? !existsSync(docker.address.slice('unix://'.length)) : onlyLocal) return undefined
  try {
    return await docker.inspect(word)
  } catch (error) {
    if (isError(error) && !(onlyLocal && error.kind === 'conflict')) return undefined
    throw error
  }
}

/** Whether the driver, under whatever name, has made the network ID. */
async function isRemembered(id: string): Promise<boolean> {
  const {NETWORKS_FOLDER} = await import('../libnetwork/network-files.js')
  return existsSync(`${NETWORKS_FOLDER}/${id}.json`)
}

async function isStored(session: Session, name: string): Promise<boolean> {
  try {
    await getProfile(session, name)
    return true
  } catch (error) {
    if (isError(error, 'not-found')) return false
    throw error
  }
}

function readTag(text: string): string {
  const problem = tagProblem(text)
  if (problem !== undefined) throw new CalicoError('invalid', `'${text}' is not a valid tag: ${problem}.`)
  return text
}

/** A new profile's name is also the tag of its endpoints, and so must be able to be one (decisions.md 13). */
function readNewProfileName(text: string): string {
  const name = readProfileName(text)
  const problem = tagProblem(name)
  if (problem !== undefined) throw new CalicoError('invalid', `'${name}' is not a valid name for a new profile: the name is also the tag of its endpoints, and ${problem}.`)
  return name
}

export const newProfileArgument = () =>
  Args.custom({parse: checked(readNewProfileName)})({required: true, ignoreStdin: true, description: 'The profile\'s name, which is also the tag of its endpoints.'})

export const tagArgument = () => Args.custom({parse: checked(readTag)})({required: true, ignoreStdin: true, description: 'The tag.'})

export const directionArgument = () =>
  Args.custom<Direction>({options: ['inbound', 'outbound']})({required: true, ignoreStdin: true, description: 'inbound: traffic to the endpoints of the profile; outbound: traffic from them.'})

export const positionFlag = (description: string) => Flags.string({description, helpValue: 'POSITION'})

/** What is wrong with the value of --at. */
export function positionProblems(text: string | undefined): string[] {
  return text === undefined || /^\s*[+-]?\d+\s*$/.test(text) ? [] : [`--at: '${text}' is not a number. Rules are counted from 1.`]
}

/** The value of --at. */
export const positionOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

/**
 * oclif's tokens of a line: its words in their order. Its `argv` is sorted by the first occurrence of each word, and so has another order where
 * a word stands twice.
 */
type Tokens = readonly {readonly type: string; readonly input: string}[]

/** The words after the profile and the direction. */
const ruleWords = (tokens: Tokens): string[] => tokens.flatMap(({type, input}) => (type === 'arg' ? [input] : [])).slice(2)

/** What TOKENS say; of the same ones only once: a line is checked, and read again when it runs. */
function readRule(tokens: Tokens): ReturnType<typeof readRuleWords> {
  let read = readBefore.get(tokens)
  if (read === undefined) readBefore.set(tokens, (read = readRuleWords(ruleWords(tokens))))
  return read
}

const readBefore = new WeakMap<Tokens, ReturnType<typeof readRuleWords>>()

/** The values that are wrong in the rule of a line. @throws CalicoError `usage` for words that are no rule at all. */
export function ruleProblems(tokens: Tokens): readonly string[] {
  const read = readRule(tokens)
  if (read.ok) return []
  if ('at' in read) throw new CalicoError('usage', read.problem)
  return read.problems
}

/** The rule of a line. @throws CalicoError if {@link ruleProblems} has anything to say. */
export function ruleOf(tokens: Tokens): Rule {
  const read = readRule(tokens)
  if (!read.ok) throw new CalicoError('invalid', 'These words are no rule', {details: ruleProblems(tokens)})
  return read.rule
}

/** `profile show` where the format shows names only. */
export const presentProfileNames = (names: readonly string[]): Presentation<string> => ({
  rows: names,
  columns: [{header: 'Name', value: (name) => name}],
  former: true,
  name: (name) => name,
  document: (all) => all, // never shown: JSON and YAML have the profiles
})

/** `profile show` with all that is stored. */
export function presentProfiles(profiles: readonly NamedProfile[]): Presentation<NamedProfile> {
  const count = ({stored}: NamedProfile, direction: Direction): string => String(rulesOf(stored.resource)[direction].length)
  return {
    rows: profiles,
    columns: [
      {header: 'Name', value: ({name}) => name},
      {header: 'Tags', value: ({stored}) => tagsOf(stored.resource).join(','), wide: true},
      {header: 'Inbound rules', value: (profile) => count(profile, 'inbound'), wide: true},
      {header: 'Outbound rules', value: (profile) => count(profile, 'outbound'), wide: true},
    ],
    name: ({name}) => name,
    former: true,
    document: (all) => resourceList('ProfileList', all.map(({stored}) => shownResource(stored))),
  }
}

/** A row of `profile show --detailed`: a profile, and an endpoint that names it or none. */
export interface ProfileUseRow {
  readonly profile: string
  readonly use: ProfileUse | undefined
}

/** The rows of `profile show --detailed` in v0.20's order. USES by stored name. */
export function profileUseRows(profiles: readonly NamedProfile[], uses: ReadonlyMap<string, readonly ProfileUse[]>): ProfileUseRow[] {
  return profiles.flatMap(({name, stored}) => {
    const rows: ProfileUseRow[] = (uses.get(stored.resource.metadata.name) ?? []).map((use) => ({profile: name, use}))
    return rows.length === 0 ? [{profile: name, use: undefined}] : rows.sort((a, b) => compareCells(useCells(a), useCells(b)))
  })
}

/** The table of `profile show --detailed`. */
export function presentProfileUses(rows: readonly ProfileUseRow[]): Presentation<ProfileUseRow> {
  const headers: readonly (readonly [header: string, rank: number])[] = [['Name', 0], ['Host', 0], ['Orchestrator ID', 2], ['Workload ID', 1], ['Endpoint ID', 0], ['State', 3]]
  return {
    rows,
    columns: headers.map(([header, rank], index) => {
      const value = (row: ProfileUseRow): string => useCells(row)[index] ?? ''
      return {header, value, short: (row) => shortId(value(row)), rank}
    }),
    former: true,
    name: ({profile}) => profile,
    document: (all) => ownDocument('ProfileUseList', {items: [...new Set(all.map(({profile}) => profile))].map((profile) => usesDocument(profile, all))}),
  }
}

/** Every endpoint that is stored is active (decisions.md 5). */
const STATE = 'active'

function useCells({profile, use}: ProfileUseRow): string[] {
  const {host, orchestrator, workload, endpoint} = use ?? {}
  return [profile, ...[host, orchestrator, workload, endpoint, use && STATE].map((cell) => cell ?? 'None')]
}

const compareCells = (a: readonly string[], b: readonly string[]): number => {
  const index = a.findIndex((cell, at) => cell !== b[at])
  return index === -1 ? 0 : compareUtf8(a[index] ?? '', b[index] ?? '')
}

function usesDocument(profile: string, rows: readonly ProfileUseRow[]): OwnItem<'ProfileUseList'> {
  const endpoints = rows.flatMap(({profile: other, use}) => (other === profile && use ? [use] : []))
  return {
    profile,
    endpoints: endpoints.map(({host, orchestrator, workload, endpoint}) => ({host, orchestrator, workload, endpoint, state: STATE})),
  }
}

/** The lines of `tag show`. */
export function presentTags(profile: string, tags: readonly string[]): Presentation<string> {
  return {
    rows: tags,
    columns: [{header: 'Tag', value: (tag) => tag}],
    name: (tag) => tag,
    document: (all) => ownDocument('TagList', {profile, tags: all, items: all}),
    text: (all) => all,
  }
}

/** A rule and its place. */
export interface RuleRow {
  readonly direction: Direction
  /** Counted from 1 in its direction. */
  readonly number: number
  readonly rule: Rule
}

const ruleRows = ({inbound, outbound}: RuleLists): RuleRow[] => [
  ...inbound.map((rule, index) => ({direction: 'inbound' as const, number: index + 1, rule})),
  ...outbound.map((rule, index) => ({direction: 'outbound' as const, number: index + 1, rule})),
]

/** `rule show`: v0.20's two lists; as a document, the rules as Calico has them. */
export function presentRules(profile: string, rules: RuleLists): Presentation<RuleRow> {
  return {
    rows: ruleRows(rules),
    columns: [
      {header: 'Direction', value: ({direction}) => direction},
      {header: 'Number', value: ({number}) => String(number)},
      {header: 'Rule', value: ({rule}) => ruleText(rule)},
    ],
    name: ({direction, number}) => `${direction}/${number}`,
    document: () => ownDocument('RuleList', {profile, ...rules, items: ruleRows(rules)}),
    text: () => rulesLines(rules),
    alignment: 'left',
  }
}

/** `rule json`: v0.20's rules document, which `rule update` accepts again. */
export function presentRulesDocument(profile: string, rules: RuleLists, format: (value: unknown) => string): Presentation<RuleRow> {
  return {
    ...presentRules(profile, rules),
    document: () => rulesDocument(profile, rules),
    text: () => [...format(rulesDocument(profile, rules)).split('\n'), ''],
  }
}
