/**
 * What the tests of the conventions of command lines share (test/e2e/conventions): a store that has something of everything, lines of every command, and a rule
 * for every message that one of them provokes.
 */
import {execFileSync} from 'node:child_process'
import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, expect} from '@jest/globals'
import {checkBuild, type Result} from './cli.js'
import {messageFaults} from './messages.js'
import {calicoctl} from './warm.js'
import {fillStore, type Output, runLines, SHOWING, storeFile, wordsOf} from './whole-store.js'

export const ROOT = resolve(import.meta.dirname, '../..')

export interface Flag {
  readonly type: 'boolean' | 'option'
  readonly char?: string
  readonly description?: string
  readonly helpValue?: string
}
interface Described {
  readonly flags: Readonly<Record<string, Flag>>
  readonly args: Readonly<Record<string, {readonly required?: boolean}>>
  readonly hidden?: boolean
}

/** A line of each command that shows something, or several. */
export const showing = Object.values(SHOWING).flat()
export const nameOf = (id: string): string => id.replaceAll(':', ' ')
/** The page of help of the command ID. */
export const helpOf = (id: string): string => readFileSync(join(ROOT, 'dist/help', `calicoctl.${id.replaceAll(':', '.')}.txt`), 'utf8')

/** The keys and values of the store at PATH, without what the clock and chance decide. */
export function keysOf(path: string): [string, string][] {
  const {keys} = JSON.parse(readFileSync(path, 'utf8')) as {keys: [string, string][]}
  return keys.map(([key, value]) => [key, value])
}

/** The lines of OUTPUTS with what they print, where that is not as JUDGE wants it. */
export const wrong = (outputs: ReadonlyMap<string, Output>, judge: (output: Output, line: string) => boolean): string[] =>
  [...outputs].filter(([line, output]) => !judge(output, line)).map(([line, {code, stdout, stderr}]) => `${line}: ${code}\n${stdout.slice(0, 300)}\n${stderr.slice(0, 300)}`)

/** Changes in the datastore: a line of each command that makes them alone, whether it says v0.20's words, and what undoes it. */
export const CHANGES: Readonly<Record<string, {readonly line: string; readonly says?: RegExp; readonly again?: string; readonly prepare?: readonly string[]}>> = {
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
export const NOT_ALONE: Readonly<Record<string, string>> = {
  batch: 'its lines are the other commands', confirm: 'it only stops a timer', 'datastore:lock': 'it stops the others', 'datastore:unlock': 'the same', 'datastore:restore': 'it replaces the whole store: datastore.test.ts',
  edit: 'it needs an editor: resource-files.test.ts', import: 'it needs another store: import.test.ts', 'ipam:check': 'it changes what it finds only: ipam.test.ts', 'ipam:split': 'every time it is another split: pool.test.ts', 'pool:move': 'the same',
  'profile:rule:update': 'it reads stdin: profile.test.ts', undo: 'every time it is another change: history.test.ts', plan: 'it writes a file', 'endpoint:gc': 'it asks a Docker Engine: container.test.ts', 'mesos:gc': 'it asks an agent: mesos-agent.test.ts', 'mesos:config': 'it writes files of the host',
  node: 'the host', 'node:remove': 'the host', 'node:stop': 'the host', diags: 'it writes an archive',
  ...Object.fromEntries(['add', 'remove', 'ip:add', 'ip:remove', 'profile:append', 'profile:remove', 'profile:set'].map((verb) => [`container:${verb}`, 'it needs a container: container.test.ts'])),
}

/** What must be there before {@link CHANGES}. */
export const prepared = Object.values(CHANGES).flatMap(({prepare = []}) => prepare)
export const changeLines = Object.values(CHANGES).map(({line}) => line)
/** {@link CHANGES}, where they were made already. */
export const againLines = Object.values(CHANGES).map(({line, again = ''}) => `${line} ${again}`.trim())

/** Lines that fail on an object, and the object. */
export const FAILING: readonly (readonly [line: string, object: string, code: number])[] = [
  ['profile nosuch rule show', 'nosuch', 4], ['profile nosuch tag show', 'nosuch', 4], ['profile web tag remove nosuch', 'nosuch', 4], ['profile web rule remove inbound deny tcp', 'web', 4], ['profile web rule remove inbound --at 99', 'web', 1],
  ['profile remove web', 'web', 8], ['pool remove 10.99.0.0/16', '10.99.0.0/16', 4], ['pool remove 10.1.0.0/16', '10.1.0.0/16', 8], ['pool add 10.1.0.0/24', '10.1.0.0/24', 1], ['pool set 10.99.0.0/16 --ipip', '10.99.0.0/16', 4],
  ['bgp peer remove 192.0.2.99', '192.0.2.99', 4], ['node bgp peer remove 192.0.2.99 --node h1', '192.0.2.99', 4], ['endpoint nosuch profile show', 'nosuch', 4], ['endpoint remove nosuch', 'nosuch', 4], ['get profile nosuch', 'nosuch', 4], ['get node nosuch', 'nosuch', 4],
  ['ipam assign 10.88.0.1', '10.88.0.1', 1], ['ipam assign 10.1.5.5 --node h1', '10.1.5.5', 5], ['create -f node.yaml', 'h1', 5], ['patch profile nosuch -p {}', 'nosuch', 4], ['label profile nosuch a=b', 'nosuch', 4], ['delete profile nosuch', 'nosuch', 4],
  ['undo nosuch', 'nosuch', 4], ['confirm nosuch', 'nosuch', 4], ['apply -f nosuch.yaml', 'nosuch.yaml', 1], ['policy explain nosuch any tcp/80', 'nosuch', 4], ['schema nosuch', 'nosuch', 1], ['lint codes nosuch', 'nosuch', 1], ['get nosuch', 'nosuch', 1],
]

export type RunLines = (lines: readonly string[], more?: Readonly<Record<string, string>>) => Output[]

export interface Conventions {
  /** Where the store and the files of its lines are. */
  readonly folder: string
  /** Runs LINES one after another in one process on the store. */
  readonly run: RunLines
  readonly one: (line: string, more?: Readonly<Record<string, string>>) => Output
  /** The built command as a process on the store. */
  readonly start: (line: string, more?: Readonly<Record<string, string>>, stdin?: string) => Promise<Result>
  /** All commands as the manifest has them, but hidden ones. */
  readonly commands: () => Readonly<Record<string, Described>>
  readonly ids: () => string[]
  readonly flags: () => [id: string, name: string, flag: Flag][]
  /** What all showing lines print with FORMAT (`-o json`, …); they are run once. */
  readonly shownAs: (format: string) => ReadonlyMap<string, Output>
  /** Does WORK with a copy of the store, which its lines may change. */
  readonly onCopy: (work: (run: RunLines, path: string, folder: string) => void) => void
}

/** The store of a test file. Each message that its lines print must be a sentence, and none may have a stack trace that nobody asked for. */
export function conventions(): Conventions {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-conventions-'))
  const shown = new Map<string, ReadonlyMap<string, Output>>()
  const faults: string[] = []
  let manifest: Readonly<Record<string, Described>> | undefined
  const judged = (line: string, {stderr}: {readonly stderr: string}): void => void faults.push(...messageFaults(stderr, line.includes('--debug')).map((fault) => `${line}: ${fault}`))
  const runIn = (place: string): RunLines => (lines, more = {}) => {
    const outputs = runLines(place, lines, more)
    for (const [at, output] of outputs.entries()) judged(lines[at] ?? '', output)
    return outputs
  }
  const run = runIn(folder)

  beforeAll(() => {
    checkBuild()
    fillStore(folder)
    for (const [file, name] of [['changed', 'db'], ['made', 'made'], ['set', 'inset'], ['empty', 'other']] as const) writeFileSync(join(folder, `${file}.yaml`), `kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: ${name}}\nspec: {}\n`)
  })
  afterAll(() => {
    rmSync(folder, {recursive: true, force: true})
    expect(faults).toEqual([])
  })

  const commands = (): Readonly<Record<string, Described>> => (manifest ??= readManifest())
  const ids = (): string[] => Object.keys(commands())
  return {
    folder,
    run,
    one: (line, more = {}) => run([line], more)[0] ?? {code: -1, stdout: '', stderr: ''},
    async start(line, more = {}, stdin) {
      const ended = await calicoctl(wordsOf(line), {cwd: folder, env: {HOME: folder, CALICO_DATASTORE: `embedded:${storeFile(folder)}`, HOSTNAME: 'h1', ...more}, ...(stdin === undefined ? {} : {stdin})})
      judged(line, ended)
      return ended
    },
    commands,
    ids,
    flags: () => ids().flatMap((id) => Object.entries(commands()[id]?.flags ?? {}).map(([name, flag]): [string, string, Flag] => [id, name, flag])),
    shownAs(format) {
      let outputs = shown.get(format)
      if (!outputs) {
        const ran = run(showing.map((line) => `${line} ${format}`))
        shown.set(format, (outputs = new Map(showing.map((line, at) => [line, ran[at] ?? {code: -1, stdout: '', stderr: ''}]))))
      }
      return outputs
    },
    onCopy(work) {
      const copy = mkdtempSync(join(tmpdir(), 'calicoctl-conventions-'))
      try {
        cpSync(folder, copy, {recursive: true})
        work(runIn(copy), storeFile(copy), copy)
      } finally {
        rmSync(copy, {recursive: true, force: true})
      }
    },
  }
}

function readManifest(): Readonly<Record<string, Described>> {
  mkdirSync(join(ROOT, '.cache'), {recursive: true})
  const scratch = mkdtempSync(join(ROOT, '.cache', 'manifest-'))
  const program = `const {makeManifest} = await import('${ROOT}/scripts/bundle/manifest.mjs')
    process.stdout.write(JSON.stringify(await makeManifest({root: '${ROOT}', source: '${ROOT}/src', scratch: '${scratch}'})))`
  try {
    const all = JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program], {encoding: 'utf8', maxBuffer: 64 * 1024 * 1024})) as Record<string, Described>
    return Object.fromEntries(Object.entries(all).filter(([id, {hidden}]) => hidden !== true && !id.startsWith('__')))
  } finally {
    rmSync(scratch, {recursive: true, force: true})
  }
}
