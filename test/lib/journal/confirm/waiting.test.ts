/** Files of waiting changes: which they are, in which order, and how it stands with each. */
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {basename, dirname, join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {CalicoError, EXIT_CODES} from '../../../../src/lib/errors.js'
import {type Identity, ownIdentity} from '../../../../src/lib/files/lock-file.js'
import {reportOverdue} from '../../../../src/lib/journal/confirm/overdue.js'
import {confirmChange, refuseRunning} from '../../../../src/lib/journal/confirm/settle.js'
import {lookOnce, tryOnce} from '../../../../src/lib/journal/confirm/timer.js'
import {listWaiting, makeWaitingFolder, stateOf, type Waiting, waitingPath, withWaitingLock, writeWaiting} from '../../../../src/lib/journal/confirm/waiting.js'
import {presentWaiting} from '../../../../src/lib/views/confirm.js'
import type {Confirmation, Entry} from '../../../../src/lib/journal/read.js'

const ALIVE = ownIdentity()
const ENDED: Identity = {...ALIVE, started: '0'}
const ELSEWHERE: Identity = {...ENDED, namespace: '1'}
const DEADLINE = '2026-01-01T00:00:00.000Z'
const AT = Date.parse(DEADLINE)
const WAITING: Waiting = {v: 1, id: 'abc', words: ['profile', 'add', 'web'], cluster: 'c', host: 'h', within: 60_000, deadline: DEADLINE, command: ENDED, timer: ALIVE, failed: null, options: {}, folder: '/', env: {}}

let folder: string
let env: NodeJS.ProcessEnv
const before = {...process.env}
beforeEach(() => {
  process.env.CALICOCTL_JOURNAL = 'off'
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-waiting-'))
  env = {XDG_STATE_HOME: folder}
  makeWaitingFolder(waitingPath(env, 'c'))
})
afterEach(() => {
  process.env = {...before}
  rmSync(folder, {recursive: true})
})

describe('how it stands with a change', () => {
  test.each<[string, Partial<Waiting>, number, ReturnType<typeof stateOf>]>([
    ['its time is not over', {}, AT - 1, 'waiting'],
    ['its time is not over, and nobody waits', {timer: ENDED}, AT - 1, 'waiting'],
    ['its time is over, and somebody is at it', {}, AT + 3_600_000, 'waiting'],
    ['its time is over, and who waited has ended', {timer: ENDED}, AT, 'overdue'],
    ['its time is over, and nobody has waited', {timer: null}, AT, 'overdue'],
    ['its time has been over for a minute, and who waits cannot be seen', {timer: ELSEWHERE}, AT + 60_000, 'waiting'],
    ['its time has been over for more than a minute, and who waits cannot be seen', {timer: ELSEWHERE}, AT + 60_001, 'overdue'],
    ['its command runs', {deadline: null, command: ALIVE}, AT, 'running'],
    ['its command runs, and nobody waits', {deadline: null, command: ALIVE, timer: null}, AT, 'running'],
    ['its command has ended just now, and who waits has yet to see that', {deadline: null}, AT, 'running'],
    ['its command was killed, and nobody waits', {deadline: null, timer: ENDED}, AT, 'overdue'],
    ['its command was killed before anybody waited', {deadline: null, timer: null}, AT, 'overdue'],
    ['its command cannot be seen', {deadline: null, command: ELSEWHERE, timer: null}, AT, 'running'],
    ['it is rolled back, and what arrives late is looked for', {late: [0]}, AT + 1_000, 'undone'],
    ['it is rolled back by a command before its time is over', {late: [0]}, AT - 1, 'undone'],
    ['it is rolled back, and who looked for what arrives late has ended', {late: [0], timer: ENDED}, AT - 1, 'overdue'],
    ['what arrived late could not be rolled back', {late: [0], failed: 'in use'}, AT, 'failed'],
    ['it could not be rolled back', {failed: 'in use'}, AT - 1, 'failed'],
  ])('%s', (_, fields, now, state) => expect(stateOf({...WAITING, ...fields}, now)).toBe(state))
})

test('a change begins to wait while the last one ends, which removes the folder: it has the lock afterwards', async () => {
  const path = waitingPath(env, 'c')
  const busy = (): CalicoError => new CalicoError('refused', 'busy')
  let end = (): void => undefined
  const last = withWaitingLock(path, busy, () => new Promise<void>((resolve) => (end = resolve)))
  const next = withWaitingLock(path, busy, () => Promise.resolve(existsSync(dirname(path))), {begins: true})
  end()
  await last
  expect(existsSync(dirname(path))).toBe(false)
  expect(await next).toBe(true)
  // Who only asks about a change does not make a folder for it.
  await expect(withWaitingLock(path, busy, () => Promise.resolve())).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('cannot be created') as unknown})
  expect(existsSync(dirname(path))).toBe(false)
})

test.each<[string, Partial<Waiting>, string, string]>([
  ['is pending', {}, '2026-01-01T00:00:00Z', 'pending'],
  ['runs', {deadline: null, command: ALIVE}, '-', 'the command runs'],
  // Its command ended five seconds before the deadline: what it had sent may arrive until a minute after that.
  ['is rolled back', {within: 5_000, late: [0]}, '2026-01-01T00:00:55Z', 'rolled back, looking for late writes'],
  ['could not be rolled back', {late: [0], failed: 'in use'}, '2026-01-01T00:00:00Z', 'could not be rolled back'],
])('the list shows until when, and the state: one that %s', (_, fields, until, state) => {
  const waiting = {...WAITING, ...fields}
  const {columns} = presentWaiting([waiting], AT - 1)
  expect(columns.slice(1, 3).map(({value}) => value(waiting))).toEqual([until, state])
})

describe('the files', () => {
  test('the one that is rolled back first is first; one whose command runs is last', async () => {
    for (const [cluster, deadline] of [['a', '2026-01-01T00:00:02.000Z'], ['b', null], ['c', '2026-01-01T00:00:01.000Z'], ['d', '2026-01-01T00:00:03.000Z']] as const) await writeWaiting(waitingPath(env, cluster), {...WAITING, id: cluster, deadline})
    expect(listWaiting(env).map(({waiting: {id}, path}) => [id, path === waitingPath(env, id)])).toEqual([['c', true], ['a', true], ['d', true], ['b', true]])
  })
  test('what else is in the folder is none, nor is what cannot be read', async () => {
    await writeWaiting(waitingPath(env, 'c'), WAITING)
    const text = readFileSync(waitingPath(env, 'c'), 'utf8')
    for (const name of ['c-x.json.new', 'x.json', '.c-c.json.lock']) writeFileSync(join(waitingPath(env, 'c'), '..', name), text)
    mkdirSync(waitingPath(env, 'folder'))
    writeFileSync(waitingPath(env, 'torn'), text.slice(0, 40))
    expect(listWaiting(env).map(({path}) => path)).toEqual([waitingPath(env, 'c')])
  })
  test('no folder: nothing waits; a folder that cannot be read is an error', () => {
    expect(listWaiting({XDG_STATE_HOME: join(folder, 'none')})).toEqual([])
    writeFileSync(join(folder, 'file'), '')
    expect(listWaiting({XDG_STATE_HOME: join(folder, 'file')})).toEqual([])
    expect(() => listWaiting({XDG_STATE_HOME: join(folder, 'x'.repeat(300))})).toThrow('cannot be read')
  })
})

test.each<[string, Partial<Waiting>, boolean]>([
  ['runs', {deadline: null, command: ALIVE}, true], ['has ended', {deadline: null}, false], ['cannot be seen', {deadline: null, command: ELSEWHERE}, false], ['has said when it is rolled back', {command: ALIVE}, false],
])('a change is not undone while its command runs: it %s', async (_, fields, refused) => {
  await writeWaiting(waitingPath(env, 'c'), {...WAITING, ...fields})
  const ask = (id: string) => () => refuseRunning(id, env)
  if (refused) expect(ask('abc')).toThrow('is still running')
  else expect(ask('abc')).not.toThrow()
  expect(ask('other')).not.toThrow()
})

test.each<[string, () => Identity | null, boolean]>([
  ['another process', () => ({...ALIVE, pid: String(process.ppid), started: startOf(process.ppid)}), true],
  ['this process', () => ALIVE, false], ['a process that has ended', () => ({...ENDED, pid: String(process.ppid)}), false], ['a process that cannot be seen', () => ({...ELSEWHERE, pid: String(process.ppid)}), false], ['nobody', () => null, false],
])('who waited for a change that is confirmed has nothing to do any more: %s', async (_, timer, ended) => {
  const killed: unknown[] = []
  const kill = process.kill.bind(process)
  process.kill = (...given) => {
    killed.push(given)
    return true
  }
  try {
    await writeWaiting(waitingPath(env, 'c'), {...WAITING, timer: timer()})
    await confirmChange('abc', () => [], () => Promise.reject(new Error('asked')), env)
  } finally {
    process.kill = kill
  }
  expect(killed).toEqual(ended ? [[process.ppid, 'SIGTERM']] : [])
})

/** When the process PID was started, as an identity has it. */
const startOf = (pid: number): string => /\) (?:\S+ ){19}(\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? ''

test.each<[string, Confirmation | undefined, string | undefined]>([
  ['confirmed it: it is confirmed', 'confirmed', undefined], ['rolled it back', 'undone', 'already rolled back'], ['found that it is not known', 'failed', 'is not pending'], ['gave it up', undefined, 'is not pending'],
])('confirm waits for another process, which %s', async (_, confirmation, refusal) => {
  const path = waitingPath(env, 'c')
  await writeWaiting(path, {...WAITING, timer: null})
  const entry: Entry = {id: 'abc', time: '', user: '', sudoUser: undefined, host: '', command: '', words: [], parts: [], exitCode: 0, confirmation}
  const {confirmed} = await withWaitingLock(path, () => new CalicoError('conflict', 'busy'), () => {
    const begun = confirmChange('abc', () => [entry], () => Promise.reject(new Error('asked')), env)
    rmSync(path)
    return Promise.resolve({confirmed: begun})
  })
  if (refusal === undefined) expect(await confirmed).toMatchObject({id: 'abc'})
  else await expect(confirmed).rejects.toThrow(refusal)
})

test('the folder is there as long as one waits', async () => {
  const confirm = (id: string) => confirmChange(id, () => [], () => Promise.reject(new Error('asked')), env)
  for (const id of ['a', 'b']) await writeWaiting(waitingPath(env, id), {...WAITING, id, timer: null})
  await confirm('a')
  expect(readdirSync(dirname(waitingPath(env, 'a')))).toEqual([basename(waitingPath(env, 'b'))])
  await confirm('b')
  expect(existsSync(dirname(waitingPath(env, 'a')))).toBe(false)
})

test('what was neither confirmed nor rolled back is reported, with what to do; what may be tried again is offered', async () => {
  const past = new Date(Date.now() - 3_600_000).toISOString()
  const over = {deadline: past, timer: ENDED}
  await writeWaiting(waitingPath(env, 'a'), {...WAITING, id: 'a', ...over})
  await writeWaiting(waitingPath(env, 'b'), {...WAITING, id: 'b', ...over, deadline: new Date(Date.parse(past) + 1).toISOString(), begun: true})
  await writeWaiting(waitingPath(env, 'c'), {...WAITING, id: 'c', ...over, deadline: new Date(Date.parse(past) + 2).toISOString(), failed: 'in use'})
  await writeWaiting(waitingPath(env, 'd'), {...WAITING, id: 'd', deadline: null, timer: null})
  await writeWaiting(waitingPath(env, 'e'), {...WAITING, id: 'e', ...over, timer: ALIVE})
  await writeWaiting(waitingPath(env, 'f'), {...WAITING, id: 'f', ...over, deadline: new Date(Date.parse(past) + 3).toISOString(), late: [0]})
  await writeWaiting(waitingPath(env, 'g'), {...WAITING, id: 'g', ...over, timer: ALIVE, late: [0]})
  const noted: string[] = []
  let asked = 0
  await reportOverdue(env, {note: ([first = '', undo = '', confirm = '']) => void noted.push(`${first} ${undo.split(':')[1]?.trim()}, ${confirm.split(':')[1]?.trim() ?? 'not to be kept'}`), ask: () => Promise.resolve(++asked < 0)})
  const name = (id: string): string => `Warning: The change ${id} (profile add web)`
  const ways = (id: string): string => `calicoctl undo ${id}, calicoctl confirm ${id}`
  expect(noted).toEqual([
    `${name('a')} was neither confirmed nor rolled back in time (${past}). ${ways('a')}`,
    `${name('b')} was not confirmed in time. Its rollback was interrupted and may have been made: both commands find that out. ${ways('b')}`,
    `${name('c')} was not confirmed in time, and could not be rolled back: in use. ${ways('c')}`,
    `${name('f')} was rolled back, but its command had been interrupted, and the process that looked for late writes was interrupted, too: the change may have been made since. calicoctl undo f, not to be kept`,
    `${name('d')} was neither confirmed nor rolled back in time. ${ways('d')}`,
  ])
  expect(asked).toBe(4)
  noted.length = 0
  await reportOverdue({XDG_STATE_HOME: join(folder, 'x'.repeat(300))}, {note: () => void noted.push('reported'), ask: () => Promise.resolve(false)})
  expect(noted).toEqual([])
})

test('a program that cannot be started, as after its removal: the try has failed, and nobody knows how it stands', async () => {
  const program = process.execPath
  process.execPath = join(folder, 'none')
  try {
    expect(await tryOnce(waitingPath(env, 'c'), 'abc', 'ignore')).toBe(EXIT_CODES.failed)
    await expect(lookOnce(waitingPath(env, 'c'), 'abc')).rejects.toMatchObject({kind: 'unreachable', message: expect.stringContaining('It is not known whether') as unknown, details: [expect.stringContaining('ENOENT')]})
  } finally {
    process.execPath = program
  }
})
