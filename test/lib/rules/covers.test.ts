/** Whether a rule leaves nothing to another: what is said to be taken is taken, packet for packet. */
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import type {Rule} from '../../../src/lib/model/types.js'
import {evaluate, parseSelector} from '../../../src/lib/model/selector/index.js'
import {contains, parseAddress, parseCidr} from '../../../src/lib/net/index.js'
import {coveredBy, covers, coveringRules, familiesOf, firstCovering, matcher} from '../../../src/lib/rules/covers.js'

const takes = (earlier: object, later: object): boolean => {
  const [a, b] = [matcher({action: 'Deny', ...earlier}), matcher({action: 'Allow', ...later})]
  if (!a || !b) throw new Error('a rule of the test cannot be judged')
  return covers(a, b)
}
const from = (source: object): object => ({source})
const to = (ports: readonly unknown[], more: object = {}): object => ({protocol: 'TCP', destination: {ports, ...more}})

describe('covers', () => {
  test.each<[object, object]>([
    [{}, {}],
    [{}, {protocol: 'TCP', source: {selector: 'has(a)', nets: ['10.0.0.0/8']}}],
    [{protocol: 6}, to([80])],
    [{notProtocol: 'UDP'}, {protocol: 'TCP'}],
    [{notProtocol: 'UDP'}, {notProtocol: 17}],
    [to(['1:65535']), {protocol: 'TCP'}],
    [to(['80:90', 91]), to([85, '90:91'])],
    [to([80, 443]), to([80, 443], {notPorts: [443]})],
    [to(['http', 80]), to(['http'])],
    [from({nets: ['10.0.0.0/9', '10.128.0.0/9']}), from({nets: ['10.0.0.0/8']})],
    [from({nets: ['10.0.0.0/8'], notNets: ['10.1.0.0/16']}), from({nets: ['10.0.0.0/16', '10.2.0.0/16']})],
    [from({notNets: ['10.0.0.0/8']}), from({notNets: ['10.0.0.0/7']})],
    [from({selector: 'has(a)'}), from({selector: "a == ''"})],
    [from({selector: 'all()'}), from({selector: "x != 'y'"})],
    [from({selector: 'has(a)'}), from({selector: "(x == 'y') && has(a)"})],
    [from({selector: "x in {'y', 'z'}"}), from({selector: "x == 'y'"})],
    [from({selector: 'has(a) || has(b)'}), from({selector: "b == 'x'"})],
    [from({selector: "has(a) || !has(b)"}), from({selector: '!has(b)'})],
    [from({selector: 'has(a) || all()'}), from({selector: 'has(c)'})],
    [{source: {selector: 'has(a)'}, destination: {selector: 'has(b)'}}, {source: {selector: 'has(a)'}, destination: {selector: 'has(b) && has(c)'}}],
    [from({notSelector: 'has(a)'}), from({notSelector: 'has(a) || has(b)'})],
    [{protocol: 'ICMP'}, {protocol: 'ICMP', icmp: {type: 8, code: 0}}],
    [{protocol: 'ICMP', icmp: {type: 8}}, {protocol: 'ICMP', icmp: {type: 8, code: 0}}],
    [{protocol: 'ICMP', notICMP: {type: 8}}, {protocol: 'ICMP', icmp: {type: 0}}],
    [{ipVersion: 4}, from({nets: ['10.0.0.0/8']})],
  ])('%j takes all of %j', (earlier, later) => expect(takes(earlier, later)).toBe(true))

  test.each<[object, object]>([
    [{action: 'Log'}, {}],
    [{protocol: 'TCP'}, {}],
    [{protocol: 'TCP'}, {protocol: 'UDP'}],
    [{notProtocol: 'UDP'}, {}],
    [to([80]), to([80, 81])],
    [to([80]), to(['http'])],
    [to(['http']), to([80])],
    [to([80], {notPorts: ['http']}), to([80])],
    [from({nets: ['10.0.0.0/9', '10.128.0.0/10']}), from({nets: ['10.0.0.0/8']})],
    [from({nets: ['10.0.0.0/8']}), from({})],
    [from({selector: 'has(a)'}), from({})],
    [from({selector: 'all()'}), from({})],
    [from({selector: 'all()'}), from({notSelector: 'has(a)'})],
    [from({selector: 'has(a)'}), from({selector: 'has(b)'})],
    [from({selector: "a == 'x'"}), from({selector: 'has(a)'})],
    [from({selector: 'has(a)'}), from({selector: 'has(a) || has(b)'})],
    [from({notSelector: 'has(a) || has(b)'}), from({notSelector: 'has(a)'})],
    [from({notSelector: 'has(a)'}), from({selector: 'has(b)'})],
    [{protocol: 'ICMP'}, {protocol: 1}],
    [{protocol: 'ICMP', icmp: {type: 8, code: 0}}, {protocol: 'ICMP', icmp: {type: 8}}],
    [{protocol: 'ICMP', notICMP: {type: 8, code: 0}}, {protocol: 'ICMP', icmp: {type: 8}}],
    [{ipVersion: 4}, {}],
    [from({nets: ['fd00::/8']}), from({nets: ['10.0.0.0/8']})],
    [from({namespaceSelector: 'all()'}), {}],
    [from({serviceAccounts: {names: ['x']}}), from({serviceAccounts: {names: ['y']}})],
  ])('%j leaves something of %j', (earlier, later) => expect(takes(earlier, later)).toBe(false))

  test.each<[object[], object, number[]]>([
    [[to(['1:100']), to(['101:65535'])], {protocol: 'TCP'}, [1, 2]],
    [[to(['1:100']), {protocol: 'UDP'}, to(['101:65535'])], to([80, 443]), [1, 3]],
    [[{protocol: 'TCP'}, {notProtocol: 'TCP'}], {}, [1, 2]],
    [[{ipVersion: 4}, {ipVersion: 6}], {protocol: 'UDP'}, [1, 2]],
    [[from({nets: ['10.0.0.0/9']}), from({nets: ['10.128.0.0/9']})], from({nets: ['10.0.0.0/8']}), [1, 2]],
    [[{protocol: 'TCP', source: {nets: ['10.0.0.0/9']}}, {protocol: 'TCP', source: {nets: ['10.128.0.0/9']}, destination: {ports: ['1:1000']}}, to(['1001:65535'])], {protocol: 'TCP', source: {nets: ['10.0.0.0/8']}}, [1, 2, 3]],
    [[to(['1:100']), to(['101:65535'])], to(['http']), [1, 2]],
    [[{protocol: 'TCP', source: {selector: 'has(a)'}, destination: {ports: ['1:100']}}, to(['101:65535'])], {protocol: 'TCP', source: {selector: 'has(a)'}}, [1, 2]],
    [[to(['1:100']), to(['102:65535'])], {protocol: 'TCP'}, []],
    [[{action: 'Log', protocol: 'TCP'}, {notProtocol: 'TCP'}], {}, []],
    [[{protocol: 'TCP', source: {selector: 'has(b)'}, destination: {ports: ['1:100']}}, to(['101:65535'])], {protocol: 'TCP', source: {selector: 'has(a)'}}, []],
    [[{protocol: 'TCP', source: {nets: ['10.0.0.0/9']}, destination: {ports: ['1:100']}}, {protocol: 'TCP', source: {nets: ['10.128.0.0/9']}, destination: {ports: ['101:65535']}}], {protocol: 'TCP', source: {nets: ['10.0.0.0/8']}}, []],
    [[to(['1:100'], {notPorts: ['http']}), to(['101:65535'])], {protocol: 'TCP'}, []],
  ])('of %j, what together takes all of %j are %j', (earlier, later, numbers) => {
    expect(coveringRules(earlier.map((rule) => ({action: 'Deny', ...rule}) as unknown as Rule), {action: 'Allow', ...later} as unknown as Rule)).toEqual(numbers)
  })

  test('a rule that no family has is taken by none; one that cannot be read is not judged', () => {
    expect(familiesOf({action: 'Allow', protocol: 'ICMPv6', source: {nets: ['10.0.0.0/8']}})).toEqual([])
    expect(takes({}, {protocol: 'ICMPv6', source: {nets: ['10.0.0.0/8']}})).toBe(false)
    expect(matcher({action: 'Allow', source: {selector: 'has ('}})).toBeUndefined()
    expect(matcher({action: 'Allow', protocol: 'nonsense'})).toBeUndefined()
  })

  test.each<[object[], number, number[]]>([
    [[{}, to([22]), to([80])], 1, [2, 3]],
    [[{protocol: 'TCP'}, {protocol: 'UDP'}, to([80])], 1, [3]],
    // What had no effect before is none of its doing.
    [[to([22]), {}, to([22]), {protocol: 'UDP'}], 2, [4]],
    [[{action: 'Log'}, to([22])], 1, []],
    [[to([22]), {protocol: 'TCP'}], 2, []],
    [[to(['1:100']), to(['101:65535']), {protocol: 'TCP'}, {protocol: 'UDP'}], 1, [3]],
    [[to(['1:100']), to(['102:65535']), {protocol: 'TCP'}], 1, []],
    [[{source: {selector: 'has ('}}, to([22])], 1, []],
  ])('of %j, those that number %j leaves nothing are %j', (rules, at, numbers) => {
    expect(coveredBy(rules.map((rule) => ({action: 'Deny', ...rule}) as unknown as Rule), at)).toEqual(numbers)
  })

  test('in a long list, those that the rule takes alone', () => {
    const many = Array.from({length: 1000}, (_, port) => ({action: 'Allow', ...to([port + 1])}) as unknown as Rule)
    expect(coveredBy([{action: 'Deny', ...to(['1:900'])} as unknown as Rule, ...many], 1)).toEqual(many.slice(0, 900).map((_, index) => index + 2))
    expect(coveredBy([...many, {action: 'Deny', ...to(['1:900'])} as unknown as Rule], 1001)).toEqual([])
  })

  test('the first of a list', () => {
    const rules: Rule[] = [{action: 'Log'}, {action: 'Allow', protocol: 'UDP'}, {action: 'Allow', protocol: 'TCP'}, {action: 'Deny'}]
    expect(firstCovering(rules, {action: 'Deny', protocol: 'TCP', destination: {ports: [80]}})).toBe(3)
    expect(firstCovering(rules.slice(0, 2), {action: 'Deny', protocol: 'TCP'})).toBe(0)
  })
})

describe('selectors', () => {
  /** Of these, all that one selects with another is known. */
  const EXACT = ['all()', 'has(a)', '!has(a)', "a == 'x'", "a == 'y'", "a != 'x'", "a in {'x'}", "a in {'x', 'y'}", "a in {'x', 'y', 'z'}", 'has(b)', '!has(b)', "b == 'x'", "b != 'x'", "b in {'x', 'y'}", 'has(a) && has(b)', 'has(a) || has(b)', "a == 'x' && has(b)", "a == 'x' || b == 'x'", '!has(a) || has(b)']
  const PARTS = ["a contains 'x'", "a starts with 'x'", "a ends with 'x'"]
  const OTHERS = ["a not in {'x'}", "a not in {'x', 'y'}", "b not in {'x'}", "!(a == 'x')", '!all()', "!(a contains 'x')"]
  const values = [undefined, '', 'x', 'y', 'z', 'xy', 'yx', 'yxy']
  const allLabels = values.flatMap((a) => values.map((b) => ({...(a === undefined ? {} : {a}), ...(b === undefined ? {} : {b})})))
  const chosen = new Map([...EXACT, ...PARTS, ...OTHERS].map((text) => [text, allLabels.map((labels) => evaluate(parseSelector(text), labels))]))
  const isIn = (narrow: string, wide: string): boolean => (chosen.get(narrow) ?? []).every((is, at) => !is || chosen.get(wide)?.[at])
  const pairs = (narrow: readonly string[], wide: readonly string[]): string[][] => narrow.flatMap((a) => wide.map((b) => [a, b]))
  const isTaken = ([narrow, wide]: readonly string[]): boolean => takes(from({selector: wide}), from({selector: narrow}))

  test('what is said to be selected by another is, whatever the labels', () => {
    expect(pairs([...chosen.keys()], [...chosen.keys()]).filter((pair) => isTaken(pair) && !isIn(pair[0] ?? '', pair[1] ?? ''))).toEqual([])
  })
  test('what is selected by another is said to be', () => {
    expect(pairs([...EXACT, ...PARTS], EXACT).filter((pair) => isIn(pair[0] ?? '', pair[1] ?? '') && !isTaken(pair))).toEqual([])
    expect(pairs(['!has(a)'], ["a not in {'x'}", "a not in {'x', 'y'}"]).filter((pair) => !isTaken(pair))).toEqual([])
  })
})

/** A packet of IPv4, and the labels of those who have its addresses; undefined = nobody. */
interface Packet {
  readonly protocol: number
  readonly type: number
  readonly ends: readonly [End, End]
}

interface End {
  readonly address: string
  readonly port: number
  readonly labels: Readonly<Record<string, string>> | undefined
}

const PROTOCOLS: Readonly<Record<string, number>> = {TCP: 6, UDP: 17, ICMP: 1}

/** The criteria of policy-evaluation §6, one packet at a time. */
function matches(rule: Rule, {protocol, type, ends}: Packet): boolean {
  const number = (value: string | number): number => (typeof value === 'number' ? value : (PROTOCOLS[value] ?? 0))
  if (rule.protocol !== undefined && number(rule.protocol) !== protocol) return false
  if (rule.notProtocol !== undefined && number(rule.notProtocol) === protocol) return false
  if (rule.icmp?.type !== undefined && rule.icmp.type !== type) return false
  return [rule.source ?? {}, rule.destination ?? {}].every((entity, at) => {
    const end = ends[at as 0 | 1]
    const address = parseAddress(end.address)
    const isIn = (net: string): boolean => {
      const cidr = parseCidr(net)
      return cidr !== undefined && address !== undefined && contains(cidr, address)
    }
    const isPort = (port: string | number): boolean => {
      const [low = 0, high = low] = String(port).split(':').map(Number)
      return low <= end.port && end.port <= high
    }
    const selects = (text: string): boolean => end.labels !== undefined && evaluate(parseSelector(text), end.labels)
    return (
      (entity.nets === undefined || entity.nets.some(isIn)) && !(entity.notNets ?? []).some(isIn) &&
      (entity.ports === undefined || entity.ports.some(isPort)) && !(entity.notPorts ?? []).some(isPort) &&
      (entity.selector === undefined || selects(entity.selector)) && (entity.notSelector === undefined || !selects(entity.notSelector))
    )
  })
}

const NETS = ['10.0.0.0/8', '10.0.0.0/9', '10.128.0.0/9', '10.1.0.0/16', '10.0.0.1/32']
const SELECTORS = ['has(a)', "a == 'x'", "a in {'x', 'y'}", 'all()', 'has(a) && has(b)', 'has(a) || has(b)', '!has(a)', "a != 'x'", "b == '' && a == 'x'"]
const PORTS = [80, '80:81', '79:90', '1:65535'] as const
const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> => fc.uniqueArray(fc.constantFrom(...values), {minLength: 1, maxLength: 2})
const side = (ports: boolean) =>
  fc.record({nets: some(NETS), notNets: some(NETS), selector: fc.constantFrom(...SELECTORS), notSelector: fc.constantFrom(...SELECTORS), ...(ports ? {ports: some(PORTS), notPorts: some([80, 85])} : {})}, {requiredKeys: []})
const arbitraryRule = fc.oneof(
  fc.record({action: fc.constantFrom('Allow' as const, 'Deny' as const), protocol: fc.constantFrom('TCP', 6, 'UDP'), source: side(true), destination: side(true)}, {requiredKeys: ['action', 'protocol']}),
  fc.record({action: fc.constant('Allow' as const), notProtocol: fc.constantFrom('TCP', 'UDP'), source: side(false), destination: side(false)}, {requiredKeys: ['action']}),
  fc.record({action: fc.constant('Allow' as const), protocol: fc.constant('ICMP'), icmp: fc.record({type: fc.constantFrom(0, 8)}), source: side(false)}, {requiredKeys: ['action', 'protocol']}),
) as fc.Arbitrary<Rule>
const arbitraryEnd = fc.record({
  address: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.1.0.1', '10.200.0.1', '192.0.2.1'),
  port: fc.constantFrom(79, 80, 81, 85, 443),
  labels: fc.constantFrom(undefined, {}, {a: 'x'}, {a: 'y'}, {b: ''}, {a: 'x', b: ''}),
})
const packets = fc.array(fc.record({protocol: fc.constantFrom(6, 17, 1), type: fc.constantFrom(0, 8), ends: fc.tuple(arbitraryEnd, arbitraryEnd)}), {minLength: 40, maxLength: 40})

test('no packet that the later rule matches gets past the one that covers it', () => {
  let covered = 0
  fc.assert(
    fc.property(arbitraryRule, arbitraryRule, packets, (earlier, later, all) => {
      const [a, b] = [matcher(earlier), matcher(later)]
      if (!a || !b || !covers(a, b)) return
      covered++
      for (const packet of all) if (matches(later, packet)) expect({earlier, later, packet, taken: matches(earlier, packet)}).toMatchObject({taken: true})
    }),
    {numRuns: 4000},
  )
  expect(covered).toBeGreaterThan(50)
})

/** Rules of which several often make up one. */
const piece = fc.record(
  {
    action: fc.constantFrom('Allow' as const, 'Deny' as const, 'Log' as const),
    protocol: fc.constantFrom('TCP', 'TCP', 'UDP'),
    source: fc.record({nets: fc.constantFrom(['10.0.0.0/9'], ['10.128.0.0/9'], ['10.0.0.0/8']), selector: fc.constantFrom('has(a)', 'all()')}, {requiredKeys: []}),
    destination: fc.record({ports: fc.constantFrom(['1:80'], ['81:65535'], ['80:85'])}, {requiredKeys: []}),
  },
  {requiredKeys: ['action', 'protocol', 'destination']},
) as fc.Arbitrary<Rule>

test('no packet that a rule matches gets past those that take all of it together', () => {
  let together = 0
  fc.assert(
    fc.property(fc.array(piece, {minLength: 4, maxLength: 8}), piece, packets, (rules, rule, all) => {
      const numbers = coveringRules(rules, rule)
      if (numbers.length > 1) together++
      if (numbers.length === 0) return
      const takers = rules.filter(({action}, index) => action !== 'Log' && numbers.includes(index + 1))
      for (const packet of all) if (matches(rule, packet)) expect({rule, takers, packet, taken: takers.some((taker) => matches(taker, packet))}).toMatchObject({taken: true})
    }),
    {numRuns: 1000},
  )
  expect(together).toBeGreaterThan(10)
})
