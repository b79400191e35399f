import {execFileSync} from 'node:child_process'
import {appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {appendLines, rotateFile} from '../../../src/lib/files/append.js'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-append-'))
  path = join(folder, 'log')
})
afterEach(() => rmSync(folder, {recursive: true}))

const append = (lines: string): void => appendLines(path, Buffer.from(lines), 0o600)
const text = (name = 'log'): string => readFileSync(join(folder, name), 'utf8')

test('lines are added; the file is made with its mode', () => {
  append('a\n')
  append('b\nc\n')
  expect(text()).toBe('a\nb\nc\n')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a file that others may read is made private', () => {
  writeFileSync(path, 'a\n', {mode: 0o644})
  append('b\n')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('half a line of another stays one by itself', () => {
  writeFileSync(path, 'a\nhal')
  append('b\n')
  expect(text()).toBe('a\nhal\nb\n')
})

test.each<[string, () => void, string]>([
  ['a folder', () => mkdirSync(path), 'EISDIR'],
  ['a symbolic link', () => symlinkSync('/dev/null', path), 'ELOOP'],
  ['a pipe, without waiting for a reader', () => void execFileSync('mkfifo', [path]), 'ENOTREGULAR'],
])('%s is refused', (_, make, code) => {
  make()
  expect(() => append('a\n')).toThrow(expect.objectContaining({code}))
})

test('a file that would be too large is put aside, and three of those before are kept', async () => {
  for (const line of ['1', '2', '3', '4', '5', '6']) {
    await rotateFile(path, {largest: 3, added: 2, keep: 3})
    append(`${line}\n`)
  }
  expect([text(), text('log.1'), text('log.2'), text('log.3')]).toEqual(['6\n', '5\n', '4\n', '3\n'])
  expect(existsSync(`${path}.4`)).toBe(false)
  expect(existsSync(`${path}.lock`)).toBe(false)
})

test('what fits stays, and what is too large by itself stands alone', async () => {
  writeFileSync(path, 'ab\n')
  await rotateFile(path, {largest: 5, added: 2, keep: 3})
  expect(text()).toBe('ab\n')
  await rotateFile(path, {largest: 5, added: 100, keep: 3})
  expect(existsSync(path)).toBe(false)
  await rotateFile(path, {largest: 5, added: 100, keep: 3})
  expect(text('log.1')).toBe('ab\n')
})

test('what is its writer\'s alone stays, whatever it grows to', async () => {
  append('abcdef\n')
  expect(await rotateFile(path, {largest: 5, added: 2, keep: 3, alone: 7})).toBe(false)
  append('other\n')
  expect(await rotateFile(path, {largest: 5, added: 2, keep: 3, alone: 7})).toBe(true)
  expect(text('log.1')).toBe('abcdef\nother\n')
})

test('two that rotate at once put one file aside', async () => {
  writeFileSync(path, 'old\n')
  await Promise.all([1, 2, 3].map(() => rotateFile(path, {largest: 3, added: 1, keep: 3})))
  expect(text('log.1')).toBe('old\n')
  expect(existsSync(`${path}.2`)).toBe(false)
})

test('while another one holds the lock nothing is rotated, and nobody waits for ever', async () => {
  writeFileSync(path, 'old\n')
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  // In another pid namespace: it is never taken for gone.
  writeFileSync(`${path}.lock`, `${process.pid} ${started} 1`)
  await rotateFile(path, {largest: 3, added: 1, keep: 3})
  appendFileSync(path, 'new\n')
  expect(text()).toBe('old\nnew\n')
})
