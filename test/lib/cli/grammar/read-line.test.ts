import {readFileSync} from 'node:fs'
import fc from 'fast-check'
import {describe, expect, test} from '@jest/globals'
import {formatUsageError, readLine} from '../../../../src/lib/cli/grammar/read-line.js'
import type {Line} from '../../../../src/lib/cli/grammar/line.js'
import {GLOBAL_FLAGS, TABLE, V020_TABLE} from './table.js'

const read = (line: string): Line => readLine(line.split(' ').filter((word) => word !== ''), TABLE)
const command = (id: string, ...argv: string[]): Line => ({type: 'command', id, argv})
const problem = (line: string): string => {
  const result = read(line)
  if (result.type !== 'usage') throw new Error(`${line} is ${JSON.stringify(result)}`)
  return result.problem
}

const golden = readFileSync(new URL('../../../fixtures/golden/grammar.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as {argv: string[]; verdict: string})
const accepted = golden.filter((line) => line.verdict === 'accept').map((line) => line.argv)
const rejected = golden.filter((line) => line.verdict === 'reject').map((line) => line.argv)
const vocabulary = [...new Set(golden.flatMap((line) => line.argv)), '', '-', '--', '-q', '-o', '-oq', '--output', '--debug', '--json=', 'get', 'help', 'config', 'view', '__proto__', 'constructor', 'a b', '\u0000']

describe('lines of v0.20', () => {
  test.each([
    ['profile web rule add inbound allow tcp from tag a to ports 80 --at=3', command('profile:rule:add', 'web', 'inbound', 'allow', 'tcp', 'from', 'tag', 'a', 'to', 'ports', '80', '--at=3')],
    ['profile --at 3 web rule add inbound allow', command('profile:rule:add', 'web', 'inbound', 'allow', '--at=3')],
    ['profile web rule remove outbound --at=1', command('profile:rule:remove', 'web', 'outbound', '--at=1')],
    ['profile add tag show', command('profile:tag:show', 'add')],
    ['profile show rule show', command('profile:rule:show', 'show')],
    ['container add ip add 1.2.3.4', command('container:ip:add', 'add', '1.2.3.4')],
    ['container add ip add', command('container:add', 'ip', 'add')],
    ['bgp peer add 1.2.3.4 as 64512', command('bgp:peer:add', '1.2.3.4', '64512')],
    ['bgp node-mesh on', command('bgp:node-mesh', 'on')],
    ['config node bgp loglevel --remove', command('config:node:bgp', 'loglevel', '--remove')],
    ['pool add range 10.0.0.1 --ipi', command('pool:add', 'range', '10.0.0.1', '--ipip')],
    ['node --libnetwork --libnetwork-image=x', command('node', '--libnetwork', '--libnetwork-image=x')],
    ['node --node-=x', command('node', '--node-image=x')],
    ['node --ip= --no-', command('node', '--ip=', '--no-pull')],
    ['profile show --det', command('profile:show', '--detailed')],
    ['profile add -', command('profile:add', '-')],
  ])('%s', (line, expected) => expect(read(line)).toEqual(expected))

  test('a command that is not in the table is unavailable, not wrong', () => {
    expect(readLine(['container', 'add', 'c', '1.2.3.4'], {})).toEqual({type: 'unavailable', words: 'container add'})
  })

  test('what ours adds to the words of rules needs a new word', () => {
    expect(read('profile web rule add inbound allow protocol 47 from selector x')).toMatchObject({type: 'command', id: 'profile:rule:add'})
    expect(read('profile web rule add inbound allow 47')).toMatchObject({type: 'usage'})
  })

  test.each([
    ['node --lib', '--lib is ambiguous: --libnetwork or --libnetwork-image'],
    ['status --runtime', '--runtime needs a value'],
    ['profile show --detailed=1', '--detailed takes no value'],
    ['node stop --ip=1.2.3.4', '--ip is not an option of node stop'],
    ['pool show --ipv4 --ipv6', '--ipv6 cannot be combined with the other words'],
    ['pool show --ipv4 --ipv4', '--ipv4 is given more than once'],
    ['node --libnetwork-image=x', '--libnetwork-image cannot be combined with the other words'],
    ['profile add -- --help x', 'unexpected word \'x\''],
    ['--at=1 profile web rule add inbound allow', '--at must come after \'profile\''],
    ['pool show --bogus', 'unknown option --bogus'],
    ['profile add web db', 'unexpected word \'db\''],
    ['profile web rule add ingress allow', 'expected inbound or outbound, not \'ingress\''],
    ['profile web rule add inbound', 'allow or deny is missing'],
    ['profile web rule remove inbound', '--at=<POSITION>, allow or deny is missing'],
    ['config x felix', 'expected felix, bgp, node or view, not \'x\''],
    ['--debug', 'a command is missing'],
    ['bogus', 'unknown command \'bogus\''],
    ['--request-timeout 1s profile show', 'unknown option --request-timeout'],
    ['help profil', 'there is no help for \'profil\''],
    ['help profile rul', 'there is no help for \'profile rul\''],
    ['profile rule show', '<PROFILE> is missing'],
    ['endpoint profile', '<ENDPOINT_ID> is missing'],
    ['profile web rule remove inbound --at=1 allow', '--at and the words of a rule cannot be combined'],
  ])('refused: %s', (line, expected) => expect(problem(line)).toContain(expected))
})

describe('what is ours', () => {
  test.each([
    ['--debug profile show', command('profile:show', '--debug')],
    ['profile add -q --timeout 5s web --dry-run', command('profile:add', 'web', '--dry-run', '--quiet', '--timeout=5s')],
    ['-o json profile show', command('profile:show', '--output=json')],
    ['profile show -ojson', command('profile:show', '--output=json')],
    ['profile show -qo=json', command('profile:show', '--output=json', '--quiet')],
    ['pool remove 10.0.0.0/24 --force', command('pool:remove', '10.0.0.0/24', '--force')],
    ['get profile web --field a --field b', command('get', 'profile', 'web', '--field=a', '--field=b')],
    ['config view', command('config:view')],
    ['ipam assign 3 --node h1', command('ipam:assign', '3', '--node=h1')],
    ['completion bash', command('completion', 'bash')],
    ['--version', command('version')],
    ['-V', command('version')],
    ['profile add -- x', command('profile:add', 'x')],
    ['container remove -- -1a', command('container:remove', '--', '-1a')],
    ['container -q -- -1a profile append web -x', command('container:profile:append', '--quiet', '--', '-1a', 'web', '-x')],
    ['-- container add --help 10.0.0.1', command('container:add', '--', '--help', '10.0.0.1')],
    ['get profile -- -h', command('get', '--', 'profile', '-h')],
    ['ipam assign --node h1 -- 3', command('ipam:assign', '3', '--node=h1')],
    ['__complete -- profile --help --', command('__complete', '--', 'profile', '--help', '--')],
  ])('%s', (line, expected) => expect(read(line)).toEqual(expected))

  test.each([
    ['profile show --outp json', 'unknown option --outp'],
    ['profile show --dry-run', '--dry-run is not an option of profile show'],
    ['profile show -q -q', '--quiet is given more than once'],
    ['get', '<KIND> is missing'],
    ['get a b c', 'unexpected word \'c\''],
    ['completion', 'bash, zsh or fish is missing'],
    ['completion tcsh', 'expected bash, zsh or fish, not \'tcsh\''],
    ['get a --force', '--force is not an option of get'],
    ['config:view', 'unknown command'],
    ['profile:show', 'unknown command'],
    ['datastore', "the word 'export' is missing"],
    ['datastore exprt', 'expected export, not \'exprt\''],
    ['profile --version', '--version cannot be combined with other arguments'],
    ['__proto__', 'unknown command'],
  ])('refused: %s', (line, expected) => expect(problem(line)).toContain(expected))
})

describe('a word that begins with a dash', () => {
  const HINT = '; a name that begins with - is given after --'
  test.each([
    ['container remove -var-run-netns-x', `unknown option -var-run-netns-x${HINT}`, 'container remove -- -var-run-netns-x'],
    ['container remove -proc-1-ns-net --debug', `unknown option -proc-1-ns-net${HINT}`, 'container remove --debug -- -proc-1-ns-net'],
    ['container -var-run-netns-h profile append web -q', `unknown option -var-run-netns-h${HINT}`, 'container --quiet -- -var-run-netns-h profile append web'],
    ['container -nv profile show', `unknown option -nv${HINT}`, 'container -- -nv profile show'],
    ['container add -var-run-netns-x ipv4', 'unknown option -var-run-netns-x', undefined],
    ['container remove -var-x -y', 'unknown option -var-x; unknown option -y', undefined],
    ['profile web rule add inbound allow tcp to ports -80', 'unknown option -80', undefined],
    ['bgp peer add 192.0.2.1 as -5', 'unknown option -5', undefined],
    ['pool remove -1.2.3.4', 'unknown option -1.2.3.4', undefined],
    ['get profile -var', 'unknown option -var', undefined],
    ['profile show -qv', 'unknown option -v', undefined],
    ['profile show -xh', 'unknown option -xh', undefined],
    ['profile show -qvw', 'unknown option -qvw', undefined],
  ])('%s: one mistake, and where it may be a name, what to type', (line, error, suggestion) => {
    const refusal = read(line)
    expect(refusal).toMatchObject({type: 'usage', problem: error, ...(suggestion === undefined ? {} : {suggestion})})
    expect(Object.hasOwn(refusal, 'suggestion')).toBe(suggestion !== undefined)
    if (suggestion !== undefined) expect(read(suggestion)).toMatchObject({type: 'command', id: line.includes('remove') ? 'container:remove' : line.includes('append') ? 'container:profile:append' : 'container:profile:show'})
  })
  test.each(['profile show -h', 'profile show -qh'])('%s asks for help', (line) => expect(read(line).type).toBe('help'))
})

describe('an option of ours that begins one of v0.20\'s', () => {
  test.each([
    ['node bgp peer show --node host-2', command('node:bgp:peer:show', '--node=host-2')],
    ['node bgp peer show --ipv4 --node=host-2', command('node:bgp:peer:show', '--ipv4', '--node=host-2')],
    ['node --node host-2', command('node', '--node=host-2')],
    ['node --node=host-2 --ip=10.0.0.1', command('node', '--ip=10.0.0.1', '--node=host-2')],
    ['node --node=host-2 --node-image=image', command('node', '--node=host-2', '--node-image=image')],
    ['node --node-i image', command('node', '--node-image=image')],
    // What no node can be called is v0.20's image.
    ['node --node calico/node:v1', command('node', '--node-image=calico/node:v1')],
    ['node --node=node:v1', command('node', '--node-image=node:v1')],
    ['node remove --host=host-2', command('node:remove', '--hostname=host-2')],
  ])('%s', (line, expected) => expect(read(line)).toEqual(expected))
  test('is not an option of a command that has neither', () => expect(problem('node show --node x')).toContain('--node is not an option of node show'))
  test('is suggested under its own name', () => expect(read('node stpo --node=host-2')).toMatchObject({suggestion: 'node stop --node=host-2'}))
})

describe('help', () => {
  test.each([
    ['', []],
    ['-h', []],
    ['help', []],
    ['-h profile', ['profile']],
    ['profile web rule add -h', ['profile', 'rule', 'add']],
    ['profile web rule add inbound allow from --help', ['profile', 'rule', 'add']],
    ['profile rule add --help', ['profile', 'rule', 'add']],
    ['profile web rule -h', ['profile', 'rule']],
    ['profile show rule add -h', ['profile', 'rule', 'add']],
    ['profile web -h', ['profile']],
    ['profile add -h', ['profile', 'add']],
    ['help node bgp peer', ['node', 'bgp', 'peer']],
    ['help ipam assign', ['ipam', 'assign']],
    ['help exit-codes', ['exit-codes']],
    // Words that a command takes are no mistake, nor is the beginning of a usage.
    ['help profile web', ['profile']],
    ['help profile web rule', ['profile', 'rule']],
    ['help profile web rule add inbound allow tcp', ['profile', 'rule', 'add']],
    ['help profile add web', ['profile', 'add']],
    ['help get tier a b c', ['get']],
    ['datastore -h', ['datastore']],
    ['status --bogus -h', ['status']],
  ])('%s', (line, words) => expect(read(line)).toEqual({type: 'help', words}))

  test('-h as the value of an option is a value', () => expect(read('status --runtime -h')).toEqual(command('status', '--runtime=-h')))
  test.each<[string, string, string | undefined]>([
    ['help bogus', 'bogus', undefined],
    ['help exit-code', 'exit-code', 'help exit-codes'],
    ['help exit-codes x', 'exit-codes x', 'help exit-codes'],
    ['help config nope', 'config nope', 'help config node'], ['help datastore nope', 'datastore nope', undefined],
    ['help config veiw', 'config veiw', 'help config view'],
    ['help config view nope', 'config view nope', undefined],
    ['help node bgp nope', 'node bgp nope', undefined],
    ['help profile web rule ad inbound', 'profile web rule ad', 'help profile web rule add'],
    ['help constructor', 'constructor', undefined],
  ])('%s is a usage error', (line, words, suggestion) => {
    expect(problem(line)).toBe(`there is no help for '${words}'`)
    expect((read(line) as {suggestion?: string}).suggestion).toBe(suggestion)
  })
})

describe('suggestions', () => {
  test.each([
    ['profiel show', 'profile show'],
    ['profile web rule add ingress accept tcp', 'profile web rule add inbound allow tcp'],
    ['profile rule add web inbound allow --at=2', 'profile web rule add inbound allow --at=2'],
    ['profile list', 'profile show'],
    ['pool delete 10.0.0.0/24', 'pool remove 10.0.0.0/24'],
    ['profile show --detaild', '--detailed'],
    ['config veiw', 'config view'],
    ['node stpo', 'node stop'],
  ])('%s', (line, suggestion) => expect(read(line)).toMatchObject({type: 'usage', suggestion}))

  test('none where nothing is near', () => expect(read('bogus')).not.toHaveProperty('suggestion'))
  test('quoted for the shell', () => expect(readLine(['pool', 'ad', 'a b\'c'], TABLE)).toMatchObject({suggestion: 'pool add \'a b\'\\\'\'c\''}))
})

describe('a usage error as text', () => {
  test('begins with Usage: and ends with what to try', () => {
    const line = read('profile web rule add ingress allow')
    expect(line.type === 'usage' && formatUsageError(line)).toBe(
      [
        'Usage:',
        '  calicoctl profile <PROFILE> rule add (inbound | outbound) [--at=<POSITION>]',
        '      (allow | deny) [<MATCH>]',
        '',
        'Error: Expected inbound or outbound, not \'ingress\'.',
        'Did you mean: calicoctl profile web rule add inbound allow',
        'Try: calicoctl profile rule add --help',
        '',
      ].join('\n'),
    )
  })

  test('what was typed cannot steer the terminal', () => {
    const line = readLine(['bo\u001b[2Jgus'], TABLE)
    expect(line.type === 'usage' && formatUsageError(line)).toContain('Unknown command \'bo\\x1b[2Jgus\'')
  })

  test.each(['http://root:a"hunter2@h:1/x', 'http://root:a hunter2%40h:1/x', 'http://root:hunter2@b@h:1/x'])('user information in a URL is not repeated: %s', (url) => {
    const line = readLine([url], TABLE)
    expect(line.type === 'usage' && formatUsageError(line)).toContain('Unknown command \'http://…@h:1/x\'')
  })
})

describe('properties', () => {
  const ownOptions = fc.subarray([['--debug'], ['--quiet'], ['--timeout=5s'], ['--timeout', '5s'], ['--datastore', '--at'], ['-o', 'json'], ['--no-input'], ['--json']])
  const sprinkled = fc.tuple(ownOptions, fc.infiniteStream(fc.nat()))

  /** Puts OPTIONS at places of ARGV where no option waits for its value. */
  const sprinkle = (argv: readonly string[], options: readonly string[][], places: Iterator<number>): string[] => {
    const groups = argv.map((word) => [word])
    for (let at = groups.length - 2; at >= 0; at--) {
      if (/^--(at|host|runtime)$/.test(groups[at]?.[0] ?? '')) groups.splice(at, 2, [...(groups[at] ?? []), ...(groups[at + 1] ?? [])])
    }
    for (const option of options) groups.splice(Number(places.next().value) % (groups.length + 1), 0, option)
    return groups.flat()
  }
  const distinct = (options: string[][]): string[][] => options.filter((option, index) => options.findIndex(([name]) => name?.split('=')[0] === option[0]?.split('=')[0]) === index)

  test('an accepted line stays accepted, as the same command, with our options anywhere', () => {
    fc.assert(
      fc.property(fc.constantFrom(...accepted), sprinkled, (argv, [options, places]) => {
        const plain = readLine(argv, V020_TABLE)
        const line = readLine(sprinkle(argv, distinct(options), places[Symbol.iterator]()), V020_TABLE)
        expect(line).toMatchObject({type: 'command', id: plain.type === 'command' ? plain.id : ''})
        const own = Object.keys(GLOBAL_FLAGS).map((name) => `--${name}`)
        expect(line.type === 'command' && line.argv.filter((word) => !own.includes(word.split('=')[0] ?? ''))).toEqual(plain.type === 'command' && plain.argv)
      }),
    )
  })

  test('a rejected line stays rejected with them', () => {
    fc.assert(
      fc.property(fc.constantFrom(...rejected.filter((argv) => !/^--(at|runtime|interface)$/.test(argv.at(-1) ?? ''))), sprinkled, (argv, [options, places]) => {
        expect(readLine(sprinkle(argv, distinct(options), places[Symbol.iterator]()), TABLE).type).toBe('usage')
      }),
    )
  })

  test('the place of options does not matter', () => {
    const lines = [
      [['profile', 'web', 'rule', 'add', 'inbound', 'allow', 'tcp'], [['--at=3'], ['--debug'], ['-q']]],
      [['pool', 'add', '10.0.0.0/24'], [['--ipip'], ['--nat'], ['--timeout', '3']]],
      [['endpoint', 'e1', 'profile', 'set', 'a', 'b'], [['--host', 'h'], ['--work=w'], ['--datastore=embedded']]],
    ] as const
    fc.assert(
      fc.property(fc.constantFrom(...lines), fc.infiniteStream(fc.nat()), fc.boolean(), ([words, options], places, reverse) => {
        const stream = places[Symbol.iterator]()
        const groups: (readonly string[])[] = words.slice(1).map((word) => [word])
        for (const option of reverse ? [...options].reverse() : options) groups.splice(Number(stream.next().value) % (groups.length + 1), 0, option)
        expect(readLine([words[0], ...groups.flat()], V020_TABLE)).toEqual(readLine([...words, ...options.flat()], V020_TABLE))
      }),
    )
  })

  test('no line crashes it, and every refusal can be told', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...vocabulary), fc.string())), (argv) => {
        const line = readLine(argv, TABLE)
        expect(['command', 'help', 'usage']).toContain(line.type)
        if (line.type === 'usage') expect(formatUsageError(line)).toMatch(/^Usage:\n/)
      }),
      {numRuns: 2000},
    )
  })

  test('a canonical line has its positionals first, its options after them, each in full and once', () => {
    fc.assert(
      fc.property(fc.constantFrom(...accepted), (argv) => {
        const line = readLine(argv, V020_TABLE)
        if (line.type !== 'command') throw new Error('not accepted')
        const options = line.argv.filter((word) => word.startsWith('--'))
        expect(line.argv.slice(line.argv.length - options.length)).toEqual(options)
        for (const option of options) expect(V020_TABLE[line.id]?.flags).toHaveProperty(option.slice(2).split('=')[0] ?? '')
      }),
    )
  })
})

describe('commands of v0.4 to v0.8: what they are called since', () => {
  test.each([
    ['bgppeer add 192.0.2.1 as 64512', 'bgp peer add 192.0.2.1 as 64512'],
    ['bgppeer rr add 192.0.2.1', 'bgp peer add 192.0.2.1 as AS_NUM'],
    ['bgppeer', 'bgp peer'],
    ['node bgppeer show --ipv4', 'node bgp peer show'],
    ['bgp-node-mesh off', 'bgp node-mesh off'],
    ['default-node-as 64512', 'bgp default-node-as 64512'],
    ['default-node-as', 'bgp default-node-as'],
    ['shownodes', 'node show'],
    ['shownodes --detailed', 'node show'],
    ['ipv4 pool add 192.168.0.0/16 --ipip', 'pool add 192.168.0.0/16'],
    ['ipv6 pool show', 'pool show --ipv6'],
    ['profile web member add c1', 'container c1 profile append web'],
    ['profile web member remove c1', 'container c1 profile remove web'],
    ['container c1 endpoint-id show', 'container c1 endpoint show'],
    ['addtogroup c1 web', 'container c1 profile append web'],
    ['group add web', 'profile add web'],
  ])('%s', (line, suggestion) => expect(read(line)).toMatchObject({type: 'usage', suggestion}))

  test('a name of then that is a name of now is not one', () => {
    expect(read('profile member rule show')).toMatchObject({type: 'command', id: 'profile:rule:show'})
    expect(read('container endpoint-id endpoint show')).toMatchObject({type: 'command', id: 'container:endpoint:show'})
  })
})
