import {execFileSync} from 'node:child_process'
import {chmodSync, chownSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {hostFiles} from '../../../../src/lib/mesos/agent/files.js'
import type {FileEdit} from '../../../../src/lib/mesos/agent/plan.js'
import {checkWritable, writeEdits} from '../../../../src/lib/mesos/agent/write.js'
import {type TestRoot, testRoot} from '../../../support/mesos-agent.js'

let root: TestRoot
beforeEach(() => {
  root = testRoot()
})
afterEach(() => root.remove())
const files = () => hostFiles(root.folder)
const link = (target: string, path: string): void => symlinkSync(target, join(root.folder, path))
const edit = (path: string, before: string | undefined, after: string, secret = false): FileEdit => ({path, before, after, secret})
const textOf = (path: string): string => readFileSync(join(root.folder, path), 'utf8')
const modeOf = (path: string): number => statSync(join(root.folder, path)).mode & 0o777
const asRoot = process.geteuid?.() === 0

describe('files below a root', () => {
  test('what is there, and what is not', () => {
    root.put('/etc/x', 'text', 0o750)
    expect(files().read('/etc/x')).toEqual({state: 'file', text: 'text', mode: 0o750})
    expect(files().kind('/etc/x')).toEqual({type: 'file', executable: true, target: '/etc/x'})
    expect(files().read('/etc/y')).toEqual({state: 'missing'})
    expect(files().read('/etc/x/y')).toEqual({state: 'missing'})
    expect(files().read('/etc')).toMatchObject({state: 'unreadable', why: 'it is a folder'})
    expect(files().list('/etc')).toEqual(['x'])
    expect(files().list('/gone')).toEqual([])
    expect(files().head('/etc/x', 2)?.toString()).toBe('te')
    expect(files().head('/gone', 2)).toBeUndefined()
  })
  test('bytes that would not survive being written again', () => {
    writeFileSync(join(root.folder, 'latin'), Buffer.from([0x23, 0xe4, 0x0a]))
    expect(files().read('/latin')).toEqual({state: 'unreadable', why: 'it is not UTF-8 text', denied: false})
  })
  test('what is not a file of a set-up: a pipe that nobody writes to, a file that is too large', () => {
    execFileSync('mkfifo', [join(root.folder, 'pipe')])
    expect(files().read('/pipe')).toEqual({state: 'unreadable', why: 'it is not a regular file', denied: false})
    expect(files().head('/pipe', 4)).toBeUndefined()
    root.put('/large', '')
    truncateSync(join(root.folder, 'large'), 4 * 1024 * 1024)
    expect(files().read('/large').state).toBe('file')
    truncateSync(join(root.folder, 'large'), 4 * 1024 * 1024 + 1)
    expect(files().read('/large')).toEqual({state: 'unreadable', why: 'it has more than 4 MiB', denied: false})
  })
  test('why a folder is not listed', () => {
    root.put('/etc/x', '')
    expect([files().whyNotListed('/etc'), files().whyNotListed('/gone'), files().whyNotListed('/etc/x')]).toEqual([undefined, undefined, 'it is not a folder'])
  })
  test('absolute links stay below it, and none leads out', () => {
    root.put('/data/real', 'mine')
    root.put('/etc/x', 'x')
    link('/data/real', 'etc/link')
    link('../../../../../../../../etc/passwd', 'etc/out')
    link('/data', 'etc/folder')
    link('loop', 'etc/loop')
    expect(files().read('/etc/link')).toMatchObject({text: 'mine'})
    expect(files().kind('/etc/folder/real')).toMatchObject({type: 'file', target: '/data/real'})
    expect(files().read('/etc/out')).toEqual({state: 'missing'})
    expect(files().read('/etc/../../../../etc/passwd')).toEqual({state: 'missing'})
    expect(files().read('/etc/loop')).toMatchObject({state: 'unreadable'})
  })
  test('this host itself', () => expect(hostFiles('/')).toMatchObject({root: ''}))
})

describe('writing', () => {
  test('mode and owner stay; new files are for all to read, with a password for the owner alone', async () => {
    root.put('/a', 'old', 0o640)
    if (asRoot) chownSync(join(root.folder, 'a'), 12, 34)
    const edits = [edit('/a', 'old', 'new'), edit('/deep/er/b', undefined, 'b'), edit('/c', undefined, 'c', true)]
    checkWritable(files(), edits)
    const told: string[] = []
    await writeEdits(files(), edits, ({path}) => told.push(path))
    expect(told).toEqual(['/a', '/deep/er/b', '/c'])
    expect([textOf('a'), textOf('deep/er/b'), textOf('c')]).toEqual(['new', 'b', 'c'])
    expect([modeOf('a'), modeOf('deep/er/b'), modeOf('c')]).toEqual([0o640, 0o644, 0o600])
    if (asRoot) expect(statSync(join(root.folder, 'a'))).toMatchObject({uid: 12, gid: 34})
  })
  test('a link stays a link', async () => {
    root.put('/data/real', 'old')
    root.put('/etc/x', '')
    link('/data/real', 'etc/link')
    await writeEdits(files(), [edit('/etc/link', 'old', 'new')], () => undefined)
    expect(lstatSync(join(root.folder, 'etc/link')).isSymbolicLink()).toBe(true)
    expect(textOf('data/real')).toBe('new')
  })
  test('not through a folder of an image that was exchanged for a link out of it', async () => {
    root.put('/etc/x', '')
    root.put('/host/keep', 'mine')
    const exchanged = {...hostFiles(join(root.folder, 'image')), locate: () => join(root.folder, 'image/etc/x')}
    root.put('/image/keep', '')
    symlinkSync(join(root.folder, 'host'), join(root.folder, 'image/etc'))
    await expect(writeEdits(exchanged, [edit('/etc/x', undefined, 'new')], () => undefined)).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('symbolic link') as unknown})
    expect(readdirSync(join(root.folder, 'host'))).toEqual(['keep'])
  })
  test('over what was seen only: else nothing is written', async () => {
    root.put('/a', 'a')
    root.put('/b', 'changed')
    await expect(writeEdits(files(), [edit('/a', 'a', 'new'), edit('/b', 'b', 'new')], () => undefined)).rejects.toMatchObject({kind: 'conflict'})
    await expect(writeEdits(files(), [edit('/a', undefined, 'new')], () => undefined)).rejects.toMatchObject({kind: 'conflict'})
    expect(textOf('a')).toBe('a')
  })
  test('a password does not go where everybody reads', () => {
    root.put('/a', '', 0o644)
    expect(() => checkWritable(files(), [edit('/a', '', 'p', true)])).toThrow(expect.objectContaining({kind: 'refused'}))
    chmodSync(join(root.folder, 'a'), 0o640)
    expect(() => checkWritable(files(), [edit('/a', '', 'p', true)])).not.toThrow()
  })
  test('a folder that is none: before anything is written', () => {
    root.put('/a', '')
    expect(() => checkWritable(files(), [edit('/a/b', undefined, 'x')])).toThrow(/is not a folder/)
  })
  test('half done is said', async () => {
    root.put('/a', 'a')
    root.put('/f', '')
    await expect(writeEdits(files(), [edit('/a', 'a', 'new'), edit('/f/b', undefined, 'x')], () => undefined)).rejects.toMatchObject({kind: 'unknown', message: expect.stringContaining('Written before it: /a') as unknown})
  })
})
