import {appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import type {Outcome, Written} from '../../../src/lib/client/session.js'
import {type EntryLine, type JournalEntry, newEntry} from '../../../src/lib/journal/entry.js'
import {journalPath} from '../../../src/lib/journal/place.js'
import {netChanges, parseJournal, readJournal} from '../../../src/lib/journal/read.js'

let folder: string
let path: string
let warnings: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-journal-'))
  path = join(folder, 'state/calicoctl/journal.jsonl')
  warnings = []
})
afterEach(() => rmSync(folder, {recursive: true}))

const kv = (key: string, value: string) => ({key, value, modRevision: 1n, createRevision: 1n, version: 1n})
const written = (revision: bigint, ...changes: readonly (readonly [key: string, before: string | undefined, after: string | undefined])[]): Written => ({
  cluster: 'guid',
  revision,
  writes: changes.map(([key, before, after]) => ({key, read: before === undefined ? undefined : kv(key, before), value: after})),
})
const entry = (words = ['profile', 'add', 'web'], options: {largest?: number; env?: Record<string, string>} = {}) =>
  newEntry({id: 'profile:add', words, warn: (text) => warnings.push(text)}, {...options, env: {XDG_STATE_HOME: join(folder, 'state'), ...options.env}})

/** A transaction that ends as OUTCOME says; without one, at the revision that it was decided on. */
async function add(to: JournalEntry, what: Written, lines: readonly EntryLine[] = [], outcome: Outcome = what.revision): Promise<void> {
  await (await to.add(what, lines))(outcome)
}

test('one command is one entry, with what it has written and how it ended', async () => {
  const one = entry(undefined, {env: {SUDO_USER: 'me'}})
  expect(existsSync(path)).toBe(false)
  await add(one, written(3n, ['/a', undefined, '1']))
  await add(one, written(4n, ['/a', '1', '2'], ['/b', 'x', undefined]))
  one.end(9)
  const [read, ...more] = readJournal(path)
  expect(more).toEqual([])
  expect(read).toMatchObject({
    sudoUser: 'me',
    command: 'profile:add',
    words: ['profile', 'add', 'web'],
    exitCode: 9,
    parts: [
      {cluster: 'guid', revision: '3', changes: [{key: '/a', before: undefined, after: '1'}]},
      {cluster: 'guid', revision: '4', changes: [{key: '/a', before: '1', after: '2'}, {key: '/b', before: 'x', after: undefined}]},
    ],
  })
  expect(read && netChanges(read)).toEqual([{key: '/a', before: undefined, after: '2'}, {key: '/b', before: 'x', after: undefined}])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(warnings).toEqual([])
})

test('parts that are given at once are written in their order, after the beginning', async () => {
  const one = entry()
  await Promise.all([1n, 2n, 3n].map((revision) => add(one, written(revision, ['/a', undefined, 'x']))))
  expect(readJournal(path)[0]?.parts.map(({revision}) => revision)).toEqual(['1', '2', '3'])
})

test('a command that changes nothing leaves nothing', () => {
  entry().end(0)
  expect(existsSync(folder + '/state')).toBe(false)
})

test.each([
  [['pool', 'add', '--datastore', 'http://me:geheim@etcd:2379']],
  [['x', '--password', 'geheim']],
  [['x', '--password=geheim']],
  [['x', 'ETCD_PASSWORD=geheim']],
  [['x', '--token', 'geheim']],
  [['config', 'felix', 'EtcdPassword', 'geheim']],
  [['x', '--datastore=http://me:geheim@etcd:2379,http://etcd2:2379']],
])('no secret of the command line: %j', async (words) => {
  await add(entry(words), written(1n, ['/a', undefined, '1']))
  await add(entry(['batch']), written(1n, ['/a', undefined, '1']), [{line: 1, id: 'x', words}])
  expect(readFileSync(path, 'utf8')).not.toContain('geheim')
})

test('words that are no secret stay', async () => {
  const words = ['profile', 'web', 'rule', 'add', 'inbound', 'allow', 'tcp', 'from', 'tag', 'passports', 'to', 'ports', '80']
  await add(entry(words), written(1n, ['/a', undefined, '1']))
  expect(readJournal(path)[0]?.words).toEqual(words)
})

test('lines of a batch, and what may not have been made', async () => {
  const one = entry(['batch', 'f'])
  await add(one, written(1n, ['/a', undefined, '1']), [{line: 3, id: 'profile:add', words: ['profile', 'add', 'web']}])
  await add(one, written(2n, ['/a', '1', '2']), [{line: 7, id: 'profile:tag:add', words: ['profile', 'web', 'tag', 'add', 't']}, {line: 9, id: 'pool:add', words: ['pool', 'add']}], 'unknown')
  one.end(9)
  one.end(0)
  const [read] = readJournal(path)
  expect(read?.exitCode).toBe(9)
  expect(read?.parts.map(({of, unknown}) => [unknown, ...of.map(({line, command, words}) => [line, command, words.length])])).toEqual([[false, [3, 'profile:add', 3]], [true, [7, 'profile:tag:add', 5], [9, 'pool:add', 2]]])
})

describe('many edits of one object', () => {
  const value = (edit: number): string => `{"head":"${'h'.repeat(2000)}","rules":[${Array.from({length: edit}, (_, at) => `"rule ${at} ü😀"`).join(',')}],"tail":"${'t'.repeat(2000)}"}`
  const edits = async (number: number) => {
    const one = entry(['batch', 'f'])
    for (let edit = 0; edit < number; edit++) await add(one, written(BigInt(edit), ['/a', edit === 0 ? undefined : value(edit - 1), value(edit)], [`/other/${edit}`, undefined, 'x']), [{line: edit + 1, id: 'profile:rule:add', words: []}])
    return one
  }

  test('take the room of what they change, and are read as they were', async () => {
    await edits(50)
    expect(readFileSync(path).length).toBeLessThan(20_000)
    const [read] = readJournal(path)
    expect(read?.parts.map(({changes: [change]}) => change)).toEqual(Array.from({length: 50}, (_, edit) => ({key: '/a', before: edit === 0 ? undefined : value(edit - 1), after: value(edit)})))
    expect(read && netChanges(read).find(({key}) => key === '/a')).toEqual({key: '/a', before: undefined, after: value(49)})
  })

  test('what somebody else has written in between is there as a whole, and so is what was deleted and made again', async () => {
    const one = await edits(2)
    await add(one, written(7n, ['/a', `${value(1)}!`, `${value(1)}?`]))
    await add(one, written(8n, ['/a', `${value(1)}?`, undefined]))
    await add(one, written(9n, ['/a', undefined, value(1)]))
    await add(one, written(10n, ['/a', value(1), `${value(1)} `]))
    expect(readJournal(path)[0]?.parts.slice(2).map(({changes}) => [changes[0]?.before, changes[0]?.after])).toEqual([[`${value(1)}!`, `${value(1)}?`], [`${value(1)}?`, undefined], [undefined, value(1)], [value(1), `${value(1)} `]])
  })

  test('without one of its lines, what follows of that key is nothing rather than something else', async () => {
    await edits(5)
    const lines = readFileSync(path, 'utf8').split('\n')
    writeFileSync(path, lines.filter((line) => !line.includes('"part":2,')).join('\n'))
    const [read] = readJournal(path)
    expect(read?.parts.map(({changes}) => changes.map(({key}) => key))).toEqual([['/a', '/other/0'], ['/a', '/other/1'], ['/other/3'], ['/other/4']])
    expect(read && netChanges(read)[0]).toEqual({key: '/a', before: undefined, after: value(1)})
  })
})

describe('a transaction is there before it is sent', () => {
  test('without its outcome it is unknown; with it, it is what that says', async () => {
    const one = entry()
    const settle = await one.add(written(3n, ['/a', undefined, '1']))
    expect(readJournal(path)).toMatchObject([{parts: [{unknown: true, revision: '3', changes: [{key: '/a', after: '1'}]}], exitCode: undefined}])
    await settle(7n)
    expect(readJournal(path)).toMatchObject([{parts: [{unknown: false, revision: '7', changes: [{key: '/a', after: '1'}]}]}])
  })

  test('one that was not made is no part of the change, and a change without any is none', async () => {
    const one = entry()
    await add(one, written(3n, ['/a', undefined, '1']), [], 'not made')
    expect([one.begun, readJournal(path)]).toEqual([false, []])
    await add(one, written(4n, ['/a', undefined, '2']))
    one.end(0)
    expect(one.begun).toBe(true)
    expect(readJournal(path)).toMatchObject([{parts: [{revision: '4', changes: [{before: undefined, after: '2'}]}], exitCode: 0}])
  })

  test('what others read who know no outcomes: a change whose answer was lost', async () => {
    await add(entry(), written(3n, ['/a', undefined, '1']))
    const [sent, outcome] = readFileSync(path, 'utf8').split('\n').map((line) => (line === '' ? undefined : (JSON.parse(line) as object)))
    expect(sent).toMatchObject({v: 1, begin: {}, revision: '3', part: 0, unknown: true, changes: [{key: '/a', before: null, after: '1'}]})
    expect(Object.keys(outcome ?? {})).toEqual(['v', 'id', 'part', 'made'])
  })

  test('an edit of what a transaction left that was not made, or of which nobody knows, is read as it was written', async () => {
    const long = (mark: string): string => `${'x'.repeat(200)}${mark}`
    const one = entry()
    await add(one, written(1n, ['/a', undefined, long('1')]))
    await add(one, written(2n, ['/a', long('1'), long('2')]), [], 'not made')
    await add(one, written(3n, ['/a', long('1'), long('3')]), [], 'unknown')
    await add(one, written(4n, ['/a', long('3'), long('4')]))
    expect(readJournal(path)[0]?.parts.map(({unknown, changes: [change]}) => [unknown, change?.before?.at(-1), change?.after?.at(-1)])).toEqual([[false, undefined, '1'], [true, '1', '3'], [false, '3', '4']])
  })

  test('the journal of an earlier version is read as ever', () => {
    const lines = [
      '{"v":1,"id":"a","begin":{"time":"2026-11-01T00:00:00.000Z","user":"root","host":"h","pid":1,"command":"batch","words":["batch","f"]},"of":{"line":1,"command":"profile:add","words":["profile","add","web"]},"cluster":"g","revision":"5","part":0,"changes":[{"key":"/a","before":null,"after":"0123456789012345678901234567890123456789"}]}',
      '{"v":1,"id":"a","of":{"line":2,"command":"profile:tag:add","words":[]},"cluster":"g","revision":"6","part":1,"changes":[{"key":"/a","of":0,"edit":[40,"!",0]}]}',
      '{"v":1,"id":"a","cluster":"g","revision":"6","part":2,"unknown":true,"changes":[{"key":"/b","before":"x","after":null}]}',
      '{"v":1,"id":"a","end":{"time":"2026-11-01T00:00:01.000Z","exitCode":9}}',
    ]
    expect(parseJournal([lines.join('\n')])).toMatchObject([
      {exitCode: 9, parts: [{unknown: false, revision: '5'}, {unknown: false, changes: [{before: '0123456789012345678901234567890123456789', after: '0123456789012345678901234567890123456789!'}]}, {unknown: true, changes: [{before: 'x', after: undefined}]}]},
    ])
  })

  test('who insists is refused what cannot be written, before it is sent; others are warned', async () => {
    const one = entry()
    one.insist()
    rmSync(path)
    mkdirSync(path)
    await expect(one.add(written(1n, ['/a', undefined, '1']))).rejects.toMatchObject({kind: 'refused', message: expect.stringContaining('it is a folder; nothing was changed')})
    expect([one.begun, warnings]).toEqual([false, []])
  })

  test('the outcome cannot be written: one warning, and it is unknown', async () => {
    const one = entry()
    const settle = await one.add(written(1n, ['/a', undefined, '1']))
    renameSync(path, `${path}.1`)
    mkdirSync(path)
    await settle(2n)
    one.end(0)
    expect(warnings).toEqual([expect.stringContaining('the outcome of this change will be unknown')])
    rmSync(path, {recursive: true})
    expect(readJournal(path)).toMatchObject([{parts: [{unknown: true}], exitCode: undefined}])
  })
})

test('a transaction that the journal could not be told of takes no outcome from an earlier one', async () => {
  const one = entry()
  const settle = await one.add(written(1n, ['/a', undefined, '1']))
  renameSync(path, `${path}.kept`)
  mkdirSync(path)
  await add(one, written(2n, ['/a', '1', '2']))
  rmSync(path, {recursive: true})
  renameSync(`${path}.kept`, path)
  await settle(5n)
  await add(one, written(6n, ['/a', '2', '3']))
  expect(warnings).toEqual([expect.stringContaining('This change will be missing')])
  expect(readJournal(path)).toMatchObject([{parts: [{unknown: false, revision: '5', changes: [{before: undefined, after: '1'}]}], exitCode: undefined}])
})

test('a key whose value ends as it was is not a net change', () => {
  const change = (before: string | undefined, after: string | undefined) => ({changes: [{key: '/a', before, after}]})
  expect(netChanges({parts: [change(undefined, 'x'), change('x', undefined)]})).toEqual([])
})

describe('a journal that cannot be written', () => {
  test('is one warning', async () => {
    mkdirSync(path, {recursive: true})
    const one = entry()
    await add(one, written(1n, ['/a', undefined, '1']))
    await add(one, written(2n, ['/a', '1', '2']))
    one.end(0)
    expect(warnings).toEqual([expect.stringMatching(/^The journal .* cannot be written: .*undo/)])
  })
  test('off: nothing', async () => {
    await add(entry(undefined, {env: {CALICOCTL_JOURNAL: 'off'}}), written(1n, ['/a', undefined, '1']))
    expect(existsSync(path)).toBe(false)
    expect(warnings).toEqual([])
  })
})

test('where it is', () => {
  const home = () => '/home/me'
  expect(journalPath({}, home)).toBe('/home/me/.local/state/calicoctl/journal.jsonl')
  expect(journalPath({XDG_STATE_HOME: '/x'}, home)).toBe('/x/calicoctl/journal.jsonl')
  expect(journalPath({XDG_STATE_HOME: 'x'}, home)).toBe('/home/me/.local/state/calicoctl/journal.jsonl')
  expect(journalPath({CALICOCTL_JOURNAL: 'j'}, home)).toBe(join(process.cwd(), 'j'))
  expect(journalPath({CALICOCTL_JOURNAL: 'off'}, home)).toBeUndefined()
})

describe('reading', () => {
  test('no file is not an entry', () => expect(readJournal(path)).toEqual([]))

  test('a torn last line is passed over, and the next entry is whole', async () => {
    await add(entry(['first']), written(1n, ['/a', undefined, '1']))
    appendFileSync(path, '{"v":1,"id":"torn","begin":{"time"')
    await add(entry(['second']), written(2n, ['/a', '1', '2']))
    expect(readJournal(path).map(({words}) => words)).toEqual([['second'], ['first']])
  })

  test('anything else in the file is not an entry', () => {
    const lines = ['', 'null', '1', '[]', '"x"', '{}', '{"v":2,"id":"a","begin":{}}', '{"v":1,"id":"--x","begin":{}}', '{"v":1,"id":"a","revision":"1","changes":[]}']
    expect(parseJournal([lines.join('\n')])).toEqual([])
    expect(parseJournal(['{"v":1,"id":"a","begin":{},"revision":"1","changes":[1,{"key":2},{"key":"k"}]}'])[0]?.parts).toEqual([{of: [], unknown: false, cluster: undefined, revision: '1', changes: [{key: 'k', before: undefined, after: undefined}]}])
  })

  test('entries go on over a rotation; the oldest files are dropped', async () => {
    const long = entry(['long'], {largest: 300})
    await add(long, written(1n, ['/a', undefined, 'x'.repeat(400)]))
    await add(entry(['other'], {largest: 300}), written(2n, ['/b', undefined, '1']))
    await add(long, written(3n, ['/c', undefined, '1']))
    expect(existsSync(`${path}.1`)).toBe(true)
    expect(readJournal(path).map(({words, parts}) => [words[0], parts.map(({revision}) => revision)])).toEqual([['other', ['2']], ['long', ['1', '3']]])
    for (let i = 0; i < 4; i++) await add(entry([`more${i}`], {largest: 300}), written(4n, ['/a', undefined, 'x'.repeat(400)]))
    expect(readJournal(path).map(({words}) => words[0])).toEqual(['more3', 'more2', 'more1', 'more0'])
  })

  test('what may not be read is an error that names it', () => {
    mkdirSync(path, {recursive: true})
    expect(() => readJournal(path)).toThrow(`The journal ${path} cannot be read: it is a folder`)
  })
})

test('an entry that is larger than a file stands alone', async () => {
  await add(entry(['small'], {largest: 1000}), written(1n, ['/a', undefined, '1']))
  const large = entry(['large'], {largest: 1000})
  for (let part = 0n; part < 20n; part++) await add(large, written(part, ['/a', undefined, 'x'.repeat(300)]))
  expect(readJournal(path).map(({words, parts}) => [words[0], parts.length])).toEqual([['large', 20], ['small', 1]])
  expect(existsSync(`${path}.2`)).toBe(false)
  await add(entry(['next'], {largest: 1000}), written(1n, ['/a', undefined, '1']))
  expect(readJournal(path).map(({words, parts}) => [words[0], parts.length])).toEqual([['next', 1], ['large', 20], ['small', 1]])
  expect(existsSync(`${path}.3`)).toBe(false)
})

test('many writers at once lose no line', async () => {
  mkdirSync(join(folder, 'state/calicoctl'), {recursive: true})
  writeFileSync(path, '')
  chmodSync(path, 0o600)
  await Promise.all(Array.from({length: 20}, async (_, at) => {
    const one = entry([`w${at}`], {largest: 30_000})
    for (let part = 0n; part < 10n; part++) await add(one, written(part, ['/a', undefined, 'x'.repeat(200)]))
    one.end(0)
  }))
  const entries = readJournal(path)
  expect(entries.map(({parts, exitCode}) => [parts.length, exitCode])).toEqual(Array.from({length: 20}, () => [10, 0]))
})
