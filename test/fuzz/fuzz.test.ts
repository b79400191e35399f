/** Each reader of foreign bytes takes a share of changed inputs; what was found once is tried again. `npm run fuzz` goes on for longer. */
import {mkdirSync, readFileSync, rmSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {execa} from 'execa'
import {bundleFuzzer} from '../../scripts/fuzzer.mjs'
import {CalicoError} from '../../src/lib/errors.js'
import {fromJson} from './corpus.js'
import {type Coverage} from './coverage.js'
import {fault, feed, type Target} from './engine.js'
import {TARGETS} from './targets.js'

const ROOT = resolve(import.meta.dirname, '../..')
/** What each reader gets, at most: so much of a core (two minutes in all), and so many inputs, so that a faster machine tries no others. */
const SHARE_MS = 3_300
const RUNS = 25_000
const program = join(ROOT, '.cache', `fuzzer-${process.pid}.mjs`)
let bundled: string[]
/** Without FUZZ_SEED it is made of the code: the same code is tried with the same inputs everywhere, and each change of it with others. */
let seed: string

beforeAll(async () => {
  mkdirSync(join(ROOT, '.cache'), {recursive: true})
  const {targets, seed: own} = await bundleFuzzer(ROOT, program)
  bundled = targets
  seed = process.env.FUZZ_SEED ?? own
})
afterAll(() => rmSync(program, {force: true}))

const findings = readFileSync(join(ROOT, 'test/fixtures/fuzz/findings.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as {target: string; what: string; text?: string; base64?: string})

test.each(findings)('$target: $what', async ({target, text, base64}) => {
  const reader = TARGETS.find(({name}) => name === target)
  expect(reader).toBeDefined()
  expect(reader && (await fault(reader, fromJson({...(text !== undefined && {text}), ...(base64 !== undefined && {base64})})))).toBeUndefined()
})

test(
  `${TARGETS.length} readers`,
  async () => {
    expect(bundled).toEqual(TARGETS.map(({name}) => name))
    const {stdout, stderr, exitCode} = await execa(process.execPath, [program, '--seed', seed, '--milliseconds', String(SHARE_MS), '--runs', String(RUNS)], {cwd: ROOT, reject: false})
    process.stderr.write(`Again: FUZZ_SEED=${seed} npm test -- test/fuzz\n${stderr}\n`)
    expect({seed, stdout, exitCode}).toEqual({seed, stdout: '', exitCode: 0})
    const ran = new Map([...stderr.matchAll(/^([\w-]+): (\d+) inputs/gm)].map(([, name = '', count]) => [name, Number(count)]))
    // A reader that took nothing has read nothing.
    for (const {name} of TARGETS) expect({name, ran: (ran.get(name) ?? 0) > 0}).toEqual({name, ran: true})
  },
  1_800_000,
)

describe('the fuzzer is no decoration', () => {
  const reader = (run: (text: string) => void): Target => ({name: 'broken', seeds: () => ['{"a":[1,2,3],"b":"c"}'], dictionary: ['magic'], run: (input) => run(input.toString('utf8'))})
  const found = async (target: Target) => (await feed(target, {seed: 'x', from: 0, runs: 20_000, milliseconds: 20_000}, () => undefined)).finding

  test('it finds an error that is none of ours, and makes the input small', async () => {
    const finding = await found(reader((text) => {
      if (text.includes('magic')) throw new TypeError('x is not a function')
      throw new CalicoError('invalid', 'refused')
    }))
    expect(finding).toMatchObject({fault: expect.stringMatching(/^throws TypeError: x is not a function/) as unknown})
    expect(finding?.input.toString()).toBe('magic')
  })

  test('it finds what only a value inside of JSON shows', async () => {
    const finding = await found(reader((text) => {
      const {a} = JSON.parse(text.startsWith('{') && text.endsWith('}') ? tame(text) : '{}') as {a?: unknown}
      if (a === null) throw new Error('null')
    }))
    expect(finding?.fault).toMatch(/^throws Error: null/)
  })

  test('it finds what takes too long', async () => {
    expect(await fault(reader((text) => {
      const {user} = process.cpuUsage()
      while (text !== '' && process.cpuUsage().user - user < 2_100_000);
    }), Buffer.from('x'))).toMatch(/^takes \d+\.\d s$/)
  })

  test('with coverage, it keeps what reaches something new, and gets from there to what chance alone does not find', async () => {
    let depth = 0
    const steps = reader((text) => {
      const way = /^(?:m(?:a(?:g)?)?)?/.exec(text)?.[0].length ?? 0
      depth = Math.max(depth, way)
      if (way === 3) throw new TypeError('there')
    })
    // As V8 would tell it of three nested conditions.
    const coverage: Coverage = {
      reached() {
        const ranges = depth === 0 ? [] : [[0, depth] as const]
        depth = 0
        return ranges
      },
    }
    const blind = {...steps, seeds: () => ['x'], dictionary: []}
    const budget = {seed: 'x', from: 0, runs: 20_000, milliseconds: 60_000}
    const {finding, kept} = await feed(blind, budget, () => undefined, {coverage})
    expect(kept.length).toBeGreaterThan(1)
    expect(finding?.input.toString()).toMatch(/^mag/)
    expect((await feed(blind, budget, () => undefined)).finding).toBeUndefined()
  })

  test('the same seed gives the same inputs', async () => {
    const inputs = async (own: string): Promise<string[]> => {
      const all: string[] = []
      await feed(reader(() => undefined), {seed: own, from: 0, runs: 50, milliseconds: 60_000}, (input) => void all.push(input.toString('latin1')))
      return all
    }
    const first = await inputs('a')
    expect(new Set(first).size).toBeGreaterThan(30)
    expect(await inputs('a')).toEqual(first)
    expect(await inputs('b')).not.toEqual(first)
  })
})

/** TEXT if it is JSON, else an empty object. */
function tame(text: string): string {
  try {
    JSON.parse(text)
    return text
  } catch {
    return '{}'
  }
}
