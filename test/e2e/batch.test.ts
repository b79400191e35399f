/** batch: many command lines in one process, on etcd and on the embedded store. */
import {spawn, spawnSync} from 'node:child_process'
import {closeSync, mkdtempSync, openSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {CALICOCTL, type Options, startCalicoctl} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {type Proxy, startProxy} from '../support/proxy.js'
import {calicoctl} from '../support/warm.js'

let etcd: TestEtcd
let folder: string
beforeAll(async () => {
  etcd = await startEtcd()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-batch-'))
})
afterAll(async () => {
  await etcd.stop()
  rmSync(folder, {recursive: true, force: true})
})

describe.each(['etcd', 'embedded'])('on %s', (store) => {
  let env: Record<string, string>
  let count = 0
  beforeEach(async () => {
    count++
    if (store === 'etcd') await etcd.ctl('del', '--prefix', '/calico/')
    env = store === 'etcd' ? {ETCD_ENDPOINTS: etcd.endpoints.join(',')} : {CALICO_DATASTORE: `embedded:${join(folder, `store-${count}.json`)}`}
  })
  const run = (args: readonly string[], options: Options = {}) => calicoctl(args, {env, ...options})
  const batch = (text: string, ...args: string[]) => run(['batch', ...args], {stdin: text})

  test('lines run in order, and print what they print alone; notes name their line', async () => {
    const {code, stdout, stderr} = await batch([
      'pool add 192.168.0.0/16 --nat-outgoing', 'profile add frontend', 'calicoctl profile add backend # the second',
      'profile backend rule add inbound allow \\', '  tcp from tag frontend to ports 9000', 'profile show --output=name',
    ].join('\n'))
    expect({code, stdout}).toEqual({code: 0, stdout: 'Created profile frontend\nCreated profile backend\nbackend\nfrontend\n'})
    expect(stderr).toContain('stdin:4: profile/backend updated (inbound rule 2 added)\n')
    expect(stderr.trimEnd().split('\n').every((line) => /^stdin:\d: /.test(line))).toBe(true)
  })

  test('anything wrong: every problem with its line, and nothing is done', async () => {
    const file = join(folder, 'bad.txt')
    writeFileSync(file, 'profile add x\nprofile ad y\npool add 300.0.0.0/8\nprofile add $x\nprofile web rule add inbound allow tcp to ports 99999\nprofile add y --timeout 3s\nbatch x\nconfig felix NoSuch 3\n')
    const {code, stdout, stderr} = await run(['batch', file])
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    for (const line of [2, 3, 4, 5, 6, 7, 8]) expect(stderr).toMatch(new RegExp(`^${file}:${line}: Error: `, 'm'))
    expect(stderr).not.toContain(`${file}:1:`)
    expect(stderr).toContain('7 of 8 lines')
    expect((await run(['profile', 'show', '-o', 'name'])).stdout).toBe('')
  })

  test.each([[[]], [['--atomic']], [['--dry-run']]])('--error-unchanged: 0 where one line changes one object, 3 where none does: batch %j', async (args: string[]) => {
    await run(['profile', 'add', 'web'])
    expect((await batch('profile show\nprofile web tag add x\n', '--error-unchanged', ...args)).code).toBe(0)
    expect((await batch('profile show\n', '--error-unchanged', ...args)).code).toBe(3)
  })

  test('one line that is wrong; no lines at all', async () => {
    expect((await batch('profile ad y\n')).stderr).toContain('Error: 1 of 1 line of stdin is wrong; nothing was done.\n')
    expect((await batch('profile add x\nprofile ad y\n')).stderr).toContain('Error: 1 of 2 lines of stdin is wrong; nothing was done.\n')
    expect(await batch('# nothing\n\n')).toMatchObject({code: 0, stdout: '', stderr: 'The batch has no lines; nothing was done.\n'})
    expect((await batch('profile add x\n')).stderr).not.toContain('The batch has no lines')
  })

  test('lines that are wrong are in the document of -o json as failed, the others as not run', async () => {
    const {code, stdout} = await batch('profile add x\nprofile ad y\n\'\n', '-o', 'json')
    const document = JSON.parse(stdout) as {lines: {line: number; exitCode: number | null; stderr: string}[]}
    expect({code, document}).toMatchObject({code: 1, document: {kind: 'BatchResult', done: 0, failed: 2, notRun: 1}})
    expect(document.lines.map(({line, exitCode, stderr}) => [line, exitCode, stderr.split(' ')[0]])).toEqual([[1, null, ''], [2, 1, 'Error:'], [3, 1, 'Error:']])
  })

  test('the first failure stops it with its exit code; --keep-going tries all', async () => {
    const text = 'profile add a\nprofile none rule show\nprofile add c\npool remove 10.0.0.0/8\n'
    const first = await batch(text)
    expect(first).toMatchObject({code: 4, stdout: 'Created profile a\n'})
    expect(first.stderr).toContain('stdin: 1 line was done; stdin:2 (profile none rule show) failed; 2 lines were not tried.\n')
    const all = await batch(text, '--keep-going')
    expect(all.code).toBe(4)
    expect(all.stdout).toContain('Created profile c\n')
    expect(all.stderr).toContain('stdin: 2 lines were done; 2 lines failed: stdin:2 (profile none rule show), stdin:4 (pool remove 10.0.0.0/8); 0 lines were not tried.\n')
  })

  test('-o json is one document', async () => {
    await run(['profile', 'add', 'there'])
    const {code, stdout} = await batch('profile add a\nprofile none rule show\nprofile add c\n', '-o', 'json')
    expect(code).toBe(4)
    expect(JSON.parse(stdout)).toMatchObject({
      apiVersion: 'calicoctl/v1', kind: 'BatchResult', done: 1, failed: 1, notRun: 1,
      lines: [
        {line: 1, argv: ['profile', 'add', 'a'], exitCode: 0, stdout: 'Created profile a\n', changes: [{kind: 'Profile', name: 'a', change: 'created', before: null, after: {metadata: {name: 'a'}}}]},
        {line: 2, exitCode: 4, stdout: '', changes: []},
        {line: 3, exitCode: null, stdout: '', stderr: '', changes: []},
      ],
    })
  })

  test('a line may read stdin where the batch does not', async () => {
    const file = join(folder, 'update.txt')
    writeFileSync(file, 'profile add web\nprofile web rule update\n')
    await run(['profile', 'add', 'web'])
    const rules = (await run(['profile', 'web', 'rule', 'json'])).stdout
    expect(await run(['batch', file], {stdin: rules})).toMatchObject({code: 0})
    expect((await batch('profile web rule update\n')).stderr).toContain('stdin:1: Error: This line reads stdin')
  })

  const names = async (): Promise<string> => (await run(['profile', 'show', '-o', 'name'])).stdout

  describe('--atomic', () => {
    test('all lines are one transaction, later lines see earlier ones, an empty store is initialised, and what they print appears', async () => {
      const lines = 'profile add frontend\nprofile add backend\nprofile backend rule add inbound allow tcp from tag frontend to ports 9000\nprofile show -o name\n'
      const {code, stdout, stderr} = await batch(lines, '--atomic')
      expect({code, stdout}).toEqual({code: 0, stdout: 'Created profile frontend\nCreated profile backend\nbackend\nfrontend\n'})
      expect(stderr).toContain('stdin:3: profile/backend updated (inbound rule 2 added)\n')
      expect(stderr.match(/Initialising this datastore/g)).toHaveLength(1)
      const versions = (JSON.parse((await run(['get', 'profile', '-o', 'json'])).stdout) as {items: {metadata: {resourceVersion: string}}[]}).items.map(({metadata}) => metadata.resourceVersion)
      expect([versions.length, new Set(versions).size]).toEqual([2, 1])
    })

    test('one line fails: its error and its code, and nothing of the others', async () => {
      await run(['profile', 'add', 'old'])
      const text = 'profile add a\nprofile remove old\nprofile none rule show\nprofile add c\n'
      const {code, stdout, stderr} = await batch(text, '--atomic')
      expect({code, stdout, names: await names()}).toEqual({code: 4, stdout: '', names: 'old\n'})
      expect(stderr).toBe('stdin:3: Error: Profile none not found.\nstdin:3: To see the profiles: calicoctl profile show\nstdin: stdin:3 (profile none rule show) failed; nothing was changed by the 4 lines.\n')
      const document = JSON.parse((await batch(text, '--atomic', '-o', 'json')).stdout) as {lines: object[]}
      expect(document).toMatchObject({done: 0, failed: 1, notRun: 3})
      expect(document.lines.map((line) => [(line as {exitCode: unknown}).exitCode, (line as {stdout: unknown}).stdout, (line as {changes: unknown}).changes])).toEqual([[null, '', []], [null, '', []], [4, '', []], [null, '', []]])
    })

    test('too large: 8 with the numbers, and nothing is written', async () => {
      const {code, stdout, stderr} = await batch(Array.from({length: 140}, (_, i) => `profile add p${i}\n`).join(''), '--atomic')
      expect({code, stdout, names: await names()}).toEqual({code: 8, stdout: '', names: ''})
      expect(stderr).toContain('The batch stdin does not fit in one transaction')
      expect(stderr).toContain('It writes 144 keys')
    })

    test('with --keep-going, lines of the host, the lock or a backup: refused before anything', async () => {
      expect((await batch('profile add a\n', '--atomic', '--keep-going')).code).toBe(1)
      const {code, stderr} = await batch('profile add a\ncontainer add x 10.0.0.1\ndatastore lock\nstatus\ndatastore restore x\n', '--atomic')
      expect({code, names: await names()}).toEqual({code: 1, names: ''})
      for (const line of [2, 3, 4, 5]) expect(stderr).toMatch(new RegExp(`^stdin:${line}: Error: .*--atomic`, 'm'))
    })

    test('a locked store: 8, and no line is done', async () => {
      await run(['datastore', 'lock'])
      expect(await batch('profile add a\n', '--atomic')).toMatchObject({code: 8, stdout: ''})
      expect(await batch('profile add a\nprofile add b\n')).toMatchObject({code: 8, stdout: '', stderr: expect.stringContaining('stdin:1 (profile add a) failed; 1 line was not tried') as unknown})
    })
  })

  describe('--dry-run', () => {
    test('prints one difference per object, and writes nothing', async () => {
      await run(['profile', 'add', 'old'])
      const {code, stdout, stderr} = await batch('profile add web\nprofile web tag add x\nprofile web tag add x2\nprofile old tag add z\nprofile add gone\nprofile remove gone\nprofile show\n', '--dry-run')
      expect({code, names: await names()}).toEqual({code: 0, names: 'old\n'})
      expect(stdout.match(/^--- .*$/gm)).toEqual(['--- profile/old', '--- /dev/null'])
      expect(stdout).toMatch(/^\+ {4}x: ""\n\+ {4}x2: ""$/m)
      expect(stderr).toContain('stdin:1: profile/web would be created\n')
    })

    test('what would change nothing is said; so is what etcd would not take at once, with --atomic', async () => {
      await run(['profile', 'add', 'web'])
      expect(await batch('profile add web\n', '--dry-run')).toMatchObject({code: 0, stderr: expect.stringContaining('Nothing would be changed.\n') as unknown})
      const many = (count: number): string => Array.from({length: count}, (_, i) => `profile add p${i}\n`).join('')
      const large = await batch(many(128), '--dry-run', '--atomic')
      expect(large.stderr).toContain('Warning: 128 keys would be written in one transaction; etcd allows 127, unless --max-txn-ops is set higher.\n')
      expect(large.stderr).not.toContain('Nothing would be changed')
      for (const fits of [await batch(many(127), '--dry-run', '--atomic'), await batch(many(128), '--dry-run')]) expect(fits.stderr).not.toContain('in one transaction')
    })

    test('a failing line ends it; --atomic then differs in nothing', async () => {
      const text = 'profile add a\nprofile none rule show\nprofile add c\n'
      const plain = await batch(text, '--dry-run')
      expect([plain.code, plain.stdout.match(/^\+\+\+ .*$/gm)]).toEqual([4, ['+++ profile/a']])
      expect(await batch(text, '--dry-run', '--atomic')).toMatchObject({code: 4, stdout: ''})
      expect(await names()).toBe('')
    })

    test('-o json has the changes of each line and the net ones', async () => {
      const {stdout} = await batch('profile add a\nprofile a tag add x\nprofile remove a\nprofile add b\n', '--dry-run', '-o', 'json')
      const {lines, changes, ...rest} = JSON.parse(stdout) as {lines: {changes: Record<string, unknown>[]}[]; changes: Record<string, unknown>[]}
      expect(rest).toEqual({apiVersion: 'calicoctl/v1', kind: 'BatchResult', dryRun: true, done: 4, failed: 0, notRun: 0})
      expect(lines.map((line) => line.changes.filter(({kind}) => kind === 'Profile').map(({name, change}) => `${String(name)} ${String(change)}`))).toEqual([['a created'], ['a changed'], ['a deleted'], ['b created']])
      expect(changes.filter(({kind}) => kind === 'Profile')).toMatchObject([{name: 'b', change: 'created', before: null}])
      expect(await names()).toBe('')
    })

    test('commands of the host are rehearsed as by their own --dry-run, or refused', async () => {
      const {code, stderr} = await batch('status\ndatastore unlock\n', '--dry-run')
      expect(code).toBe(1)
      expect(stderr).toContain('stdin:1: Error: calicoctl status works on this host and has no --dry-run.')
      expect(stderr).toContain('stdin:2: Error: calicoctl datastore unlock cannot be a line of a batch with --dry-run.')
    })
  })

  test.each([[[]], [['--atomic']], [['--dry-run']]])('the changes of lines have IPAM\'s and those of the initialisation: batch %j', async (args: string[]) => {
    env.CALICO_NODENAME = 'h1'
    const {code, stdout} = await batch('pool add 10.1.0.0/16\nipam assign 10.1.0.1 --handle x\nprofile add a --dry-run\n', '-o', 'json', ...args)
    const {lines} = JSON.parse(stdout) as {lines: {changes: {kind: string; name: string; change: string; before: unknown}[]}[]}
    expect(code).toBe(0)
    expect(lines.map(({changes}) => changes.map(({kind, name, change}) => `${kind} ${name} ${change}`))).toEqual([
      ['IPPool 10.1.0.0/16 created', 'ClusterInformation default created', 'Tier default created', 'Tier kube-admin created', 'Tier kube-baseline created'],
      expect.arrayContaining(['IPAMBlock 10.1.0.0/26 created', 'IPAMHandle x created']) as unknown,
      [],
    ])
  })

  test('-q does not mute that the store was initialised', async () => {
    const {stderr} = await batch('profile add a -q\nprofile add b\n', '-q')
    expect(stderr).toMatch(/^stdin:1: Warning: Initialising this datastore for Calico .*\n$/)
  })

  test('what prints or reads other than text, or never ends, is not a line', async () => {
    const {code, stderr} = await batch('datastore save -\ndatastore restore -\nstatus --watch\napply -f -\n')
    expect(code).toBe(1)
    for (const line of [1, 2, 3, 4]) expect(stderr).toMatch(new RegExp(`^stdin:${line}: Error: `, 'm'))
    const file = join(folder, 'apply.txt')
    writeFileSync(file, 'apply -f -\n')
    const object = JSON.stringify({apiVersion: 'projectcalico.org/v3', kind: 'Profile', metadata: {name: 'applied'}, spec: {}})
    expect(await run(['batch', file], {stdin: object})).toMatchObject({code: 0})
    expect(await names()).toBe('applied\n')
  })
})

describe('faults', () => {
  let proxy: Proxy
  beforeEach(async () => {
    await etcd.ctl('del', '--prefix', '/calico/')
    expect((await calicoctl(['profile', 'add', 'web'], {env: direct()})).code).toBe(0)
    proxy = await startProxy(etcd.endpoints[0] ?? '')
  })
  afterEach(() => proxy.stop())
  const direct = () => ({ETCD_ENDPOINTS: etcd.endpoints.join(',')})
  const through = () => ({ETCD_ENDPOINTS: proxy.endpoint})
  const names = async (): Promise<string[]> => (await calicoctl(['profile', 'show', '-o', 'name'], {env: direct()})).stdout.trimEnd().split('\n')
  const LINES = 'profile add a\nprofile a rule add inbound allow protocol sctp\nprofile web tag add x\nprofile add c\n'
  const atomic = (...args: string[]) => calicoctl(['batch', '--atomic', ...args], {stdin: LINES, env: through()})
  const revision = async (): Promise<number> => (JSON.parse(await etcd.ctl('get', 'x', '-w', 'json')) as {header: {revision: number}}).header.revision

  test.each([
    ['plain: the lines before are done, and it says how many', [], ['a', 'web'], 'Created profile a\n', /^stdin:2: Error: The datastore is locked .*\n[^]*1 line was done/m],
    ['--atomic: nothing is done', ['--atomic'], ['web'], '', /The datastore is locked/],
  ] as const)('locked by somebody else in the middle, %s', async (_, options, left, printed, told) => {
    proxy.before('SCTP', () => {
      const {status} = spawnSync(process.execPath, [CALICOCTL, 'datastore', 'lock'], {env: {PATH: process.env.PATH, HOME: folder, ...direct()}})
      expect(status).toBe(0)
    })
    const {code, stdout, stderr} = await calicoctl(['batch', ...options], {stdin: LINES, env: through()})
    expect({code, stdout, stderr, names: await names()}).toEqual({code: 8, stdout: printed, stderr: expect.stringMatching(told) as unknown, names: left})
  })

  test.each([[[], 'profile/a'], [['--atomic'], 'the batch stdin']])('what it prints cannot be written: 9, with what was made: batch %j', async (options: string[], made: string) => {
    const full = openSync('/dev/full', 'w')
    try {
      const {code, stderr} = await calicoctl(['batch', ...options], {stdin: 'profile add a\nprofile add b\n', env: direct(), outputs: {stdout: full}})
      expect({code, stderr, names: (await names())[0]}).toEqual({code: 9, stderr: expect.stringMatching(new RegExp(`The output cannot be written: .* These changes were made: .*${made}`)) as unknown, names: 'a'})
    } finally {
      closeSync(full)
    }
  })

  test('--atomic after a lost race: the lines run again, and what they print appears once', async () => {
    proxy.before('SCTP', () => {
      const {status} = spawnSync(process.execPath, [CALICOCTL, 'profile', 'web', 'tag', 'add', 'other'], {env: {PATH: process.env.PATH, HOME: folder, ...direct()}})
      expect(status).toBe(0)
    })
    const {code, stdout, stderr} = await atomic()
    expect({code, stdout, names: await names()}).toEqual({code: 0, stdout: 'Created profile a\nTag x added to profile web\nCreated profile c\n', names: ['a', 'c', 'web']})
    expect(stderr.match(/stdin:2: /g)).toHaveLength(1)
    expect((await calicoctl(['profile', 'web', 'tag', 'show', '-o', 'name'], {env: direct()})).stdout).toBe('other\nweb\nx\n')
  })

  test('--atomic with a lost answer: made once, and told as made', async () => {
    const before = await revision()
    proxy.before('SCTP', () => {
      proxy.set('swallow-replies')
      setTimeout(() => {
        proxy.set('pass')
        proxy.reset()
      }, 300)
    })
    expect(await atomic()).toMatchObject({code: 0, stdout: expect.stringContaining('Created profile a\n') as unknown})
    expect([await revision(), await names()]).toEqual([before + 1, ['a', 'c', 'web']])
  })

  test('--atomic, and the store stays away: 9, no output, and JSON says that no line is known to be done', async () => {
    proxy.before('SCTP', () => proxy.set('swallow-replies'))
    const {code, stdout, stderr} = await atomic('--timeout', '2s', '-o', 'json')
    expect(code).toBe(9)
    expect(JSON.parse(stdout)).toMatchObject({done: 0, failed: 0, notRun: 4})
    expect(stderr).toContain('the batch stdin may or may not have been made')
  })

  test.each(['SIGINT', 'SIGKILL'] as const)('%s in the middle of --atomic: nothing is done', async (signal) => {
    const asked = new Promise<void>((resolve) => proxy.before('SCTP', () => {
      proxy.set('black-hole')
      resolve()
    }))
    const running = startCalicoctl(['batch', '--atomic'], {stdin: LINES, env: through()})
    await asked
    running.process.kill(signal)
    const {code, stdout, stderr} = await running.result
    expect([code, stdout, await names()]).toEqual([signal === 'SIGINT' ? 130 : null, '', ['web']])
    if (signal === 'SIGINT') expect(stderr).toContain('the batch stdin was in progress; it may or may not have been made')
  })

  test.each(['SIGINT', 'SIGKILL'] as const)('%s in the middle of a plain batch: the lines before are done, and Ctrl-C says which', async (signal) => {
    const asked = new Promise<void>((resolve) => proxy.before('SCTP', () => {
      proxy.set('black-hole')
      resolve()
    }))
    const running = startCalicoctl(['batch'], {stdin: LINES, env: through()})
    await asked
    running.process.kill(signal)
    const {code, stdout, stderr} = await running.result
    expect([code, stdout, await names()]).toEqual([signal === 'SIGINT' ? 130 : null, 'Created profile a\n', ['a', 'web']])
    if (signal === 'SIGINT') expect(stderr).toContain('1 line was done, the last of them stdin:1. stdin:2 (profile a rule add inbound allow protocol sctp) was in progress: the change of profile/a was in progress; it may or may not have been made. 2 lines were not tried')
  })

  test('SIGTERM in the middle of a plain batch with -o json: the document has what was done, the line that was in progress, and what was not run', async () => {
    const asked = new Promise<void>((resolve) => proxy.before('SCTP', () => {
      proxy.set('black-hole')
      resolve()
    }))
    const running = startCalicoctl(['batch', '-o', 'json'], {stdin: LINES, env: through()})
    await asked
    running.process.kill('SIGTERM')
    const {code, stdout} = await running.result
    expect(code).toBe(143)
    expect(JSON.parse(stdout)).toMatchObject({
      done: 1,
      failed: 1,
      notRun: 2,
      lines: [
        {line: 1, exitCode: 0, stdout: 'Created profile a\n', changes: [{kind: 'Profile', name: 'a', change: 'created'}]},
        {line: 2, exitCode: 143, stderr: 'Interrupted: the change of profile/a was in progress; it may or may not have been made.\n', changes: []},
        {line: 3, exitCode: null, stderr: ''},
        {line: 4, exitCode: null, stderr: ''},
      ],
    })
  })

  test('on a terminal without FILE it says what it reads', async () => {
    const child = spawn('script', ['-qefc', `${process.execPath} ${CALICOCTL} batch`, '/dev/null'], {env: {PATH: process.env.PATH, TERM: 'xterm', HOME: folder, ...direct()}})
    let screen = ''
    child.stdout.on('data', (data: Buffer) => {
      const asked = screen.includes('Ctrl-D')
      screen += data.toString()
      if (!asked && screen.includes('Ctrl-D')) child.stdin.write('profile add typed\n\u0004')
    })
    const code = await new Promise((settle) => child.on('close', settle))
    expect([code, await names()]).toEqual([0, ['typed', 'web']])
    expect(screen).toContain('Reading the command lines from the terminal; end with Ctrl-D.')
  })
})
