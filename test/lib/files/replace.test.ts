import {lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {replaceFile} from '../../../src/lib/files/replace.js'
import {smallDisk, type SmallDisk} from '../../support/small-disk.js'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'calicoctl-replace-'))))
afterEach(() => rmSync(folder, {recursive: true}))

const at = (name: string): string => join(folder, name)
const modeOf = (name: string): number => lstatSync(at(name)).mode & 0o7777

test.each([0, 0o022, 0o077])('the mode is what it shall be under umask %o', async (mask) => {
  const before = process.umask(mask)
  try {
    await replaceFile(at('secret'), 'x', {mode: 0o600})
    await replaceFile(at('open'), 'x', {mode: 0o644})
    await replaceFile(at('new'), 'x')
  } finally {
    process.umask(before)
  }
  expect([modeOf('secret'), modeOf('open'), modeOf('new')]).toEqual([0o600, 0o644, 0o644])
})

test('without a mode, that of the file that is there stays, and its owner', async () => {
  writeFileSync(at('a'), 'old', {mode: 0o640})
  await replaceFile(at('a'), 'new')
  expect([readFileSync(at('a'), 'utf8'), modeOf('a'), readdirSync(folder)]).toEqual(['new', 0o640, ['a']])
})

test('a symbolic link in its place is replaced, what it leads to is not', async () => {
  writeFileSync(at('victim'), 'mine')
  symlinkSync(at('victim'), at('a'))
  await replaceFile(at('a'), 'new')
  expect([readFileSync(at('victim'), 'utf8'), lstatSync(at('a')).isFile(), modeOf('a')]).toEqual(['mine', true, 0o644])
})

test('a folder in its place is an error, and nothing is left beside it', async () => {
  mkdirSync(at('a'))
  await expect(replaceFile(at('a'), 'new')).rejects.toMatchObject({code: 'EISDIR'})
  expect(readdirSync(folder)).toEqual(['a'])
})

describe('below a root', () => {
  test('no step may be a link', async () => {
    mkdirSync(at('image/etc'), {recursive: true})
    mkdirSync(at('host'))
    await replaceFile(at('image/etc/a'), 'x', {beneath: at('image')})
    expect(readFileSync(at('image/etc/a'), 'utf8')).toBe('x')
    rmSync(at('image/etc'), {recursive: true})
    symlinkSync(at('host'), at('image/etc'))
    await expect(replaceFile(at('image/etc/a'), 'x', {beneath: at('image')})).rejects.toThrow('etc: it is a symbolic link')
    await expect(replaceFile(at('host/a'), 'x', {beneath: at('image')})).rejects.toThrow('is not below')
    expect(readdirSync(at('host'))).toEqual([])
  })
  test('the root may be the host itself', async () => {
    await replaceFile(at('a'), 'x', {beneath: ''})
    expect(readFileSync(at('a'), 'utf8')).toBe('x')
  })
})

describe('on a full disk', () => {
  let disk: SmallDisk | undefined
  beforeEach(() => void (disk = smallDisk()))
  afterEach(() => disk?.remove())
  test.each([0, 4096])('with %d bytes left: ENOSPC, the old file untouched, nothing beside it', async (left) => {
    if (!disk) return
    const path = join(disk.folder, 'a')
    const old = 'old '.repeat(1000)
    await replaceFile(path, old, {mode: 0o600})
    disk.fill(left)
    await expect(replaceFile(path, 'new '.repeat(5000))).rejects.toMatchObject({code: 'ENOSPC'})
    expect(readFileSync(path, 'utf8')).toBe(old)
    expect(readdirSync(disk.folder).sort()).toEqual(['a', 'filler'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
})
