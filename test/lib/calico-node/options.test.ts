import {describe, expect, test} from '@jest/globals'
import {type RawOptions, readNodeOptions} from '../../../src/lib/calico-node/options.js'

function read(options: RawOptions, env: Record<string, string> = {}) {
  const problems: string[] = []
  return {options: readNodeOptions(options, env, (text) => problems.push(text)), problems}
}

test('nothing typed: v0.20\'s defaults, with today\'s image', () => {
  expect(read({})).toEqual({
    options: {
      ip: {type: 'detect', method: {type: 'autodetect'}, typed: false}, ip6: undefined, asNumber: undefined, image: 'quay.io/calico/node:v3.32.1',
      runtime: 'docker', logDirectory: '/var/log/calico', detach: true, networking: true, defaultPools: true,
    },
    problems: [],
  })
})

test('the main job\'s line', () => {
  expect(read({ip: '172.17.8.101', as: '64600'}).options).toMatchObject({ip: {type: 'given', address: {family: 4, value: 0xac110865n}, prefix: undefined}, asNumber: 64600})
})

test('a prefix, an address to be found, AS as HIGH.LOW', () => {
  expect(read({ip: '192.0.2.2/28', ip6: 'autodetect', as: '1.10'})).toMatchObject({options: {ip: {prefix: 28}, ip6: {type: 'detect', typed: true}, asNumber: 65546}, problems: []})
})

test('addresses at the ends of a network that are hosts\'', () => {
  expect(read({ip: '192.0.2.0/31', ip6: 'fd00::/127'}).problems).toEqual([])
  expect(read({ip: '192.0.2.0/23', ip6: 'fd00::1/64'}).problems).toEqual(['--ip: 192.0.2.0 cannot be a node\'s address: it is the address of the network itself 192.0.2.0/23.'])
})

test('v0.20\'s variables', () => {
  expect(read({}, {CALICO_NETWORKING: 'false', NO_DEFAULT_POOLS: 'TRUE'}).options).toMatchObject({networking: false, ip: undefined, defaultPools: false})
  expect(read({}, {CALICO_NETWORKING: 'true', NO_DEFAULT_POOLS: 'yes'}).options).toMatchObject({networking: true, defaultPools: true})
})

describe('wrong values', () => {
  test.each<[keyof RawOptions, string]>([
    ['ip', '1.2.3'], ['ip', 'foo'], ['ip', 'fd00::1'], ['ip', '0.0.0.0'], ['ip', '10.0.0.1/33'], ['ip', 'interface=('], ['ip6', '192.0.2.1'], ['ip6', 'fe80::1%eth0'],
    ['ip', '127.0.0.1'], ['ip', '127.1.2.3/8'], ['ip', '169.254.0.7'], ['ip', '224.0.0.5'], ['ip', '255.255.255.255'], ['ip', '240.0.0.1'], ['ip', '0.1.2.3'], ['ip', '192.0.2.0/24'], ['ip', '192.0.2.255/24'],
    ['ip', '192.0.2.1/0'], ['ip', '::ffff:192.0.2.1'], ['ip6', '::'], ['ip6', '::1'], ['ip6', 'fe80::1'], ['ip6', 'fe80::1/64'], ['ip6', 'ff02::1'], ['ip6', 'fd00::/64'], ['ip6', '::ffff:192.0.2.1'],
    ['as', '0'], ['as', 'foo'], ['as', '4294967296'], ['runtime', 'rkt'], ['runtime', 'podman'], ['detach', 'True'], ['log-dir', 'log'], ['log-dir', '/a:b'],
    ['node-image', '-x'], ['node-image', 'a b'],
  ])('--%s %s', (name, value) => {
    const {problems} = read({[name]: value})
    expect(problems).toEqual([expect.stringMatching(`^--${name}: `)])
  })

  test.each([['1.2.3', '1.2.0.3'], ['192.0.2/24', '192.0.2.0/24']])('the short form %s: the full one is named, %s', (text, full) => {
    expect(read({ip: text}).problems).toEqual([`--ip: '${text}' is not written in full: v0.20 read it as ${full}; if you mean that, write ${full}.`])
  })

  test('are all told together', () => {
    expect(read({ip: 'x', ip6: 'y', as: 'z', runtime: 'rkt', detach: '1', 'log-dir': 'a', 'node-image': '-x', libnetwork: true, 'libnetwork-image': '-y'}).problems).toHaveLength(8)
  })

  test('an empty option is none, and an empty variable unset', () => {
    const empty = {ip: '', ip6: '', as: '', 'node-image': '', runtime: '', 'log-dir': '', detach: '', 'libnetwork-image': ''}
    expect(read(empty)).toEqual(read({}))
    expect(read({}, {CALICO_NETWORKING: '', NO_DEFAULT_POOLS: ''})).toEqual(read({}))
  })
})

describe('the driver for Docker networks', () => {
  test('wanted, with an image or without', () => {
    expect(read({libnetwork: true})).toMatchObject({options: {libnetwork: {image: undefined}}, problems: []})
    expect(read({libnetwork: true, 'libnetwork-image': 'x/y:1', detach: 'true'})).toMatchObject({options: {libnetwork: {image: 'x/y:1'}}, problems: []})
    expect(read({}).options.libnetwork).toBeUndefined()
  })
  test('in the foreground, which v0.20 refused', () => expect(read({libnetwork: true, detach: 'false'})).toMatchObject({problems: [], options: {detach: false, libnetwork: {}}}))
  test.each<RawOptions>([{'libnetwork-image': '-x'}, {'libnetwork-image': 'x', runtime: 'none'}])('wrong: %j', (options) => {
    expect(read({libnetwork: true, ...options}).problems).toEqual([expect.stringMatching(/^--libnetwork-image: /)])
  })
})
