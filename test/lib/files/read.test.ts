import {execFileSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {fileReason, LARGEST_SETTING, othersMayRead, readTextFile} from '../../../src/lib/files/read.js'

let folder: string
const at = (name: string): string => join(folder, name)
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-read-'))
  writeFileSync(at('file'), 'text', {mode: 0o644})
  writeFileSync(at('empty'), '', {mode: 0o640})
  writeFileSync(at('large'), Buffer.alloc(LARGEST_SETTING + 1, 'x'))
  symlinkSync(at('file'), at('link'))
  symlinkSync(at('pipe'), at('to-pipe'))
  mkdirSync(at('folder'))
  execFileSync('mkfifo', [at('pipe')])
})
afterAll(() => rmSync(folder, {recursive: true}))

test.each([['file', 'text'], ['empty', ''], ['link', 'text']])('%s', (name, text) => expect(readTextFile(at(name))).toBe(text))
test('a file of /proc, which says that it has no bytes', () => expect(readTextFile('/proc/self/status')).toContain('Name:'))

test.each([
  ['folder', 'it is a folder'],
  ['pipe', 'it is not a regular file'],
  ['to-pipe', 'it is not a regular file'],
  ['large', 'it has more than 4 MiB'],
  ['nosuch', 'there is no such file'],
])('%s: %s, at once', (name, why) => {
  let reason = ''
  try {
    readTextFile(at(name))
  } catch (error) {
    reason = fileReason(error)
  }
  expect(reason).toBe(why)
})
test.each(['/dev/zero', '/dev/null', '/dev/tty'])('%s is not opened', (device) => expect(() => readTextFile(device)).toThrow('it is not a regular file'))
test('what only seems to have no bytes is bounded too', () => expect(() => readTextFile('/proc/self/status', {largest: 10})).toThrow('more than 10 bytes'))
test('a link is refused where none may be', () => expect(() => readTextFile(at('link'), {noLinks: true})).toThrow('symbolic link'))
test('whether others may read it', () => expect(['file', 'empty', 'nosuch'].map((name) => othersMayRead(at(name)))).toEqual([true, false, false]))
