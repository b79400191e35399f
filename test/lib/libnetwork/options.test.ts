import {describe, expect, test} from '@jest/globals'
import {ignoredOptions, readNetworkOptions} from '../../../src/lib/libnetwork/options.js'

const NONE = {profile: undefined, natOutgoing: undefined, ipip: undefined, labels: false, ipv6: false, mtu: undefined}
const generic = (options: Record<string, unknown>, more: Record<string, unknown> = {}) => readNetworkOptions({'com.docker.network.enable_ipv6': false, 'com.docker.network.generic': options, ...more})

describe('what is honoured', () => {
  test('nothing said, in each form in which Docker says it', () => {
    for (const options of [null, {}, {'com.docker.network.enable_ipv6': false, 'com.docker.network.generic': {}}, {'com.docker.network.generic': null, 'com.docker.network.internal': false, 'com.docker.network.enable_ipv4': true}]) {
      expect(readNetworkOptions(options)).toEqual({options: NONE, problems: []})
    }
  })
  test('everything said', () => {
    expect(generic({profile: 'web.tier_1', 'nat-outgoing': 'true', ipip: 'false', labels: 'true', 'com.docker.network.driver.mtu': '1400'}, {'com.docker.network.enable_ipv6': true})).toEqual({
      options: {profile: 'web.tier_1', natOutgoing: true, ipip: false, labels: true, ipv6: true, mtu: 1400},
      problems: [],
    })
  })
  test('Calico\'s own profile', () => {
    expect(generic({profile: 'projectcalico-default-allow'})).toMatchObject({options: {profile: 'projectcalico-default-allow'}, problems: []})
  })
  test.each([
    ['68', false, 68],
    ['65535', false, 65_535],
    ['1280', true, 1280],
  ])('an MTU of %s, IPv6 %s', (text, ipv6, mtu) => {
    expect(generic({'com.docker.network.driver.mtu': text}, {'com.docker.network.enable_ipv6': ipv6})).toMatchObject({options: {mtu}, problems: []})
  })
})

describe('what is refused', () => {
  test.each<[Record<string, unknown>, string]>([
    [{ipip: 'yes'}, '--opt ipip=yes: only true and false are allowed.'],
    [{'nat-outgoing': ''}, '--opt nat-outgoing=: only true and false are allowed.'],
    [{labels: 'TRUE'}, '--opt labels=TRUE: only true and false are allowed.'],
    [{labels: 1}, '--opt labels=1: only true and false are allowed.'],
    [{profile: ''}, "--opt profile=: this is not a valid profile name: the name is also the tag of its endpoints, and only letters, digits, '_', '.' and '-' are allowed."],
    [{profile: '_x'}, '--opt profile=_x: this is not a valid profile name: the name is also the tag of its endpoints, and a label must begin with a letter or a digit.'],
    [{profile: 'x'.repeat(64)}, `--opt profile=${'x'.repeat(64)}: this is not a valid profile name: the name is also the tag of its endpoints, and it is longer than the 63 characters of a label.`],
    [{'com.docker.network.driver.mtu': '67'}, '--opt com.docker.network.driver.mtu=67: only numbers from 68 to 65535 are allowed.'],
    [{'com.docker.network.driver.mtu': '65536'}, '--opt com.docker.network.driver.mtu=65536: only numbers from 68 to 65535 are allowed.'],
    [{'com.docker.network.driver.mtu': '1e3'}, '--opt com.docker.network.driver.mtu=1e3: only numbers from 68 to 65535 are allowed.'],
    [{REJECT: ''}, 'Calico driver does not support the flag REJECT.'],
    [{'com.docker.network.container_iface_prefix': 'eth'}, 'Calico driver does not support the flag com.docker.network.container_iface_prefix.'],
  ])('--opt %j', (options, problem) => {
    expect(generic(options)).toEqual({options: NONE, problems: [problem]})
  })
  test('--internal', () => {
    expect(generic({}, {'com.docker.network.internal': true}).problems).toEqual(['Calico driver does not support the flag --internal.'])
  })
  test('a network without IPv4', () => {
    expect(generic({}, {'com.docker.network.enable_ipv4': false}).problems).toEqual(['--ipv4=false: a network without IPv4 is not supported.'])
  })
  test('what a later Docker may send, if it is set', () => {
    expect(generic({}, {'com.docker.network.new': {a: 1}, 'com.docker.network.empty': {}, 'com.docker.network.null': null}).problems).toEqual(['Calico driver does not support the flag com.docker.network.new.'])
  })
  test('IPv6 needs an MTU of 1280', () => {
    expect(generic({'com.docker.network.driver.mtu': '1279'}, {'com.docker.network.enable_ipv6': true}).problems).toEqual(['--opt com.docker.network.driver.mtu=1279: only numbers from 1280 to 65535 are allowed.'])
  })
  test('everything that is wrong is told together, the unknown by name and in order', () => {
    expect(generic({REJECT2: 'x', REJECT: 'x', ipip: 'maybe', profile: 'a b'}, {'com.docker.network.internal': true}).problems).toEqual([
      'Calico driver does not support the flags --internal, REJECT, REJECT2.',
      expect.stringContaining('--opt profile=a b: '),
      '--opt ipip=maybe: only true and false are allowed.',
    ])
  })
  test('names that objects have by nature are options like any other', () => {
    expect(readNetworkOptions(JSON.parse('{"com.docker.network.generic":{"__proto__":"x","constructor":"y"}}') as Record<string, unknown>).problems).toEqual(['Calico driver does not support the flags __proto__, constructor.'])
  })
})

describe('ignoredOptions: what an endpoint is asked for and does not get', () => {
  const recorded = {'com.docker.network.endpoint.exposedports': [], 'com.docker.network.portmap': [], 'com.docker.network.endpoint.macaddress': 'AhEiM0RV'}
  test.each<[Record<string, unknown> | null, boolean, readonly string[]]>([
    [null, true, []],
    [recorded, true, []],
    [{...recorded, 'com.docker.network.portmap': [{Proto: 6, Port: 80, HostPort: 8080}]}, false, []],
    [{...recorded, 'com.docker.network.portmap': [{Proto: 6, Port: 80, HostPort: 8080}]}, true, ['Docker publishes no ports (-p) of containers in Calico networks; they are reached at their own addresses.']],
    [{...recorded, 'com.docker.network.endpoint.ifname': 'eth7'}, true, ["Calico driver does not support the endpoint's option com.docker.network.endpoint.ifname."]],
    [{...recorded, weight: '3', colour: 'red', none: ''}, true, ["Calico driver does not support the endpoint's options colour, weight."]],
  ])('%j, of Calico %p', (options, fromCalico, expected) => expect(ignoredOptions(options, {fromCalico})).toEqual(expected))
})
