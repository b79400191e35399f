import {describe, expect, test} from '@jest/globals'
import {readFileSync} from 'node:fs'
import {judgeRuleWords, splitRuleWords} from '../../../src/lib/rules/grammar.js'

interface GoldenLine {
  readonly argv: string[]
  readonly verdict: 'accept' | 'reject' | 'help'
  readonly parsed?: Readonly<Record<string, string | number | boolean>>
}

const golden = readFileSync('test/fixtures/golden/grammar.jsonl', 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as GoldenLine)

/** The rule words of a golden line of the shape `profile NAME rule add|remove inbound|outbound WORDS…`, options taken out. */
function ruleWords({argv}: GoldenLine): {words: string[]; at: boolean} | undefined {
  const options = argv.flatMap((word, index) => (word === '--at' ? [index, index + 1] : word.startsWith('--at=') ? [index] : []))
  const words = argv.filter((_, index) => !options.includes(index))
  const [profile, , rule, verb, direction, ...rest] = words
  if (profile !== 'profile' || rule !== 'rule' || (verb !== 'add' && verb !== 'remove')) return undefined
  if (direction !== 'inbound' && direction !== 'outbound') return undefined
  return {words: rest, at: options.length > 0}
}

const lines = golden.flatMap((line) => {
  const found = ruleWords(line)
  return found === undefined || (line.argv.includes('remove') && found.at) || line.argv.at(-1) === '--at' ? [] : [{line, words: found.words}]
})

describe('v0.20 grammar, as its own parser judged it', () => {
  test('the golden file has rule lines of both verdicts', () => {
    expect(lines.filter(({line}) => line.verdict === 'accept').length).toBeGreaterThan(100)
    expect(lines.filter(({line}) => line.verdict === 'reject').length).toBeGreaterThan(50)
  })

  test.each(lines.map(({line, words}) => [words.join(' '), line, words] as const))('%s', (_, line, words) => {
    const result = splitRuleWords(words)
    expect(result.ok).toBe(line.verdict === 'accept')
    if (!result.ok) return
    const {parts} = result
    const {parsed = {}} = line
    const sides = ['SRC', 'DST'] as const
    expect({
      action: parts.action,
      word: parts.word,
      type: parts.type,
      code: parts.code,
      sides: [parts.from, parts.to].map((side) => [side.ports, side.tag, side.cidr]),
    }).toEqual({
      action: parsed.allow === true ? 'allow' : 'deny',
      word: ['tcp', 'udp', 'icmp', 'icmpv6'].find((name) => parsed[name] === true),
      type: parsed['<ICMPTYPE>'],
      code: parsed['<ICMPCODE>'],
      sides: sides.map((side) => [parsed[`<${side}PORTS>`], parsed[`<${side}TAG>`], parsed[`<${side}CIDR>`]]),
    })
  })
})

describe('additions', () => {
  test.each([
    'allow protocol sctp from ports 80 to ports 90',
    'allow not protocol udp',
    'allow tcp not protocol 17 from to',
    'allow icmp type 8 not protocol tcp to tag x',
    'deny from selector "a == 1"',
    'deny tcp from ports 1 tag t cidr c selector s not ports 2 not tag u not cidr d to not ports 3 not cidr e not selector f',
    'deny from tag not to tag selector',
  ])('%s', (line) => {
    expect(judgeRuleWords(line.split(/ (?=(?:[^"]*"[^"]*")*[^"]*$)/))).toEqual({ok: true})
  })

  test('not is a part only before the word that it negates', () => {
    const result = splitRuleWords(['allow', 'from', 'tag', 'not', 'not', 'cidr', '10.0.0.0/8'])
    expect(result).toMatchObject({ok: true, parts: {from: {tag: 'not', 'not cidr': '10.0.0.0/8'}}})
  })
})

describe('problems name the word at which the line stops being a rule, and what could stand there', () => {
  test.each([
    ['', 0, 'begins with "allow" or "deny"'],
    ['accept tcp', 0, '"accept"'],
    ['allow 6', 1, 'protocol 6'],
    ['allow sctp to ports 80', 1, 'protocol sctp'],
    ['allow from 192.168.0.0/16', 2, 'from cidr 192.168.0.0/16'],
    ['allow from web', 2, 'from tag web'],
    ['allow from ip 10.0.0.1', 2, '"ip" is not a keyword: write "from cidr 10.0.0.1"'],
    ['allow tcp to ports=80', 3, '"ports=80" is not a match: write "to ports 80"'],
    ['allow from tag=web', 2, '"tag=web" is not a match: write "from tag web"'],
    ['allow tcp to dport 80', 3, '"dport" is not a keyword: write "to ports 80"'],
    ['allow from profile', 2, '"profile" needs a keyword before it: "from tag profile"'],
    ['allow tcp from tag', 4, '"tag" needs a value'],
    ['allow protocol', 2, '"protocol" needs a value'],
    ['allow from ports 80', 2, '"tcp" or "udp"'],
    ['allow icmp to ports 80', 3, '"tcp" or "udp"'],
    ['allow from not ports 80', 2, '"tcp" or "udp"'],
    ['allow tcp from tag a ports 80', 5, '"ports" comes first'],
    ['allow tcp from cidr 10.0.0.0/8 tag x', 5, 'out of order'],
    ['allow to tag a from tag b', 4, 'before "to"'],
    ['allow to tag a to tag b', 4, 'once'],
    ['allow icmp from tag a type 8', 5, 'must follow "icmp"'],
    ['allow icmp code 0', 2, 'type'],
    ['allow icmp tag a', 2, 'needs "from" or "to"'],
    ['allow tcp udp', 2, '"udp" is not valid at this position'],
    ['allow from not tag a not selector b', 5, 'cannot be combined'],
    ['allow tcp from ports 80 81', 5, '"81" is unexpected'],
  ])('%s', (line, at, text) => {
    const result = judgeRuleWords(line === '' ? [] : line.split(' '))
    expect(result).toMatchObject({ok: false, at})
    expect(result.ok ? '' : result.problem).toContain(text)
  })
})
