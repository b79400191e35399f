import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {CalicoError} from '../../../../src/lib/errors.js'
import {readRequest} from '../../../../src/lib/mesos/plugin/request.js'
import {parseAddress} from '../../../../src/lib/net/index.js'

/** Objects inside each other. */
const deep = (levels: number): unknown => Array.from({length: levels}).reduce<unknown>((value) => ({a: value}), 1)

const CONTAINER = 'ba11f1de-fc4d-46fd-9f15-424f4ef05a3a'
const ISOLATE = {container_id: CONTAINER, hostname: 'slave-H3A-1', ipv4_addrs: ['192.168.23.4'], netgroups: ['prod', 'frontend'], pid: 3789}
const ALLOCATE = {hostname: 'slave-0-1', num_ipv4: 1, num_ipv6: 0, uid: 'u1'}
const RESERVE = {hostname: 'slave-0-1', ipv4_addrs: ['192.168.28.23'], uid: 'u1'}
const MALFORMED = "Calico detected a malformed ipv4_addrs field. Ensure you've specified a string representation of a list of strings."

/** The error of TEXT or of a document. */
function problem(input: unknown): string {
  try {
    readRequest(typeof input === 'string' ? input : JSON.stringify(input))
  } catch (error) {
    if (error instanceof CalicoError && error.kind === 'invalid') return error.message
    throw error
  }
  return 'none'
}

/** The error of COMMAND with BASE changed by ARGS; undefined takes a member away. */
const with_ = (command: string, base: object) => (args: object) => problem({command, args: {...base, ...args}})
const isolating = with_('isolate', ISOLATE)
const allocating = with_('allocate', ALLOCATE)
const reserving = with_('reserve', RESERVE)
const releasing = with_('release', {})
const cleaning = with_('cleanup', {container_id: CONTAINER, hostname: 'h'})

/** What `JSON.parse` says of TEXT. */
function parserMessage(text: string): string {
  try {
    JSON.parse(text)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it is JSON')
}

describe('the envelope', () => {
  test.each(['', 'x', '{', '{"command":', '\0'])('malformed JSON %j: the parser\'s own message', (text) => {
    expect(problem(text)).toBe(parserMessage(text))
  })

  test.each([
    [{}, 'Missing command'],
    [{args: {}}, 'Missing command'],
    [[], 'Missing command'],
    [null, 'Missing command'],
    [3, 'Missing command'],
    [{command: 'isolate'}, 'Missing args'],
    [{command: 'nonsense'}, 'Missing args'],
    [{command: 'isolate', args: 'x'}, 'Missing args'],
    [{command: 'isolate', args: [1]}, 'Missing args'],
    [{command: 'nonsense', args: {}}, 'Unknown command: nonsense'],
    [{command: 'toString', args: {}}, 'Unknown command: toString'],
    [{command: '__proto__', args: {}}, 'Unknown command: __proto__'],
    [{command: {}, args: {}}, 'Unknown command: {}'],
    [{command: 'isolate', args: deep(200)}, 'nested more than 100 levels deep'],
  ])('%j: %s', (document, text) => expect(problem(document)).toBe(text))
})

describe('isolate', () => {
  test('a request of net-modules', () => {
    const text = `{"args":{"container_id":"${CONTAINER}","hostname":"slave-H3A-1","ipv4_addrs":["192.168.23.4"],"netgroups":["prod","frontend"],"pid":3789},"command":"isolate"}`
    expect(readRequest(text)).toEqual({
      command: 'isolate',
      containerId: CONTAINER,
      hostname: 'slave-H3A-1',
      pid: 3789,
      addresses: [parseAddress('192.168.23.4')],
      netgroups: ['prod', 'frontend'],
    })
  })

  test.each([
    [{container_id: undefined, hostname: undefined}, 'Missing container_id'],
    [{container_id: ''}, 'Missing container_id'],
    [{container_id: null}, 'Missing container_id'],
    [{container_id: 0}, 'Missing container_id'],
    [{container_id: []}, 'Missing container_id'],
    [{container_id: 12}, 'container_id must be a string'],
    [{container_id: 'c\ud800'}, 'container_id contains half a character (an unpaired surrogate), which cannot be stored'],
    [{hostname: '\udc00'}, 'hostname contains half a character (an unpaired surrogate), which cannot be stored'],
    [{hostname: '', pid: 0}, 'Missing hostname'],
    [{pid: undefined, ipv4_addrs: 'x'}, 'Missing pid'],
    [{pid: 0}, 'Missing pid'],
    [{pid: ''}, 'Missing pid'],
    [{pid: '../1'}, 'pid must be a process id'],
    [{pid: -5}, 'pid must be a process id'],
    [{pid: 1.5}, 'pid must be a process id'],
    [{pid: {a: 1}}, 'pid must be a process id'],
    [{ipv4_addrs: '192.168.23.4', ipv6_addrs: 'x'}, 'IP addresses must be provided as JSON list, not: string'],
    [{ipv4_addrs: null}, 'IP addresses must be provided as JSON list, not: null'],
    [{ipv4_addrs: {}}, 'IP addresses must be provided as JSON list, not: object'],
    [{ipv4_addrs: ['10.1']}, 'IP address could not be parsed: 10.1'],
    [{ipv4_addrs: ['192.168.023.4']}, 'IP address could not be parsed: 192.168.023.4'],
    [{ipv4_addrs: ['::ffff:192.168.23.4']}, 'IP address could not be parsed: ::ffff:192.168.23.4'],
    [{ipv6_addrs: ['::ffff:192.168.23.4']}, 'IP address could not be parsed: ::ffff:192.168.23.4'],
    [{ipv4_addrs: ['192.168.23.4/32']}, 'IP address could not be parsed: 192.168.23.4/32'],
    [{ipv4_addrs: [3232241412]}, 'IP address could not be parsed: 3232241412'],
    [{ipv4_addrs: ['fd00::1'], ipv6_addrs: 3}, 'IPv6 address must not be placed in IPv4 address field.'],
    [{ipv6_addrs: ['192.168.23.5']}, 'IPv4 address must not be placed in IPv6 address field.'],
    [{ipv6_addrs: ['fd00::g']}, 'IP address could not be parsed: fd00::g'],
    [{ipv4_addrs: undefined, netgroups: 'x'}, 'Must provide at least one IPv4 or IPv6 address.'],
    [{ipv4_addrs: [], ipv6_addrs: []}, 'Must provide at least one IPv4 or IPv6 address.'],
    [{netgroups: 'prod'}, 'Must provide list of netgroups.'],
    [{netgroups: null}, 'Must provide list of netgroups.'],
    [{netgroups: ['prod', 'a b']}, "'a b' is not allowed for key 'src_tag': a net-group has letters, digits, '_', '.' and '-', at most 200."],
    [{netgroups: ['']}, "'' is not allowed for key 'src_tag': a net-group has letters, digits, '_', '.' and '-', at most 200."],
    [{netgroups: [3]}, "'3' is not allowed for key 'src_tag': a net-group has letters, digits, '_', '.' and '-', at most 200."],
    [{netgroups: Array.from({length: 65}, (_, i) => `g${i}`)}, 'A task can be in at most 64 net-groups.'],
    [{labels: 'x'}, 'labels must be a list of objects with the texts "key" and "value".'],
    [{ipv4_addrs: Array.from({length: 65}, (_, i) => `10.0.0.${i}`)}, 'A task can have at most 64 addresses.'],
  ])('%j: %s', (args, text) => expect(isolating(args)).toBe(text))

  test('absent lists are empty, repetitions are one, a pid may be digits', () => {
    const args = {container_id: 'c', hostname: 'h', pid: '12', ipv6_addrs: ['FD00::1', 'fd00:0::1']}
    expect(readRequest(JSON.stringify({command: 'isolate', args}))).toMatchObject({pid: 12, addresses: [parseAddress('fd00::1')], netgroups: []})
  })
})

describe('cleanup', () => {
  test.each([
    [{container_id: '', hostname: ''}, 'Missing container_id'],
    [{hostname: undefined}, 'Missing hostname'],
    [{}, 'none'],
    // What it gives back must not depend on what it does not look at.
    [{labels: 'x'}, 'none'],
  ])('%j: %s', (args, text) => expect(cleaning(args)).toBe(text))
})

describe('allocate', () => {
  const request = (args: object) => readRequest(JSON.stringify({command: 'allocate', args: {...ALLOCATE, ...args}}))
  const labelled = (value: string) => ({labels: [{key: 'ipv4_addrs', value}]})

  test.each([
    [{uid: '', hostname: undefined}, 'Missing uid'],
    [{uid: {a: 1}}, 'Invalid UID: {"a":1}'],
    [{uid: 'a/b'}, 'Invalid UID: "a/b". It must have no \'/\', no blanks and no control characters, and at most 200 characters.'],
    [{uid: true}, 'Invalid UID: true'],
    [{uid: '\ud800'}, 'Invalid UID: "\\ud800". It must have no \'/\', no blanks and no control characters, and at most 200 characters.'],
    // JSON's numbers have lost digits by then: it might be another task's.
    [{uid: 2 ** 53}, 'Invalid UID: 9007199254740992'],
    [{uid: 2 ** 53 - 1}, 'none'],
    [{hostname: null, num_ipv4: null}, 'Missing hostname'],
    [{hostname: ''}, 'none'],
    [{num_ipv4: undefined, num_ipv6: undefined}, 'Missing num_ipv4'],
    [{num_ipv6: null, num_ipv4: []}, 'Missing num_ipv6'],
    [{num_ipv4: []}, 'num_ipv4 must be an integer'],
    [{num_ipv4: 'two'}, 'num_ipv4 must be an integer'],
    [{num_ipv4: true}, 'num_ipv4 must be an integer'],
    [{num_ipv4: 1.5}, 'num_ipv4 must be an integer'],
    [{num_ipv4: 1, num_ipv6: '1e3'}, 'num_ipv6 must be an integer'],
    [{num_ipv4: -1}, 'num_ipv4 must not be negative'],
    [{num_ipv4: 1e9}, 'A task can have at most 64 addresses.'],
    [{num_ipv4: 40, num_ipv6: 40}, 'A task can have at most 64 addresses.'],
    [{labels: [{value: 'x'}, 3]}, 'labels must be a list of objects with the texts "key" and "value".'],
    [{labels: {a: 'b'}}, 'labels must be a list of objects with the texts "key" and "value".'],
    [labelled('192.168.3.1'), MALFORMED],
    [labelled(''), MALFORMED],
    [labelled("['192.168.3.1'"), MALFORMED],
    [labelled("['192.168.3.1' '192.168.3.2']"), MALFORMED],
    [labelled("__import__('os').system('true')"), MALFORMED],
    [labelled("['192.168.3.1'].append('x')"), MALFORMED],
    [{labels: [{key: 'ipv4_addrs'}]}, MALFORMED],
    [{labels: [{key: 'ipv4_addrs', value: null}]}, MALFORMED],
    [{labels: [{key: 'rack', value: null}, {key: null, value: 'x'}]}, 'none'],
    [{labels: [{key: 'rack', value: 3}]}, 'labels must be a list of objects with the texts "key" and "value".'],
    [labelled('"192.168.3.1"'), 'IP addresses must be provided as JSON list, not: string'],
    [labelled('[]'), 'Must provide at least one IPv4 or IPv6 address.'],
    [labelled("['x']"), 'IP address could not be parsed: x'],
    [labelled("['fd00::1']"), 'IPv6 address must not be placed in IPv4 address field.'],
    [labelled('[1]'), 'IP address could not be parsed: 1'],
  ])('%j: %s', (args, text) => expect(allocating(args)).toBe(text))

  test('numbers may be digits, a uid may be a number', () => {
    expect(request({num_ipv4: '2', uid: 17})).toEqual({command: 'allocate', uid: '17', fixed: [], ipv4: 2, ipv6: 0})
  })

  test.each([["['192.168.3.1']"], ['["192.168.3.1"]'], [' [ \'192.168.3.1\' , ] ']])('one address asked for, one in the label %s: that one', (value) => {
    expect(request(labelled(value))).toMatchObject({fixed: [parseAddress('192.168.3.1')], ipv4: 0})
  })

  test('the rest is assigned; the last label of a key counts; labels without value or key do not matter', () => {
    const labels = [{key: 'ipv4_addrs', value: "['10.9.9.9']"}, {key: 'rack'}, {value: 'x'}, {key: 'ipv4_addrs', value: `['192.168.3.1', "192.168.3.2"]`}]
    expect(request({labels, num_ipv4: 5})).toMatchObject({fixed: [parseAddress('192.168.3.1'), parseAddress('192.168.3.2')], ipv4: 3})
  })

  test.each([[[]], [null], [{}], ['']])('no labels: %j', (labels) => expect(allocating({labels})).toBe('none'))
})

describe('reserve and release', () => {
  test.each([
    [{uid: undefined, hostname: undefined}, 'Missing uid'],
    [{hostname: undefined, ipv4_addrs: 'x'}, 'Missing hostname'],
    [{ipv4_addrs: 'x'}, 'IP addresses must be provided as JSON list, not: string'],
    [{ipv4_addrs: []}, 'Must provide at least one IPv4 or IPv6 address.'],
    [{}, 'none'],
  ])('reserve %j: %s', (args, text) => expect(reserving(args)).toBe(text))

  test.each([
    [{}, 'Must supply either uid or ips.'],
    [{ips: [], uid: ''}, 'Must supply either uid or ips.'],
    [{ips: ['10.0.0.1'], uid: 'u'}, 'Supply either uid or ips, not both.'],
    [{uid: 3}, 'uid must be a string'],
    [{ips: '10.0.0.1'}, 'IP addresses must be provided as JSON list, not: string'],
    [{ips: ['10.0.0.1', 'x']}, 'IP address could not be parsed: x'],
    [{ips: Array.from({length: 1025}, () => '10.0.0.1')}, 'At most 1024 addresses can be released at once.'],
    [{ips: ['10.0.0.1', 'fd00::1', '10.0.0.1']}, 'none'],
  ])('release %j: %s', (args, text) => expect(releasing(args)).toBe(text))
})

test('whatever is sent, the outcome is a request or a text', () => {
  const members = fc.constantFrom('container_id', 'hostname', 'pid', 'ipv4_addrs', 'ipv6_addrs', 'netgroups', 'labels', 'uid', 'ips', 'num_ipv4', 'num_ipv6')
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom('10.0.0.1', ['10.0.0.1'], ['fd00::1'], [{key: 'ipv4_addrs', value: "['10.0.0.2']"}], 7, ['a']))
  const commands = fc.constantFrom('isolate', 'cleanup', 'allocate', 'reserve', 'release')
  fc.assert(
    fc.property(commands, fc.dictionary(members, values), (command, args) => {
      expect(typeof problem({command, args})).toBe('string')
    }),
    {numRuns: 2_000},
  )
})
