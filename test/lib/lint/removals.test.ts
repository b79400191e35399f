/** The commands that lint prints, run in their order: what they remove are the rules that were found, whatever they have in common with others. */
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {readLines} from '../../../src/lib/batch/lines.js'
import {type Level, LEVELS, reaches} from '../../../src/lib/lint/codes.js'
import type {Finding} from '../../../src/lib/lint/finding.js'
import {inOrder} from '../../../src/lib/lint/removals.js'
import {decode} from '../../../src/lib/model/accept.js'
import type {Profile, Rule} from '../../../src/lib/model/types.js'
import {type Direction, removeRule, removeRuleAt} from '../../../src/lib/rules/edit.js'
import {readRuleWords} from '../../../src/lib/rules/words.js'
import {exampleStore, lintOf, RESOURCES} from './store.js'

const rule = (fields: object): Rule => ({action: 'Allow', source: {}, destination: {}, ...fields}) as unknown as Rule
const tcp = (ports: string | number, more: object = {}): Rule => rule({protocol: 'TCP', destination: {ports: [ports]}, ...more})

type Lists = Readonly<Record<'ingress' | 'egress', readonly Rule[]>>
type Profiles = Readonly<Record<string, Lists>>

const found = (profiles: Profiles, level: Level): Finding[] =>
  inOrder(lintOf(exampleStore(Object.fromEntries(Object.entries(profiles).map(([name, lists]) => [`profiles/${name}`, {spec: {...lists, labelsToApply: {[name]: ''}}}])))).filter((each) => reaches(each.level, level)))

/** PROFILES after COMMANDS, in their order, as `rule remove` does it; a command that would fail fails here. */
function after(profiles: Profiles, commands: readonly string[]): Profiles {
  let now = profiles
  for (const command of commands) {
    const [, name = '', , verb, direction, ...more] = readLines(command.replace(/^calicoctl /, '')).lines[0]?.words ?? []
    expect([verb, Object.keys(now)]).toEqual(['remove', expect.arrayContaining([name])])
    const mayBeGone = more.at(-1) === '--if-exists'
    const own = mayBeGone ? more.slice(0, -1) : more
    const number = /^--at=(\d+)$/.exec(own[0] ?? '')?.[1]
    const read = readRuleWords(own)
    const side = direction as Direction
    if (number === undefined && !read.ok) throw new Error(`no rule: ${command}`)
    const remove = number === undefined && read.ok ? removeRule(side, read.rule) : removeRuleAt(side, Number(number))
    const lists = now[name] ?? {ingress: [], egress: []}
    try {
      const {at} = remove(decode('Profile', {kind: 'Profile', apiVersion: 'projectcalico.org/v3', metadata: {name}, spec: lists}).resource as Profile)
      const list = side === 'inbound' ? 'ingress' : 'egress'
      now = {...now, [name]: {...lists, [list]: lists[list].toSpliced(at - 1, 1)}}
    } catch (error) {
      if (!mayBeGone) throw error
    }
  }
  return now
}

const removing = (findings: readonly Finding[]): string[] => findings.flatMap(({command}) => (command.includes(' rule remove ') ? [command] : []))

/** PROFILES without the rules that FINDINGS want removed, by the places where they were found. */
function without(profiles: Profiles, findings: readonly Finding[]): Profiles {
  const wanted = new Set(findings.flatMap(({subject, field, command}) => (command.includes(' rule remove ') ? [`${subject.key} ${/^spec\.\w+\[\d+\]/.exec(field)?.[0] ?? ''}`] : [])))
  const left = (name: string, list: 'ingress' | 'egress'): Rule[] => (profiles[name]?.[list] ?? []).filter((_, index) => !wanted.has(`${RESOURCES}profiles/${name} spec.${list}[${index}]`))
  return Object.fromEntries(Object.keys(profiles).map((name) => [name, {ingress: left(name, 'ingress'), egress: left(name, 'egress')}]))
}

/** The rules that are left when every command of lint has been run, and those of the next run, until there is none. */
function cleaned(profiles: Profiles, level: Level = 'info'): Profiles {
  let now = profiles
  for (let round = 0; round < 30; round++) {
    const findings = found(now, level)
    const commands = removing(findings)
    if (commands.length === 0) return now
    const next = after(now, commands)
    expect(next).toEqual(without(now, findings))
    now = next
  }
  throw new Error('lint finds rules without end')
}

const TAG = rule({source: {selector: 'has(q)'}})
const OPEN = rule({source: {tag: 'x'}})
const SEVERAL = (nets: readonly string[]): Rule => tcp(443, {source: {nets}})

describe('what all printed commands leave', () => {
  const DENY = rule({action: 'Deny', source: {nets: ['10.6.6.0/24']}})
  const cases: Readonly<Record<string, readonly [Profiles, Profiles]>> = {
    'dead rules between healthy ones': [
      {q: {ingress: [TAG, tcp('1:100'), tcp(50), tcp(60), DENY, rule({protocol: 'UDP'})], egress: [rule({})]}},
      {q: {ingress: [TAG, tcp('1:100'), DENY, rule({protocol: 'UDP'})], egress: [rule({})]}},
    ],
    'more than ten rules': [
      {q: {ingress: [tcp('1:100'), tcp(2), ...Array.from({length: 9}, (_, at) => tcp(1000 + at)), tcp(3), tcp(4), DENY], egress: []}},
      {q: {ingress: [tcp('1:100'), ...Array.from({length: 9}, (_, at) => tcp(1000 + at)), DENY], egress: []}},
    ],
    'two equal rules: the second one': [{q: {ingress: [tcp(80), DENY, tcp(80), tcp(81)], egress: []}}, {q: {ingress: [tcp(80), DENY, tcp(81)], egress: []}}],
    'rules that have no words': [
      {q: {ingress: [SEVERAL(['10.0.0.0/8', '11.0.0.0/8']), tcp(80), SEVERAL(['10.0.0.0/9', '11.0.0.0/9']), SEVERAL(['10.0.0.0/10', '11.0.0.0/10']), DENY], egress: []}},
      {q: {ingress: [SEVERAL(['10.0.0.0/8', '11.0.0.0/8']), tcp(80), DENY], egress: []}},
    ],
    'two findings about one rule': [
      {q: {ingress: [rule({source: {selector: 'has(ghost)'}, destination: {selector: 'has(spirit)'}}), tcp(80)], egress: []}},
      {q: {ingress: [tcp(80)], egress: []}},
    ],
    'two findings about one rule that has no words': [
      {q: {ingress: [rule({source: {selector: 'has(ghost)', nets: ['10.0.0.0/8', '11.0.0.0/8']}, destination: {selector: 'has(spirit)'}}), tcp(80), tcp(81)], egress: []}},
      {q: {ingress: [tcp(80), tcp(81)], egress: []}},
    ],
    'both directions, several profiles': [
      {q: {ingress: [tcp('1:100'), tcp(50), tcp(200)], egress: [tcp('1:100'), tcp(200), tcp(50)]}, r: {ingress: [tcp(200), tcp('1:100'), tcp(50)], egress: [rule({})]}},
      {q: {ingress: [tcp('1:100'), tcp(200)], egress: [tcp('1:100'), tcp(200)]}, r: {ingress: [tcp(200), tcp('1:100')], egress: [rule({})]}},
    ],
    'an error before a warning, both by number': [{q: {ingress: [OPEN, OPEN, tcp(80), tcp(81), tcp(80)], egress: []}}, {q: {ingress: [tcp(80), tcp(81)], egress: []}}],
    'what a rule takes that is wrong itself stays': [{q: {ingress: [OPEN, tcp(80), DENY], egress: []}}, {q: {ingress: [tcp(80), DENY], egress: []}}],
  }
  test.each(Object.entries(cases))('%s', (_, [before, left]) => expect(cleaned(before)).toEqual(left))

  test('the commands name the rules by their words where these mean one rule', () => {
    const commands = removing(found(cases['dead rules between healthy ones']?.[0] ?? {}, 'warning'))
    expect(commands).toEqual(['calicoctl profile q rule remove inbound allow tcp to ports 60', 'calicoctl profile q rule remove inbound allow tcp to ports 50'])
    expect(removing(found(cases['two equal rules: the second one']?.[0] ?? {}, 'warning'))).toEqual(['calicoctl profile q rule remove inbound --at=3'])
  })

  test('on random profiles, at every level', () => {
    const anyRule = fc.constantFrom(
      TAG, OPEN, tcp('1:100'), tcp(50), tcp(60), tcp('40:70'), SEVERAL(['10.0.0.0/8', '11.0.0.0/8']), SEVERAL(['10.0.0.0/9', '11.0.0.0/9']), rule({action: 'Log', protocol: 'UDP'}), rule({action: 'Pass', protocol: 'UDP'}),
      rule({source: {selector: 'has(ghost)'}, destination: {selector: "name == 'it''s'"}}), rule({source: {selector: "has(ghost) && role == '$x'"}}), rule({source: {selector: 'has(ghost)', nets: ['10.0.0.0/8', '11.0.0.0/8']}, destination: {selector: 'has(spirit)'}}),
      rule({source: {nets: ['fd00::/8']}, destination: {nets: ['10.0.0.0/8']}}), rule({protocol: 'UDP'}), rule({action: 'Deny'}), rule({source: {nets: []}}),
    )
    const list = fc.array(anyRule, {maxLength: 14})
    const lists = fc.record({ingress: list, egress: list})
    let removed = 0
    fc.assert(
      fc.property(fc.record({q: lists, r: lists}), fc.constantFrom(...LEVELS), (profiles, level) => {
        const count = (of: Profiles): number => Object.values(of).reduce((sum, {ingress, egress}) => sum + ingress.length + egress.length, 0)
        removed += count(profiles) - count(cleaned(profiles, level))
      }),
      {numRuns: 40},
    )
    expect(removed).toBeGreaterThan(200)
  })
})
