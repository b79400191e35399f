/** The journal, `history` and `undo` as a user meets them, on both stores. */
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {startCalicoctl, type Result} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {startProxy} from '../support/proxy.js'
import {smallDisk, type SmallDisk} from '../support/small-disk.js'
import {until} from '../support/until.js'
import {calicoctl} from '../support/warm.js'

const PROFILE = '/calico/resources/v3/projectcalico.org/profiles/backend'
const RULE = 'profile backend rule add inbound allow tcp from tag frontend to ports 9000'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'calicoctl-history-'))))
afterEach(() => rmSync(folder, {recursive: true, force: true}))

let store: () => Record<string, string>
type Env = Readonly<Record<string, string>>
const run = (line: string, env: Env = {}): Promise<Result> => calicoctl(line.split(' '), {env: {XDG_STATE_HOME: folder, ...store(), ...env}})
async function ok(line: string, env: Env = {}): Promise<string> {
  const {code, stdout, stderr} = await run(line, env)
  expect({line, code, stderr}).toEqual({line, code: 0, stderr: expect.not.stringContaining('Error') as unknown})
  return stdout
}
const ids = async (): Promise<string[]> => (await ok('history --limit 100 -o name')).split('\n').filter((id) => id !== '')
const rules = (): Promise<string> => ok('profile backend rule show')
const journal = (): string => readFileSync(join(folder, 'calicoctl/journal.jsonl'), 'utf8')

function suite(): void {
  test('history and undo of the main job', async () => {
    await ok('profile add frontend')
    await ok('profile add backend')
    await ok(RULE)
    await ok('profile backend rule remove inbound --at 2')
    const items = (JSON.parse(await ok('history profile backend -o json')) as {items: {id: string; command: string[]; changes: {kind: string; name: string; change: string}[]}[]}).items
    expect(items.map(({command, changes}) => [command.slice(0, 3).join(' '), changes.map(({kind, name, change}) => `${kind} ${name} ${change}`)])).toEqual([
      ['profile backend rule', ['Profile backend updated']],
      ['profile backend rule', ['Profile backend updated']],
      ['profile add backend', ['Profile backend created']],
    ])
    const before = await ok('get profile backend -o json')
    const dry = await ok('undo --dry-run')
    expect(dry).toContain('+            9000')
    expect(await ok('get profile backend -o json')).toBe(before)
    await ok('undo')
    expect(await rules()).toContain('to ports 9000')
    // It is a change itself.
    await ok('undo')
    expect(await rules()).not.toContain('9000')
    expect((await ids()).length).toBe(6)
  })

  test('what was there is there again, to the byte; what was made is gone, and what was deleted is back', async () => {
    await ok('profile add backend')
    await ok('pool add 10.0.0.0/16')
    const value = (JSON.parse(journal().split('\n')[0] ?? '') as {changes: {key: string; after: string}[]}).changes.find(({key}) => key === PROFILE)?.after
    await ok('profile remove backend')
    await ok('undo')
    const [, , , undone] = journal().split('\n').flatMap((line) => (line.includes('"revision"') ? [JSON.parse(line) as {changes: {key: string; after: string}[]}] : []))
    expect(undone?.changes).toEqual([{key: PROFILE, before: null, after: value}])
    const {stdout, stderr} = await run(`undo ${(await ids())[2] ?? ''}`)
    expect({stdout, stderr}).toEqual({stdout: '', stderr: 'ippool/10.0.0.0/16 deleted\n'})
    expect(await ok('pool show -o name')).toBe('')
  })

  test('the first change of an empty store: it stays initialised', async () => {
    await ok('profile add backend')
    const {stderr} = await run('undo')
    expect(stderr).toBe('profile/backend deleted\nThe datastore stays initialised.\n')
    expect(await ok('get kinds -o json')).toContain('ClusterInformation')
  })

  test('changed since: 5 with the difference, and nothing is written', async () => {
    await ok('profile add backend')
    const [made = ''] = await ids()
    await ok(RULE)
    const before = await ok('get profile backend -o json')
    const {code, stderr} = await run(`undo ${made}`)
    expect(code).toBe(5)
    expect(stderr).toMatch(/^Error: profile\/backend changed since [a-z0-9]+ \(profile add backend\); nothing was changed\.\n/)
    expect(stderr).toContain('+            9000')
    expect(await ok('get profile backend -o json')).toBe(before)
  })

  const BATCH = 'profile add frontend\nprofile add backend\n# a comment\nprofile backend tag add t1\nprofile frontend tag add t2\n'
  const batchFile = (text: string): string => {
    const file = join(folder, 'changes.txt')
    writeFileSync(file, text)
    return file
  }

  test('a batch is one change, with its lines', async () => {
    await ok('pool add 10.0.0.0/16')
    await ok(`batch ${batchFile(BATCH)}`)
    const {items} = JSON.parse(await ok('history -o json')) as {items: {command: string[]; exitCode: number; lines: {line: number; command: string[]}[]; changes: {name: string; change: string}[]}[]}
    expect(items).toHaveLength(2)
    expect(items[0]).toMatchObject({
      command: ['batch', join(folder, 'changes.txt')],
      exitCode: 0,
      lines: [{line: 1, command: ['profile', 'add', 'frontend']}, {line: 2}, {line: 4, command: ['profile', 'backend', 'tag', 'add', 't1']}, {line: 5}],
      changes: [{name: 'frontend', change: 'created'}, {name: 'backend', change: 'created'}],
    })
    expect(await ok('history profile backend')).toMatch(/changes\.txt, line 4: profile backend tag add t1 /)
    await ok('undo')
    expect(await ok('profile show -o name')).toBe('')
    expect(await ok('pool show -o name')).toBe('10.0.0.0/16\n')
    await ok('undo')
    expect(await ok('profile backend tag show -o name')).toBe('backend\nt1\n')
  })

  test('with --atomic, too: the lines that changed something', async () => {
    await ok(`batch --atomic ${batchFile(`profile show\n${BATCH}profile add backend\n`)}`)
    const {items} = JSON.parse(await ok('history -o json')) as {items: {lines: {line: number; command: string[]}[]}[]}
    expect(items.map(({lines}) => lines)).toEqual([
      [{line: 2, command: ['profile', 'add', 'frontend']}, {line: 3, command: ['profile', 'add', 'backend']}, {line: 5, command: ['profile', 'backend', 'tag', 'add', 't1']}, {line: 6, command: ['profile', 'frontend', 'tag', 'add', 't2']}],
    ])
    await ok('undo')
    expect(await ok('profile show -o name')).toBe('')
  })

  test('a batch that failed, or that was killed, is taken back as far as it came', async () => {
    await ok('profile add other')
    expect((await run(`batch ${batchFile('profile add backend\nprofile nosuch tag add x\nprofile add frontend\n')}`)).code).toBe(4)
    expect(JSON.parse(await ok('history --limit 1 -o json'))).toMatchObject({items: [{exitCode: 4, lines: [{line: 1}]}]})
    await ok('undo')
    const many = Array.from({length: 300}, (_, i) => `profile other tag add t${i}`).join('\n')
    const child = startCalicoctl(['batch', batchFile(`${many}\n`)], {env: {XDG_STATE_HOME: folder, ...store()}})
    child.process.stdout?.once('data', () => child.process.kill('SIGKILL'))
    await child.result
    const tags = (await ok('profile other tag show -o name')).split('\n').length - 1
    expect(tags).toBeGreaterThan(1)
    expect(tags).toBeLessThan(301)
    // The last line may have been killed before the datastore had it, or between its answer and the journal.
    const {items} = JSON.parse(await ok('history --limit 1 -o json')) as {items: {lines: unknown[]; outcome?: string}[]}
    expect((items[0]?.lines.length ?? 0) - (tags - 1)).toBeGreaterThanOrEqual(0)
    expect((items[0]?.lines.length ?? 0) - (tags - 1)).toBeLessThanOrEqual(items[0]?.outcome === 'unknown' ? 1 : 0)
    await ok('undo')
    expect(await ok('profile other tag show -o name')).toBe('other\n')
  })

  test('what others use by now is not deleted: 8', async () => {
    await ok('pool add 10.0.0.0/16')
    await ok('ipam assign 10.0.0.5')
    const [, pool = ''] = await ids()
    expect(await run(`undo ${pool}`)).toMatchObject({code: 8, stderr: expect.stringContaining('in use (1)') as unknown})
    expect(await ok('pool show -o name')).toBe('10.0.0.0/16\n')
  })

  test('a change of which the journal has no outcome: undone if it was made; 4 if it is undone or was not made', async () => {
    await ok('profile add backend')
    // As if it had been killed between the answer of the datastore and the journal.
    const path = join(folder, 'calicoctl/journal.jsonl')
    writeFileSync(path, journal().replace(/^.*"made".*\n/m, ''))
    expect(await ok('history')).toContain('profile add backend (outcome unknown)')
    await ok('undo')
    await ok('undo') // there again
    const made = (await ids()).at(-1) ?? ''
    await ok('profile remove backend')
    expect(await run(`undo ${made}`)).toMatchObject({code: 4, stderr: expect.stringContaining('all objects have their previous values') as unknown})
    const [sent = ''] = journal().split('\n')
    writeFileSync(path, `${journal()}${sent.replaceAll('backend', 'never').replace(made, 'never')}\n`)
    expect(await run('undo')).toMatchObject({code: 4, stderr: expect.stringContaining('There is nothing to undo in never (profile add never): it was not made') as unknown})
    expect(await ok('profile show -o name')).toBe('')
  })

  test('nothing to undo, an ID that there is not: 4', async () => {
    expect(await run('undo')).toMatchObject({code: 4, stderr: expect.stringContaining('There is nothing to undo') as unknown})
    await ok('profile add backend')
    expect(await run('undo nosuch')).toMatchObject({code: 4, stderr: expect.stringContaining('There is no change nosuch') as unknown})
  })

  test('another cluster: 6', async () => {
    await ok('profile add backend')
    const other = {CALICO_DATASTORE: `embedded:${join(folder, 'other.json')}`}
    await calicoctl(['profile', 'add', 'backend'], {env: {...other, CALICOCTL_JOURNAL: 'off'}})
    expect(await run('undo', other)).toMatchObject({code: 6, stderr: expect.stringContaining('was made in another cluster') as unknown})
  })

  test('only addresses: 8, naming the command that gives them back', async () => {
    await ok('pool add 10.0.0.0/16')
    await ok('ipam assign 10.0.0.5')
    expect(await run('undo')).toMatchObject({code: 8, stderr: expect.stringContaining('calicoctl ipam release') as unknown})
  })

  test('a change of objects and addresses: the objects are taken back, the addresses named: 9', async () => {
    await ok('pool add 10.0.0.0/16')
    await ok(`batch ${batchFile('profile add backend\nipam assign 10.0.0.5\n')}`)
    const {code, stderr} = await run('undo')
    expect({code, stderr}).toEqual({code: 9, stderr: expect.stringContaining('calicoctl ipam release') as unknown})
    expect(await ok('profile show -o name')).not.toContain('backend')
    expect((await run('ipam info 10.0.0.5')).stdout).toContain('manual')
  })

  test('a dry run, a read and a refusal leave no entry', async () => {
    await ok('profile add backend')
    const before = journal()
    await ok('profile add other --dry-run')
    await ok('profile show')
    await ok('profile add backend')
    expect((await run('profile nosuch tag add x')).code).toBe(4)
    expect(journal()).toBe(before)
    expect(statSync(join(folder, 'calicoctl/journal.jsonl')).mode & 0o777).toBe(0o600)
  })

  test('CALICOCTL_JOURNAL: off, and another path', async () => {
    await ok('profile add backend', {CALICOCTL_JOURNAL: 'off'})
    expect(existsSync(join(folder, 'calicoctl/journal.jsonl'))).toBe(false)
    await ok('profile add other', {CALICOCTL_JOURNAL: join(folder, 'mine/j')})
    expect(await ok('history', {CALICOCTL_JOURNAL: join(folder, 'mine/j')})).toContain('profile add other')
    expect((await run('history', {CALICOCTL_JOURNAL: 'off'})).code).toBe(8)
    writeFileSync(join(folder, 'mine/garbage'), 'x\n')
    expect(await run('history', {CALICOCTL_JOURNAL: join(folder, 'mine/garbage')})).toMatchObject({code: 0, stderr: `Warning: A line of the journal ${join(folder, 'mine/garbage')} cannot be read; it was skipped.\n`})
    expect((await run('undo', {CALICOCTL_JOURNAL: join(folder, 'mine/garbage')})).stderr).toContain('cannot be read; it was skipped')
  })

  test('what others have changed is in the history of the object, without ID', async () => {
    await ok('profile add backend')
    await ok(RULE, {CALICOCTL_JOURNAL: 'off'})
    const {items} = JSON.parse(await ok('history profile backend -o json')) as {items: {id?: string; changes: {change: string}[]}[]}
    expect(items.slice(0, 2).map(({id, changes}) => [id === undefined, changes[0]?.change])).toEqual([[true, 'updated'], [false, 'created']])
  })

  test('no secret of a command line, of a URL or of the environment is in the journal', async () => {
    const secret = 'gehe1m'
    await ok('profile add backend')
    const file = join(folder, 'changes.txt')
    writeFileSync(file, `config felix EtcdPassword ${secret} --force\nprofile add frontend\n`)
    await run(`batch ${file}`)
    await run(`config felix --force MyToken ${secret}`)
    await ok('profile add other', {SOME_PASSWORD: secret})
    const words = journal().split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as {begin?: unknown; of?: unknown}])).map(({begin, of}) => JSON.stringify([begin, of]))
    expect(words.join('\n')).toContain('(removed)')
    expect(words.join('\n')).not.toContain(secret)
    expect(await ok('history')).not.toContain(secret)
  })

  test('several processes at once: each has its entry, whole', async () => {
    await ok('profile add backend')
    await Promise.all(Array.from({length: 4}, (_, at) => ok(`profile add p${at}`)))
    const {items} = JSON.parse(await ok('history -o json')) as {items: {command: string[]; exitCode: number; changes: unknown[]}[]}
    expect(items.slice(0, 4).map(({command, exitCode, changes}) => [command[2], exitCode, changes.length]).sort()).toEqual([['p0', 0, 1], ['p1', 0, 1], ['p2', 0, 1], ['p3', 0, 1]])
  })

  test('a journal that cannot be written is a warning, and the change is made', async () => {
    mkdirSync(join(folder, 'calicoctl/journal.jsonl'), {recursive: true})
    expect(await run('profile add backend')).toMatchObject({code: 0, stdout: 'Created profile backend\n', stderr: expect.stringContaining('Warning: The journal ') as unknown})
    expect(await ok('profile show -o name')).toBe('backend\n')
    expect(await run('profile add full', {CALICOCTL_JOURNAL: '/dev/full'})).toMatchObject({code: 0, stderr: expect.stringContaining('/dev/full cannot be written') as unknown})
  })

  test('killed in the middle: what was made is in the journal, and can be taken back', async () => {
    await ok('profile add backend')
    const child = startCalicoctl(['profile', 'add', 'other'], {env: {XDG_STATE_HOME: folder, ...store()}})
    // The line of the change is written before the command says that it is made.
    child.process.stdout?.once('data', () => child.process.kill('SIGKILL'))
    await child.result
    expect((await ids()).length).toBe(2)
    await ok('undo')
    expect(await ok('profile show -o name')).toBe('backend\n')
  })
}

describe('embedded', () => {
  beforeEach(() => void (store = () => ({CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`})))
  suite()

  test('a torn line of the journal harms no other', async () => {
    await ok('profile add backend')
    writeFileSync(join(folder, 'calicoctl/journal.jsonl'), `${journal()}{"v":1,"id":"to`)
    await ok(RULE)
    expect((await ids()).length).toBe(2)
    chmodSync(folder, 0o700)
  })

  describe('a full disk', () => {
    let disk: SmallDisk | undefined
    beforeAll(() => void (disk = smallDisk()))
    afterAll(() => disk?.remove())
    test('is a warning', async () => {
      if (!disk) return
      await ok('profile add first', {CALICOCTL_JOURNAL: join(disk.folder, 'j')})
      disk.fill(0)
      const warned = []
      for (let i = 0; i < 5; i++) warned.push(await run(`profile add p${i}`, {CALICOCTL_JOURNAL: join(disk.folder, 'j')}))
      expect(warned.map(({code}) => code)).toEqual([0, 0, 0, 0, 0])
      expect(warned.at(-1)?.stderr).toContain('no space left on the device')
    })
  })

  test('history needs no datastore', async () => {
    await ok('profile add backend')
    expect(await ok('history', {CALICO_DATASTORE: 'http://127.0.0.1:1'})).toContain('profile add backend')
    expect(await run('history profile backend --timeout 1s', {CALICO_DATASTORE: 'http://127.0.0.1:1'})).toMatchObject({code: 0, stdout: expect.stringContaining('profile add backend') as unknown, stderr: expect.stringContaining('Only the journal') as unknown})
  })
})

describe('etcd', () => {
  let etcd: TestEtcd
  beforeAll(async () => void (etcd = await startEtcd()))
  afterAll(() => etcd.stop())
  beforeEach(async () => {
    await etcd.ctl('del', '--prefix', '/')
    store = () => ({ETCD_ENDPOINTS: etcd.endpoints.join(',')})
  })
  suite()

  test('an answer that is lost for good: 9, the journal says that the outcome is unknown, and undo finds out', async () => {
    await ok('profile add base')
    const proxy = await startProxy(etcd.endpoints[0] ?? '')
    try {
      proxy.before('creationTimestamp', () => proxy.set('swallow-replies'))
      expect((await run('profile add web --timeout 2s', {ETCD_ENDPOINTS: proxy.endpoint})).code).toBe(9)
    } finally {
      await proxy.stop()
    }
    expect(await ok('history --limit 1')).toContain('(exit code 9, outcome unknown)')
    expect(await ok('profile show -o name')).toBe('base\nweb\n')
    await ok('undo')
    expect(await ok('profile show -o name')).toBe('base\n')
  })

  test.each([
    ['before the datastore has the change', 'black-hole', 'base\n', 4],
    ['between the answer of the datastore and the journal', 'swallow-replies', 'base\nweb\n', 0],
  ] as const)('killed %s: undo knows the change, and reverts no older one', async (_, mode, there, code) => {
    await ok('profile add base')
    const proxy = await startProxy(etcd.endpoints[0] ?? '')
    const sent = new Promise<void>((resolve) => proxy.before('creationTimestamp', () => {
      proxy.set(mode)
      resolve()
    }))
    const child = startCalicoctl(['profile', 'add', 'web'], {env: {XDG_STATE_HOME: folder, ETCD_ENDPOINTS: proxy.endpoint}})
    try {
      await sent
      await until('the datastore has or has not the change', async () => (await ok('profile show -o name')) === there)
      child.process.kill('SIGKILL')
      await child.result
    } finally {
      await proxy.stop()
    }
    expect(await ok('history --limit 1')).toContain('profile add web (killed, or still running, outcome unknown)')
    expect(JSON.parse(await ok('history --limit 1 -o json'))).toMatchObject({items: [{outcome: 'unknown', changes: [{name: 'web', change: 'created'}]}]})
    // The datastore knows that it was made.
    if (code === 0) expect((JSON.parse(await ok('history profile web -o json')) as {items: object[]}).items[0]).toEqual(expect.objectContaining({command: ['profile', 'add', 'web'], revision: expect.stringMatching(/^[0-9]+$/) as unknown}))
    if (code === 0) expect(await ok('history profile web')).not.toContain('unknown')
    expect((await run('undo')).code).toBe(code)
    expect(await ok('profile show -o name')).toBe('base\n')
  })

  test('a compacted past is left out, and the journal still has it', async () => {
    await ok('profile add backend')
    await ok(RULE)
    const {header} = JSON.parse(await etcd.ctl('get', '/x', '-w', 'json')) as {header: {revision: number}}
    await etcd.ctl('compact', String(header.revision))
    const {items} = JSON.parse(await ok('history profile backend -o json')) as {items: unknown[]}
    expect(items).toHaveLength(2)
  })
})
