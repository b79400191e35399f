import {execFileSync, spawn} from 'node:child_process'
import {once} from 'node:events'
import {chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {mkdir, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {buildSync} from 'esbuild'
import {runCommand} from '../../../src/lib/host/command.js'
import {withHostLock} from '../../../src/lib/host/lock.js'
import {workloadMtu} from '../../../src/lib/host/mtu.js'

const isGone = (pid: number): boolean => {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resume) => setTimeout(resume, 20))
}

describe('running a program', () => {
  let folder: string
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'calicoctl-command-'))))
  afterAll(() => rmSync(folder, {recursive: true}))
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
    await expect(runCommand('sleep', ['60'], {timeoutMs: 100})).rejects.toMatchObject({message: "'sleep 60' failed: it did not finish within 0.1 s"})
  })
  test('the time limit ends those that it started too, and waits for nobody who holds its output', async () => {
    const pids = join(folder, 'pids')
    const program = `sleep 120 & echo $! >${pids}; setsid sleep 120 & echo $! >>${pids}; wait`
    const start = performance.now()
    await expect(runCommand('sh', ['-c', program], {timeoutMs: 5_000})).rejects.toMatchObject({message: expect.stringContaining('it did not finish within 5 s') as unknown})
    expect(performance.now() - start).toBeLessThan(60_000)
    const [child = 0, escaped = 0] = readFileSync(pids, 'utf8').trim().split('\n').map(Number)
    await until(() => isGone(child))
    process.kill(escaped, 'SIGKILL')
  })
  test.each([[0, 'resolves'], [3, 'rejects']])('one that ends with %i and leaves somebody with its output behind is waited for no longer', async (code, how) => {
    const start = performance.now()
    const outcome = await runCommand('sh', ['-c', `sleep 120 & echo $!; exit ${code}`], {timeoutMs: 100_000}).then((text) => ({how: 'resolves', text}), (error: unknown) => ({how: 'rejects', text: String(error)}))
    expect(outcome).toMatchObject({how, text: expect.stringMatching(code === 0 ? /^\d+$/ : /exit code 3/) as unknown})
    expect(performance.now() - start).toBeLessThan(60_000)
    if (code === 0) process.kill(Number(outcome.text), 'SIGKILL') // it lives on
  })
  test('what runs ends with us', async () => {
    const pids = join(folder, 'orphan')
    const module = resolve(import.meta.dirname, '../../../src/lib/host/command.ts')
    const bundle = join(folder, 'command.mjs')
    buildSync({entryPoints: [module], outfile: bundle, bundle: true, platform: 'node', format: 'esm', logLevel: 'error', banner: {js: "import {createRequire} from 'node:module'; const require = createRequire(import.meta.url)"}})
    execFileSync(process.execPath, ['--input-type=module', '-e', `
      import {existsSync} from 'node:fs'
      import {runCommand} from ${JSON.stringify(bundle)}
      void runCommand('sh', ['-c', 'sleep 60 & echo $! >${pids}.new; mv ${pids}.new ${pids}; wait'], {timeoutMs: 50_000})
      setInterval(() => existsSync(${JSON.stringify(pids)}) && process.exit(0), 20)`])
    await until(() => isGone(Number(readFileSync(pids, 'utf8'))))
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
  const namespace = /\[(\d+)\]/.exec(readlinkSync('/proc/self/ns/pid'))?.[1] ?? ''
  let parent: string
  let folder: string
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'calicoctl-locks-'))
    folder = join(parent, 'locks')
  })
  afterEach(() => rmSync(parent, {recursive: true}))
  test('one at a time', async () => {
    let inside = 0
    let most = 0
    await Promise.all(
      Array.from({length: 5}, () =>
        withHostLock(name, 'a test', async () => {
          most = Math.max(most, ++inside)
          await new Promise((resolve) => setTimeout(resolve, 10))
          inside--
        }, {folder}),
      ),
    )
    expect(most).toBe(1)
  })
  test('patience ends, and the lock goes with its process', async () => {
    const child = spawn('sleep', ['60'], {stdio: 'ignore'})
    await once(child, 'spawn')
    const started = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]
    await mkdir(folder, {mode: 0o700})
    await writeFile(join(folder, `${name}.lock`), `${child.pid} ${started} ${namespace}`)
    await expect(withHostLock(name, 'a test', () => Promise.resolve(), {patienceMs: 50, folder})).rejects.toMatchObject({kind: 'conflict', message: `Another process (${child.pid}) has locked a test for 0.05 s`})
    child.kill('SIGKILL')
    await once(child, 'exit')
    await expect(withHostLock(name, 'a test', () => Promise.resolve('done'), {folder})).resolves.toBe('done')
    expect(readdirSync(folder)).toEqual([])
  })
  test('one of another pid namespace stays, and is named', async () => {
    await mkdir(folder, {mode: 0o700})
    await writeFile(join(folder, `${name}.lock`), `4194304000 1 ${namespace}1`)
    await expect(withHostLock(name, 'a test', () => Promise.resolve(), {patienceMs: 50, folder})).rejects.toMatchObject({kind: 'conflict', hint: expect.stringContaining(`rm ${join(folder, `${name}.lock`)}`)})
    expect(readdirSync(folder)).toEqual([`${name}.lock`])
  })
  test('its folder is made for its owner alone, whatever the umask; one that others may enter is refused', async () => {
    const before = process.umask(0)
    try {
      expect(await withHostLock('endpoint/0af', 'a test', () => Promise.resolve(readdirSync(folder)), {folder})).toEqual(['endpoint.0af.lock'])
    } finally {
      process.umask(before)
    }
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    chmodSync(folder, 0o755)
    await expect(withHostLock(name, 'a test', () => Promise.resolve(), {folder})).rejects.toMatchObject({kind: 'failed', hint: expect.stringContaining('chmod 700')})
  })
})
