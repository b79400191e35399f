/**
 * The 50 conventions of command lines, one test each, for every command that they concern (clig.dev, 12-factor CLI apps, GNU, POSIX, kubectl, no-color.org).
 * Where a convention is not held on purpose, the exceptions are a table here, each with its reason.
 */
import {execFileSync, spawn, spawnSync} from 'node:child_process'
import {cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {DOCUMENT_KINDS} from '../../src/lib/documents/schemas.js'
import {usageOfId} from '../../src/lib/cli/grammar/v020.js'
import {CALICOCTL, calicoctl as inOwnProcess, checkBuild, startCalicoctl} from '../support/cli.js'
import {startSilentServer} from '../support/silent-server.js'
import {onTerminal} from '../support/terminal.js'
import {fillStore, type Output, runLines, SHOWING, storeFile, wordsOf} from '../support/whole-store.js'
import {calicoctl} from '../support/warm.js'

const ROOT = resolve(import.meta.dirname, '../..')

interface Flag {
  readonly type: 'boolean' | 'option'
  readonly char?: string
  readonly description?: string
  readonly helpValue?: string
}
interface Described {
  readonly flags: Readonly<Record<string, Flag>>
  readonly args: Readonly<Record<string, object>>
  readonly hidden?: boolean
}

let folder: string
/** All commands as the manifest has them, but hidden ones. */
let commands: Readonly<Record<string, Described>>
/** The showing lines and what they print, by format. */
const shown = new Map<string, ReadonlyMap<string, Output>>()
const showing = Object.values(SHOWING).flat()

beforeAll(() => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-conventions-'))
  fillStore(folder)
  mkdirSync(join(ROOT, '.cache'), {recursive: true})
  const scratch = mkdtempSync(join(ROOT, '.cache', 'manifest-'))
  const program = `const {makeManifest} = await import('${ROOT}/scripts/bundle/manifest.mjs')
    process.stdout.write(JSON.stringify(await makeManifest({root: '${ROOT}', source: '${ROOT}/src', scratch: '${scratch}'})))`
  const all = JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program], {encoding: 'utf8', maxBuffer: 64 * 1024 * 1024})) as Record<string, Described>
  rmSync(scratch, {recursive: true, force: true})
  commands = Object.fromEntries(Object.entries(all).filter(([id, {hidden}]) => hidden !== true && !id.startsWith('__')))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const run = (lines: readonly string[], more: Readonly<Record<string, string>> = {}): Output[] => runLines(folder, lines, more)
const one = (line: string, more: Readonly<Record<string, string>> = {}): Output => run([line], more)[0] ?? {code: -1, stdout: '', stderr: ''}
/** The built command as a process on the store. */
const start = (line: string, more: Readonly<Record<string, string>> = {}, stdin?: string) =>
  calicoctl(wordsOf(line), {cwd: folder, env: {HOME: folder, CALICO_DATASTORE: `embedded:${storeFile(folder)}`, HOSTNAME: 'h1', ...more}, ...(stdin === undefined ? {} : {stdin})})
const ids = (): string[] => Object.keys(commands)
const nameOf = (id: string): string => id.replaceAll(':', ' ')
/** The page of help of the command ID. */
const helpOf = (id: string): string => readFileSync(join(ROOT, 'dist/help', `calicoctl.${id.replaceAll(':', '.')}.txt`), 'utf8')
const manifestFlags = (): [id: string, name: string, flag: Flag][] => ids().flatMap((id) => Object.entries(commands[id]?.flags ?? {}).map(([name, flag]): [string, string, Flag] => [id, name, flag]))

/** What all showing lines print with FORMAT (`-o json`, …); they are run once. */
function shownAs(format: string): ReadonlyMap<string, Output> {
  let outputs = shown.get(format)
  if (!outputs) {
    const ran = run(showing.map((line) => `${line} ${format}`))
    shown.set(format, (outputs = new Map(showing.map((line, at) => [line, ran[at] ?? {code: -1, stdout: '', stderr: ''}]))))
  }
  return outputs
}
/** The keys and values of the store at PATH, without what the clock and chance decide. */
function keysOf(path: string): [string, string][] {
  const {keys} = JSON.parse(readFileSync(path, 'utf8')) as {keys: [string, string][]}
  return keys.map(([key, value]) => [key, value])
}
/** The lines of LINES with what they print, where that is not as JUDGE wants it. */
const wrong = (outputs: ReadonlyMap<string, Output>, judge: (output: Output, line: string) => boolean): string[] => [...outputs].filter(([line, output]) => !judge(output, line)).map(([line, {code, stdout, stderr}]) => `${line}: ${code}\n${stdout.slice(0, 300)}\n${stderr.slice(0, 300)}`)

/** Changes in the datastore: a line of each command that makes them alone, whether it says v0.20's words, and what undoes it. */
const CHANGES: Readonly<Record<string, {readonly line: string; readonly says?: RegExp; readonly again?: string; readonly prepare?: readonly string[]}>> = {
  'profile:add': {line: 'profile add new', says: /^Created profile new$/m},
  'profile:remove': {line: 'profile remove gone', says: /^Deleted profile gone$/m, prepare: ['profile add gone']},
  'profile:tag:add': {line: 'profile web tag add t1', says: /^Tag t1 added to profile web$/m},
  'profile:tag:remove': {line: 'profile web tag remove front', says: /^Tag front removed from profile web$/m, again: '--if-exists'},
  'profile:rule:add': {line: 'profile web rule add inbound allow udp'},
  'profile:rule:remove': {line: 'profile web rule remove inbound allow tcp from tag db to ports 80', again: '--if-exists'},
  'pool:add': {line: 'pool add 10.3.0.0/16 --nat-outgoing'},
  'pool:range:add': {line: 'pool range add 10.4.0.0 10.4.1.255'},
  'pool:set': {line: 'pool set 10.1.0.0/16 --nat-outgoing'},
  'pool:remove': {line: 'pool remove 10.6.0.0/16', again: '--if-exists', prepare: ['pool add 10.6.0.0/16']},
  'bgp:peer:add': {line: 'bgp peer add 192.0.2.1 as 64513'},
  'bgp:peer:remove': {line: 'bgp peer remove 10.0.0.9', again: '--if-exists'},
  'node:bgp:peer:add': {line: 'node bgp peer add 192.0.2.2 as 64513 --node h1'},
  'node:bgp:peer:remove': {line: 'node bgp peer remove 10.0.0.8 --node h1', again: '--if-exists'},
  'bgp:node-mesh': {line: 'bgp node-mesh off'},
  'bgp:default-node-as': {line: 'bgp default-node-as 64999'},
  'config:felix': {line: 'config felix loglevel debug'},
  'config:bgp': {line: 'config bgp loglevel debug'},
  'config:node:bgp': {line: 'config node bgp loglevel debug --node h1'},
  'endpoint:profile:append': {line: 'endpoint eth0 --workload w1 profile append db', says: /^Profile\(s\) db appended\.$/m},
  'endpoint:profile:remove': {line: 'endpoint eth0 --workload w2 profile remove db', says: /^Profile\(s\) db removed\.$/m, again: '--if-exists'},
  'endpoint:profile:set': {line: 'endpoint eth0 --workload w3 profile set web', says: /^Profile\(s\) set to web\.$/m},
  'ipam:configure': {line: 'ipam configure --strict-affinity false'},
  apply: {line: 'apply -f changed.yaml'},
  create: {line: 'create -f made.yaml', again: '--may-exist'},
  replace: {line: 'replace -f changed.yaml'},
  delete: {line: 'delete profile gone2', again: '--if-exists', prepare: ['profile add gone2']},
  patch: {line: `patch profile web -p '{"metadata":{"labels":{"a":"b"}}}'`},
  label: {line: 'label profile web role=x'},
  'ipam:assign': {line: 'ipam assign 10.1.9.9 --handle once --node h1', again: '--may-exist'},
  'ipam:release': {line: 'ipam release 10.1.5.5'},
  'endpoint:remove': {line: 'endpoint remove eth0 --workload w4', again: '--if-exists'},
}
/** Changing commands that are not among them, and why. */
const NOT_ALONE: Readonly<Record<string, string>> = {
  batch: 'its lines are the other commands', confirm: 'it only stops a timer', 'datastore:lock': 'it stops the others', 'datastore:unlock': 'the same', 'datastore:restore': 'it replaces the whole store: datastore.test.ts',
  edit: 'it needs an editor: resource-files.test.ts', import: 'it needs another store: import.test.ts', 'ipam:check': 'it changes what it finds only: ipam.test.ts', 'ipam:split': 'every time it is another split: pool.test.ts', 'pool:move': 'the same',
  'profile:rule:update': 'it reads stdin: profile.test.ts', undo: 'every time it is another change: history.test.ts', plan: 'it writes a file', 'endpoint:gc': 'it asks a Docker Engine: container.test.ts', 'mesos:gc': 'it asks an agent: mesos-agent.test.ts', 'mesos:config': 'it writes files of the host',
  node: 'the host', 'node:remove': 'the host', 'node:stop': 'the host', diags: 'it writes an archive',
  ...Object.fromEntries(['add', 'remove', 'ip:add', 'ip:remove', 'profile:append', 'profile:remove', 'profile:set'].map((verb) => [`container:${verb}`, 'it needs a container: container.test.ts'])),
}

/** A copy of the store, which LINES change, one after another, each in the environment of {@link run}. */
function onCopy(work: (run: (lines: readonly string[]) => Output[], path: string, folder: string) => void): void {
  const copy = mkdtempSync(join(tmpdir(), 'calicoctl-conventions-'))
  try {
    cpSync(folder, copy, {recursive: true})
    writeFileSync(join(copy, 'changed.yaml'), 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: db}\nspec: {}\n')
    writeFileSync(join(copy, 'made.yaml'), 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: made}\nspec: {}\n')
    work((lines) => runLines(copy, lines), storeFile(copy), copy)
  } finally {
    rmSync(copy, {recursive: true, force: true})
  }
}
const prepared = Object.values(CHANGES).flatMap(({prepare = []}) => prepare)

describe('invocation and help', () => {
  test('1. help is asked for in every way, printed on stdout with 0, and wins over other options; a missing argument: a short usage on stderr', async () => {
    const program = (await start('--help')).stdout
    for (const line of ['', 'help', '-h']) expect(await start(line)).toMatchObject({code: 0, stdout: program, stderr: ''})
    const outputs = run(ids().flatMap((id) => [`help ${nameOf(id)}`, `${nameOf(id)} --help`, `${nameOf(id)} -h`, `${nameOf(id)} --debug --help --no-input`, `-h ${nameOf(id)}`]))
    const asked = ids().flatMap((id) => Array.from({length: 5}, () => id))
    const rows = Object.keys(commands.help ?? {}).length
    expect(rows).toBeGreaterThan(0)
    expect(outputs.flatMap(({code, stdout, stderr}, at) => (code === 0 && stderr === '' && (asked[at] === 'help' || stdout === helpOf(asked[at] ?? '')) ? [] : [`${asked[at] ?? ''} ${at % 5}: ${code} ${stderr}`]))).toEqual([])
    const bare = one('profile add')
    expect(bare).toMatchObject({code: 1, stdout: ''})
    expect(bare.stderr).toMatch(/^Usage:\n {2}calicoctl profile add <PROFILE>\n\nError: <PROFILE> is missing/)
  })

  test('2. --version, -V and version print the same, without a datastore', async () => {
    const nothing = {CALICO_DATASTORE: 'embedded:/nonexistent/x'}
    const {stdout} = await start('version', nothing)
    for (const line of ['--version', '-V']) expect(await start(line, nothing)).toMatchObject({code: 0, stdout, stderr: ''})
  })

  test('3. help leads with one line and examples; each example is run (examples.test.ts)', () => {
    const without = ids().filter((id) => {
      const [first = '', ...rest] = helpOf(id).split('\n').filter((line) => line !== '')
      const sections = rest.filter((line) => /^[A-Z ]+$/.test(line))
      return first === first.toUpperCase() || sections[0] !== 'EXAMPLES' || !/\n {2}(\$ .*)?.*\bcalicoctl /.test(helpOf(id))
    })
    expect(without).toEqual([])
  })

  test('4. every letter has a long form; -- ends options; - is stdin or stdout wherever a file is meant', async () => {
    expect(manifestFlags().filter(([, name]) => name.length < 2)).toEqual([])
    expect(one('profile -- --x rule show')).toMatchObject({code: 4, stderr: expect.stringContaining('--x') as unknown})
    const profile = 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: fromstdin}\nspec: {}\n'
    for (const line of ['create -f - --dry-run', 'apply -f - --dry-run', 'diff -f -', 'validate -f -', 'plan -f - --out -']) {
      const {code, stderr} = await start(line, {}, profile)
      expect([line, code === 0 || (line.startsWith('diff') && code === 1), stderr.includes('ENOENT')]).toEqual([line, true, false])
    }
    expect((await start('batch -', {}, 'profile show\n')).code).toBe(0)
    expect((await start('policy test -', {}, readFileSync(join(folder, 'probes.yaml'), 'utf8'))).stderr).not.toMatch(/cannot be read/)
    expect((await start('import --from - --dry-run', {}, readFileSync(join(folder, 'old.json'), 'utf8'))).code).toBe(0)
    expect((await start('datastore save -')).stdout.length).toBeGreaterThan(100)
  })

  test('5. options may stand before and after the words', () => {
    const lines = showing.filter((line) => !line.startsWith('ipam assign'))
    const ran = run(lines.map((line) => `-o json ${line}`))
    const first = new Map(lines.map((line, at) => [line, ran[at] ?? {code: -1, stdout: '', stderr: ''}]))
    expect(wrong(first, ({code, stdout}, line) => code === shownAs('-o json').get(line)?.code && stdout.length > 0)).toEqual([])
  })

  test('6. an unknown command or option is never guessed: 1, and what was probably meant', () => {
    const slips = ids().filter((id) => !['help', 'get', 'delete'].includes(id)).map((id) => ({id, line: `${nameOf(id).slice(0, -1)}x${nameOf(id).slice(-1)}`}))
    const words = run(slips.map(({line}) => line))
    expect(slips.filter((_, at) => words[at]?.code !== 1 || words[at].stdout !== '')).toEqual([])
    const options = run(ids().map((id) => `${nameOf(id)} --dry-rum --datastor x`))
    expect(ids().filter((id, at) => options[at]?.code !== (id === 'diff' ? 2 : 1) || options[at].stdout !== '')).toEqual([]) // 1 of diff is a difference
    expect(one('proflie show').stderr).toMatch(/Did you mean: calicoctl profile show/)
    expect(one('pool add 10.8.0.0/16 --dry-rum').stderr).toMatch(/--dry-run/)
    expect(one('pool show -o name').stdout).not.toContain('10.8.')
  })

  test('7. commands cannot be abbreviated, and there is none that takes every word', () => {
    const first = [...new Set(ids().map((id) => id.split(':')[0] ?? ''))]
    const lines = first.flatMap((word) => (word.length > 3 && !first.includes(word.slice(0, -1)) ? [`${word.slice(0, -1)} show`] : []))
    expect(run(lines).filter(({code, stderr}) => code !== 1 || !stderr.includes('Error: '))).toEqual([])
    expect(one('nonsense').code).toBe(1)
  })

  test('8. a command that reads a terminal says so', async () => {
    for (const line of ['batch', 'create -f -', 'policy test -', 'profile web rule update']) {
      const child = spawn('script', ['-qefc', `exec ${process.execPath} ${CALICOCTL} ${line}`, '/dev/null'], {env: {PATH: process.env.PATH, HOME: folder, TERM: 'dumb', CALICO_DATASTORE: `embedded:${storeFile(folder)}`}})
      let screen = ''
      child.stdout.on('data', (data: Buffer) => {
        screen += data.toString()
        if (screen.includes('from the terminal')) child.kill()
      })
      await new Promise((settle) => child.on('close', settle))
      expect([line, screen]).toEqual([line, expect.stringMatching(/Reading .*from the terminal/)])
    }
  })

  test('9. new commands take one kind of argument', () => {
    const SEVERAL: Readonly<Record<string, string>> = {
      edit: 'kubectl\'s grammar: KIND NAME', history: 'KIND NAME', label: 'KIND NAME LABEL', patch: 'KIND NAME', 'policy:explain': 'from, to and traffic: a question', 'pool:move': 'from old to new',
    }
    const several = ids().filter((id) => usageOfId(id) === undefined && Object.keys(commands[id]?.args ?? {}).length > 1)
    expect(several.filter((id) => !(id in SEVERAL))).toEqual([])
    expect(Object.keys(SEVERAL).filter((id) => !several.includes(id))).toEqual([])
  })

  test('10. an option means the same in every command', () => {
    /** Options that say something else in some commands, and why. */
    const DIFFERENT: Readonly<Record<string, string>> = {
      apply: 'do what was only shown: its object is the command\'s',
      at: 'get: a revision; rules: a position, as in v0.20',
      atomic: 'one transaction: of objects, of lines',
      'dry-run': 'write nothing: a batch tells of each object, mesos config of files',
      detailed: 'v0.20: more of what is shown',
      filename: 'kubectl\'s -f: what the objects in it are for is the command\'s',
      force: 'insist: what is insisted on is the command\'s',
      from: 'import: from a file; policy matrix, policy picture: from whom',
      handle: 'of what is assigned, and of what is released',
      interface: 'of what is added, and of what is there',
      ip: 'v0.20: of the node; ipam show: Go\'s',
      libnetwork: 'v0.20: Docker networks are wanted, and so are checked',
      ipv6: 'that family: of peers, of traffic',
      'log-dir': 'v0.20: where logs are written, and where they are collected',
      namespace: 'kubectl\'s -n: of objects in files, of kinds, of endpoints',
      node: 'the node; the order in which its name is looked for is that of who runs',
      output: 'the format; which there are is the command\'s',
      range: 'from START to END: of addresses, of pools',
      remove: 'of a setting, as in v0.20, and of a label',
      replace: 'what is there: a datastore, a node',
      runtime: 'v0.20: the container runtime',
      style: 'how Mesos was installed; only config must be told',
      wait: 'until what was started is done',
      watch: 'go on showing',
      yes: 'do not ask: what is asked is the command\'s',
    }
    const meanings = new Map<string, Map<string, string[]>>()
    for (const [id, name, {description = ''}] of manifestFlags()) {
      const all = meanings.get(name) ?? new Map<string, string[]>()
      all.set(description, [...(all.get(description) ?? []), id])
      meanings.set(name, all)
    }
    const different = [...meanings].filter(([, all]) => all.size > 1).map(([name]) => name)
    expect(different.filter((name) => !(name in DIFFERENT)).map((name) => [name, ...[...(meanings.get(name) ?? [])].map(([text, of]) => `${of[0] ?? ''}: ${text}`)])).toEqual([])
    expect(Object.keys(DIFFERENT).filter((name) => !different.includes(name))).toEqual([])
  })
})

describe('streams and formats', () => {
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text)
      return true
    } catch {
      return false
    }
  }

  test('11. stdout is data alone, also with --debug', () => {
    expect(wrong(shownAs('-o json --debug'), ({stdout}) => isJson(stdout))).toEqual([])
  })

  test('12. a failure leaves stdout empty, or with a whole document', () => {
    const away = run(showing.map((line) => `${line} -o json --timeout 100ms`), {CALICO_DATASTORE: 'http://127.0.0.1:1'})
    expect(away.flatMap(({code, stdout}, at) => (stdout === '' ? (code === 0 ? [showing[at]] : []) : isJson(stdout) ? [] : [showing[at]]))).toEqual([])
    expect(away.filter(({code}) => code === 6).length).toBeGreaterThan(30)
  })

  test('13. tables of get: an object a line, its name first, headers without blanks, no cell blank', () => {
    for (const line of showing.filter((each) => /^get [a-z.]+( -A)?$/.test(each))) {
      const {items = []} = JSON.parse(shownAs('-o json').get(line)?.stdout ?? '{}') as {items?: unknown[]}
      const [header = '', ...rows] = (shownAs('-o wide').get(line)?.stdout ?? '').split('\n').filter((text) => text.startsWith('|'))
      const cells = (text: string): string[] => text.split('|').slice(1, -1).map((cell) => cell.trim())
      expect([line, cells(header).filter((cell) => cell === '' || /\s/.test(cell))]).toEqual([line, []])
      expect([line, cells(header)[0]]).toEqual([line, expect.stringMatching(/^(NAME|NAMESPACE|KIND|CIDR|NODE|HANDLE|ID)$/)])
      const starts = rows.filter((row) => cells(row)[0] !== '')
      expect([line, starts.length]).toEqual([line, items.length])
      expect([line, starts.filter((row) => cells(row).includes(''))]).toEqual([line, []])
    }
  })

  test('14. -o plain: tabs, no borders, as many fields in each line', () => {
    const plain = new Map([...shownAs('-o plain')].filter(([, {stderr}]) => !stderr.includes('Usage:') && !stderr.includes('-o')))
    expect(plain.size).toBeGreaterThan(50)
    expect(wrong(plain, ({stdout}, line) => /^(policy (explain|test)|status|schema)/.test(line) || (!/^[+|]/m.test(stdout) && new Set(stdout.split('\n').slice(0, -1).map((text) => text.split('\t').length)).size <= 1))).toEqual([])
  })

  test('15. JSON says its apiVersion and kind', () => {
    expect(wrong(shownAs('-o json'), ({stdout}, line) => {
      const value = JSON.parse(stdout) as unknown
      return [value].flat().every((each) => line.endsWith('rule json') || (typeof (each as {apiVersion?: unknown}).apiVersion === 'string' && typeof (each as {kind?: unknown}).kind === 'string'))
    })).toEqual([])
  })

  test('16. the order is always the same', () => {
    const lines = showing.filter((line) => !/^(ipam assign|batch|history|create|apply|replace|mesos)/.test(line))
    const [first, second] = [run(lines), run(lines)]
    expect(lines.filter((_, at) => first[at]?.stdout !== second[at]?.stdout)).toEqual([])
  })

  test('17. -q prints nothing on success; -o name is what other commands take', () => {
    onCopy((run) => {
      expect(run(prepared).filter(({code}) => code !== 0)).toEqual([])
      const lines = Object.values(CHANGES).map(({line}) => `-q ${line}`)
      expect(run(lines).flatMap(({code, stdout, stderr}, at) => (code === 0 && stderr === '' && (stdout === '' || lines[at]?.includes('ipam assign')) ? [] : [`${lines[at] ?? ''}: ${code} ${stdout}${stderr}`]))).toEqual([])
    })
    const names = (line: string): string[] => one(`${line} -o name`).stdout.split('\n').filter((name) => name !== '')
    for (const kind of ['profile', 'pool', 'node', 'bgppeer', 'block', 'handle', 'tier']) {
      const all = names(`get ${kind}`)
      expect(all.length).toBeGreaterThan(0)
      expect([kind, run(all.map((name) => `get ${kind} ${name}`)).map(({code}) => code)]).toEqual([kind, all.map(() => 0)])
    }
    expect(run(names('profile show').map((name) => `profile ${name} rule show`)).filter(({code}) => code !== 0)).toEqual([])
  })

  test('18. a change says in one line what it did; what is so already is unchanged', () => {
    onCopy((run) => {
      run(prepared)
      const lines = Object.values(CHANGES).map(({line}) => line)
      const first = run(lines)
      expect(lines.filter((_, at) => ![0].includes(first[at]?.code ?? -1))).toEqual([])
      const silent = lines.filter((_, at) => `${first[at]?.stdout ?? ''}${first[at]?.stderr ?? ''}`.trim() === '')
      expect(silent).toEqual([])
      const twice = lines.filter((_, at) => first[at]?.stdout.trim() !== '' && /(created|updated|deleted)( \(|$)/m.test(first[at]?.stderr ?? ''))
      expect(twice).toEqual(['pool remove 10.6.0.0/16']) // v0.20's line does not name the pool
      expect(lines.filter((_, at) => / updated$/m.test(first[at]?.stderr ?? ''))).toEqual([]) // what was changed is named
      const again = Object.values(CHANGES).map(({line, again = ''}) => `${line} ${again}`)
      const second = run(again)
      expect(again.flatMap((line, at) => (second[at]?.code === 0 && !/ (created|updated|deleted)/.test(second[at].stderr) && (second[at].stdout + second[at].stderr).trim() !== '' ? [] : [`${line}: ${second[at]?.code ?? ''} ${second[at]?.stdout ?? ''}${second[at]?.stderr ?? ''}`]))).toEqual([])
    })
  })

  test('19. no colours in a pipe, with NO_COLOR, TERM=dumb or --no-color; FORCE_COLOR has them (each stream: terminal.test.ts)', () => {
    const line = 'profile add coloured --dry-run'
    const esc = '\u001b['
    expect([...shownAs('')].filter(([, {stdout, stderr}]) => (stdout + stderr).includes(esc)).map(([each]) => each)).toEqual([])
    for (const more of [{}, {NO_COLOR: '1'}, {TERM: 'dumb'}]) expect(one(line, more).stdout).not.toContain(esc)
    expect(one(line, {FORCE_COLOR: '1'}).stdout).toContain(esc)
    expect(one(`${line} --no-color`, {FORCE_COLOR: '1'}).stdout).not.toContain(esc)
  })

  test('20. no progress is drawn in a pipe, however long it takes', async () => {
    const server = await startSilentServer()
    try {
      const {stdout, stderr} = await start('profile show --timeout 1500ms', {CALICO_DATASTORE: '', ETCD_ENDPOINTS: server.endpoint})
      expect(stdout).toBe('')
      expect(stderr).toMatch(/^Error: /)
      expect(stderr).not.toMatch(/[\r\u001b]/)
    } finally {
      await server.stop()
    }
  })

  test('21. a table fits 80 columns where the width is not known (every table: tables.test.ts)', async () => {
    for (const columns of [80, 120]) {
      const {screen} = await onTerminal(['endpoint', 'show', '--detailed', '--datastore', `embedded:${storeFile(folder)}`], {columns, env: {HOME: folder, CALICOCTL_JOURNAL: 'off'}})
      expect(Math.max(...screen.split('\n').map(({length}) => length))).toBeLessThanOrEqual(columns)
    }
  })

  test('22. control characters of the datastore are escaped (every command: hostile.test.ts)', () => {
    onCopy((run, path) => {
      const store = JSON.parse(readFileSync(path, 'utf8')) as {keys: string[][]}
      const keys = store.keys.map(([key = '', value = '', ...rest]) => [key, key.endsWith('profiles/web') ? value.replace('"front":""', '"front":"","x\\u001b[31m\\u202e":""') : value, ...rest])
      writeFileSync(path, JSON.stringify({...store, keys}))
      for (const {stdout, stderr} of run(['profile web tag show', 'profile show -o wide', 'get profile web -o json', 'get profile web -o yaml'])) expect(stdout + stderr).not.toMatch(/[\u001b\u202e]/)
    })
  })
})

describe('errors and exit codes', () => {
  /** Lines that fail on an object, and the object. */
  const FAILING: readonly (readonly [line: string, object: string, code: number])[] = [
    ['profile nosuch rule show', 'nosuch', 4], ['profile nosuch tag show', 'nosuch', 4], ['profile web tag remove nosuch', 'nosuch', 4], ['profile web rule remove inbound deny tcp', 'web', 4], ['profile web rule remove inbound --at 99', 'web', 1],
    ['profile remove web', 'web', 8], ['pool remove 10.99.0.0/16', '10.99.0.0/16', 4], ['pool remove 10.1.0.0/16', '10.1.0.0/16', 8], ['pool add 10.1.0.0/24', '10.1.0.0/24', 1], ['pool set 10.99.0.0/16 --ipip', '10.99.0.0/16', 4],
    ['bgp peer remove 192.0.2.99', '192.0.2.99', 4], ['node bgp peer remove 192.0.2.99 --node h1', '192.0.2.99', 4], ['endpoint nosuch profile show', 'nosuch', 4], ['endpoint remove nosuch', 'nosuch', 4], ['get profile nosuch', 'nosuch', 4], ['get node nosuch', 'nosuch', 4],
    ['ipam assign 10.88.0.1', '10.88.0.1', 1], ['ipam assign 10.1.5.5 --node h1', '10.1.5.5', 5], ['create -f node.yaml', 'h1', 5], ['patch profile nosuch -p {}', 'nosuch', 4], ['label profile nosuch a=b', 'nosuch', 4], ['delete profile nosuch', 'nosuch', 4],
    ['undo nosuch', 'nosuch', 4], ['confirm nosuch', 'nosuch', 4], ['apply -f nosuch.yaml', 'nosuch.yaml', 1], ['policy explain nosuch any tcp/80', 'nosuch', 4], ['schema nosuch', 'nosuch', 1], ['lint codes nosuch', 'nosuch', 1], ['get nosuch', 'nosuch', 1],
  ]

  test('23. a message names the object, and ends in a sentence or in what to do', () => {
    const outputs = run(FAILING.map(([line]) => line))
    expect(FAILING.flatMap(([line, object, code], at) => {
      const {code: ended = -1, stdout = '', stderr = ''} = outputs[at] ?? {}
      return ended === code && stdout === '' && /^(Usage:[^]*\n)?Error: /m.test(stderr) && stderr.includes(object) ? [] : [`${line}: ${ended} ${stdout}${stderr}`]
    })).toEqual([])
  })

  test('24. no stack trace, unless --debug, which says where to report', () => {
    const outputs = run(FAILING.map(([line]) => line))
    expect(FAILING.filter((_, at) => /^\s+at /m.test(outputs[at]?.stderr ?? '')).map(([line]) => line)).toEqual([])
    expect(one('profile nosuch rule show --debug').stderr).toMatch(/^\s+at /m)
  })

  test('25. all problems of a line are told together', () => {
    expect(one('pool add 10.0.0.0/99 --confirm-within x --timeout y').stderr).toMatch(/^Error: 3 problems in the command line:$/m)
    writeFileSync(join(folder, 'bad.yaml'), 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: a}\nspec: {nonsense: 1}\n---\nkind: Tier\napiVersion: projectcalico.org/v3\nmetadata: {name: b}\nspec: {order: x}\n')
    expect(one('validate -f bad.yaml').stderr).toMatch(/bad\.yaml:4[^]*bad\.yaml:9/)
  })

  test('26. exit codes mean what help exit-codes says (2: own-node, 7: datastore, 9: faults, 130 and 143: no. 42)', async () => {
    const page = (await start('help exit-codes')).stdout
    for (const code of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130, 143]) expect(page).toMatch(new RegExp(`^ {2}${code} `, 'm'))
    expect(one('profile show').code).toBe(0)
    expect(one('profile add web --error-unchanged').code).toBe(3)
    expect(one('profile show --timeout 100ms', {CALICO_DATASTORE: 'http://127.0.0.1:1'}).code).toBe(6)
    expect(one('profile show --expect-cluster other').code).toBe(6)
    expect(one('ipam check').code).toBe(10)
    expect(new Set(FAILING.map(([, , code]) => code))).toEqual(new Set([1, 4, 5, 8]))
    for (const id of ids()) expect([id, helpOf(id).includes('\nEXIT CODES\n') || id === 'help' || id === 'completion']).toEqual([id, true])
  })

  test('27. diff: 0 the same, 1 different, more than 1 an error', () => {
    writeFileSync(join(folder, 'other.yaml'), 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: web}\nspec: {}\n')
    expect(run(['diff -f node.yaml', 'diff -f other.yaml', 'diff -f nosuch.yaml', 'diff']).map(({code}) => code)).toEqual([0, 1, 2, 2])
  })

  test('28. a reader that has gone is no error', () => {
    const {stderr, status} = spawnSync('bash', ['-c', `set -o pipefail; '${process.execPath}' '${CALICOCTL}' lint codes | head -1 >/dev/null`], {env: {PATH: process.env.PATH, HOME: folder}, encoding: 'utf8'})
    expect(stderr).toBe('')
    expect([0, 141]).toContain(status)
  })
})

describe('safety and idempotence', () => {
  test('29. every change has --dry-run, which writes nothing', () => {
    const changing = ids().filter((id) => 'dry-run' in (commands[id]?.flags ?? {}))
    expect(changing.filter((id) => !(id in CHANGES) && !(id in NOT_ALONE))).toEqual([])
    const WITHOUT: Readonly<Record<string, string>> = {confirm: 'it stops a timer, and changes no object', diags: 'it only makes an archive', edit: 'what is typed is shown before it is written', plan: 'it writes a file, and nothing else'}
    expect([...Object.keys(CHANGES), ...Object.keys(NOT_ALONE)].filter((id) => !changing.includes(id) && !(id in WITHOUT))).toEqual([])
    onCopy((run, path) => {
      run(prepared)
      const before = readFileSync(path, 'utf8')
      const lines = Object.values(CHANGES).map(({line}) => `${line} --dry-run`)
      expect(run(lines).flatMap(({code}, at) => (code === 0 ? [] : [`${lines[at] ?? ''}: ${code}`]))).toEqual([])
      expect(readFileSync(path, 'utf8')).toBe(before)
    })
  })

  test('30. every addition has --may-exist, every removal --if-exists; twice is as once', () => {
    const lacking = (verbs: RegExp, option: string): string[] => ids().filter((id) => verbs.test(id) && !(option in (commands[id]?.flags ?? {})))
    expect([...lacking(/(^|:)(remove|release|delete)$/, 'if-exists'), ...lacking(/(^|:)(add|append|assign|create)$/, 'may-exist')]).toEqual([])
    onCopy((run, path) => {
      run(prepared)
      expect(run(Object.values(CHANGES).map(({line}) => line)).filter(({code}) => code !== 0)).toEqual([])
      const once = keysOf(path)
      expect(run(Object.values(CHANGES).map(({line, again = ''}) => `${line} ${again}`)).filter(({code}) => code !== 0)).toEqual([])
      expect(keysOf(path)).toEqual(once)
    })
  })

  test('31. what is so already is 0, and 3 with --error-unchanged', () => {
    onCopy((run) => {
      run(prepared)
      run(Object.values(CHANGES).map(({line}) => line))
      const lines = Object.values(CHANGES).map(({line, again = ''}) => `${line} ${again} --error-unchanged`)
      expect(run(lines).flatMap(({code, stderr}, at) => (code === 3 ? [] : [`${lines[at] ?? ''}: ${code} ${stderr}`]))).toEqual([])
    })
  })

  test('32. what is dangerous is refused, and the message names the option that insists', () => {
    onCopy((run, _, copy) => {
      writeFileSync(join(copy, 'set.yaml'), 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: inset}\nspec: {}\n')
      writeFileSync(join(copy, 'empty.yaml'), 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: other}\nspec: {}\n')
      run(['apply -f set.yaml --set s'])
      const refused: readonly (readonly [string, string])[] = [['pool remove 10.1.0.0/16', '--force'], ['profile remove web', '--no-check'], ['delete profile web', '--force'], ['apply -f empty.yaml --set s --prune', '--yes']]
      for (const [at, {code, stderr}] of run(refused.map(([line]) => line)).entries()) expect([refused[at]?.[0], code, stderr.includes(refused[at]?.[1] ?? '')]).toEqual([refused[at]?.[0], 8, true])
    })
  })

  test('33. nothing needs a prompt: without a terminal, and with --no-input, the option is named', () => {
    onCopy((run, _, copy) => {
      writeFileSync(join(copy, 'set.yaml'), 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: inset}\nspec: {}\n')
      writeFileSync(join(copy, 'empty.yaml'), 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: other}\nspec: {}\n')
      const [, piped, without, yes] = run(['apply -f set.yaml --set s', 'apply -f empty.yaml --set s --prune', 'apply -f empty.yaml --set s --prune --no-input', 'apply -f empty.yaml --set s --prune --yes'])
      expect([piped?.code, without?.code, yes?.code]).toEqual([8, 8, 0])
      expect([piped?.stderr, without?.stderr]).toEqual([expect.stringContaining('--yes'), expect.stringContaining('--yes')])
    })
    for (const id of ids()) if ('datastore' in (commands[id]?.flags ?? {})) expect([id, 'no-input' in (commands[id]?.flags ?? {})]).toEqual([id, true])
  })

  test('34. no option takes a secret, and none is printed', async () => {
    expect(manifestFlags().filter(([, name]) => /password|secret|token|passwd/.test(name))).toEqual([])
    const {stdout, stderr} = await start('profile show --debug --timeout 200ms', {CALICO_DATASTORE: '', ETCD_ENDPOINTS: 'http://127.0.0.1:1', ETCD_USERNAME: 'root', ETCD_PASSWORD: 'hunter2'})
    const view = await start('config view -o json', {CALICO_DATASTORE: '', ETCD_ENDPOINTS: 'http://127.0.0.1:1', ETCD_USERNAME: 'root', ETCD_PASSWORD: 'hunter2'})
    expect(stdout + stderr + view.stdout + view.stderr).not.toContain('hunter2')
    expect(view.stdout).toContain('password')
  })

  test('35. killed anywhere, the same line run again comes to its end', async () => {
    const store = join(folder, 'killed.json')
    const lines = Array.from({length: 60}, (_, at) => `profile add killed${at}`).join('\n')
    const env = {HOME: folder, CALICO_DATASTORE: `embedded:${store}`}
    const {process: child, result} = startCalicoctl(['batch', '-'], {env, stdin: lines})
    child.stdout?.once('data', () => child.kill('SIGKILL'))
    await result
    expect(await calicoctl(['batch', '-'], {env, stdin: lines})).toMatchObject({code: 0})
    expect((await calicoctl(['profile', 'show', '-o', 'name'], {env})).stdout.split('\n')).toHaveLength(61)
  })
})

describe('configuration and environment', () => {
  test('36. an option before the environment before the user\'s file before the default; config view shows which', async () => {
    mkdirSync(join(folder, 'xdg/calicoctl'), {recursive: true})
    writeFileSync(join(folder, 'xdg/calicoctl/calicoctl.cfg'), 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata:\nspec:\n  etcdEndpoints: http://10.0.0.3:2379\n')
    const origin = async (line: string, more: Record<string, string>): Promise<string> => {
      const {settings} = JSON.parse((await start(`config view -o json ${line}`, {CALICO_DATASTORE: '', ...more})).stdout) as {settings: {name: string; value: string; origin: string}[]}
      const {value = '', origin: from = ''} = settings.find(({name}) => name === 'endpoints') ?? {}
      return `${value} ${from}`
    }
    const xdg = {XDG_CONFIG_HOME: join(folder, 'xdg')}
    expect(await origin('--datastore http://10.0.0.1:2379', {...xdg, ETCD_ENDPOINTS: 'http://10.0.0.2:2379'})).toMatch(/^http:\/\/10\.0\.0\.1:2379 --datastore/)
    expect(await origin('', {...xdg, ETCD_ENDPOINTS: 'http://10.0.0.2:2379'})).toMatch(/^http:\/\/10\.0\.0\.2:2379 ETCD_ENDPOINTS/)
    expect(await origin('', xdg)).toMatch(/^http:\/\/10\.0\.0\.3:2379 .*calicoctl\.cfg/)
    if (!existsSync('/etc/calico/calicoctl.cfg')) expect(await origin('', {})).toMatch(/^http:\/\/127\.0\.0\.1:2379 the default/)
  })

  test('37. v0.20\'s variables count; both names at once are told, not guessed', async () => {
    const view = async (more: Record<string, string>) => start('config view', {CALICO_DATASTORE: '', ...more})
    expect((await view({ETCD_AUTHORITY: '10.0.0.9:4001', ETCD_SCHEME: 'http'})).stdout).toMatch(/http:\/\/10\.0\.0\.9:4001/)
    const both = await view({ETCD_AUTHORITY: '10.0.0.9:4001', ETCD_ENDPOINTS: 'http://10.0.0.2:2379'})
    expect(both.stderr + both.stdout).toMatch(/ETCD_AUTHORITY/)
    for (const name of ['ETCD_CA_CERT_FILE', 'ETCD_CERT_FILE', 'ETCD_KEY_FILE']) expect((await view({ETCD_ENDPOINTS: 'https://10.0.0.2:2379', [name]: '/nonexistent.pem'})).stderr).toContain('/nonexistent.pem')
  })

  test('38. XDG paths; without HOME, and where nothing can be written, what only shows works', async () => {
    const state = join(folder, 'state')
    await start('profile add xdg', {XDG_STATE_HOME: state, CALICO_DATASTORE: `embedded:${join(folder, 'xdg.json')}`})
    expect(existsSync(join(state, 'calicoctl/journal.jsonl'))).toBe(true)
    expect(await start('profile show', {HOME: ''})).toMatchObject({code: 0})
    expect(await start('version', {HOME: '/nonexistent'})).toMatchObject({code: 0, stderr: ''})
  })

  test('39. nothing is asked but the datastore and what is named: these files open sockets, and no others', () => {
    const OPENS: Readonly<Record<string, string>> = {
      'lib/bird/client.ts': 'BIRD\'s socket on this host',
      'lib/calico-node/libnetwork-service/socket.ts': 'the socket of our own driver',
      'lib/datastore/etcd/etcd3-client.ts': 'etcd',
      'lib/datastore/etcd/unary/session.ts': 'etcd',
      'lib/datastore/etcd/unary/tls.ts': 'the same',
      'lib/docker/container-names.ts': 'the Docker Engine',
      'lib/libnetwork/plugin-socket.ts': 'the socket that Docker asks',
      'lib/libnetwork/server.ts': 'the same',
      'lib/views/mesos-check.ts': 'ZooKeeper and the agent, which the agent\'s flags name',
    }
    const files = readdirSync(join(ROOT, 'src'), {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.ts'))
    const opens = files.filter((file) => /from '(node:(http|https|net|tls|dgram|http2)|dockerode|etcd3)'|\bfetch\(/.test(readFileSync(join(ROOT, 'src', file), 'utf8').replaceAll(/import type .*/g, '')))
    expect(opens.filter((file) => !(file in OPENS))).toEqual([])
    expect(Object.keys(OPENS).filter((file) => !opens.includes(file))).toEqual([])
  })
})

describe('time, signals, speed', () => {
  const silent = async (work: (endpoint: string, connected: () => Promise<void>) => Promise<void>): Promise<void> => {
    const server = await startSilentServer()
    try {
      await work(server.endpoint, () => server.connected())
    } finally {
      await server.stop()
    }
  }

  test('40. on a terminal, a command that waits says for what', () =>
    silent(async (endpoint) => {
      const {screen} = await onTerminal(['profile', 'show', '--timeout', '3s', '--datastore', endpoint], {env: {HOME: folder, CALICOCTL_JOURNAL: 'off'}})
      expect(screen).toContain(`Connecting to etcd at ${endpoint}`)
    }))

  test('41. --timeout bounds the whole command, whatever it asks', () =>
    silent((endpoint) => {
      const lines = ['profile show', 'get kinds', 'pool add 10.0.0.0/8', 'ipam check', 'lint', 'policy matrix', 'datastore status']
      const outputs = run(lines.map((line) => `${line} --timeout 200ms`), {CALICO_DATASTORE: endpoint})
      expect(outputs.map(({code}) => code)).toEqual(lines.map(() => 6))
      return Promise.resolve()
    }))

  test('42. Ctrl-C and SIGTERM: 130 and 143, and whether anything was written', () =>
    silent(async (endpoint, connected) => {
      for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
        const {process: child, result} = startCalicoctl(['profile', 'add', 'x', '--datastore', endpoint, '--timeout', '15s', '--debug'], {env: {HOME: folder}})
        await connected()
        child.kill(signal)
        const ended = await result
        expect({code: ended.code, stderr: ended.stderr}).toEqual({code, stderr: expect.stringMatching(/[Ii]nterrupted|[Tt]erminated|[Nn]othing was changed/) as unknown})
      }
    }))

  test('43. a command loads only what it needs: its start takes a small multiple of that of Node alone', () => {
    const seconds = (words: readonly string[]): number => {
      const {stderr} = spawnSync('bash', ['-c', 'TIMEFORMAT="%U %S"; time "$@" >/dev/null', 'bash', process.execPath, ...words], {env: {PATH: process.env.PATH, HOME: folder, CALICO_DATASTORE: `embedded:${storeFile(folder)}`}, encoding: 'utf8'})
      const [user = 0, system = 0] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
      return user + system
    }
    const least = (words: readonly string[]): number => Math.min(...Array.from({length: 5}, () => seconds(words)))
    expect(least([CALICOCTL, 'profile', 'show'])).toBeLessThan(6 * least(['-e', '0']))
  })

  test('44. --timeout is the only limit of time for the datastore, and every command that asks it has it', () => {
    expect(manifestFlags().filter(([, name]) => name === 'request-timeout')).toEqual([])
    expect(ids().filter((id) => 'datastore' in (commands[id]?.flags ?? {}) !== 'timeout' in (commands[id]?.flags ?? {}))).toEqual([])
  })
})

describe('documents and the future', () => {
  test('45. every command has its page in the reference, from the source of its help (the manual: manual.test.ts)', () => {
    const reference = readdirSync(join(ROOT, 'docs/reference')).map((file) => readFileSync(join(ROOT, 'docs/reference', file), 'utf8')).join('\n')
    expect(ids().filter((id) => !new RegExp(`^#+ (calicoctl )?${nameOf(id)}$`, 'm').test(reference))).toEqual([])
  })

  test('46. a deprecated option works, warns once, and the warning can be silenced', async () => {
    const deprecated = manifestFlags().filter(([, , {description = ''}]) => /deprecated/i.test(description)).map(([id, name]) => `${id} --${name}`)
    expect(deprecated).toEqual(['checksystem --fix'])
    if (process.getuid?.() !== 0) return
    const {stderr} = await start('checksystem --fix --timeout 1s')
    expect(stderr.match(/Warning: --fix is deprecated/g)).toHaveLength(1)
    expect((await start('checksystem --fix --timeout 1s -q')).stderr).not.toContain('Warning: --fix')
  })

  test('47. fields that we do not know survive every edit', () => {
    onCopy((run, path) => {
      run(prepared)
      const store = JSON.parse(readFileSync(path, 'utf8')) as {keys: string[][]}
      const strange = (key: string): boolean => key.includes('/resources/v3/') && !/clusterinformations|tiers\//.test(key)
      const keys = store.keys.map(([key = '', value = '', ...rest]) => [key, strange(key) ? value.replace('"spec":{', '"spec":{"fromTheFuture":{"a":[1]},').replace(']},}', ']}}') : value, ...rest])
      writeFileSync(path, JSON.stringify({...store, keys}))
      const edits = Object.values(CHANGES).map(({line}) => line).filter((line) => !/^(replace|apply|delete|create)/.test(line))
      run(edits)
      const after = new Map(keysOf(path))
      const lost = keys.filter(([key = '']) => strange(key) && after.has(key) && !after.get(key)?.includes('fromTheFuture')).map(([key]) => key)
      expect(lost).toEqual([])
    })
  })

  test('48. calicoctl schema prints a schema of every document (outputs are held to them: schema.test.ts)', () => {
    const outputs = run(DOCUMENT_KINDS.map(({kind}) => `schema ${kind}`))
    expect(DOCUMENT_KINDS.filter(({kind}, at) => (JSON.parse(outputs[at]?.stdout ?? '{}') as {title?: string}).title !== kind)).toEqual([])
  })

  test('49. the lines that scripts look for are v0.20\'s', () => {
    onCopy((run) => {
      run(prepared)
      const lines = Object.values(CHANGES).filter(({says}) => says !== undefined)
      const outputs = run(lines.map(({line}) => line))
      expect(lines.filter(({says}, at) => !says?.test(outputs[at]?.stdout ?? '')).map(({line}, at) => `${line}: ${outputs[at]?.stdout ?? ''}`)).toEqual([])
    })
  })

  test('50. calicoctl-NAME in PATH is a command, and never in the place of one of ours', () => {
    const bin = join(folder, 'plugins')
    mkdirSync(bin)
    for (const name of ['hello', 'profile', 'version', 'help']) writeFileSync(join(bin, `calicoctl-${name}`), '#!/bin/sh\necho plugin "$@"\n', {mode: 0o755})
    const plugged = (line: string) => inOwnProcess(line.split(' '), {env: {HOME: folder, PATH: `${bin}:${process.env.PATH ?? ''}`, CALICO_DATASTORE: `embedded:${storeFile(folder)}`}})
    return Promise.all([
      plugged('hello a -b').then(({stdout}) => expect(stdout).toBe('plugin a -b\n')),
      ...['profile show', 'version', 'help'].map(async (line) => expect((await plugged(line)).stdout).not.toContain('plugin a')),
    ])
  })
})
