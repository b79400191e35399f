/**
 * What may stand next on a command line. Words and options come from the grammar and from what oclif knows of our commands, so that nothing is
 * listed twice; names of stored objects from whoever is asked for them.
 */
import {judgeRuleWords} from '../../rules/grammar.js'
import {attemptAll, keywordCount, v020Options, type Attempt, type Words} from '../grammar/attempt.js'
import {HELP_PAGES} from '../grammar/help-words.js'
import type {CommandTable} from '../grammar/line.js'
import {idsUnder, ownId, ownNextWords} from '../grammar/own-usage.js'
import type {Match} from '../grammar/match.js'
import {optionsOf} from '../grammar/pattern.js'
import {splitLine, type SplitLine, type Unreadable} from '../grammar/split.js'
import {type NameKind, OPTIONS, OPTIONS_OF, OWN_ARGUMENTS, type Place} from './places.js'

/** What the rest of a line says about the names that are wanted: its --node and --namespace. */
export interface About {
  readonly node?: string | undefined
  readonly namespace?: string | undefined
}

/** The names of one kind; what it cannot find out in time it leaves out. */
export type Names = (kind: NameKind, about?: About) => Promise<readonly string[]>

/** Only such names are offered: a name from the store must not become code or an option (decisions.md 7). */
export const SAFE_NAME = /^[A-Za-z0-9_.:/][A-Za-z0-9_.:/-]*$/

/** Stands among the candidates where a file may be named: the scripts replace it with what the shell finds. No safe name is spelt so. */
export const FILES = '%files'

/** Arguments whose words are names; `<CIDRS>` and `<PEER_IP>` only where existing ones are meant. */
const NAMES_OF_ARGUMENTS: Readonly<Record<string, NameKind>> = {
  '<CONTAINER>': 'container',
  '<PROFILE>': 'profile',
  '<PROFILES>': 'profile',
  '<TAG>': 'tag',
  '<CIDRS>': 'pool',
  '<PEER_IP>': 'global-peer',
  '<ENDPOINT_ID>': 'endpoint',
}
const NEW_NAMES = new Set(['profile:add', 'pool:add', 'bgp:peer:add', 'node:bgp:peer:add'])
/** Arguments that mean something else in these commands: peers of all nodes and of one, containers that run and all of them. */
const ELSEWISE: Readonly<Record<string, Readonly<Record<string, Place>>>> = {
  'container:add': {'<IP>': [{words: ['ipv4', 'ipv6']}, 'pool']},
  'container:remove': {'<CONTAINER>': ['any-container']},
  'node:bgp:peer:remove': {'<PEER_IP>': ['node-peer']},
}

/** Values of v0.20's options and arguments that are known beforehand (cli-v0.20 §4.3, §4.11). */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  runtime: ['docker', 'none'], // rkt is always refused
  detach: ['true', 'false'],
  datastore: ['etcd', 'embedded'],
  '<NAME>': ['loglevel'],
  '<VALUE>': ['none', 'debug', 'info', 'warning', 'error', 'critical'],
}

const NAMES_OF_RULE_WORDS: Readonly<Record<string, NameKind>> = {tag: 'tag', cidr: 'pool'}
const VALUES_OF_RULE_WORDS: Readonly<Record<string, readonly string[]>> = {protocol: ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'udplite']}
const RULE_WORDS = ['tcp', 'udp', 'icmp', 'icmpv6', 'protocol', 'type', 'code', 'from', 'to', 'ports', 'tag', 'cidr', 'selector']
const NEGATABLE = ['protocol', 'ports', 'tag', 'cidr', 'selector']

/** What may replace CURRENT, the word at the cursor, after WORDS, those before it (without the program's name). Never throws. */
export async function candidates(words: readonly string[], current: string, commands: CommandTable, names: Names): Promise<string[]> {
  const safe: Names = async (kind, about) => (await names(kind, about).catch(() => [])).filter((name) => SAFE_NAME.test(name))
  const found = await possible(splitLine(words, commands, v020Options), current, commands, safe)
  return [...new Set(found)].filter((word) => word === FILES || word.startsWith(current))
}

async function possible(line: SplitLine | Unreadable, current: string, commands: CommandTable, names: Names): Promise<readonly string[]> {
  if ('problem' in line) return line.waiting === undefined ? [] : valuesOf(line.waiting, idsOf({...line, options: []}, commands), commands, names)
  const equals = current.indexOf('=')
  if (current.startsWith('--') && equals > 0) {
    const values = await valuesOf(current.slice(2, equals), idsOf(line, commands), commands, names)
    return values.map((value) => (value === FILES ? FILES : current.slice(0, equals + 1) + value))
  }
  if (current.startsWith('-')) return optionNames(line, commands)
  if (line.words.length === 0) return [...new Set(idsUnder([], commands).map((id) => id.split(':', 1)[0] ?? ''))]
  if (line.words[0] === 'help') return helpTopics(line.words.slice(1), commands)
  const own = ownId(line.words, commands)
  if (own !== undefined) return ownArguments(own, line, commands, names)
  return [...ownNextWords(line.words, commands), ...(await nextWords(line, commands, names))]
}

/** The usages of built commands that go along with the whole of LINE, those with the most keywords. */
function open(line: Words, commands: CommandTable): Attempt[] {
  const attempts = attemptAll(line).filter(({id, match}) => Object.hasOwn(commands, id) && match.trace.furthest === line.words.length)
  const most = Math.max(...attempts.map(keywordCount))
  return attempts.filter((attempt) => keywordCount(attempt) === most)
}

/** Whether LINE may still become one of command ID: something is missing, or all of it fits. */
const hopeful = (id: string, line: Words): boolean => attemptAll(line).some(({id: other, match}) => other === id && (match.fits || !match.complete))

async function nextWords(line: SplitLine, commands: CommandTable, names: Names): Promise<readonly string[]> {
  const attempts = open(line, commands)
  const words = attempts.map(async ({id, match}) => {
    const rule = ruleOf(match)
    const expected = match.trace.expected.filter((name) => name.startsWith('--') || hopeful(id, {...line, words: [...line.words, name]}) || name === '<MATCH>')
    return Promise.all(expected.map((name) => wordsFor(name, id, rule, names, aboutOf(line))))
  })
  const negated = attempts.length === 0 && line.words.at(-1) === 'not' ? negatedWords({...line, words: line.words.slice(0, -1)}, commands) : []
  return [...(await Promise.all(words)).flat(2), ...negated]
}

/** The words that fit what a usage of command ID expects. */
async function wordsFor(expected: string, id: string, rule: readonly string[], names: Names, about: About): Promise<readonly string[]> {
  if (expected === '<MATCH>') return ruleWords(rule, names)
  if (!expected.startsWith('<')) return [expected.split('=', 1)[0] ?? '']
  const elsewise = ELSEWISE[id]?.[expected]
  if (elsewise) return placeWords(elsewise, names, about)
  const kind = NEW_NAMES.has(id) ? undefined : NAMES_OF_ARGUMENTS[expected]
  return kind === undefined ? (VALUES[expected] ?? []) : names(kind, about)
}

/** What may follow RULE, the words of a rule after its action. The rule's grammar is asked, not repeated. */
async function ruleWords(rule: readonly string[], names: Names): Promise<readonly string[]> {
  const last = rule.at(-1) ?? ''
  if (fitsRule(rule, ['a-value'])) {
    const kind = NAMES_OF_RULE_WORDS[last]
    return kind === undefined ? (VALUES_OF_RULE_WORDS[last] ?? []) : names(kind)
  }
  const negatable = NEGATABLE.some((word) => fitsRule(rule, ['not', word]))
  return [...RULE_WORDS.filter((word) => fitsRule(rule, [word])), ...(negatable ? ['not'] : [])]
}

function negatedWords(line: SplitLine, commands: CommandTable): string[] {
  return open(line, commands)
    .filter(({match}) => match.trace.expected.includes('<MATCH>'))
    .flatMap(({match}) => NEGATABLE.filter((word) => fitsRule(ruleOf(match), ['not', word])))
}

/** The words of the rule that MATCH took. */
const ruleOf = ({trace}: Match): string[] => trace.taken.filter((taken) => taken.name === '<MATCH>').map((taken) => taken.word)

/** Whether MORE may follow RULE, complete or not. */
function fitsRule(rule: readonly string[], more: readonly string[]): boolean {
  const words = ['allow', ...rule, ...more]
  const verdict = judgeRuleWords(words)
  return verdict.ok || verdict.at >= words.length
}

/** The options that LINE may still get. */
function optionNames(line: SplitLine, commands: CommandTable): string[] {
  const given = new Set(line.options.filter((option) => !option.kind.multiple).map((option) => option.kind.name))
  const attempts = ownId(line.words, commands) === undefined ? open(line, commands) : []
  const ids = idsOf(line, commands)
  const withOption = (name: string, takesValue: boolean): Words => ({...line, options: [...line.options, {kind: {name, takesValue, ours: false, multiple: false}, value: undefined}]})
  const v020 = attempts.flatMap(({id, pattern}) => [...optionsOf(pattern)].filter(([name, value]) => hopeful(id, withOption(name, value !== undefined))).map(([name]) => name))
  // Before the first word, those that are the same for all commands.
  const global = line.words.length > 0 ? [] : Object.values(commands).flatMap(({flags}) => Object.entries(flags).filter(([, {helpGroup, hidden}]) => helpGroup === 'GLOBAL' && hidden !== true))
  const ours = ids.flatMap((id) => Object.entries(commands[id]?.flags ?? {}).filter(([name, flag]) => !flag.hidden && !v020Options(line.words[0] ?? '').has(name)))
  const names = [...new Set([...v020, ...[...global, ...ours].map(([name]) => name)])].filter((name) => !given.has(name))
  return [...names.map((name) => `--${name}`), '--help', ...(line.words.length === 0 ? ['--version'] : [])]
}

/** The commands that LINE may be, as far as it has been typed. */
function idsOf(line: Words, commands: CommandTable): string[] {
  const own = ownId(line.words, commands)
  return own === undefined ? open(line, commands).map(({id}) => id) : [own]
}

/** What an option of one of the commands IDS may be given; before the command's words are typed, of any. */
async function valuesOf(option: string, ids: readonly string[], commands: CommandTable, names: Names): Promise<readonly string[]> {
  const elsewise = ids.map((id) => (Object.hasOwn(OPTIONS_OF, id) ? OPTIONS_OF[id] : undefined)).find((places) => places !== undefined && Object.hasOwn(places, option))?.[option]
  if (elsewise) return placeWords(elsewise, names, {})
  const flag = [...ids, ...Object.keys(commands)]
    .map((id) => commands[id]?.flags ?? {})
    .map((flags) => (Object.hasOwn(flags, option) ? flags[option] : undefined))
    .find((shape) => shape?.options !== undefined)
  const place = Object.hasOwn(OPTIONS, option) ? OPTIONS[option] : undefined
  return flag?.options ?? (Object.hasOwn(VALUES, option) ? VALUES[option] : undefined) ?? placeWords(place ?? [], names, {})
}

async function ownArguments(id: string, line: SplitLine, commands: CommandTable, names: Names): Promise<readonly string[]> {
  const {words} = line
  const depth = id.split(':').length
  const at = words.length - depth
  const more = at === 0 ? ownNextWords(words, commands) : []
  const shape = commands[id]
  const args = Object.values(shape?.args ?? {})
  if (at >= args.length && shape?.strict !== false && args.at(-1)?.multiple !== true) return more
  const places = Object.hasOwn(OWN_ARGUMENTS, id) ? (OWN_ARGUMENTS[id] ?? []) : []
  const found = await placeWords(places[Math.min(at, places.length - 1)] ?? [], names, aboutOf(line), words[depth])
  return [...more, ...(args[at]?.options ?? []), ...found.filter((name) => !words.includes(name, depth))]
}

/** The words that may stand in PLACE; KIND is what a line calls the objects that it is about. */
async function placeWords(place: Place, names: Names, about: About, kind = ''): Promise<readonly string[]> {
  const words = (each: Place[number]): Promise<readonly string[]> => {
    if (typeof each === 'object') return Promise.resolve(each.words)
    return each === 'file' ? Promise.resolve([FILES]) : names(each === 'object' ? `of:${kind}` : each, about)
  }
  return (await Promise.all(place.map(words))).flat()
}

const aboutOf = ({options}: Pick<SplitLine, 'options'>): About => {
  const value = (name: string): string | undefined => options.find((option) => option.kind.name === name)?.value
  return {node: value('node'), namespace: value('namespace')}
}

function helpTopics(words: readonly string[], commands: CommandTable): string[] {
  const next = idsUnder(words, commands).map((id) => id.split(':')[words.length] ?? '')
  return words.length === 0 ? [...next, ...HELP_PAGES] : next
}
