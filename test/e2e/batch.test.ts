/** batch: many command lines in one process, on etcd and on the embedded store. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {calicoctl, type Options} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'

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

  test('the first failure stops it with its exit code; --keep-going tries all', async () => {
    const text = 'profile add a\nprofile none rule show\nprofile add c\npool remove 10.0.0.0/8\n'
    const first = await batch(text)
    expect(first).toMatchObject({code: 4, stdout: 'Created profile a\n'})
    expect(first.stderr).toContain('stdin: 1 line was done; stdin:2 (profile none rule show) failed; 2 lines were not tried.\n')
    const all = await batch(text, '--keep-going')
    expect(all.code).toBe(4)
    expect(all.stdout).toContain('Created profile c\n')
  })

  test('-o json is one document', async () => {
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
    expect((await batch('profile web rule update\n')).stderr).toContain('stdin:1: Error: it reads stdin')
  })
})
