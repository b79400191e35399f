import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {raisedRoutes, type Route} from '../../../src/lib/host/container-network.js'
import {linkLocalIn} from '../../../src/lib/host/link-local.js'
import {hostInterfaceName, interfaceNameProblem} from '../../../src/lib/host/interfaces.js'
import {isInUnit} from '../../../src/lib/host/own-unit.js'
import {randomMac} from '../../../src/lib/host/mac.js'
import {requireNetworkAdministrator} from '../../../src/lib/host/privileges.js'

describe('default routes that step back', () => {
  const after = (metrics: readonly number[]): number[] => {
    const routes: Route[] = metrics.map((metric) => ({...(metric === 0 ? {} : {metric}), gateway: '172.18.0.1'}))
    const now = new Set(metrics)
    for (const {from, to} of raisedRoutes(routes)) {
      expect(now.has(to)).toBe(false)
      now.delete(from)
      now.add(to)
    }
    return [...now].sort((a, b) => a - b)
  }

  test.each([
    [[], []],
    [[0], [1]],
    [[5, 100], [5, 100]],
    [[0, 1, 7], [1, 2, 8]],
    [[0, 0xffff_fffe, 0xffff_ffff], [1, 0xffff_fffe, 0xffff_ffff]],
  ])('%j → %j', (before, expected) => expect(after(before)).toEqual(expected))

  test('our own route does not', () => expect(raisedRoutes([{gateway: '169.254.1.1'}])).toEqual([]))

  test('none is lost, none meets another, and 0 is free afterwards unless every metric above it is taken', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(fc.nat(6), fc.integer({min: 0xffff_fff0, max: 0xffff_ffff}))), (metrics) => {
        const result = after(metrics)
        expect(result).toHaveLength(metrics.length)
        expect(result).not.toContain(0)
      }),
    )
  })
})

describe('interface names', () => {
  test.each(['eth1', 'hello', 'a', 'abcdefghijklmno', 'eth0.100', 'net-1_x'])('%s', (name) => expect(interfaceNameProblem(name)).toBeUndefined())
  test.each(['', 'abcdefghijklmnop', 'a/b', '..', '.', 'a b', '-x', 'lo', 'all', 'default', 'ü', 'a\nb', 'a:1'])('not %j', (name) => expect(interfaceNameProblem(name)).toEqual(expect.any(String)))
  test('of an endpoint', () => expect(hostInterfaceName('0123456789abcdef0123456789abcdef')).toBe('cali0123456789a'))
})

test('MAC addresses are local, unicast and not the same', () => {
  const macs = Array.from({length: 100}, randomMac)
  for (const mac of macs) expect(mac).toMatch(/^02(:[0-9a-f]{2}){5}$/)
  expect(new Set(macs).size).toBe(100)
})

describe('rights', () => {
  const status = (mask: string) => `Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t${mask}\n`
  const check = (userId: number, mask: string) => () => requireNetworkAdministrator('container add', {userId, status: status(mask)})

  test('root with all of them', () => expect(check(0, '000001ffffffffff')).not.toThrow())
  test('not root', () => expect(check(1000, '000001ffffffffff')).toThrow('container add must be run as root'))
  test('root without CAP_NET_ADMIN', () => expect(check(0, '000001ffffffefff')).toThrow('container add needs CAP_NET_ADMIN, which'))
  test('root in a container', () => expect(check(0, '00000000a80425fb')).toThrow('container add needs CAP_NET_ADMIN and CAP_SYS_ADMIN'))
  test('the exit code', () => {
    try {
      check(0, '0')()
    } catch (error) {
      expect(error).toMatchObject({exitCode: 2})
    }
    expect.assertions(1)
  })
})

describe('the link-local address in /proc/net/if_inet6', () => {
  const TEXT = `00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000007 4d 80 00 82 cali0123456789a
fe80000000000000ecee00fffeeeeeee 4d 40 20 80 cali0123456789a
fe80000000000000000000000000000b 4e 40 20 c0 cali0123456789ab
`
  test.each([
    ['cali0123456789a', 'fe80::ecee:ff:feee:eeee'],
    ['cali0123456789ab', 'fe80::b'],
    ['lo', undefined],
    ['cali', undefined],
    ['', undefined],
  ])('%j: %s', (name, expected) => expect(linkLocalIn(TEXT, name)).toBe(expected))
})

describe('the unit that a process is part of', () => {
  test.each([
    ['0::/system.slice/calico-node.service\n', true],
    ['0::/system.slice/calico-node.service/control\n', true],
    ['12:pids:/system.slice/calico-node.service\n1:name=systemd:/system.slice/calico-node.service\n', true],
    ['0::/system.slice/my-calico-node.service\n', false],
    ['0::/user.slice/user-0.slice/session-1.scope\n', false],
    ['0::/\n', false],
    ['', false],
  ])('%j: %s', (text, expected) => expect(isInUnit(text, 'calico-node.service')).toBe(expected))
})
