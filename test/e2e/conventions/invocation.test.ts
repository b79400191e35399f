/** The conventions of command lines (clig.dev, 12-factor CLI apps, GNU, POSIX, kubectl, no-color.org), one test each, for every command that they concern: invocation and help, 1 to 10. Where one is not held on purpose, the exceptions are a table, each with its reason. */
import {spawn} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, test} from '@jest/globals'
import {usageOfId} from '../../../src/lib/cli/grammar/v020.js'
import {CALICOCTL} from '../../support/cli.js'
import {changeLines, conventions, helpOf, nameOf, prepared, showing, wrong} from '../../support/conventions.js'
import {type Output, storeFile} from '../../support/whole-store.js'

const {folder, run, one, start, commands, ids, flags, shownAs, onCopy} = conventions()

const PROFILE = 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: fromstdin}\nspec: {}\n'
/** Options and arguments that are files, with a line in which each is stdin, and what it reads, if that is not a profile. */
const STDIN: Readonly<Record<string, {readonly line: string; readonly code?: number; readonly file?: string}>> = {
  'create --filename': {line: 'create -f - --dry-run'},
  'apply --filename': {line: 'apply -f - --dry-run'},
  'apply --plan': {line: 'apply --plan -', code: 1}, // a profile is no plan
  'replace --filename': {line: 'replace -f -', code: 4},
  'delete --filename': {line: 'delete -f -', code: 4},
  'diff --filename': {line: 'diff -f -', code: 1},
  'validate --filename': {line: 'validate -f -'},
  'plan --filename': {line: 'plan -f - --out p.plan'},
  'plan --out': {line: 'plan -f - --out -'},
  'get --filename': {line: 'get -f -', code: 4},
  'policy:test': {line: 'policy test -', code: 10, file: 'probes.yaml'},
  'policy:test --filename': {line: 'policy test probes.yaml -f -', code: 1}, // its probes name another profile
  'import --from': {line: 'import --from - --dry-run', file: 'old.json'},
  batch: {line: 'batch -', code: 1},
}

describe('invocation and help', () => {
  test('1. help is asked for in every way, printed on stdout with 0, and wins over other options; a missing argument: a short usage on stderr', async () => {
    const program = (await start('--help')).stdout
    for (const line of ['', 'help', '-h']) expect(await start(line)).toMatchObject({code: 0, stdout: program, stderr: ''})
    const outputs = run(ids().flatMap((id) => [`help ${nameOf(id)}`, `${nameOf(id)} --help`, `${nameOf(id)} -h`, `${nameOf(id)} --debug --help --no-input`, `-h ${nameOf(id)}`]))
    const asked = ids().flatMap((id) => Array.from({length: 5}, () => id))
    const rows = Object.keys(commands().help ?? {}).length
    expect(rows).toBeGreaterThan(0)
    expect(outputs.flatMap(({code, stdout, stderr}, at) => (code === 0 && stderr === '' && (asked[at] === 'help' || stdout === helpOf(asked[at] ?? '')) ? [] : [`${asked[at] ?? ''} ${at % 5}: ${code} ${stderr}`]))).toEqual([])
    const needing = ids().filter((id) => Object.values(commands()[id]?.args ?? {}).some(({required}) => required === true))
    expect(needing.length).toBeGreaterThan(40)
    const bare = run(needing.map(nameOf))
    expect(needing.filter((_, at) => bare[at]?.code !== 1 || bare[at].stdout !== '' || !/^Usage:\n {2}calicoctl [^]*\n\nError: .* (is|are) missing/.test(bare[at].stderr))).toEqual([])
  })

  test('1. a topic alone lists all its commands with what they do, on stderr with 1; help of it, on stdout with 0', () => {
    const topics = [...new Set(ids().flatMap((id) => id.split(':').slice(0, -1).map((_, at, words) => words.slice(0, at + 1).join(':'))))].filter((topic) => !ids().includes(topic))
    expect(topics.length).toBeGreaterThan(10)
    const [alone, asked] = [run(topics.map(nameOf)), run(topics.map((topic) => `help ${nameOf(topic)}`))]
    const lists = (text: string | undefined, topic: string): boolean => ids().filter((id) => id.startsWith(`${topic}:`)).every((id) => text?.replaceAll(/\s+/g, ' ').includes((helpOf(id).split('\n\n', 1)[0] ?? '').replaceAll('\n', ' ')))
    expect(topics.filter((topic, at) => alone[at]?.code !== 1 || alone[at].stdout !== '' || !lists(alone[at].stderr, topic))).toEqual([])
    expect(topics.filter((topic, at) => asked[at]?.code !== 0 || asked[at].stderr !== '' || !lists(asked[at].stdout, topic))).toEqual([])
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

  test('3. every argument is called as in the usage, and the values of every option are named', () => {
    const section = (page: string, name: string): string => new RegExp(`\\n${name}\\n([^]*?)(?=\\n[A-Z]|$)`).exec(page)?.[1] ?? ''
    const otherwise = ids().flatMap((id) => {
      const usage = section(helpOf(id), 'USAGE')
      const called = [...section(helpOf(id), 'ARGUMENTS').matchAll(/^ {2}(\S.*?)(?: {2}|$)/gm)].map(([, name = '']) => name.replaceAll(/[[\]]|\.\.\./g, ''))
      const named = [...usage.replaceAll(/--[a-z0-9-]+=<[^>]*>/g, '').matchAll(/<([^>]+)>/g)].map(([, name = '']) => name).filter((name) => name !== 'MATCH')
      return [...called.filter((name) => !usage.includes(name)), ...named.filter((name) => !called.includes(name))].map((name) => `${id}: ${name}`)
    })
    expect(otherwise).toEqual([])
    expect(ids().filter((id) => /=<(option|value)>/.test(helpOf(id)))).toEqual([])
  })

  test('4. every letter has a long form; -- ends options; - is stdin or stdout wherever a file is meant', async () => {
    expect(flags().filter(([, name]) => name.length < 2)).toEqual([])
    expect(one('profile -- --x rule show')).toMatchObject({code: 4, stderr: expect.stringContaining('--x') as unknown})
    const taken = flags().filter(([, , {helpValue, description = ''}]) => helpValue === 'FILE' && /stdin|stdout|a folder/.test(description)).map(([id, name]) => `${id} --${name}`)
    expect(taken.filter((each) => !Object.keys(STDIN).some((key) => key.replace(/#.*/, '') === each))).toEqual([])
    for (const {line, code = 0, file} of Object.values(STDIN)) {
      const ended = await start(line, {}, file === undefined ? PROFILE : readFileSync(join(folder, file), 'utf8'))
      expect([line, ended.code, ended.stderr.includes('no such file')]).toEqual([line, code, false])
    }
    expect((await start('datastore save -')).stdout.length).toBeGreaterThan(100)
    expect((await start(`plan -f node.yaml --out -`)).stdout).toContain('"kind"')
  })

  test('5. options may stand before and after the words', () => {
    const lines = showing.filter((line) => !line.startsWith('ipam assign'))
    const ran = run(lines.map((line) => `-o json ${line}`))
    const first = new Map(lines.map((line, at) => [line, ran[at] ?? {code: -1, stdout: '', stderr: ''}]))
    expect(wrong(first, ({code, stdout}, line) => code === shownAs('-o json').get(line)?.code && stdout.length > 0)).toEqual([])
    onCopy((run) => {
      run(prepared)
      const [before, after] = [run(changeLines.map((line) => `--dry-run ${line}`)), run(changeLines.map((line) => `${line} --dry-run`))]
      const same = (output: Output | undefined): string => JSON.stringify(output).replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z/g, '')
      expect(changeLines.filter((_, at) => same(before[at]) !== same(after[at]))).toEqual([])
    })
  })

  test('6. an unknown command or option is never guessed: 1, and what was probably meant', () => {
    const slips = ids().map((id) => ({id, line: `${nameOf(id).slice(0, -1)}x${nameOf(id).slice(-1)}`}))
    const words = run(slips.map(({line}) => line))
    expect(slips.filter((_, at) => words[at]?.code !== 1 || words[at].stdout !== '')).toEqual([])
    const options = run(ids().map((id) => `${nameOf(id)} --dry-rum --datastor x`))
    expect(ids().filter((id, at) => options[at]?.code !== (id === 'diff' ? 2 : 1) || options[at].stdout !== '')).toEqual([]) // 1 of diff is a difference
    expect(one('proflie show').stderr).toMatch(/Did you mean: calicoctl profile show/)
    expect(one('pool add 10.8.0.0/16 --dry-rum').stderr).toMatch(/--dry-run/)
    expect(one('pool show -o name').stdout).not.toContain('10.8.')
  })

  test('7. commands cannot be abbreviated, and there is none that takes every word', () => {
    const lines = ids().flatMap((id) => id.split(':').map((word, at, words) => (word.length > 3 ? words.with(at, word.slice(0, -1)).join(' ') : id)).filter((line) => !ids().includes(line.replaceAll(' ', ':'))))
    expect(lines.length).toBeGreaterThan(100)
    const outputs = run(lines)
    expect(lines.filter((_, at) => outputs[at]?.code !== 1 || outputs[at].stdout !== '' || !outputs[at].stderr.includes('Error: '))).toEqual([])
    expect(one('nonsense').code).toBe(1)
  })

  test('8. a command that reads a terminal says so', async () => {
    const lines = [...Object.values(STDIN).map(({line}) => line), 'batch', 'profile web rule update', 'datastore restore -']
    const screens = await Promise.all(lines.map(async (line) => {
      const child = spawn('script', ['-qefc', `exec ${process.execPath} ${CALICOCTL} ${line}`, '/dev/null'], {cwd: folder, env: {PATH: process.env.PATH, HOME: folder, TERM: 'dumb', CALICO_DATASTORE: `embedded:${storeFile(folder)}`}})
      let screen = ''
      child.stdout.on('data', (data: Buffer) => {
        screen += data.toString()
        if (screen.includes('terminal')) child.kill()
      })
      child.stdin.end()
      await new Promise((settle) => child.on('close', settle))
      return screen
    }))
    expect(lines.filter((_, at) => !/Reading .*from the terminal|stdin is a terminal/.test(screens[at] ?? ''))).toEqual([])
  })

  test('9. new commands take one kind of argument', () => {
    const SEVERAL: Readonly<Record<string, string>> = {
      edit: 'kubectl\'s grammar: KIND NAME', history: 'KIND NAME', label: 'KIND NAME LABEL', patch: 'KIND NAME', 'policy:explain': 'from, to and traffic: a question', 'pool:move': 'from old to new',
    }
    const several = ids().filter((id) => usageOfId(id) === undefined && Object.keys(commands()[id]?.args ?? {}).length > 1)
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
    for (const [id, name, {description = ''}] of flags()) {
      const all = meanings.get(name) ?? new Map<string, string[]>()
      all.set(description, [...(all.get(description) ?? []), id])
      meanings.set(name, all)
    }
    const different = [...meanings].filter(([, all]) => all.size > 1).map(([name]) => name)
    expect(different.filter((name) => !(name in DIFFERENT)).map((name) => [name, ...[...(meanings.get(name) ?? [])].map(([text, of]) => `${of[0] ?? ''}: ${text}`)])).toEqual([])
    expect(Object.keys(DIFFERENT).filter((name) => !different.includes(name))).toEqual([])
  })
})
