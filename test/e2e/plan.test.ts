/** Plans, sets of objects and `edit` with the built command. */
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, watch, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {CALICOCTL, checkBuild, type Result, startCalicoctl} from '../support/cli.js'
import {calicoctl} from '../support/warm.js'

let folder: string
let store: string
let number = 0
beforeAll(() => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-plan-'))
})
beforeEach(() => void (store = `${folder}/store${++number}.json`))
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const HEAD = 'apiVersion: projectcalico.org/v3\n'
const profile = (name: string, more = ''): string => `${HEAD}kind: Profile\nmetadata: {name: ${name}}\n${more}`
const rule = (action: string): string => `spec: {ingress: [{action: ${action}}]}\n`

async function run(argv: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Promise<Omit<Result, 'signal'>> {
  const {code, stdout, stderr} = await calicoctl(argv, {stdin: input, cwd: folder, env: {HOME: folder, CALICO_DATASTORE: `embedded:${store}`, ...env}, timeoutMs: 60_000})
  return {code, stdout, stderr}
}
const file = (name: string): string => join(folder, name)
const stored = async (name: string): Promise<unknown> => JSON.parse((await run(['get', 'profile', name, '-o', 'json'])).stdout)

describe('plan', () => {
  test('saves the change for its owner alone, shows it, and writes nothing; apply --plan makes it once', async () => {
    expect((await run(['apply', '-q', '-f', '-'], profile('web', rule('Allow')))).code).toBe(0)
    writeFileSync(file('a.yaml'), profile('web', rule('Deny')))
    writeFileSync(file('change.plan'), 'old', {mode: 0o644})
    const planned = await run(['plan', '-f', 'a.yaml', '--out', 'change.plan'])
    expect(planned).toMatchObject({code: 0, stderr: 'profile/web would be updated (ingress changed)\nNothing was changed. To make the change: calicoctl apply --plan change.plan\n'})
    expect(planned.stdout).toContain('-    - action: Allow\n+    - action: Deny\n')
    expect(statSync(file('change.plan')).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(file('change.plan'), 'utf8'))).toMatchObject({apiVersion: 'calicoctl/v1', kind: 'Plan', clusterGUID: expect.any(String) as unknown, guards: [], writes: [{key: expect.stringContaining('/profiles/web') as unknown, before: expect.stringContaining('Allow') as unknown, after: expect.stringContaining('Deny') as unknown}], sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown})
    expect(await stored('web')).toMatchObject({spec: {ingress: [{action: 'Allow'}]}})
    expect(await run(['apply', '--plan', 'change.plan', '--dry-run'])).toMatchObject({code: 0, stdout: planned.stdout, stderr: 'profile/web would be updated (ingress changed)\n'})
    expect(await run(['apply', '--plan', 'change.plan'])).toEqual({code: 0, stdout: '', stderr: 'profile/web updated (ingress changed)\n'})
    expect(await stored('web')).toMatchObject({spec: {ingress: [{action: 'Deny'}]}})
    expect(await run(['apply', '--plan', 'change.plan'])).toEqual({code: 0, stdout: '', stderr: 'profile/web unchanged\n'})
  })
  test('moved 5, edited by hand or unreadable 1, another cluster 6, nothing differs 0', async () => {
    expect((await run(['apply', '-q', '-f', '-'], profile('web', rule('Allow')))).code).toBe(0)
    writeFileSync(file('a.yaml'), profile('web', rule('Deny')))
    expect(await run(['plan', '-f', 'a.yaml', '--out', 'a.plan', '-q'])).toMatchObject({code: 0, stderr: ''})
    expect((await run(['profile', 'web', 'tag', 'add', 'x'])).code).toBe(0)
    expect(await run(['apply', '--plan', 'a.plan'])).toMatchObject({code: 5, stdout: '', stderr: expect.stringContaining('\n  profile/web: changed since\n') as unknown})
    writeFileSync(file('b.plan'), readFileSync(file('a.plan'), 'utf8').replaceAll('Deny', 'Pass'))
    expect(await run(['apply', '--plan', 'b.plan'])).toMatchObject({code: 1, stderr: expect.stringContaining('its checksum is wrong') as unknown})
    for (const name of ['none.plan', '.', 'a.yaml', '/dev/null']) expect(await run(['apply', '--plan', name])).toMatchObject({code: 1, stderr: expect.stringContaining('nothing was changed') as unknown})
    expect(await run(['plan', '-f', '-', '--out', 'same.plan'], (await run(['export', 'profile'])).stdout)).toMatchObject({code: 0, stdout: '', stderr: expect.stringContaining('There are no differences: the plan changes nothing.') as unknown})
    expect(await run(['apply', '--plan', 'same.plan'])).toMatchObject({code: 0, stderr: 'profile/web unchanged\n'})
    store = `${folder}/other.json`
    expect((await run(['profile', 'add', 'web'])).code).toBe(0)
    expect(await run(['apply', '--plan', 'a.plan'])).toMatchObject({code: 6, stderr: expect.stringContaining('was made for another cluster') as unknown})
  })
  test('- is stdout and stdin; a plan says all: options of files do not go with it', async () => {
    const {code, stdout} = await run(['plan', '-f', '-', '--out', '-'], profile('web'))
    expect({code, kind: (JSON.parse(stdout) as {kind: unknown}).kind}).toEqual({code: 0, kind: 'Plan'})
    expect(await run(['apply', '--plan', '-', '-o', 'name'], stdout)).toMatchObject({code: 0, stdout: 'profile/web\n'})
    for (const line of ['--plan a -f b', '--plan a --set s', '--plan a --prune', '', '-f a --prune', '-f a --set -x']) expect((await run(['apply', ...line.split(' ').filter((word) => word !== '')])).code).toBe(1)
    expect(await run(['plan', '-f', '-', '--out', 'none/x.plan'], profile('web'))).toMatchObject({code: 1, stderr: expect.stringContaining('none/x.plan cannot be written: its folder does not exist; no plan was written.') as unknown})
    expect(await run(['plan', '-f', '-', '--out', '/dev/full'], profile('web'))).toMatchObject({code: 1, stderr: expect.stringContaining('is not a regular file') as unknown})
    expect(await run(['plan', '-f', '-', '--out', 'dry.plan', '--dry-run'], profile('dry'))).toMatchObject({code: 0, stdout: expect.stringContaining('+++ profile/dry') as unknown})
    expect(() => statSync(file('dry.plan'))).toThrow('ENOENT')
  })
})

describe('sets', () => {
  test('--prune deletes what the set has beyond the files, after it was agreed to', async () => {
    expect((await run(['apply', '-q', '-f', '-'], profile('mine'))).code).toBe(0)
    expect(await run(['apply', '-f', '-', '--set', 's'], `${profile('a')}---\n${profile('b')}`)).toMatchObject({code: 0, stderr: expect.stringContaining('2 objects: 2 created') as unknown})
    expect(await stored('a')).toMatchObject({metadata: {annotations: {'calicoctl/set': 's'}}})
    const files = profile('a', rule('Deny'))
    expect(await run(['apply', '-f', '-', '--set', 's', '--prune'], files)).toEqual({code: 8, stdout: '', stderr: '--prune would delete this object of the set s; nothing was changed:\n  profile/b\nTo delete them, use --yes.\n'.replace(/^/, 'Error: ')})
    expect(await stored('a')).not.toHaveProperty('spec.ingress')
    expect(await run(['apply', '-f', '-', '--set', 's', '--prune', '--dry-run'], files)).toMatchObject({code: 0, stdout: expect.stringContaining('--- profile/b\n+++ /dev/null') as unknown, stderr: 'profile/a would be updated (ingress changed)\nprofile/b would be deleted\n2 objects: 1 updated, 1 deleted\n'})
    expect(await run(['apply', '-f', '-', '--set', 's', '--prune', '--yes'], files)).toEqual({code: 0, stdout: '', stderr: 'To be deleted (in the set s, but not in the files):\n  profile/b\nprofile/a updated (ingress changed)\nprofile/b deleted\n2 objects: 1 updated, 1 deleted\n'})
    expect((await run(['profile', 'show', '-o', 'name'])).stdout).toBe('a\nmine\n')
    expect(await run(['apply', '-f', '-', '--set', 's', '--prune'], files)).toMatchObject({code: 0, stderr: 'profile/a unchanged\n'})
    expect(await run(['apply', '-f', '-', '--set', 's2'], files)).toMatchObject({code: 0, stderr: expect.stringContaining('profile/a was in the set s and is now in the set s2.') as unknown})
  })
  test('what is in use keeps all from being changed', async () => {
    const endpoint = `${HEAD}kind: WorkloadEndpoint\nspec: {node: h1, orchestrator: docker, workload: w, endpoint: e, interfaceName: cali1, profiles: [b]}\n`
    expect((await run(['apply', '-q', '-f', '-', '--set', 's'], `${profile('a')}---\n${profile('b')}`)).code).toBe(0)
    expect((await run(['apply', '-q', '-f', '-'], endpoint)).code).toBe(0)
    expect(await run(['apply', '-f', '-', '--set', 's', '--prune', '--yes'], profile('a', rule('Deny')))).toMatchObject({code: 8, stderr: expect.stringContaining('profile/b: in use by workloadendpoint/') as unknown})
    expect(await stored('a')).not.toHaveProperty('spec.ingress')
    // The files themselves end the use.
    expect(await run(['apply', '-f', '-', '--set', 's', '--prune', '--yes'], `${profile('a')}---\n${endpoint.replace('[b]', '[a]')}`)).toMatchObject({code: 0, stderr: expect.stringContaining('profile/b deleted') as unknown})
  })
  test('more than one transaction takes: several, the deletions last; --atomic refuses it', async () => {
    const some = (count: number): string => Array.from({length: count}, (_, at) => profile(`p${at}`, rule('Allow'))).join('---\n')
    expect((await run(['apply', '-q', '-f', '-', '--set', 's'], some(150))).code).toBe(0)
    const line = ['apply', '-f', '-', '--set', 's', '--prune', '--yes']
    expect(await run([...line, '--atomic'], profile('p0'))).toMatchObject({code: 8, stderr: expect.stringContaining('does not fit in one transaction') as unknown})
    expect(await run(line, profile('p0'))).toMatchObject({code: 0, stderr: expect.stringContaining('150 objects: 1 updated, 149 deleted') as unknown})
    expect((await run(['profile', 'show', '-o', 'name'])).stdout).toBe('p0\n')
  })
})

test('what is exported can be applied to a datastore that is empty', async () => {
  expect((await run(['apply', '-q', '-f', '-'], profile('web'))).code).toBe(0)
  const {stdout} = await run(['export'])
  expect(stdout).toContain('name: kube-admin')
  store = `${folder}/empty.json`
  expect(await run(['apply', '-f', '-'], stdout)).toMatchObject({code: 0, stderr: expect.stringContaining('4 objects: 4 created') as unknown})
  expect((await run(['diff', '-f', '-'], stdout)).code).toBe(0)
})

describe('edit', () => {
  let drafts: string
  beforeEach(async () => {
    drafts = `${folder}/drafts${number}`
    mkdirSync(drafts)
    expect((await run(['apply', '-q', '-f', '-'], profile('web', rule('Allow')))).code).toBe(0)
  })
  /** An editor that does the next one of STEPS, lines of sh about $1, each time that it is opened; after them it leaves the file alone. */
  function editor(...steps: string[]): string {
    const path = `${folder}/editor${number}`
    const cases = steps.map((step, at) => `${at + 1}) ${step};;`).join('\n')
    writeFileSync(path, `#!/bin/sh\necho x >> ${path}.count\ncp "$1" "${path}.seen$(wc -l < ${path}.count)"\ncase $(wc -l < ${path}.count) in\n${cases}\nesac\n`, {mode: 0o755})
    return path
  }
  const seen = (time: number): string => readFileSync(`${folder}/editor${number}.seen${time}`, 'utf8')
  const edit = async (path: string, words: readonly string[] = [], env: Readonly<Record<string, string>> = {}) => await run(['edit', 'profile', 'web', ...words], '', {EDITOR: path, TMPDIR: drafts, ...env})
  const left = (): string[] => readdirSync(drafts, {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.yaml'))

  test('what was saved is written; nothing is left behind', async () => {
    expect(await edit(editor("sed -i s/Allow/Deny/ $1; stat -c '%a %U' $1 > $1.mode; cp $1.mode " + file('mode')))).toEqual({code: 0, stdout: '', stderr: 'profile/web updated (ingress changed)\n'})
    expect(await stored('web')).toMatchObject({spec: {ingress: [{action: 'Deny'}]}})
    expect(readFileSync(file('mode'), 'utf8')).toMatch(/^600 /)
    expect(seen(1)).not.toMatch(/uid|resourceVersion|creationTimestamp/)
    expect(readdirSync(drafts)).toEqual([])
  })
  test('$VISUAL comes before $EDITOR, and may have words of its own; what is empty does not count', async () => {
    expect((await edit('false', [], {VISUAL: 'sed -i s/Allow/Log/'})).code).toBe(0)
    expect((await edit(editor('sed -i s/Log/Pass/ $1'), [], {VISUAL: ''})).code).toBe(0)
    expect(await stored('web')).toMatchObject({spec: {ingress: [{action: 'Pass'}]}})
  })
  test('nothing changed: said so, 0', async () => {
    expect(await edit('true')).toEqual({code: 0, stdout: '', stderr: 'profile/web unchanged\n'})
    expect(readdirSync(drafts)).toEqual([])
  })
  test('what is wrong opens the editor again, with the problem and its place in that file', async () => {
    expect(await edit(editor('sed -i s/action:/acton:/ $1', 'sed -i s/acton:/action:/ $1; sed -i s/Allow/Deny/ $1'))).toMatchObject({code: 0, stderr: 'profile/web updated (ingress changed)\n'})
    const [, line, column] = /^# {3}line (\d+), column (\d+): profile\/web: spec\.ingress\[0\]\.acton: is not a field/m.exec(seen(2)) ?? []
    expect(seen(2).split('\n')[Number(line) - 1]?.slice(Number(column) - 1)).toMatch(/^acton: Allow/)
  })
  test.each([
    ['not corrected', ['sed -i s/Allow/Alow/ $1'], 1, 'Alow'],
    ['corrected to something else that is wrong, and given up', ['sed -i s/Allow/Alow/ $1', 'sed -i s/Alow/Alw/ $1'], 1, 'Alw'],
    ['another name', ['sed -i s/web/db/ $1'], 1, 'name: db'],
    ['the editor fails', ['sed -i s/Allow/Deny/ $1; exit 3'], 1, 'Deny'],
    ['the editor is killed', ['sed -i s/Allow/Deny/ $1; kill -9 $$'], 1, 'Deny'],
  ])('%s: not written, and your text is kept where the command says', async (_, steps, code, typed) => {
    const outcome = await edit(editor(...steps))
    expect({code: outcome.code, stored: await stored('web')}).toMatchObject({code, stored: {spec: {ingress: [{action: 'Allow'}]}}})
    const path = /Your text is kept in (\S+)\. To write it: calicoctl apply -f (\S+)\n/.exec(outcome.stderr)?.[1] ?? ''
    expect(readFileSync(path, 'utf8')).toContain(typed)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
  test('an editor that is a program, and leaves another faulty text each time: given up', async () => {
    expect(await edit(`${editor('true')} $1; sed -i s/action/actionx/`)).toMatchObject({code: 1, stderr: expect.stringContaining('actionx') as unknown})
    expect(readFileSync(`${folder}/editor${number}.count`, 'utf8').trim().split('\n')).toHaveLength(11)
  })
  test('another client was faster: 5, kept, and the file can be applied', async () => {
    const outcome = await edit(editor(`sed -i s/Allow/Deny/ $1; ${CALICOCTL} -q profile web tag add other`))
    expect(outcome).toMatchObject({code: 5, stderr: expect.stringContaining('another client has changed the object') as unknown})
    expect(await stored('web')).toMatchObject({spec: {labelsToApply: {other: ''}, ingress: [{action: 'Allow'}]}})
    const path = /apply -f (\S+)/.exec(outcome.stderr)?.[1] ?? ''
    expect(await run(['apply', '-f', path])).toMatchObject({code: 0, stderr: expect.stringMatching(/^profile\/web updated \(/) as unknown})
  })
  test('deleted meanwhile: 5; left empty: 1; an editor that is none: 1; missing: 4; protected: 8; --no-input: 1', async () => {
    expect(await edit(editor('echo > $1'))).toMatchObject({code: 1, stderr: expect.stringContaining('was left empty') as unknown})
    expect(await edit('/none/editor')).toMatchObject({code: 1, stderr: expect.stringContaining("The editor '/none/editor' cannot be started") as unknown})
    expect((await run(['edit', 'profile', 'none'], '', {EDITOR: 'true'})).code).toBe(4)
    expect((await run(['edit', 'clusterinformation', 'default'], '', {EDITOR: 'true'})).code).toBe(8)
    expect((await edit('true', ['--no-input'])).code).toBe(1)
    expect(left()).toEqual([])
    rmSync(`${folder}/editor${number}.count`)
    expect(await edit(editor(`sed -i s/Allow/Deny/ $1; ${CALICOCTL} -q profile remove web`))).toMatchObject({code: 5, stderr: expect.stringContaining('Another client has deleted profile/web meanwhile') as unknown})
    expect(left()).toHaveLength(1)
  })
  test('--dry-run shows the difference, writes nothing and keeps the file', async () => {
    const outcome = await edit(editor('sed -i s/Allow/Deny/ $1'), ['--dry-run'])
    expect(outcome).toMatchObject({code: 0, stdout: expect.stringContaining('-    - action: Allow\n+    - action: Deny\n') as unknown})
    expect(await stored('web')).toMatchObject({spec: {ingress: [{action: 'Allow'}]}})
    expect(left()).toHaveLength(1)
  })
  test('ended from outside while the editor is open: it says where the file is', async () => {
    const ready = new Promise<void>((settle) => {
      const watcher = watch(folder, (_, name) => {
        if (name !== `ready${number}`) return
        watcher.close()
        settle()
      })
    })
    const running = startCalicoctl(['edit', 'profile', 'web'], {cwd: folder, env: {CALICO_DATASTORE: `embedded:${store}`, TMPDIR: drafts, EDITOR: editor(`sed -i s/Allow/Deny/ $1; echo $$ > ${file('pid')}; touch ${file(`ready${number}`)}; exec sleep 60 > ${file('out')} 2>&1`)}})
    await ready
    running.process.kill('SIGTERM')
    const {code, stderr} = await running.result
    try {
      process.kill(Number(readFileSync(file('pid'), 'utf8')))
    } catch {
      // It has gone with its shell.
    }
    const path = /Terminated: your text is kept in (\S+)/.exec(stderr)?.[1] ?? ''
    expect({code, kept: existsSync(path) && readFileSync(path, 'utf8').includes('Deny')}).toEqual({code: 143, kept: true})
  })
})
