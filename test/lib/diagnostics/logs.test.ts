/** The copier of log files, against what a container may put into its log folder. */
import {execFileSync} from 'node:child_process'
import {chmodSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {openFolder, readBeneath} from '../../../src/lib/diagnostics/beneath.js'
import {copyLogs, type CopiedLogs} from '../../../src/lib/diagnostics/logs.js'
import {NO_SECRETS} from '../../../src/lib/redact.js'

let folder: string
let logs: string
let outside: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-logs-'))
  logs = join(folder, 'logs')
  outside = join(folder, 'outside')
  mkdirSync(join(logs, 'felix'), {recursive: true})
  mkdirSync(outside)
  writeFileSync(join(outside, 'shadow'), 'root:SECRET-OUTSIDE\n')
  writeFileSync(join(logs, 'felix/current'), 'one\ntwo\n')
})
afterEach(() => rmSync(folder, {recursive: true, force: true}))

const copy = (most = 1e6): Promise<CopiedLogs> => copyLogs(logs, {secrets: NO_SECRETS, most})
const texts = ({entries}: CopiedLogs): Record<string, string> => Object.fromEntries(entries.map(({path, bytes}) => [path, bytes.toString()]))

test('regular files in all folders, but none called lock', async () => {
  mkdirSync(join(logs, 'a/b'), {recursive: true})
  writeFileSync(join(logs, 'a/b/main.log'), 'x\n')
  writeFileSync(join(logs, 'felix/lock'), '')
  const found = await copy()
  expect(texts(found)).toEqual({'logs/felix/current': 'one\ntwo\n', 'logs/a/b/main.log': 'x\n'})
  expect(found.leftOut).toEqual([])
})
test('bytes that are no UTF-8 stay as they are', async () => {
  writeFileSync(join(logs, 'felix/current'), Buffer.from([0xff, 0xe9, 0x0a]))
  expect((await copy()).entries[0]?.bytes).toEqual(Buffer.from([0xff, 0xe9, 0x0a]))
})
test('links, pipes, sockets, devices, files with further names and what is not a string are left out', async () => {
  symlinkSync(join(outside, 'shadow'), join(logs, 'link'))
  symlinkSync(outside, join(logs, 'folderlink'))
  linkSync(join(outside, 'shadow'), join(logs, 'hard'))
  execFileSync('mknod', [join(logs, 'pipe'), 'p'])
  writeFileSync(join(logs, 'binary'), Buffer.from([1, 0, 2]))
  const server = createServer().listen(join(logs, 'socket'))
  await new Promise((resolve) => server.once('listening', resolve))
  const device = process.geteuid?.() === 0
  if (device) execFileSync('mknod', [join(logs, 'device'), 'c', '1', '5']) // /dev/zero has no end
  const found = await copy()
  server.close()
  expect(Object.keys(texts(found))).toEqual(['logs/felix/current'])
  expect(found.leftOut.filter(({failed}) => failed)).toEqual([])
  expect(Object.fromEntries(found.leftOut.map(({path, why}) => [path.join('/'), why]))).toEqual({
    link: 'a link', folderlink: 'a link', hard: 'a file with several names', pipe: 'not a regular file', socket: 'not a regular file', binary: 'not a text', ...(device ? {device: 'not a regular file'} : {}),
  })
})
test('the folder itself may not be a link; one that is not there is none', async () => {
  symlinkSync(outside, join(folder, 'way'))
  await expect(copyLogs(join(folder, 'way'), {secrets: NO_SECRETS, most: 1e6})).rejects.toThrow('is a symbolic link, or not a folder')
  expect(await copyLogs(join(folder, 'none'), {secrets: NO_SECRETS, most: 1e6})).toEqual({exists: false, entries: [], leftOut: []})
})

describe('what is swapped between the look and the copy does not lead out', () => {
  const swapped = async (swap: () => void): Promise<unknown> => {
    const root = await openFolder(logs)
    try {
      swap()
      return await readBeneath(root, ['felix', 'current'], 1e6).then(({bytes}) => bytes.toString(), (error: unknown) => error)
    } finally {
      await root.close()
    }
  }
  beforeEach(() => writeFileSync(join(outside, 'current'), 'SECRET-OUTSIDE'))
  test('a file for a link', async () => {
    expect(await swapped(() => {
      rmSync(join(logs, 'felix/current'))
      symlinkSync(join(outside, 'shadow'), join(logs, 'felix/current'))
    })).toMatchObject({code: 'ELOOP'})
  })
  test('a folder for a link', async () => {
    expect(await swapped(() => {
      renameSync(join(logs, 'felix'), join(logs, 'was'))
      symlinkSync(outside, join(logs, 'felix'))
    })).toMatchObject({code: expect.stringMatching(/ELOOP|ENOTDIR/) as unknown})
  })
  test('a file for a pipe, which nobody writes to', async () => {
    expect(await swapped(() => {
      rmSync(join(logs, 'felix/current'))
      execFileSync('mknod', [join(logs, 'felix/current'), 'p'])
    })).toMatchObject({message: 'not a regular file'})
  })
  test('the log folder itself for a link: it stays the folder that was opened', async () => {
    expect(await swapped(() => {
      renameSync(logs, join(folder, 'was'))
      symlinkSync(outside, logs)
    })).toBe('one\ntwo\n')
  })
  test('all the time, while it is copied', async () => {
    const script = 'cd "$1"; while [ -e run ]; do mv felix was; ln -s "$2" felix; rm felix; mv was felix; done'
    writeFileSync(join(logs, 'run'), '')
    const {spawn} = await import('node:child_process')
    const swapper = spawn('sh', ['-c', script, 'sh', logs, outside], {stdio: 'ignore'})
    const ended = new Promise((resolve) => swapper.once('exit', resolve))
    for (let i = 0; i < 100; i++) expect(Object.values(texts(await copy())).join()).not.toContain('SECRET-OUTSIDE')
    rmSync(join(logs, 'run'))
    await ended
  })
})

describe('size', () => {
  test('the newest first, cut from the oldest end, in whole lines', async () => {
    writeFileSync(join(logs, 'old'), 'old line\n'.repeat(100))
    utimesSync(join(logs, 'old'), 1_000, 1_000)
    const found = await copy(44)
    expect(texts(found)).toEqual({'logs/felix/current': 'one\ntwo\n', 'logs/old': 'old line\n'.repeat(3)})
    expect(found.entries.find(({path}) => path === 'logs/old')?.cut).toBe(873)
  })
  test('a huge file with holes costs nothing', async () => {
    truncateSync(join(logs, 'felix/current'), 1e12)
    expect((await copy()).leftOut).toEqual([{path: ['felix', 'current'], why: 'not a text', failed: false}])
  })
  test('a secret that is cut in two goes', async () => {
    writeFileSync(join(logs, 'felix/current'), `password: aaaa-verylongsecret-bbbb\nnext\n`)
    expect(texts(await copy(20))['logs/felix/current']).toBe('next\n')
  })
  test('a file that cannot be opened is missing', async () => {
    if (process.geteuid?.() === 0) return
    chmodSync(join(logs, 'felix/current'), 0)
    expect((await copy()).leftOut).toMatchObject([{failed: true}])
  })
})
