import {Args, Config, Flags, type Command} from '@oclif/core'
import {beforeAll, describe, expect, test} from '@jest/globals'
import {helpPage, EXIT_TEXTS} from '../../../src/lib/cli/help.js'
import {loadOptions} from '../../../src/lib/cli/program.js'
import {EXIT_CODES} from '../../../src/lib/errors.js'

const cached = (id: string, more: Partial<Command.Cached> & {exitCodes?: Record<string, string>} = {}): [string, Command.Cached] => [
  id,
  {id, aliases: [], hiddenAliases: [], hidden: false, args: {}, flags: {}, pluginName: 'calicoctl', strict: true, ...more},
]
const store = {datastore: {...Flags.string({description: 'The datastore.'}), name: 'datastore', type: 'option'}} as unknown as Command.Cached['flags']
const dryRun = {'dry-run': {...Flags.boolean({description: 'Write nothing.'}), name: 'dry-run', type: 'boolean'}} as unknown as Command.Cached['flags']

const commands = Object.fromEntries([
  cached('profile:add', {summary: 'Add a profile.', description: 'More about it.', examples: ['<%= config.bin %> profile add web'], flags: {...store, ...dryRun}}),
  cached('profile:rule:add', {summary: 'Add a rule.', flags: store}),
  cached('get', {summary: 'Show objects.', args: {kind: {...Args.string({required: true}), name: 'kind'}} as unknown as Command.Cached['args']}),
  cached('ipam:check', {summary: 'Check addresses.', flags: store, exitCodes: {10: 'Addresses leaked.'}}),
  cached('__complete', {hidden: true}),
  cached('ipam:old:lock', {summary: 'Lock.', hidden: true}),
])
let config: Config

beforeAll(async () => {
  const pjson = {name: 'calicoctl', version: '1.2.3', description: 'What it is.', oclif: {bin: 'calicoctl', topicSeparator: ' '}}
  config = await Config.load(loadOptions({root: '/nowhere', pjson: pjson as never, commands, load: () => Promise.resolve(undefined)}))
})

describe('help pages', () => {
  test('a topic whose commands are all hidden shows them to who asks for it', () => {
    expect(helpPage(['ipam', 'old'], config)).toMatch(/USAGE\n +calicoctl ipam old lock/)
    expect(helpPage(['ipam'], config)).not.toContain('lock')
  })

  test('the program: every first word once, no hidden command', () => {
    const page = helpPage([], config)
    expect(page).toContain('What it is.')
    expect(page).toMatch(/^ {2}profile +Profiles: /m)
    expect(page).toMatch(/^ {2}get +Show objects\./m)
    expect(page).not.toContain('__complete')
  })

  test('a command of v0.20: its usage with arguments before sub-commands, as written', () => {
    const page = helpPage(['profile', 'rule', 'add'], config)
    expect(page).toMatch(/^ {2}calicoctl profile <PROFILE> rule add \(inbound \| outbound\) \[--at=<POSITION>\]\n {6}\(allow \| deny\) \[<MATCH>\] .*\[options\]$/m)
    expect(page).toContain('\nMATCH\n')
    expect(page).toContain('(icmp | icmpv6) [type <N> [code <N>]]')
  })

  test('a command: summary, examples, usage before the rest, exit codes', () => {
    const page = helpPage(['profile', 'add'], config)
    const order = ['Add a profile.', 'EXAMPLES', 'USAGE', 'DESCRIPTION', 'FLAGS', 'EXIT CODES'].map((header) => page.indexOf(header))
    expect(order).not.toContain(-1)
    expect([...order].sort((a, b) => a - b)).toEqual(order)
    expect(page).toContain('$ calicoctl profile add web')
    const codes = [...page.slice(page.indexOf('EXIT CODES')).matchAll(/^ {2}(\d+) /gm)].map((match) => Number(match[1]))
    expect(codes).toEqual([0, 1, 5, 6, 7, 8, 9, 130, 143])
  })

  test('a command of ours alone: usage from its arguments, its own words for exit codes', () => {
    expect(helpPage(['get'], config)).toContain('calicoctl get <KIND> [options]')
    expect(helpPage(['ipam', 'check'], config)).toMatch(/^ {2}10 +Addresses leaked\.$/m)
  })

  test('a topic: all usages below it and what each does', () => {
    const page = helpPage(['profile'], config)
    expect(page).toContain('calicoctl profile add <PROFILE>')
    expect(page).toMatch(/^ {2}profile <PROFILE> rule add +Add a rule\.$/m)
  })

  test('a command of v0.20 that is missing shows its usage and says so', () => {
    const page = helpPage(['container', 'add'], config)
    expect(page).toContain('calicoctl container add <CONTAINER> <IP> [--interface=<INTERFACE>]')
    expect(page).toContain('Not available in this version.')
  })

  test('exit codes: all of them', () => {
    const page = helpPage(['exit-codes'], config)
    for (const code of new Set(Object.values(EXIT_CODES))) expect(page).toMatch(new RegExp(`^ {2}${code} +${EXIT_TEXTS[code].slice(0, 20)}`, 'm'))
  })

  test('rendering is repeatable, plain and 80 columns wide', () => {
    for (const words of [[], ['profile'], ['profile', 'rule', 'add'], ['get'], ['exit-codes']]) {
      const page = helpPage(words, config)
      expect(helpPage(words, config)).toBe(page)
      expect(page).toMatch(/[^\n]\n$/)
      for (const line of page.split('\n')) expect(line).toMatch(/^[ -~]{0,80}$/)
    }
  })
})
