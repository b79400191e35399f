/** The lines of a batch one after another, and what is said of them. What `batch` itself prints is in e2e/batch.test.ts. */
import {resolve} from 'node:path'
import {afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {Config} from '@oclif/core'
import {batchResult, type LineResult, type Piece, prefixed, Progress, type RunOptions, runInOrder} from '../../../../src/lib/cli/batch/batch-run.js'
import {lineBudget} from '../../../../src/lib/cli/batch/budget.js'
import {checkLine, type ReadyLine, readWords, type Surroundings} from '../../../../src/lib/cli/batch/line-run.js'
import {loadOptions, type Program} from '../../../../src/lib/cli/program.js'
import type {Written} from '../../../../src/lib/client/session.js'
import {faultyStore, type FaultyStore} from '../../../support/faulty-store.js'

/** What oclif knows of a command's class. */
interface Loaded {
  readonly flags: object
  readonly baseFlags: object
  readonly args: object
  readonly strict: boolean
}

const results = (progress: Progress): (number | null)[] => progress.results.map(({exitCode}) => exitCode)
const LINES = (count: number) => Array.from({length: count}, (_, at) => ({line: at + 1, words: ['profile', 'add', `p ${at + 1}`]}))
function progressOf(...codes: readonly (number | null)[]): Progress {
  const progress = new Progress(LINES(codes.length), 'f')
  codes.forEach((exitCode, at) => Object.assign(progress.results[at] ?? {}, {exitCode}))
  return progress
}

describe('what is said', () => {
  test.each<[readonly (number | null)[], boolean, string]>([
    [[0, 4, null, null], false, "1 line was done; f:2 (profile add 'p 2') failed; 2 lines were not tried."],
    [[0, 0, 4, null], false, "2 lines were done; f:3 (profile add 'p 3') failed; 1 line was not tried."],
    [[0, 4, 0, 5], false, "2 lines were done; 2 lines failed: f:2 (profile add 'p 2'), f:4 (profile add 'p 4'); 0 lines were not tried."],
    [[null, 4, null], true, "f:2 (profile add 'p 2') failed; nothing was changed by the 3 lines."],
    [[4], true, "f:1 (profile add 'p 1') failed; nothing was changed by the 1 line."],
  ])('at the end of %j, atomic: %s', (codes, atomic, text) => expect(progressOf(...codes).summary({atomic})).toBe(text))
  test('ten failed lines are named, and that there are more', () => {
    const ten = progressOf(...Array.from({length: 10}, () => 4)).summary({atomic: false})
    expect([ten.match(/f:\d+/g)?.length, ten.includes('…')]).toEqual([10, false])
    const eleven = progressOf(...Array.from({length: 11}, () => 4))
    expect([eleven.summary({atomic: false}).match(/f:\d+/g)?.length, eleven.summary({atomic: false}).includes('…')]).toEqual([10, true])
    expect(eleven.progressText()).toMatch(/11 lines failed \((f:\d+, ){9}f:10, …\)/)
  })
  test('where it is interrupted: what was done, what failed, what was in progress, what was not tried', () => {
    const textOf = (codes: readonly (number | null)[], index?: number): string => {
      const progress = progressOf(...codes)
      if (index !== undefined) progress.running = {index, session: undefined}
      return progress.progressText()
    }
    expect(textOf([null, null], 0)).toBe("No line was done. f:1 (profile add 'p 1') was in progress: nothing was changed. 1 line was not tried")
    expect(textOf([0, null], 1)).toBe("1 line was done, the last of them f:1. f:2 (profile add 'p 2') was in progress: nothing was changed")
    expect(textOf([0, 4, 0, null, null, null], 3)).toBe("2 lines were done, the last of them f:3, 1 line failed (f:2). f:4 (profile add 'p 4') was in progress: nothing was changed. 2 lines were not tried")
    // Between two lines, and before the first.
    expect(textOf([0, null, null], 0)).toBe('1 line was done, the last of them f:1. 2 lines were not tried')
    expect(textOf([null, null])).toBe('No line was done. 2 lines were not tried')
  })
  test('the exit code is that of the first line that failed', () => {
    expect([[0, null], [0, 4, 5], [0, 9, null, 4]].map((codes) => progressOf(...codes).exitCode)).toEqual([0, 4, 9])
  })
})

describe('what is taken back', () => {
  const full = (): Progress => {
    const progress = progressOf(0, 4, null)
    for (const result of progress.results) {
      result.printed = [{stream: 'stdout', text: 'x'}]
      result.written.set('/calico/x', {key: '/calico/x', before: undefined, after: '1'})
    }
    progress.running = {index: 1, session: undefined}
    return progress
  }
  const state = (progress: Progress) => progress.results.map(({exitCode, printed, written}) => [exitCode, printed.length, written.size])
  test('nothing was written: lines that were done count as not run; one that failed keeps its code and words', () => {
    const progress = full()
    progress.takeBack()
    expect([state(progress), progress.running]).toEqual([[[null, 0, 0], [4, 1, 0], [null, 0, 0]], undefined])
    expect(['done', 'failed', 'notRun'].map((which) => progress.count(which as 'done'))).toEqual([0, 1, 2])
  })
  test('all of it, before the lines run again', () => {
    const progress = full()
    progress.reset()
    expect([state(progress), progress.running]).toEqual([[[null, 0, 0], [null, 0, 0], [null, 0, 0]], undefined])
  })
})

test('a prefix stands before each line, and before nothing', () => expect(['a\nb\n', '', '\n', 'a\n\nb'].map((text) => prefixed('f:1: ', text))).toEqual(['f:1: a\nf:1: b\n', '', '\n', 'f:1: a\n\nf:1: b']))

test('the document has what each line printed, by its stream, and the changes with those of the initialisation last', () => {
  const progress = progressOf(0, null)
  const [first] = progress.results
  first?.printed.push({stream: 'stdout', text: 'a'}, {stream: 'stderr', text: 'b'}, {stream: 'stdout', text: 'c'})
  const keys = ['clusterinformations/default', 'profiles/web', 'tiers/default'].map((name) => `/calico/resources/v3/projectcalico.org/${name}`)
  for (const key of keys) first?.written.set(key, {key, before: undefined, after: '{}'})
  first?.written.set('/calico/resources/v3/projectcalico.org/networkpolicies/n/p', {key: '/calico/resources/v3/projectcalico.org/networkpolicies/n/p', before: '{}', after: undefined})
  expect(batchResult(progress, undefined, {})).toMatchObject({
    kind: 'BatchResult', done: 1, failed: 0, notRun: 1,
    lines: [
      {line: 1, argv: ['profile', 'add', 'p 1'], exitCode: 0, stdout: 'ac', stderr: 'b', changes: [{kind: 'NetworkPolicy', namespace: 'n', name: 'p', change: 'deleted', before: {}, after: null}, {kind: 'Profile', name: 'web', change: 'created', before: null, after: {}}, {kind: 'ClusterInformation'}, {kind: 'Tier'}]},
      {exitCode: null, stdout: '', stderr: '', changes: []},
    ],
  })
  expect(batchResult(progress, undefined, {})).not.toHaveProperty('dryRun')
  expect(batchResult(progress, [], {})).toMatchObject({dryRun: true, changes: []})
})

describe('lines that run', () => {
  const COMMANDS = resolve(import.meta.dirname, '../../../../src/commands')
  let config: Config
  beforeAll(async () => {
    const classes: Record<string, Loaded> = {}
    for (const id of ['batch', 'profile:add', 'profile:show', 'profile:rule:show', 'profile:rule:update', 'status']) classes[id] = ((await import(`${COMMANDS}/${id.replaceAll(':', '/')}.ts`)) as {default: Loaded}).default
    const program = {
      root: COMMANDS,
      pjson: {name: 'calicoctl', version: '0', oclif: {}},
      commands: Object.fromEntries(Object.entries(classes).map(([id, {flags, baseFlags, args, strict}]) => [id, {id, flags: {...baseFlags, ...flags}, args, strict}])),
      load: (id: string) => Promise.resolve(classes[id]),
    } as unknown as Program
    const {plugins} = loadOptions(program) as {readonly plugins: Config['plugins']}
    config = Object.assign(new Config({root: COMMANDS}), {bin: 'calicoctl', name: 'calicoctl', pjson: program.pjson, plugins, runHook: () => Promise.resolve({successes: [], failures: []})})
  })

  let store: FaultyStore
  beforeEach(async () => {
    store = await faultyStore()
  })
  afterEach(() => store.close())

  const around = (more: Partial<Omit<Surroundings, 'budget'>> = {}) => ({config, settings: {} as never, budget: lineBudget(10_000), quiet: false, debug: false, whyNoStdin: () => undefined, stdin: () => Promise.resolve(''), ...more})
  const OPTIONS: RunOptions = {keepGoing: false, dryRun: false, init: false, expectCluster: undefined, print: undefined}
  function ready(...texts: readonly string[]): ReadyLine[] {
    return texts.map((text, at) => {
      const line = readWords(at + 1, text.split(' '), around())
      if ('problem' in line) throw new Error(line.problem)
      return line
    })
  }
  async function run(lines: readonly ReadyLine[], options: Partial<RunOptions> = {}, more: Partial<Omit<Surroundings, 'budget'>> = {}): Promise<Progress> {
    const progress = new Progress(lines, 'f')
    await runInOrder(lines, store, around(more), {...OPTIONS, ...options}, progress)
    return progress
  }

  test('until one fails, or to the end; each has what it printed and wrote', async () => {
    const lines = ready('profile add web', 'profile none rule show', 'profile add db', 'profile show -o name')
    const first = await run(lines)
    expect([results(first), first.running?.index]).toEqual([[0, 4, null, null], 1])
    expect(first.results.map(({printed}) => printed.filter(({stream}) => stream === 'stdout').map(({text}) => text).join(''))).toEqual(['Created profile web\n', '', '', ''])
    expect(first.results[1]?.printed).toEqual([{stream: 'stderr', text: expect.stringContaining('Profile none not found') as unknown}])
    expect(first.results.map(({written}) => [...written.keys()].filter((key) => key.includes('/profiles/')).map((key) => key.split('/').at(-1)))).toEqual([['web'], [], [], []])
    expect(first.logs.flatMap(({done}) => done)).toEqual([expect.stringContaining('profile/web')])
    const all = await run(lines, {keepGoing: true})
    expect([results(all), all.results[3]?.printed.at(-1)?.text]).toEqual([[0, 4, 0, 0], 'db\nweb\n'])
  })

  test('what is printed goes where it is wanted, in its order', async () => {
    const printed: [number, Piece][] = []
    const progress = await run(ready('profile add web', 'profile show -o name'), {print: ({line}: LineResult, piece, done) => {
      printed.push([line, piece])
      done()
    }})
    expect(printed.filter(([, {stream}]) => stream === 'stdout')).toEqual([[1, {stream: 'stdout', text: 'Created profile web\n'}], [2, {stream: 'stdout', text: 'web\n'}]])
    expect(progress.results.flatMap((result) => result.printed)).toEqual([])
  })

  test('the journal gets what each line writes, before and after', async () => {
    const recorded: unknown[] = []
    await run(ready('profile add web', 'profile show', 'profile add db'), {recording: ({line, id, words}) => ({
      record: ({writes}: Written) => {
        recorded.push([line, id, words.join(' '), writes.map(({key}) => key.split('/').at(-1)).filter((name) => ['web', 'db'].includes(name ?? ''))])
        return Promise.resolve((outcome) => Promise.resolve(void recorded.push(typeof outcome)))
      },
    })})
    expect(recorded).toEqual([[1, 'profile:add', 'profile add web', ['web']], 'bigint', [3, 'profile:add', 'profile add db', ['db']], 'bigint'])
  })

  test('what was not made is not among what a line wrote', async () => {
    store.onWrite = () => Promise.reject(new Error('refused'))
    const progress = await run(ready('profile add web'))
    expect([results(progress)[0] === 0, progress.results[0]?.written.size]).toEqual([false, 0])
  })

  test('a line is checked without being run, and says what is wrong with it', async () => {
    const [right, wrong] = ready('profile add web', 'profile add not/a/name')
    if (!right || !wrong) throw new Error('no lines')
    expect(await checkLine(right, around())).toBeUndefined()
    expect(await checkLine(wrong, around())).toMatchObject({text: expect.stringContaining('Error: ') as unknown})
    expect(store.writes).toEqual([])
    const why = {whyNoStdin: () => 'This line reads stdin, which is a terminal'}
    const [reads] = ready('profile web rule update')
    if (!reads) throw new Error('no line')
    expect(await checkLine(reads, around())).toBeUndefined()
    expect(await checkLine(reads, around(why))).toMatchObject({text: expect.stringContaining('is a terminal') as unknown})
    expect((await run([reads], {}, why)).results[0]?.printed).toEqual([{stream: 'stderr', text: expect.stringContaining('is a terminal') as unknown}])
  })

  test.each<[string, Surroundings['staged'], string | undefined]>([
    ['profile add web', 'atomic', undefined], ['batch f', undefined, 'calicoctl batch cannot be used in a batch'], ['status', undefined, undefined], ['status', 'dry-run', 'calicoctl status works on this host and has no --dry-run'],
    ['status', 'atomic', 'calicoctl status works on this host, which is not possible in one transaction (--atomic)'], ['profil add web', undefined, 'Did you mean: calicoctl profile'],
  ])('%s, staged: %s', (text, staged, problem) => {
    const read = readWords(1, text.split(' '), {config, staged})
    if (problem === undefined) expect(read).not.toHaveProperty('problem')
    else expect(read).toMatchObject({problem: expect.stringContaining(problem) as unknown})
  })
})
