import fc from 'fast-check'
import {describe, expect, test} from '@jest/globals'
import {candidates, FILES, SAFE_NAME, type Names} from '../../../../src/lib/cli/completion/candidates.js'
import type {NameKind} from '../../../../src/lib/cli/completion/places.js'
import {readLine} from '../../../../src/lib/cli/grammar/read-line.js'
import type {CommandTable} from '../../../../src/lib/cli/grammar/line.js'
import {TABLE} from '../grammar/table.js'

const STORE: Partial<Record<NameKind, string[]>> = {
  profile: ['db', 'web', 'web.2'],
  tag: ['client', 'web'],
  pool: ['10.0.0.0/8', 'fd00::/64'],
  node: ['h1', 'h2'],
  'global-peer': ['10.1.2.3'],
  'node-peer': ['10.4.5.6'],
  endpoint: ['e1'],
  tier: ['default'],
  handle: ['docker.w'],
  container: ['runs'],
  'any-container': ['runs', 'stopped'],
  change: ['mia3'],
  kind: ['profile', 'node'],
  'of:profile': ['db', 'web'],
  'of:block': ['10.0.0.0/26'],
  'of:IPPool': ['pool1'],
}
const names: Names = (kind) => Promise.resolve(STORE[kind] ?? [])

/** What completes LINE, whose last word (after the last blank) is the one at the cursor. */
const complete = (line: string, store: Names = names): Promise<string[]> => {
  const words = line.split(' ')
  return candidates(words.slice(0, -1), words.at(-1) ?? '', TABLE, store)
}

describe('words', () => {
  test.each([
    ['pro', ['profile']],
    ['bgp ', ['peer', 'node-mesh', 'default-node-as']],
    ['bgp peer ', ['add', 'remove', 'show']],
    ['bgp node-mesh ', ['on', 'off']],
    ['node ', ['stop', 'remove', 'show', 'bgp']],
    ['config ', ['view', 'felix', 'bgp', 'node']],
    ['config felix loglevel d', ['debug']],
    ['profile --det s', ['show']],
    ['profile web rule ', ['add', 'remove', 'show', 'json', 'update']],
    ['profile web rule add ', ['inbound', 'outbound']],
    ['profile web rule remove inbound ', ['--at', 'allow', 'deny']],
    ['profile web rule remove --at=1 inbound ', []],
    ['config felix loglevel --remove ', []],
    ['datastore ', ['export']],
    ['completion ', ['bash', 'zsh', 'fish']],
    ['help e', ['endpoint', 'exit-codes']],
    ['help profile rule ', ['add', 'remove', 'show', 'json', 'update']],
    ['bogus ', []],
    ['profile show x ', []],
    ['profile -- ', ['show', 'add', 'remove', 'db', 'web', 'web.2']],
    ['profile show -- ', []],
  ])('%s', async (line, expected) => expect(await complete(line)).toEqual(expected))

  test('every first word once, hidden commands never', async () => {
    const words = await complete('')
    expect(new Set(words).size).toBe(words.length)
    expect(words).toEqual(expect.arrayContaining(['profile', 'container', 'get', 'help', 'completion']))
    expect(words).not.toContain('__complete')
  })

  test('commands that are not built are not offered', async () => {
    expect(await candidates(['pool'], '', {'pool:show': {flags: {}, args: {}}}, names)).toEqual(['show'])
  })
})

describe('rules', () => {
  test.each([
    ['allow ', ['tcp', 'udp', 'icmp', 'icmpv6', 'protocol', 'from', 'to', 'not']],
    ['allow tcp ', ['from', 'to', 'not']],
    ['allow tcp from ', ['to', 'ports', 'tag', 'cidr', 'selector', 'not']],
    ['allow from ', ['to', 'tag', 'cidr', 'selector', 'not']],
    ['allow icmp ', ['type', 'from', 'to', 'not']],
    ['allow icmp type 8 ', ['code', 'from', 'to', 'not']],
    ['allow tcp from ports 80 ', ['to', 'tag', 'cidr', 'selector', 'not']],
    ['allow from tag ', ['client', 'web']],
    ['allow from cidr ', ['10.0.0.0/8', 'fd00::/64']],
    ['allow protocol s', ['sctp']],
    ['allow tcp from ports ', []],
    ['allow from not ', ['tag', 'cidr', 'selector']],
  ])('%s', async (rule, expected) => expect(await complete(`profile web rule add inbound ${rule}`)).toEqual(expected))
})

describe('names', () => {
  test.each([
    ['profile ', ['show', 'add', 'remove', 'db', 'web', 'web.2']],
    ['profile w', ['web', 'web.2']],
    ['profile add ', []],
    ['profile remove web', ['web', 'web.2']],
    ['pool remove fd', ['fd00::/64']],
    ['pool remove 10.0.0.0/8 fd', ['fd00::/64']],
    ['pool add ', []],
    ['bgp peer remove ', ['10.1.2.3']],
    ['endpoint e1 profile append web d', ['db']],
    ['endpoint show --host ', ['h1', 'h2']],
    ['endpoint show --host=h', ['--host=h1', '--host=h2']],
    ['ipam assign --node ', ['h1', 'h2']],
    ['node bgp peer remove ', ['10.4.5.6']],
    ['node bgp peer remove --node ', ['h1', 'h2']],
    ['node stop --node=', ['--node=h1', '--node=h2']],
    ['container add ', ['runs']],
    ['container add runs ', ['ipv4', 'ipv6', '10.0.0.0/8', 'fd00::/64']],
    ['container remove ', ['runs', 'stopped']],
    ['container runs profile append ', ['db', 'web', 'web.2']],
    ['ipam assign --handle ', ['docker.w']],
    ['get ', ['profile', 'node', 'affinity', 'block', 'handle', 'ipamconfig', 'kinds']],
    ['get profile ', ['db', 'web']],
    ['get profile web ', []],
    ['get -o json profile w', ['web']],
    ['get block ', ['10.0.0.0/26']],
  ])('%s', async (line, expected) => expect(await complete(line)).toEqual(expected))

  test('of one node, in one namespace, where the line says so', async () => {
    const asked: unknown[] = []
    const spy: Names = (...question) => (asked.push(question), Promise.resolve([]))
    await complete('node bgp peer remove --node h2 ', spy)
    await complete('get wep -n blue ', spy)
    expect(asked).toEqual([['node-peer', {node: 'h2', namespace: undefined}], ['of:wep', {node: undefined, namespace: 'blue'}]])
  })

  test('that could do harm are not offered', async () => {
    const hostile = ['$(touch x)', '`touch x`', 'a b', 'a;b', '--help', '-x', 'a\nb', 'a\u001b[2J', '*', '~', 'a\'b', 'a"b', 'a\\b', 'ok']
    expect(await complete('profile remove ', () => Promise.resolve(hostile))).toEqual(['ok'])
  })

  test('a store that cannot be asked costs only its names', async () => {
    expect(await complete('profile ', () => Promise.reject(new Error('away')))).toEqual(['show', 'add', 'remove'])
  })

  test('are asked for only where they may stand', async () => {
    const asked: NameKind[] = []
    const spy: Names = (kind) => (asked.push(kind), names(kind))
    await complete('pool ', spy)
    await complete('profile web rule add inbound allow ', spy)
    await complete('profile --', spy)
    expect(asked).toEqual([])
  })
})

describe('options', () => {
  test('v0.20\'s that fit and ours, without those given', async () => {
    expect(await complete('--')).toEqual(['--datastore', '--quiet', '--help', '--version'])
    expect(await complete('--datastore embedded -')).toEqual(['--quiet', '--help', '--version'])
    expect(await complete('pool show --ip')).toEqual(['--ipv4', '--ipv6'])
    expect(await complete('pool show --ipv4 --ip')).toEqual([])
    expect(await complete('profile web rule add inbound --a')).toEqual(['--at'])
    expect(await complete('profile web rule add inbound --at=1 --a')).toEqual([])
    expect(await complete('pool remove x --f')).toEqual(['--force'])
    expect(await complete('ipam assign --h')).toEqual(['--handle', '--help'])
  })

  test('their values', async () => {
    expect(await complete('profile show -o ')).toEqual(['table', 'wide', 'json', 'yaml', 'plain', 'name'])
    expect(await complete('profile show --output=j')).toEqual(['--output=json'])
    expect(await complete('node --runtime ')).toEqual(['docker', 'none'])
    expect(await complete('status --runtime=')).toEqual(['--runtime=docker'])
    expect(await complete('profile show --timeout ')).toEqual([])
  })
})

describe('files', () => {
  const ARGUMENT = {file: {required: true}}
  const output = (options?: string[]) => ({output: {type: 'option' as const, char: 'o' as const, ...(options && {options})}})
  const table: CommandTable = {
    get: {flags: {...output(['table', 'json']), config: {type: 'option'}}, args: {kind: {}}},
    apply: {flags: {filename: {type: 'option', char: 'f', multiple: true}, plan: {type: 'option'}}, args: {}},
    batch: {flags: {}, args: ARGUMENT},
    import: {flags: {from: {type: 'option'}}, args: {}},
    plan: {flags: {out: {type: 'option'}}, args: {}},
    'datastore:restore': {flags: {}, args: ARGUMENT},
    'datastore:save': {flags: {}, args: ARGUMENT},
    'policy:matrix': {flags: {...output(['table', 'csv']), from: {type: 'option'}}, args: {}},
    'policy:picture': {flags: {...output(), from: {type: 'option'}}, args: {}},
    'policy:test': {flags: {}, args: {file: {required: true, multiple: true}}},
  }
  test.each([
    ['apply -f ', [FILES]],
    ['apply -f a.yaml -f b', [FILES]],
    ['apply --filename=b', [FILES]],
    ['apply --plan ', [FILES]],
    ['batch ', [FILES]],
    ['batch a ', []],
    ['import --from ', [FILES]],
    ['import --from=x', [FILES]],
    ['plan --out ', [FILES]],
    ['datastore save ', [FILES]],
    ['datastore restore x', [FILES]],
    ['policy test a.yaml ', [FILES]],
    ['policy picture --from ', ['any', 'e1', 'db', 'web', 'web.2']],
    ['policy picture -o ', ['html', 'svg', 'dot', FILES]],
    ['policy picture -o s', ['svg', FILES]],
    ['policy matrix -o ', ['table', 'csv']],
    ['get --config ', [FILES]],
  ])('%s', async (line, expected) => {
    const words = line.split(' ')
    expect(await candidates(words.slice(0, -1), words.at(-1) ?? '', table, names)).toEqual(expected)
  })
})

describe('properties', () => {
  const line = fc.array(fc.oneof(fc.constantFrom('profile', 'web', 'rule', 'add', 'inbound', 'allow', 'tcp', 'from', 'not', 'tag', 'pool', 'remove', '--at', '--at=1', '-o', '--', '__proto__', 'help'), fc.string()))

  test('nothing crashes it; what it offers begins with what was typed and is safe', async () => {
    await fc.assert(
      fc.asyncProperty(line, fc.oneof(fc.constantFrom('', '-', '--', '--at=', 'w', '--constructor=', '--__proto__='), fc.string()), async (words, current) => {
        for (const word of await candidates(words, current, TABLE, names)) {
          if (word === FILES) continue
          expect(word.startsWith(current)).toBe(true)
          expect(word.replace(/^--[a-z0-9-]+=?/, 'x')).toMatch(SAFE_NAME)
        }
      }),
    )
  })

  test('following it always leads along lines that are valid so far', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), {minLength: 8, maxLength: 14}), async (choices) => {
        const words: string[] = []
        for (const choice of choices) {
          const next = (await candidates(words, '', TABLE, names)).filter((word) => word !== 'help')
          if (next.length === 0) break
          const word = next[choice % next.length] ?? ''
          words.push(word)
          const result = readLine(words, TABLE)
          if (result.type === 'usage' && word !== 'not') expect(result.problem).toMatch(/is missing$|needs a value( after it)?$/)
        }
      }),
    )
  })
})
