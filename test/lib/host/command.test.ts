import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {spawn} from 'node:child_process'
import {runCommand} from '../../../src/lib/host/command.js'
import {withHostLock} from '../../../src/lib/host/lock.js'
import {workloadMtu} from '../../../src/lib/host/mtu.js'

describe('running a program', () => {
  test('gives its stdout', async () => expect(await runCommand('echo', ['a', 'b'])).toBe('a b'))
  test('no shell reads the arguments', async () => expect(await runCommand('echo', ['$HOME; `id`'])).toBe('$HOME; `id`'))
  test('its environment is only ours', async () => {
    process.env.CALICOCTL_SECRET = 'x'
    expect(await runCommand('env', [])).not.toContain('CALICOCTL_SECRET')
    delete process.env.CALICOCTL_SECRET
  })
  test('a failure tells the exit code and what it said', async () => {
    await expect(runCommand('sh', ['-c', 'echo no luck >&2; exit 3'])).rejects.toMatchObject({kind: 'failed', details: ['no luck'], failure: {exitCode: 3}})
  })
  test('one that hangs is killed', async () => {
    await expect(runCommand('sleep', ['60'], {timeoutMs: 100})).rejects.toMatchObject({message: "'sleep 60' failed: it was not done within 0.1 s"})
  })
  test('one that is not there is told with its package', async () => {
    const {PATH} = process.env
    await expect(runCommand('no-such-program', [])).rejects.toMatchObject({kind: 'failed', message: "The program 'no-such-program' is not on this host"})
    expect(process.env.PATH).toBe(PATH)
  })
})

describe('the MTU of new interfaces', () => {
  let folder: string
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'calicoctl-mtu-'))))
  afterAll(() => rmSync(folder, {recursive: true}))
  test.each([['1450\n', 1450], ['0', undefined], ['99999', undefined], ['x', undefined], ['', undefined]])('%j → %j', (text, expected) => {
    writeFileSync(join(folder, 'mtu'), text)
    expect(workloadMtu(join(folder, 'mtu'))).toBe(expected)
  })
  test('no file', () => expect(workloadMtu(join(folder, 'nosuch'))).toBeUndefined())
})

describe('a lock of the host', () => {
  const name = `test-${process.pid}`
  test('one at a time', async () => {
    let inside = 0
    let most = 0
    await Promise.all(
      Array.from({length: 5}, () =>
        withHostLock(name, 'a test', async () => {
          most = Math.max(most, ++inside)
          await new Promise((resolve) => setTimeout(resolve, 10))
          inside--
        }),
      ),
    )
    expect(most).toBe(1)
  })
  test('patience ends, and the lock goes with its process', async () => {
    const child = spawn(process.execPath, ['-e', `require('net').createServer().listen('\\0calicoctl/${name}', () => console.log('held'))`], {stdio: ['ignore', 'pipe', 'inherit']})
    await new Promise((resolve) => child.stdout.once('data', resolve))
    await expect(withHostLock(name, 'a test', () => Promise.resolve(), {patienceMs: 100})).rejects.toMatchObject({kind: 'conflict'})
    child.kill('SIGKILL')
    await expect(withHostLock(name, 'a test', () => Promise.resolve('done'))).resolves.toBe('done')
  })
})
