/** --confirm-within and `confirm` as a user meets them. Each test waits for what the timer's process does to the store. */
import {spawn} from 'node:child_process'
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {CALICOCTL, startCalicoctl, type Result} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {startProxy} from '../support/proxy.js'
import {calicoctl} from '../support/warm.js'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'calicoctl-confirm-'))))
afterEach(() => {
  for (const {timer} of waiting()) if (timer) kill(Number(timer.pid))
  rmSync(folder, {recursive: true, force: true})
})

const embedded = (name = 'store'): Record<string, string> => ({CALICO_DATASTORE: `embedded:${join(folder, `${name}.json`)}`})
let store: () => Record<string, string> = embedded
type Env = Readonly<Record<string, string>>
const environment = (env: Env): Env => ({XDG_STATE_HOME: folder, ...store(), ...env})
const run = (line: string, env: Env = {}): Promise<Result> => calicoctl(line.split(' '), {env: environment(env)})
async function ok(line: string, env: Env = {}): Promise<string> {
  const {code, stdout, stderr} = await run(line, env)
  expect({line, code, stderr}).toEqual({line, code: 0, stderr: expect.not.stringContaining('Error') as unknown})
  return stdout
}
const profiles = async (env: Env = {}): Promise<string> => (await ok('profile show -o name', env)).replaceAll('\n', ' ').trim()

interface WaitingState {
  readonly id: string
  readonly deadline: string | null
  readonly timer: {readonly pid: string} | null
}
const place = (): string => join(folder, 'calicoctl/confirm')
const waiting = (): WaitingState[] => (existsSync(place()) ? readdirSync(place()).filter((name) => name.endsWith('.json') && !name.startsWith('.')).map((name) => JSON.parse(readFileSync(join(place(), name), 'utf8')) as WaitingState) : [])

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await sleep(20)
}
const isGone = (): boolean => !existsSync(place())
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
/** Whether the process PID runs, and is no zombie. */
function lives(pid: string): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

/** As if a minute had passed since the rollback of what waits. */
function aged(): void {
  const [file = ''] = readdirSync(place()).filter((name) => name.startsWith('c-'))
  const state = JSON.parse(readFileSync(join(place(), file), 'utf8')) as object
  writeFileSync(join(place(), file), JSON.stringify({...state, tried: new Date(Date.now() - 60_001).toISOString()}))
}

function suite(): void {
  test('nobody confirms: it is taken back by itself, and the journal has it', async () => {
    await ok('profile add base')
    const {code, stderr} = await run('profile add web --confirm-within 5s')
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringMatching(/^This change will be rolled back at [-0-9T:]+Z \(in 5 s\) unless it is confirmed first: calicoctl confirm [a-z0-9]+\n$/) as unknown})
    expect(await profiles()).toBe('base web')
    await until(isGone)
    expect(await profiles()).toBe('base')
    const {items} = JSON.parse(await ok('history -o json')) as {items: {id: string; command: string[]; confirmation?: string}[]}
    const made = items[1]?.id ?? ''
    expect(items.map(({command, confirmation}) => [command.join(' '), confirmation]).slice(0, 2)).toEqual([[`undo ${made}`, undefined], ['profile add web --confirm-within 5s', 'undone']])
    // Too late.
    expect(await run('confirm')).toMatchObject({code: 5, stderr: expect.stringContaining('already rolled back') as unknown})
    // And it can be had again, whatever else was changed since.
    await ok('profile add other')
    const {code: refused, stderr: hint} = await run(`confirm ${made}`)
    expect([refused, hint]).toEqual([5, `Error: The change ${made} was already rolled back: it was not confirmed.\nTo make the change again, undo its rollback: calicoctl undo ${items[0]?.id ?? ''}\n`])
    await ok(`undo ${items[0]?.id ?? ''}`)
    expect(await profiles()).toBe('base other web')
  })

  test('a batch is confirmed: it stays, and its timer ends', async () => {
    await ok('profile add base')
    const file = join(folder, 'changes.txt')
    writeFileSync(file, 'profile add a\nprofile add b\n')
    await ok(`batch --confirm-within 1h ${file}`)
    const [state] = waiting()
    const pid = state?.timer?.pid ?? ''
    expect(lives(pid)).toBe(true)
    // A session of its own: it survives the terminal. And no secret can be on its command line.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    expect(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]).toBe(pid)
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(2, -1)).toEqual(['__confirm', join(place(), readdirSync(place()).find((name) => name.startsWith('c-')) ?? '')])
    expect(await ok('confirm --list')).toContain(`batch --confirm-within 1h ${file}`)
    expect(await run('confirm')).toMatchObject({code: 0, stderr: `Confirmed: ${state?.id ?? ''} (batch --confirm-within 1h ${file}) will not be rolled back.\n`})
    await until(() => !lives(pid))
    expect(isGone()).toBe(true)
    expect(await profiles()).toBe('a b base')
    expect(await ok('history --limit 1')).toContain('(confirmed)')
    expect((await run('confirm')).code).toBe(4)
    expect((await run(`confirm ${state?.id ?? ''}`)).code).toBe(4)
  })
}

describe('etcd', () => {
  let etcd: TestEtcd
  beforeAll(async () => void (etcd = await startEtcd()))
  afterAll(() => etcd.stop())
  beforeEach(async () => {
    await etcd.ctl('del', '--prefix', '/')
    store = () => ({ETCD_ENDPOINTS: etcd.endpoints.join(',')})
  })
  suite()

  test('the datastore does not answer when the time is over: taken back as soon as it does', async () => {
    await ok('profile add base')
    const proxy = await startProxy(etcd.endpoints[0] ?? '')
    try {
      await ok('profile add web --confirm-within 5s --timeout 2s', {ETCD_ENDPOINTS: proxy.endpoint})
      const tried = new Promise<void>((resolve) => proxy.before('PRI * HTTP/2', resolve))
      proxy.set('black-hole')
      await tried
      expect(await profiles()).toBe('base web')
      proxy.set('pass')
      proxy.reset()
      await until(isGone)
      expect(await profiles()).toBe('base')
    } finally {
      await proxy.stop()
    }
  })

  test.each([
    ['after its undo has arrived', 'swallow-replies', {code: 5, stderr: expect.stringContaining('was already rolled back')}, 'base'],
    ['before its undo has arrived', 'black-hole', {code: 0, stderr: expect.stringContaining('will not be rolled back')}, 'base web'],
  ] as const)('the process that rolls back is killed %s: confirm says what is true', async (_, mode, said, left) => {
    await ok('profile add base')
    const proxy = await startProxy(etcd.endpoints[0] ?? '')
    try {
      // The value of ClusterInformation is in writes only, as a condition: first in the command's, then in the undo's.
      const sent = new Promise<void>((resolve) => {
        proxy.before('datastoreReady', () => proxy.before('datastoreReady', () => {
          proxy.set(mode)
          resolve()
        }))
      })
      await ok('profile add web --confirm-within 1s', {ETCD_ENDPOINTS: proxy.endpoint})
      await sent
      if (mode === 'swallow-replies') await until(async () => (await profiles()) === 'base')
      const [state] = waiting()
      kill(Number(state?.timer?.pid))
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandOf(name).includes(place()) && commandOf(name).includes('\0--now\0'))) kill(Number(pid))
      proxy.set('pass')
      proxy.reset()
      await until(async () => (await ok('confirm --list -o json')).includes('"overdue"'))
      expect(await run('profile show -o name', {ETCD_ENDPOINTS: etcd.endpoints.join(',')})).toMatchObject({stderr: expect.stringContaining('Its rollback was interrupted and may have been made') as unknown})
      if (mode === 'black-hole') {
        expect(await run('confirm')).toMatchObject({code: 5, stderr: expect.stringContaining('was interrupted, and may still be executed until') as unknown})
        aged()
      }
      expect(await run('confirm')).toMatchObject(said)
      expect(isGone()).toBe(true)
      expect(await profiles()).toBe(left)
    } finally {
      await proxy.stop()
    }
  })

  test('the command is killed, and its write arrives after the rollback: it is reverted, too', async () => {
    await ok('profile add base')
    const proxy = await startProxy(etcd.endpoints[0] ?? '')
    try {
      const held = proxy.hold('datastoreReady') // in writes only
      const child = startCalicoctl(['profile', 'add', 'web', '--confirm-within', '500ms'], {env: environment({ETCD_ENDPOINTS: proxy.endpoint})})
      const release = await held
      child.process.kill('SIGKILL')
      await child.result
      await until(async () => (await ok('confirm --list')).includes('rolled back, looking for late writes'))
      const [state] = waiting()
      expect(await profiles()).toBe('base')
      release()
      // It has arrived, and is reverted; the journal has that before it is made.
      await until(async () => (await ok('history')).includes('profile/web deleted'))
      await until(async () => (await profiles()) === 'base')
      expect(await run(`confirm ${state?.id ?? ''}`)).toMatchObject({code: 5, stderr: expect.stringContaining('already rolled back') as unknown})
    } finally {
      await proxy.stop()
    }
  })

  test('the store that --datastore names, relative to nothing else', async () => {
    const flag = `--datastore ${etcd.endpoints[0] ?? ''}`
    const env = {ETCD_ENDPOINTS: 'http://127.0.0.1:1'}
    await ok(`profile add base ${flag}`, env)
    await ok(`profile add web --confirm-within 500ms ${flag}`, env)
    await until(isGone)
    expect(await profiles()).toBe('base')
  })
})

describe('embedded', () => {
  beforeEach(() => void (store = embedded))
  suite()

  test('what waits is its owner\'s alone', async () => {
    await ok('profile add web --confirm-within 1h')
    const [file = ''] = readdirSync(place()).filter((name) => name.startsWith('c-'))
    expect([statSync(place()).mode & 0o777, statSync(join(place(), file)).mode & 0o777]).toEqual([0o700, 0o600])
  })

  test('nothing waits: 4; --list shows nothing', async () => {
    expect(await run('confirm')).toMatchObject({code: 4, stderr: 'Error: No change is pending.\n'})
    expect((await run('confirm nosuch')).code).toBe(4)
    expect(JSON.parse(await ok('confirm --list -o json'))).toMatchObject({kind: 'WaitingChangeList', items: []})
  })

  test('a second one while one waits: 8; in another cluster it may wait, and then confirm needs an ID', async () => {
    const [first, second] = ['one', 'two'].map(embedded)
    await ok('profile add web --confirm-within 1h', first)
    expect(await run('profile add db --confirm-within 1h', first)).toMatchObject({code: 8, stdout: '', stderr: expect.stringContaining('is not confirmed yet; nothing was changed') as unknown})
    expect(await profiles(first)).toBe('web')
    await ok('profile add web --confirm-within 1h', second)
    const ids = (await ok('confirm --list -o name')).trim().split('\n')
    expect(ids).toHaveLength(2)
    const {code, stderr} = await run('confirm')
    expect({code, named: ids.filter((id) => stderr.includes(`calicoctl confirm ${id} `))}).toEqual({code: 1, named: ids})
    for (const id of ids) await ok(`confirm ${id}`)
    expect(isGone()).toBe(true)
  })

  test.each([
    ['a dry run', 'profile add web --confirm-within 1h --dry-run', {}, 1, '--dry-run'],
    ['no duration', 'profile add web --confirm-within soon', {}, 1, 'is not a duration'],
    ['too long a time', 'profile add web --confirm-within 1000h', {}, 1, '30 days'],
    ['no time', 'profile add web --confirm-within 0', {}, 1, 'is not a duration'],
    ['without a journal', 'profile add web --confirm-within 1h', {CALICOCTL_JOURNAL: 'off'}, 8, 'CALICOCTL_JOURNAL is off'],
    ['a journal that cannot be written', 'profile add web --confirm-within 1h', {CALICOCTL_JOURNAL: '/dev/full'}, 8, '/dev/full cannot be written'],
    ['what undo does not take back', 'ipam assign 10.0.0.5 --confirm-within 1h', {}, 1, 'confirm-within'],
  ])('%s: refused, and nothing is changed', async (_, line, env, code, text) => {
    await ok('profile add base')
    expect(await run(line, env)).toMatchObject({code, stderr: expect.stringContaining(text) as unknown})
    expect(await profiles()).toBe('base')
    expect(waiting()).toEqual([])
  })

  test('what changes nothing waits for nothing', async () => {
    await ok('profile add web')
    const {stderr} = await run('profile add web --confirm-within 1h')
    expect(stderr).toBe('')
    expect(existsSync(place())).toBe(false)
  })

  test('on a line of a batch it is refused', async () => {
    const file = join(folder, 'changes.txt')
    writeFileSync(file, 'profile add a\nprofile add b --confirm-within 1h\n')
    expect(await run(`batch ${file}`)).toMatchObject({code: 1, stderr: expect.stringContaining('Give --confirm-within to batch itself') as unknown})
  })

  test('a batch that is killed is taken back as far as it came', async () => {
    await ok('profile add base')
    const file = join(folder, 'changes.txt')
    writeFileSync(file, Array.from({length: 300}, (_, i) => `profile add p${i}\n`).join(''))
    const child = startCalicoctl(['batch', '--confirm-within', '1s', file], {env: environment({})})
    child.process.stdout?.once('data', () => child.process.kill('SIGKILL'))
    await child.result
    const [id = ''] = (await ok('confirm --list -o name')).trim().split('\n')
    await until(async () => (await ok('history')).includes('not confirmed, rolled back'))
    expect(await profiles()).toBe('base')
    // Where its last line was under way, what arrives late is looked for; that keeps from nothing.
    expect(await run(`confirm ${id}`)).toMatchObject({code: 5, stderr: expect.stringContaining('already rolled back') as unknown})
    await ok('profile add web --confirm-within 1h')
    expect(await ok('confirm --list')).toMatch(/ pending +\| profile add web/)
    await ok('confirm')
    expect(await profiles()).toBe('base web')
  })

  test('an undo waits, too', async () => {
    await ok('profile add base')
    await ok('profile add web')
    await ok('undo --confirm-within 500ms')
    await until(isGone)
    expect(await profiles()).toBe('base web')
  })

  test('a change that waits is undone by hand: nothing waits any more', async () => {
    await ok('profile add base')
    await ok('profile add web --confirm-within 1h')
    const [state] = waiting()
    await ok('undo')
    expect(isGone()).toBe(true)
    await until(() => !lives(state?.timer?.pid ?? ''))
    expect((await run('confirm')).code).toBe(5)
  })

  test('changed since: it is not taken back, and the next command says so', async () => {
    await ok('profile add base')
    await ok('profile add web --confirm-within 5s')
    const [state] = waiting()
    const id = state?.id ?? ''
    await ok('profile web tag add t')
    await until(async () => (await ok('confirm --list -o json')).includes('"failed"'))
    const {code, stderr} = await run('profile show -o name')
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringMatching(new RegExp(`^Warning: The change ${id} .* could not be rolled back: profile/web changed since .*\\n  Roll it back: undo the later changes first \\(calicoctl history\\), then calicoctl undo ${id}\\n  Keep it:      calicoctl confirm ${id}\\n$`)) as unknown})
    await ok('confirm')
    expect(isGone()).toBe(true)
    expect((await run('profile show -o name')).stderr).toBe('')
  })

  test('the timer is gone, as after a reboot: the next command says that the change is past its time', async () => {
    await ok('profile add base')
    await ok('profile add web --confirm-within 5s')
    const [state] = waiting()
    kill(Number(state?.timer?.pid))
    await until(async () => (await ok('confirm --list -o json')).includes('"overdue"'))
    const {stderr} = await run('profile show -o name')
    expect(stderr).toMatch(new RegExp(`^Warning: The change ${state?.id ?? ''} \\(profile add web --confirm-within 5s\\) was neither confirmed nor rolled back in time \\(.*\\n  Roll it back: calicoctl undo `))
    expect((await run('profile show -o name --quiet')).stderr).toBe('')
    await ok(`undo ${state?.id ?? ''}`)
    expect(isGone()).toBe(true)
    expect(await profiles()).toBe('base')
  })

  test('on a terminal it offers to take back what is past its time', async () => {
    await ok('profile add base')
    await ok('profile add web --confirm-within 5s')
    kill(Number(waiting()[0]?.timer?.pid))
    await until(async () => (await ok('confirm --list -o json')).includes('"overdue"'))
    const child = spawn('script', ['-qec', `${process.execPath} ${CALICOCTL} profile show -o name`, '/dev/null'], {env: {PATH: process.env.PATH, HOME: folder, ...environment({})}, stdio: ['pipe', 'pipe', 'ignore']})
    let shown = ''
    child.stdout.on('data', (data: Buffer) => {
      if (!shown.includes('Roll it back now?') && (shown + data.toString()).includes('Roll it back now?')) child.stdin.write('y\n')
      shown += data.toString()
    })
    const ended = new Promise((resolve) => child.on('close', resolve))
    await until(isGone)
    await ended
    expect(shown).toContain('was not confirmed and is rolled back.')
    expect(await profiles()).toBe('base')
  })
})
