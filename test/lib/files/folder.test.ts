import {execFileSync, spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {makeFolder} from '../../../src/lib/files/folder.js'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'calicoctl-folder-'))))
afterEach(() => rmSync(folder, {recursive: true}))
const at = (name: string): string => join(folder, name)
const modeOf = (name: string): number => statSync(at(name)).mode & 0o7777

test.each([0, 0o022, 0o077])('those above it too, with modes that umask %o does not change', (mask) => {
  const before = process.umask(mask)
  try {
    makeFolder(at('a/b/c'), {mode: 0o700, parents: 0o755})
    makeFolder(at('d/e'))
  } finally {
    process.umask(before)
  }
  expect(['a', 'a/b', 'a/b/c', 'd', 'd/e'].map(modeOf)).toEqual([0o755, 0o755, 0o700, 0o755, 0o755])
})

test('one that is there stays as it is, also behind a link', () => {
  mkdirSync(at('a'), {mode: 0o711})
  symlinkSync(at('a'), at('link'))
  makeFolder(at('a'))
  makeFolder(at('link/b'))
  expect(modeOf('a')).toBe(0o711)
  expect(existsSync(at('a/b'))).toBe(true)
})

test.each([
  ['/proc/x/y', '/proc/x: the file system does not allow folders there'],
  ['/proc/self/fd/x/y', '/proc/self/fd/x: '],
  ['FOLDER/file/x', 'its parent is not a folder'],
  ['FOLDER/file', 'a file with this name exists'],
  ['FOLDER/nothing/x', '/nothing: a dangling symbolic link with this name exists'],
])('%s: %s', (path, why) => {
  writeFileSync(at('file'), '')
  symlinkSync(at('nosuch'), at('nothing'))
  const wanted = path.replace('FOLDER', folder)
  expect(() => makeFolder(wanted)).toThrow(expect.objectContaining({kind: 'failed', message: expect.stringMatching(new RegExp(`^The folder ${wanted} cannot be created: .*${why}`)) as unknown}))
})

test('no recursive mkdir is left in the source: Node goes round in it for ever', () => {
  const {stdout, status} = spawnSync('grep', ['-rnE', 'mkdir(Sync)?\\(.*recursive', 'src', 'bin'], {encoding: 'utf8'})
  expect({stdout, status}).toEqual({stdout: '', status: 1})
  expect(execFileSync('grep', ['-rlE', 'mkdirSync', 'src'], {encoding: 'utf8'})).toBe('src/lib/files/folder.ts\n')
})
