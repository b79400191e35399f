import {describe, expect, test} from '@jest/globals'
import {ageText} from '../../../../src/lib/views/mesos-gc.js'
import type {Endpoint} from '../../../../src/lib/client/endpoints.js'
import {whyGone} from '../../../../src/lib/mesos/agent/gone.js'
import {linksOf, namespacesIn} from '../../../../src/lib/mesos/agent/links.js'

const VETHS = [{ifname: 'cali1', link_netnsid: 0}, {ifname: 'cali2', link_netnsid: 7}, {ifname: 'cali3', link: 'tmp3'}, {ifname: 'cali4'}]
const endpoint = (interfaceName?: string): Endpoint => ({stored: {resource: {spec: interfaceName === undefined ? {} : {interfaceName}}}}) as unknown as Endpoint
const there = (name: string): boolean => name !== 'cali0'

describe('whose container is gone', () => {
  test.each([
    ['cali0', 'its interface cali0 is missing'],
    ['cali1', undefined],
    ['cali2', 'no process uses the network namespace that its interface cali2 leads to'],
    ['cali3', 'its interface cali3 leads to no container'],
    ['cali4', undefined],
    ['eth0', undefined],
    [undefined, undefined],
  ])('%s: %s', (name, reason) => expect(whyGone(endpoint(name), linksOf(VETHS, new Set([0]), there))).toBe(reason))
  test('who cannot see the processes judges by the interface alone', () => {
    const links = linksOf(VETHS, undefined, there)
    expect(['cali0', 'cali1', 'cali2', 'cali3'].map((name) => whyGone(endpoint(name), links))).toEqual(['its interface cali0 is missing', undefined, undefined, 'its interface cali3 leads to no container'])
  })
})

test.each([
  ['{"namespaces": [{"netnsid": "unassigned", "nprocs": 9}, {"netnsid": "0", "nprocs": 1}, {"netnsid": 3, "nprocs": "2"}, {"netnsid": "4", "nprocs": 0}]}', [0, 3]],
  ['{"namespaces": []}', []],
  ['{}', undefined],
  ['lsns: bad', undefined],
  ['null', undefined],
  ['{"namespaces": [null, 7, {"netnsid": {"toString": 1}, "nprocs": 1}, {"netnsid": 2, "nprocs": 1}]}', [2]],
])('lsns: %s', (text, ids) => expect(namespacesIn(text)).toEqual(ids && new Set(ids)))

test.each([[0, '< 1m'], [59_999, '< 1m'], [60_000, '1m'], [3_600_000 * 2 + 300_000, '2h 5m'], [86_400_000 * 3 + 3_600_000 * 4, '3d 4h']])('the age %d ms', (ms, text) => expect(ageText('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:00Z') + ms)).toBe(text))
test('no age', () => expect([ageText(undefined, 0), ageText('x', 0)]).toEqual(['', '']))
