import {expect, test} from '@jest/globals'
import fc from 'fast-check'
import {type Entry, fit, lastLines, parseSize} from '../../../src/lib/diagnostics/fit.js'
import {fileName} from '../../../src/lib/diagnostics/host-items.js'
import {collect} from '../../../src/lib/diagnostics/item.js'
import {archiveName} from '../../../src/lib/diagnostics/workspace.js'

const entry = (path: string, text: string, changed?: number): Entry => ({path, bytes: Buffer.from(text), ...(changed === undefined ? {} : {changed})})

test('logs are cut before anything else is dropped, the oldest first', () => {
  const {kept, dropped} = fit([entry('a', 'aaaa'), entry('new', '1\n2\n', 2), entry('old', '3\n4\n', 1), entry('b', 'b')], 11)
  expect(kept.map(({path, bytes, cut}) => [path, bytes.toString(), cut])).toEqual([['a', 'aaaa', undefined], ['new', '1\n2\n', undefined], ['old', '4\n', 2], ['b', 'b', undefined]])
  expect(dropped).toEqual([])
  expect(fit([entry('big', 'x'.repeat(20)), entry('small', 'y'), entry('log', 'z\n', 1)], 5)).toMatchObject({kept: [{path: 'small'}, {path: 'log'}], dropped: [{path: 'big'}]})
})
test('never more than allowed, and nothing is lost untold', () => {
  const entries = fc.array(fc.tuple(fc.string({maxLength: 40}), fc.option(fc.nat(), {nil: undefined})))
  fc.assert(fc.property(entries, fc.nat(200), (list, most) => {
    const all = list.map(([text, changed], i) => entry(String(i), text, changed))
    const {kept, dropped} = fit(all, most)
    expect(kept.reduce((sum, {bytes}) => sum + bytes.length, 0)).toBeLessThanOrEqual(most)
    expect(kept.length + dropped.length).toBe(all.length)
    for (const {path, bytes, cut = 0} of kept) expect(bytes.length + cut).toBe(all[Number(path)]?.bytes.length)
  }))
})
test('a log is cut between lines', () => {
  expect(lastLines(entry('x', 'ab\ncd\nef\n', 1), 6)).toMatchObject({bytes: Buffer.from('cd\nef\n'), cut: 3})
  expect(lastLines(entry('x', 'ab\ncd\nef\n', 1), 5)).toMatchObject({bytes: Buffer.from('ef\n'), cut: 6})
  expect(lastLines(entry('x', 'abcdef', 1), 3)).toMatchObject({bytes: Buffer.from(''), cut: 6})
})
test.each([['100MB', 1e8], ['500k', 5e5], ['1GiB', 2 ** 30], ['12', 12], ['1.5MB', undefined], ['MB', undefined], ['', undefined], ['-1', undefined], ['5XB', undefined], ['5toS', undefined]])('size %s', (text, bytes) => expect(parseSize(text)).toBe(bytes))
test('files are called as v0.20 called them', () => {
  expect(fileName(['journalctl', '-u', 'calico-node.service', '--no-pager'])).toBe('journalctl_-u_calico-nodeservice_--no-pager')
  expect(fileName(['ip', '-4', 'route'])).toBe('ip_-4_route')
  expect(archiveName(new Date(2026, 10, 5, 7, 8, 9))).toBe('diags-051126_070809.tar.gz')
})
test('an item that takes too long, or fails, is missing', async () => {
  expect(await collect({name: 'x', timeLimitMs: 10, collect: () => new Promise(() => undefined)})).toEqual({missing: 'it did not finish within 0.01 s'})
  expect(await collect({name: 'x', collect: () => Promise.reject(new Error('no'))})).toEqual({missing: 'no'})
})
