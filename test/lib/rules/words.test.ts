import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {wordsOf} from '../../../src/lib/rules/show.js'
import {readRuleWords} from '../../../src/lib/rules/words.js'
import {wordRule} from './arbitrary.js'

const read = (line: string): ReturnType<typeof readRuleWords> => readRuleWords(line.split(' '))

describe('what words mean in v3', () => {
  test.each([
    ['allow', {action: 'Allow', source: {}, destination: {}}],
    ['deny from', {action: 'Deny', source: {}, destination: {}}],
    ['allow from tag web', {action: 'Allow', source: {selector: 'has(web)'}, destination: {}}],
    ['allow tcp from to ports 080', {action: 'Allow', protocol: 'TCP', source: {}, destination: {ports: [80]}}],
    [
      'allow udp from ports 53,1024:65535 tag My_Tag.1 cidr 10.1.2.3/8',
      {action: 'Allow', protocol: 'UDP', source: {nets: ['10.0.0.0/8'], selector: 'has(My_Tag.1)', ports: [53, '1024:65535']}, destination: {}},
    ],
    ['deny icmp type 08 code +0 to cidr 1.2.3.4', {action: 'Deny', protocol: 'ICMP', icmp: {type: 8, code: 0}, source: {}, destination: {nets: ['1.2.3.4/32']}}],
    ['deny icmpv6 type 254 from cidr FD00::1', {action: 'Deny', protocol: 'ICMPv6', icmp: {type: 254}, source: {nets: ['fd00::1/128']}, destination: {}}],
    ['allow from cidr 10.0.0.0/255.255.0.0', {action: 'Allow', source: {nets: ['10.0.0.0/16']}, destination: {}}],
    ['allow protocol SCTP to ports 80', {action: 'Allow', protocol: 'SCTP', source: {}, destination: {ports: [80]}}],
    ['allow protocol 6 to ports 80', {action: 'Allow', protocol: 6, source: {}, destination: {ports: [80]}}],
    ['allow not protocol icmp', {action: 'Allow', notProtocol: 'ICMP', source: {}, destination: {}}],
    [
      'deny tcp from tag a selector b=="c" not ports 22 not tag d not cidr 10.0.0.0/8 to not selector has(x)||has(y)',
      {
        action: 'Deny',
        protocol: 'TCP',
        source: {selector: '(b=="c") && has(a)', notNets: ['10.0.0.0/8'], notSelector: 'has(d)', notPorts: [22]},
        destination: {notSelector: 'has(x)||has(y)'},
      },
    ],
    ['allow protocol 1', {action: 'Allow', protocol: 1, source: {}, destination: {}}],
    ['allow protocol 255', {action: 'Allow', protocol: 255, source: {}, destination: {}}],
    ['allow tcp to ports 1,65535', {action: 'Allow', protocol: 'TCP', source: {}, destination: {ports: [1, 65535]}}],
    ['allow icmp type 0 code 254', {action: 'Allow', protocol: 'ICMP', icmp: {type: 0, code: 254}, source: {}, destination: {}}],
  ])('%s', (line, rule) => {
    const result = read(line)
    expect(result.ok && result.rule).toEqual(rule)
  })
})

describe('wrong values are told all together, and are no usage error', () => {
  test.each([
    ['allow tcp to ports 0', ['port 0']],
    ['allow tcp to ports 65536', ['65536']],
    ['allow tcp to ports 5:5', ['lower']],
    ['allow tcp to ports 3:1', ['lower']],
    ['allow tcp to ports 1:2:3', ['"1:2:3" is not a port']],
    ['allow tcp to ports 1-2', ['"1-2" is not a port']],
    ['allow tcp to ports +80', ['"+80" is not a port']],
    ['allow tcp to ports http', ['"http" is not a port']],
    ['allow tcp to ports 80,,443', ['a port is missing']],
    ['allow icmp type 255', ['ICMP type "255"']],
    ['allow icmp type 8 code x', ['ICMP code "x"']],
    ['allow from cidr 10.0.0.0/33', ['"10.0.0.0/33"']],
    ['allow from cidr 10.1 to not cidr 10/8', ['"10.1" is not written in full: v0.20 read it as 10.1.0.0/32', '"10/8" is not written in full: v0.20 read it as 10.0.0.0/8']],
    ['allow from cidr 10.0.0.0/8 to cidr fd00::/64', ['one IP version']],
    ['allow icmp from cidr fd00::/64', ['icmp can be used with IPv4']],
    ['allow icmpv6 from cidr 10.0.0.0/8', ['icmpv6 can be used with IPv6']],
    ['allow from tag b@d', ['b@d']],
    ['allow from tag _x to tag x-', ['_x', 'x-']],
    ['allow protocol 0', ['"0"']],
    ['allow protocol 256', ['"256"']],
    ['allow protocol gre', ['"gre"']],
    ['allow protocol udplite to ports 80', ['ports need the protocol']],
    ['allow from selector has(', ['selector "has("']],
    ['allow from selector has(a)||!global()', ['global() is not allowed in rules']],
    ['allow from not cidr 0.0.0.0/0', ['excludes everything']],
    ['allow tcp from ports x tag @ cidr y to ports 0', ['"x"', '@', '"y"', 'port 0']],
  ])('%s', (line, texts) => {
    const result = read(line)
    if (result.ok || !('problems' in result)) throw new Error('the values were taken')
    expect(result.problems).toHaveLength(texts.length)
    texts.forEach((text, index) => expect(result.problems[index]).toContain(text))
  })

  test('a long value is cut', () => {
    for (const [length, shown] of [[80, 'x'.repeat(80)], [81, `${'x'.repeat(77)}…`]] as const) {
      expect(read(`allow protocol ${'x'.repeat(length)}`)).toMatchObject({problems: [expect.stringContaining(`"${shown}" is not`)]})
    }
  })

  test('empty words are values too', () => {
    const result = readRuleWords(['allow', 'from', 'tag', '', 'cidr', '', 'selector', ''])
    expect(result).toMatchObject({ok: false, problems: [expect.any(String), expect.any(String), expect.any(String)]})
  })

  test('a line that is not a rule is told as such', () => {
    expect(read('allow tcp from tag a ports x')).toMatchObject({ok: false, problem: expect.stringContaining('"ports"'), at: 5})
  })
})

test('the words that are shown are read back as the same rule', () => {
  fc.assert(
    fc.property(wordRule, (rule) => {
      const result = readRuleWords(wordsOf(rule))
      expect(result.ok && result.words).toEqual(rule)
    }),
  )
})

test('no words crash it', () => {
  const word = fc.oneof(fc.constantFrom('allow', 'deny', 'tcp', 'icmp', 'type', 'code', 'protocol', 'not', 'from', 'to', 'ports', 'tag', 'cidr', 'selector'), fc.string())
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const result = readRuleWords(['allow', ...words])
      expect(typeof result.ok).toBe('boolean')
    }),
    {numRuns: 1000},
  )
})
