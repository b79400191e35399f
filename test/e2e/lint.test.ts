/** lint: what it finds in a store, what it prints and how it ends. */
import {spawnSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {CODE_NAMES, levelOf} from '../../src/lib/lint/codes.js'
import {PAGES} from '../../src/lib/lint/pages.js'
import {exampleStore, RESOURCES, stored} from '../lib/lint/store.js'
import {goldenLines} from '../lib/model/golden.js'
import {checkBuild} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {calicoctl} from '../support/warm.js'

interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Found {
  readonly code: string
  readonly level: string
  readonly object: string
  readonly key: string
  readonly message: string
  readonly command: string
}

let folder: string
let count = 0
beforeAll(() => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-lint-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

/** A store of ENTRIES, as --datastore has it. */
function store(entries: Readonly<Record<string, string>>): string {
  const path = join(folder, `store${count++}.json`)
  const keys = Object.entries(entries).map(([key, value], at) => [key, value, String(at + 2), String(at + 2), '1'])
  writeFileSync(path, JSON.stringify({format: 'calicoctl-store/1', revision: String(keys.length + 1), compacted: '0', keys, log: []}), {mode: 0o600})
  return `embedded:${path}`
}

/** LINES, each a list of words, in one process. */
function run(lines: readonly (readonly string[])[]): readonly Result[] {
  const {stderr, output} = spawnSync(process.execPath, [resolve(import.meta.dirname, '../support/many-lines.mjs')], {
    input: JSON.stringify(lines),
    stdio: ['pipe', 'inherit', 'pipe', 'pipe'],
    env: {PATH: process.env.PATH, HOME: folder, HOSTNAME: 'h1'},
    encoding: 'utf8',
    maxBuffer: 1e9,
  })
  if (!output[3]) throw new Error(`the lines did not come to their end: ${stderr}`)
  return JSON.parse(output[3]) as Result[]
}

const findingsOf = (result: Result | undefined): readonly Found[] => (JSON.parse(result?.stdout ?? '') as {findings: readonly Found[]}).findings
const on = (line: string, datastore: string): string[] => [...line.split(' '), '--datastore', datastore]

const ENDPOINT_OF: Readonly<Record<string, readonly [profile: string, address: string]>> = {
  client: ['client', '192.168.0.1'], frontend: ['frontend', '192.168.0.2'], backend: ['backend', '192.168.0.3'], 'management-ui': ['management-ui', '192.168.0.4'],
}

/** Manifests of the endpoints that the example's containers would have. */
const STARS = Object.entries(ENDPOINT_OF).map(([name, [profile, address]], at) => [
  'apiVersion: projectcalico.org/v3', 'kind: WorkloadEndpoint', 'metadata:', `  name: h1-docker-${name.replaceAll('-', '--')}-eth${at}`, '  namespace: default', 'spec:',
  '  orchestrator: docker', '  node: h1', `  workload: ${name}`, `  endpoint: eth${at}`, `  interfaceName: cali${at}`, '  mac: ee:ee:ee:ee:ee:ee', `  ipNetworks: [${address}/32]`, `  profiles: [${profile}]`,
].join('\n')).join('\n---\n')

const starsLines = readFileSync(resolve(import.meta.dirname, '../../examples/stars/stars.sh'), 'utf8').split('\n').flatMap((line) => /run calicoctl (profile .*?)(?: \|\||$)/.exec(line)?.[1] ?? [])

describe('healthy stores, made by our own commands, have no finding', () => {
  const stores: Readonly<Record<string, readonly string[]>> = {
    'profiles and pools': ['pool add 192.168.0.0/16 --nat-outgoing', 'pool add fd80:24e2:f998:72d6::/64', 'profile add web', 'profile web tag add shop', 'profile web rule add inbound allow tcp from tag shop to ports 80,443', 'profile web rule add inbound deny from cidr 10.0.0.0/8'],
    'BGP and settings': ['bgp node-mesh off', 'bgp default-node-as 64513', 'bgp peer add 192.0.2.1 as 64513', 'node bgp peer add 192.0.2.2 as 64514', 'config felix loglevel info', 'config node bgp loglevel debug', 'ipam configure --strict-affinity=true'],
    'a profile as it is made, and unmade': ['profile add web', 'profile add db', 'profile remove web'],
    stars: ['pool add 192.168.0.0/16', ...['management-ui', 'client', 'frontend', 'backend'].map((name) => `profile add ${name}`), 'create -f stars.yaml', ...starsLines.map((line) => line.replace(/ rule show$/, ' rule show -q'))],
  }

  test.each(Object.entries(stores))('%s', async (name, lines) => {
    expect(lines.length).toBeGreaterThan(2)
    writeFileSync(join(folder, 'stars.yaml'), STARS)
    const datastore = `embedded:${join(folder, `healthy-${count++}.json`)}`
    const results = run(lines.map((line) => on(line.replace('stars.yaml', join(folder, 'stars.yaml')), datastore)))
    // 4: stars.sh removes a rule that may be gone already.
    for (const [at, result] of results.entries()) expect({line: lines[at], ...result}).toMatchObject({line: lines[at], code: lines[at]?.includes('rule remove') ? expect.any(Number) as unknown as number : 0, stderr: expect.not.stringContaining('Error') as unknown as string})
    const lint = await calicoctl(on('lint', datastore))
    expect({name, ...lint}).toMatchObject({name, code: 0, stdout: ''})
    expect(lint.stderr).toMatch(/^Checked \d+ objects\.\n$/)
  })
})

describe('recorded faults, as stored objects', () => {
  interface Line {
    readonly case: string
    readonly writes: Readonly<Record<string, string | null>>
    readonly verdict: string
  }
  const [first, ...lines] = goldenLines<Line | {readonly baseline: Readonly<Record<string, string>>}>('felix-defects.jsonl') as [{readonly baseline: Readonly<Record<string, string>>}, ...Line[]]
  const healthy = (): Record<string, string> => ({...exampleStore({}), ...first.baseline})

  test('are found by the command, which ends with 10', () => {
    const stores = lines.map((line) => {
      const entries = healthy()
      for (const [key, value] of Object.entries(line.writes)) {
        if (value === null) Reflect.deleteProperty(entries, key)
        else entries[key] = value
      }
      return store(entries)
    })
    const results = run(stores.map((each) => on('lint -o json --level info', each)))
    lines.forEach((line, at) => {
      const result = results[at]
      const found = findingsOf(result)
      expect({case: line.case, code: result?.code}).toEqual({case: line.case, code: found.length > 0 ? 10 : 0})
    })
    expect(run([on('lint --level info', store(healthy()))])).toMatchObject([{code: 0, stdout: ''}])
  })
})

describe('the pages', () => {
  const examples = CODE_NAMES.map((code) => ({code, datastore: ''}))
  beforeAll(() => {
    for (const each of examples) each.datastore = store(exampleStore(PAGES[each.code].example))
  })

  test('each says what it is, and its example is found; the command that mends it works where it is ours', () => {
    const before = run(examples.flatMap(({code, datastore}) => [on(`lint codes ${code}`, datastore), on('lint -o json --level info', datastore)]))
    const ours = examples.flatMap(({code, datastore}, at) => {
      const [page, lint] = [before[2 * at], before[2 * at + 1]] as [Result, Result]
      expect(page).toMatchObject({code: 0, stdout: expect.stringContaining(`${code} (${levelOf(code)}): `) as unknown as string})
      expect(findingsOf(lint).map((finding) => finding.code)).toEqual([code])
      // What follows on a comma or a semicolon is for people, as are words in capitals.
      const command = findingsOf(lint)[0]?.command.split(/[;,] /)[0] ?? ''
      return command.startsWith('calicoctl ') && !/\b[A-Z]{2,}\b| get kinds|^calicoctl (?:edit|create) /.test(command) ? [{code, datastore, command}] : []
    })
    expect(ours.length).toBeGreaterThan(15)
    const after = run(ours.flatMap(({datastore, command}) => [on(command.replace(/^calicoctl /, ''), datastore), on('lint -o json --level info', datastore)]))
    ours.forEach(({code, command}, at) => {
      expect({command, ...after[2 * at]}).toMatchObject({command, code: 0})
      expect({code, command, found: findingsOf(after[2 * at + 1]).map((finding) => finding.code)}).toMatchObject({found: expect.not.arrayContaining([code]) as unknown as string[]})
    })
  })
})

describe('the line', () => {
  const broken = (): string => store(exampleStore({'profiles/web': {spec: {ingress: [{action: 'Allow', source: {tag: 'x'}, destination: {}}], egress: [], labelsToApply: {web: ''}}}, 'profiles/db': {spec: {ingress: [{action: 'Allow', source: {selector: 'has(ghost)'}, destination: {}}], egress: [], labelsToApply: {db: ''}}}}))

  test('a table on stdout, what was found on stderr', () => {
    const [result] = run([on('lint', broken())])
    expect(result).toMatchObject({code: 10, stderr: 'Checked 6 objects.\nError: 1 error, 1 warning were found.\nTo see what a code means and how to fix it: calicoctl lint codes CODE\n'})
    expect(result?.stdout).toContain('| error   | rule-open      | profile/web |')
    expect(result?.stdout).toContain('calicoctl profile web rule remove inbound --at=1')
  })

  test('--level sets what is shown and what counts', () => {
    const datastore = broken()
    const levels = ['error', 'warning', 'info']
    const results = run([...levels.map((level) => on(`lint -o json --level ${level}`, datastore)), on('lint --level error', store(exampleStore(PAGES['selects-nobody'].example)))])
    expect(results.map(({code}) => code)).toEqual([10, 10, 10, 0])
    expect(results.slice(0, 3).map((result) => findingsOf(result).map(({level}) => level))).toEqual([['error'], ['error', 'warning'], ['error', 'warning']])
    expect(results[3]).toMatchObject({stdout: '', stderr: 'Checked 5 objects. 1 warning is not shown: --level info\n'})
  })

  test('--ignore leaves a code out, several times; an unknown one is refused', () => {
    const datastore = broken()
    const [one, both, unknown] = run([on('lint --ignore rule-open -o json', datastore), on('lint --ignore rule-open --ignore selects-nobody', datastore), on('lint --ignore rule-opne', datastore)])
    expect(findingsOf(one).map(({code}) => code)).toEqual(['selects-nobody'])
    expect(both).toMatchObject({code: 0, stdout: ''})
    expect(unknown).toMatchObject({code: 1, stdout: ''})
    expect(unknown?.stderr).toContain('Did you mean rule-open?')
  })

  test('what is not a store of Calico is none here either; one that has lost its ClusterInformation is looked at', () => {
    const [empty, foreign, lost, other] = run([
      on('lint', store({})), on('lint', store({'/calico/x': '1'})),
      on('lint -o json', store(exampleStore({'clusterinformations/default': null}))),
      on('lint --expect-cluster abc', store(exampleStore({'clusterinformations/default': null}))),
    ])
    expect(empty).toMatchObject({code: 0, stdout: ''})
    expect(foreign).toMatchObject({code: 6, stdout: ''})
    expect(lost).toMatchObject({code: 10})
    expect(findingsOf(lost)).toMatchObject([{code: 'cluster-information-missing', level: 'error', object: 'clusterinformation/default'}])
    expect(other).toMatchObject({code: 6, stdout: ''})
  })

  test('a ClusterInformation that is not a JSON is a finding', () => {
    const [result] = run([on('lint -o json', store(exampleStore({'clusterinformations/default': '{broken'})))])
    expect(result?.code).toBe(10)
    expect(findingsOf(result).map(({code}) => code)).toContain('node-stops')
  })

  test('the commands that remove rules can be run in their order: nothing but dead rules is removed', () => {
    const datastore = `embedded:${join(folder, 'all-commands.json')}`
    const rules = ['allow tcp to ports 1:100', 'allow tcp to ports 50', 'allow tcp to ports 60', 'deny from cidr 10.6.6.0/24', 'allow udp']
    const results = run([on('profile add q', datastore), ...rules.map((rule) => on(`profile q rule add inbound ${rule} -q`, datastore)), on('lint -o json', datastore)])
    const commands = findingsOf(results.at(-1)).map(({command}) => command)
    expect(commands).toEqual(['calicoctl profile q rule remove inbound allow tcp to ports 60', 'calicoctl profile q rule remove inbound allow tcp to ports 50'])
    const after = run([...commands.map((command) => on(command.replace(/^calicoctl /, ''), datastore)), on('lint', datastore), on('profile q rule show', datastore)])
    expect(after.slice(0, -1).map(({code}) => code)).toEqual([0, 0, 0])
    expect(after.at(-1)?.stdout).toBe('Inbound rules:\n   1 allow from tag q\n   2 allow tcp to ports 1:100\n   3 deny from cidr 10.6.6.0/24\n   4 allow udp\nOutbound rules:\n   1 allow\n')
  })

  test('codes are listed', () => {
    const [table, json] = run([['lint', 'codes'], ['lint', 'codes', '-o', 'json']])
    for (const code of CODE_NAMES) expect(table?.stdout).toContain(`| ${code} `)
    expect((JSON.parse(json?.stdout ?? '') as {codes: unknown[]}).codes).toHaveLength(CODE_NAMES.length)
  })
})

describe('in passing', () => {
  test('rule add says that an earlier rule of the profile takes all, and adds it all the same', () => {
    const datastore = `embedded:${join(folder, 'passing.json')}`
    const [, , taken, first, narrower] = run([
      on('profile add web', datastore), on('profile web rule add inbound allow tcp to ports 80,443', datastore),
      on('profile web rule add inbound deny tcp from cidr 10.0.0.0/8 to ports 443', datastore),
      on('profile web rule add inbound deny tcp from cidr 10.1.0.0/16 to ports 443 --at=2', datastore),
      on('profile web rule add inbound deny tcp to ports 22', datastore),
    ])
    expect(taken).toEqual({code: 0, stdout: '', stderr: 'Warning: the inbound rule 3 never matches: rule 2 before it matches all its traffic (allow tcp to ports 80,443). To put it first, remove it and add it with --at=2.\nprofile/web updated (inbound rule 3 added)\n'})
    for (const result of [first, narrower]) expect(result).toMatchObject({code: 0, stderr: expect.not.stringContaining('Warning') as unknown as string})
    expect(findingsOf(run([on('lint -o json', datastore)])[0]).map(({code, message}) => [code, message.slice(0, 39)])).toEqual([['rule-never-reached', 'never matches: inbound rule 3 before it']])
  })

  test('rule add and lint say that several earlier rules take all together', () => {
    const datastore = `embedded:${join(folder, 'together.json')}`
    const [, , , taken, left, lint] = run([
      on('profile add web', datastore), on('profile web rule add inbound allow tcp to ports 1:100', datastore), on('profile web rule add inbound deny tcp to ports 101:65535', datastore),
      on('profile web rule add inbound allow tcp from cidr 10.0.0.0/8', datastore), on('profile web rule add inbound allow udp', datastore), on('lint -o json', datastore),
    ])
    expect(taken).toEqual({code: 0, stdout: '', stderr: 'Warning: the inbound rule 4 never matches: rules 2, 3 before it together match all its traffic (allow tcp to ports 1:100; deny tcp to ports 101:65535). To put it first, remove it and add it with --at=2.\nprofile/web updated (inbound rule 4 added)\n'})
    expect(left).toMatchObject({code: 0, stderr: expect.not.stringContaining('Warning') as unknown as string})
    expect(findingsOf(lint).map(({code, message}) => [code, message])).toEqual([['rule-never-reached', 'never matches: inbound rule 2, inbound rule 3 before it together match all its traffic (allow tcp to ports 1:100; deny tcp to ports 101:65535)']])
  })

  test('rule add says which rules behind the new one never match any more because of it', () => {
    const datastore = `embedded:${join(folder, 'behind.json')}`
    const add = (rule: string): string[] => on(`profile web rule add inbound ${rule}`, datastore)
    const [, , , all, again, one, end] = run([
      on('profile add web', datastore), add('deny from cidr 10.6.6.0/24'), add('allow tcp to ports 80'), add('--at=1 allow'), add('--at=2 deny tcp'),
      add('--at=1 deny tcp to ports 80'), add('allow udp --at=6'),
    ])
    expect(all).toEqual({code: 0, stdout: '', stderr: 'Warning: because of the inbound rule 1, 3 rules behind it (2, 3, 4) never match any more. To put it at the end, remove it and add it without --at.\nprofile/web updated (inbound rule 1 added)\n'})
    expect(again?.stderr).toMatch(/^Warning: the inbound rule 2 never matches: .*\nprofile\/web updated/)
    expect(one).toMatchObject({code: 0, stderr: 'profile/web updated (inbound rule 1 added)\n'})
    expect(end?.stderr).not.toContain('because of')
    const other = `embedded:${join(folder, 'behind-one.json')}`
    const [, , single] = run([on('profile add web', other), on('profile web rule add inbound deny tcp to ports 80', other), on('profile web rule add inbound --at=2 allow tcp', other)])
    expect(single?.stderr).toBe('Warning: because of the inbound rule 2, rule 3 behind it (deny tcp to ports 80) never matches any more. To put it at the end, remove it and add it without --at.\nprofile/web updated (inbound rule 2 added)\n')
  })

  test('status tells the number of errors in what it has read, on stderr, and nothing else changes', () => {
    const wep = (interfaceName: string | undefined): Record<string, string> => exampleStore({
      'nodes/h1': {spec: {}}, 'profiles/web': {spec: {ingress: [{action: 'Allow', source: {tag: 'x'}}]}},
      'workloadendpoints/default/h1-docker-a-eth0': {spec: {orchestrator: 'docker', node: 'h1', workload: 'a', endpoint: 'eth0', ipNetworks: ['10.0.0.1/32'], interfaceName, mac: 'ee:ee:ee:ee:ee:ee', profiles: ['web']}},
    })
    const [good, bad, other, quiet] = run([on('status --all', store(wep('calia'))), on('status --all', store(wep(undefined))), on('status --all', store(wep('tapa'))), on('status --all -q', store(wep(undefined)))])
    expect(good).toMatchObject({code: 0, stderr: ''})
    // What interfaces may be called is in a FelixConfiguration, which status does not read.
    expect(other).toEqual(good)
    expect(bad).toEqual({...good, stderr: 'Warning: 1 lint error in the objects that were read. To check the whole datastore: calicoctl lint\n'})
    expect(quiet).toEqual(good)
  })
})

describe('on etcd', () => {
  let etcd: TestEtcd
  beforeAll(async () => {
    etcd = await startEtcd()
  })
  afterAll(() => etcd.stop())

  test('the same, and keys of the old model beside it', async () => {
    const env = {ETCD_ENDPOINTS: etcd.endpoints.join(',')}
    expect(await calicoctl(['profile', 'add', 'web'], {env})).toMatchObject({code: 0})
    expect(await calicoctl(['lint'], {env})).toMatchObject({code: 0, stdout: ''})
    for (const name of ['a', 'b']) await etcd.ctl('put', `/calico/v1/policy/profile/${name}/rules`, '{}')
    await etcd.ctl('put', `${RESOURCES}profiles/x`, stored('profiles/x', {spec: {ingress: [{action: 'Allow', source: {nets: ['10.65']}}]}}))
    const result = await calicoctl(['lint', '-o', 'json'], {env})
    expect(result.code).toBe(10)
    expect(findingsOf(result).map(({code, object, message}) => [code, object, message])).toEqual([
      ['rule-open', 'profile/x', 'is not a network ("10.65"): the rule matches every address'],
      ['old-model', '/calico/v1/policy/', 'has 2 keys of a Calico version before 3, which nothing reads'],
    ])
  })
})
