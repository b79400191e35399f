/** Files of objects with the built command. */
import {execFileSync, spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync, watch, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {CALICOCTL, checkBuild, type Result, startCalicoctl} from '../support/cli.js'
import {calicoctl} from '../support/warm.js'

let folder: string
beforeAll(() => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-resource-files-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const HEAD = 'apiVersion: projectcalico.org/v3\n'
const profile = (name: string, more = ''): string => `${HEAD}kind: Profile\nmetadata: {name: ${name}}\n${more}`

async function run(argv: readonly string[], input = ''): Promise<Omit<Result, 'signal'>> {
  const {code, stdout, stderr} = await calicoctl(argv, {stdin: input, cwd: folder, env: {HOME: folder, CALICO_DATASTORE: `embedded:${folder}/store.json`}, timeoutMs: 60_000})
  return {code, stdout, stderr}
}

describe('validate', () => {
  test('says how many objects are valid, without a datastore', async () => {
    writeFileSync(join(folder, 'a.yaml'), profile('a'))
    expect(await run(['validate', '-f', 'a.yaml', '-f', '-'], `${profile('b')}---\n${profile('c')}`)).toEqual({code: 0, stdout: '3 objects in 2 files are valid.\n', stderr: ''})
  })
  test('every problem of every file, 1', async () => {
    expect(await run(['validate', '-ftypo.yaml', '-f-', '-Rfa.yaml'], profile('b', 'spec: {ingress: [{action: Allow, srouce: {}}]}\n'))).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: There are 2 problems; nothing was changed:\n  typo.yaml: there is no such file\n  -:4:34: profile/b: spec.ingress[0].srouce: is not a field of a Profile in this place. Did you mean source?\n',
    })
  })
  test('what would do harm on the nodes is refused', async () => {
    expect(await run(['validate', '-f', '-'], profile('b', 'spec: {ingress: [{action: Allow, source: {nets: []}}]}\n'))).toMatchObject({code: 1, stderr: expect.stringContaining('-:4:49: profile/b: spec.ingress[0].source.nets: is empty: the rule matches every address') as unknown})
  })
  test('neither a line without -f nor a pipe that nobody writes to is waited for', async () => {
    expect((await run(['validate'])).code).toBe(1)
    execFileSync('mkfifo', [join(folder, 'fifo.yaml')])
    expect(await run(['validate', '-f', 'fifo.yaml'])).toMatchObject({code: 1, stderr: expect.stringContaining('fifo.yaml: it is not a regular file') as unknown})
  })
})

describe('create, apply, replace, delete', () => {
  const tier = `${HEAD}kind: Tier\nmetadata: {name: sec}\nspec: {order: 5}\n`
  const policy = `${HEAD}kind: GlobalNetworkPolicy\nmetadata: {name: sec.p}\nspec: {tier: sec, selector: all()}\n`

  test('a file is made in one transaction, whatever the order in it; what does not differ is not written', async () => {
    const files = `${policy}---\n${tier}---\n${profile('web', 'spec: {ingress: [{action: Allow}]}\n')}`
    expect(await run(['apply', '-f', '-', '-q', '-o', 'name'], files)).toMatchObject({code: 0, stdout: 'globalnetworkpolicy/sec.p\ntier/sec\nprofile/web\n'})
    expect(await run(['apply', '-f', '-'], files)).toEqual({code: 0, stdout: '', stderr: 'globalnetworkpolicy/sec.p unchanged\ntier/sec unchanged\nprofile/web unchanged\n3 objects: 3 unchanged\n'})
    expect(await run(['create', '-f', '-', '--skip-exists'], `${tier}---\n${profile('db')}`)).toMatchObject({code: 0, stderr: 'tier/sec unchanged\nprofile/db created\n2 objects: 1 created, 1 unchanged\n'})
  })
  test('a dry run shows the difference as YAML and writes nothing', async () => {
    const changed = tier.replace('5', '6')
    for (let times = 1; times <= 2; times++) expect(await run(['apply', '-f', '-', '--dry-run'], changed)).toMatchObject({code: 0, stdout: expect.stringContaining('-  order: 5\n+  order: 6\n') as unknown, stderr: 'tier/sec would be updated (order 5 → 6)\n'})
  })
  test('one object that cannot be made keeps all from being made, and every reason is told', async () => {
    const outcome = await run(['create', '-f', '-'], `${profile('new')}---\n${tier}---\n${policy}`)
    expect(outcome).toEqual({
      code: 5,
      stdout: '',
      stderr: 'Error: There are 2 problems; nothing was changed:\n  -:5:1: tier/sec: already exists (apply changes it; --skip-exists skips it)\n  -:10:1: globalnetworkpolicy/sec.p: already exists (apply changes it; --skip-exists skips it)\n',
    })
    expect((await run(['get', 'profile', 'new'])).code).toBe(4)
    expect((await run(['replace', '-f', '-'], `${tier.replace('5', '7')}---\n${profile('new')}`)).code).toBe(4)
    expect(await run(['apply', '-f', '-'], policy.replaceAll('sec', 'none'))).toMatchObject({code: 1, stderr: expect.stringContaining('-:4:14: globalnetworkpolicy/none.p: spec.tier: refers to a tier that does not exist: none') as unknown})
  })
  test('a resourceVersion must be the one of the datastore', async () => {
    expect(await run(['apply', '-f', '-'], profile('web', '').replace('name: web', 'name: web, resourceVersion: "1"'))).toMatchObject({code: 5, stderr: expect.stringContaining('another client has changed the object') as unknown})
  })
  test('annotations of calicoctl stay, others are what the file says', async () => {
    const annotated = (annotations: string): string => profile('noted').replace('name: noted', `name: noted, annotations: {${annotations}}`)
    expect((await run(['apply', '-f', '-'], annotated('calicoctl/x: "1", other: "1"'))).code).toBe(0)
    expect((await run(['apply', '-f', '-'], annotated('mine: "1"'))).code).toBe(0)
    expect(JSON.parse((await run(['get', 'profile', 'noted', '-o', 'json'])).stdout)).toMatchObject({metadata: {annotations: {'calicoctl/x': '1', mine: '1'}}})
  })
  test('more than fits into one transaction is written in several, and said so; --atomic refuses it', async () => {
    const many = Array.from({length: 205}, (_, at) => profile(`many-${at}`)).join('---\n')
    expect(await run(['apply', '-f', '-', '--atomic'], many)).toMatchObject({code: 8, stderr: expect.stringContaining('It writes 205 keys') as unknown})
    const {code, stderr} = await run(['apply', '-f', '-'], many)
    expect({code, first: stderr.split('\n')[0], last: stderr.trimEnd().split('\n').at(-1)}).toEqual({code: 0, first: '205 objects differ: they are written in 3 transactions, dependencies first.', last: '205 objects: 205 created'})
    expect(await run(['apply', '-f', '-', '--atomic'], many)).toMatchObject({code: 0, stderr: expect.stringContaining('205 objects: 205 unchanged') as unknown})
    expect(await run(['delete', '-f', '-', '-q'], many)).toMatchObject({code: 0})
  })
  test('delete: all or nothing; what is in use is kept', async () => {
    expect(await run(['delete', 'tier', 'sec'])).toMatchObject({code: 8, stderr: expect.stringContaining('tier/sec: in use by globalnetworkpolicy/sec.p') as unknown})
    expect(await run(['delete', 'profile', 'web', 'missing'])).toMatchObject({code: 4, stderr: expect.stringContaining('profile/missing: does not exist') as unknown})
    expect(await run(['delete', 'profile', 'web', 'missing', '-s'])).toMatchObject({code: 0, stderr: 'profile/web deleted\n'})
    expect(await run(['delete', '-f', '-'], `${tier}---\n${policy}`)).toMatchObject({code: 0, stderr: 'tier/sec deleted\nglobalnetworkpolicy/sec.p deleted\n2 objects: 2 deleted\n'})
    expect((await run(['delete', 'profile'])).code).toBe(1)
    expect((await run(['delete', 'clusterinformation', 'default'])).code).toBe(8)
  })
  test('delete of a pool gives its blocks back, of a node takes what it has along', async () => {
    expect((await run(['pool', 'add', '10.0.0.0/16'])).code).toBe(0)
    expect(await run(['delete', 'ippool', '10-0-0-0-16', '-o', 'name'])).toMatchObject({code: 0, stdout: 'ippool/10.0.0.0/16\n'})
    expect(await run(['delete', 'node', 'h1'])).toMatchObject({code: 4, stderr: expect.stringContaining('node/h1') as unknown})
  })
})

describe('diff and export', () => {
  test('what is exported is unchanged for apply and no difference; a difference is 1, a problem 2', async () => {
    const files = `${HEAD}kind: Tier\nmetadata: {name: out}\nspec: {order: 5}\n---\n${HEAD}kind: GlobalNetworkPolicy\nmetadata: {name: out.p}\nspec: {tier: out, selector: all()}\n---\n${profile('web', 'spec: {ingress: [{action: Allow}]}\n')}---\n${HEAD}kind: WorkloadEndpoint\nspec: {node: h1, orchestrator: docker, workload: w, endpoint: e, interfaceName: cali1, profiles: [web]}\n---\n${HEAD}kind: BGPConfiguration\nmetadata: {name: node.h1}\nspec: {ignoredInterfaces: [eth9]}\n---\n${HEAD}kind: IPPool\nmetadata: {name: p}\nspec: {cidr: 10.7.0.0/16}\n`
    expect(await run(['apply', '-f', '-', '-q'], files)).toMatchObject({code: 0, stderr: ''})
    const {code, stdout} = await run(['export'])
    expect(code).toBe(0)
    expect(stdout).not.toMatch(/uid:|creationTimestamp|status:|resourceVersion|ClusterInformation/)
    expect(await run(['diff', '-f', '-'], stdout)).toEqual({code: 0, stdout: '', stderr: ''})
    expect(await run(['apply', '-f', '-'], stdout)).toMatchObject({code: 0, stderr: expect.not.stringMatching(/created|updated/) as unknown})
    const changed = await run(['diff', '-f', '-'], stdout.replace('order: 5', 'order: 6'))
    expect(changed).toMatchObject({code: 1, stderr: ''})
    expect(changed.stdout).toContain('-  order: 5\n+  order: 6\n')
    expect(await run(['diff', '-f', '-'], 'x: 1')).toMatchObject({code: 2, stdout: ''})
    expect((await run(['diff', '-f', 'none.yaml'])).code).toBe(2)
    for (const line of ['', '--nonsense', '-f', 'x', '-f a -f b --timeout', '--timeout 2x -f -', '-f - -n -']) expect({line, ...await run(['diff', ...line.split(' ').filter((word) => word !== '')], profile('web'))}).toMatchObject({line, code: 2, stdout: ''})
    writeFileSync(join(folder, 'web.yaml'), profile('web'))
    expect(await run(['batch'], 'diff -f web.yaml\nprofile show\n')).toMatchObject({code: 1, stderr: expect.stringContaining('stdin:1 (diff -f web.yaml) failed; 1 line was not tried') as unknown})
    expect((await run(['export', 'pools', 'tiers'])).stdout.match(/^kind: .*$/gm)).toEqual(expect.arrayContaining(['kind: Tier', 'kind: IPPool']))
    expect((await run(['export', 'nonsense'])).code).toBe(1)
  })
})

test('killed between two transactions, each is whole, and the same command does the rest', async () => {
  const many = Array.from({length: 1000}, (_, at) => profile(`many-${at}`)).join('---\n')
  const begun = new Promise<void>((settle) => {
    const watcher = watch(folder, (_, name) => {
      if (name !== 'killed.json') return
      watcher.close()
      settle()
    })
  })
  const env = {CALICO_DATASTORE: `embedded:${folder}/killed.json`, CALICOCTL_JOURNAL: 'off'}
  const running = startCalicoctl(['apply', '-q', '-f', '-'], {env, stdin: many})
  await begun
  running.process.kill('SIGKILL')
  expect((await running.result).signal).toBe('SIGKILL')
  const names = (): number => spawnSync(CALICOCTL, ['get', 'profiles', '-o', 'name'], {cwd: folder, encoding: 'utf8', env: {PATH: process.env.PATH, HOME: folder, ...env}}).stdout.split('\n').filter((line) => line.includes('many-')).length
  const first = names()
  expect({whole: first % 100, all: first > 0 && first < 1000}).toEqual({whole: 0, all: true})
  const {stderr} = await startCalicoctl(['apply', '-f', '-'], {env, stdin: many}).result
  expect(stderr).toContain(`1000 objects: ${1000 - first} created, ${first} unchanged`)
})

test('differences have colours on a terminal, if they are wanted', () => {
  writeFileSync(join(folder, 'shades.yaml'), profile('shades'))
  const screen = (line: string, env: Readonly<Record<string, string>> = {}): string =>
    spawnSync('script', ['-qefc', `${CALICOCTL} ${line}`, '/dev/null'], {cwd: folder, encoding: 'utf8', env: {PATH: process.env.PATH, HOME: folder, TERM: 'xterm', CALICO_DATASTORE: `embedded:${folder}/store.json`, ...env}}).stdout
  for (const line of ['diff -f shades.yaml', 'apply -f shades.yaml --dry-run', 'profile add shades --dry-run']) expect(screen(line)).toContain('\u001b[32m+kind: Profile\u001b[0m')
  for (const [line, env] of [['diff -f shades.yaml --no-color', {}], ['diff -f shades.yaml', {NO_COLOR: '1'}], ['diff -f shades.yaml', {TERM: 'dumb'}]] as const) {
    expect(screen(line, env)).toContain('+kind: Profile')
    expect(screen(line, env)).not.toContain('\u001b[')
  }
  expect(screen('diff -f shades.yaml', {NO_COLOR: ''})).toContain('\u001b[32m')
})
