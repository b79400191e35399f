/** Forty of the golden command lines as real processes: what the reader of lines says is what the user gets (decisions.md 33). */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, describe, expect, test} from '@jest/globals'
import {calicoctl} from '../support/warm.js'

interface GoldenLine {
  readonly argv: readonly string[]
  readonly verdict: 'accept' | 'reject' | 'help'
}

const WANTED = 40
const GOLDEN = join(import.meta.dirname, '../fixtures/golden/grammar.jsonl')
const lines = readFileSync(GOLDEN, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as GoldenLine)
/** Commands that would touch this machine or wait for something are left to their own tests. */
const harmless = lines.filter(({argv, verdict}) => verdict !== 'accept' || !['node', 'container', 'status', 'diags', 'checksystem'].includes(argv[0] ?? ''))
const sample = harmless.filter((_, i) => i % Math.floor(harmless.length / WANTED) === 0).slice(0, WANTED)

describe('golden lines as processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-grammar-'))
  afterAll(() => rmSync(folder, {recursive: true, force: true}))

  test('there are forty, of every verdict', () => {
    expect(sample).toHaveLength(WANTED)
    expect(new Set(sample.map(({verdict}) => verdict))).toEqual(new Set(['accept', 'reject', 'help']))
  })

  test.each(sample.map(({argv, verdict}) => [verdict, argv.join(' '), argv] as const))('%s: %s', async (verdict, _text, argv) => {
    const {code, stdout, stderr} = await calicoctl(argv, {env: {CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`, HOSTNAME: 'host1'}})
    if (verdict === 'reject') {
      expect({code, stdout}).toEqual({code: 1, stdout: ''})
      expect(stderr).toMatch(/^Usage:/m)
    } else if (verdict === 'help') {
      expect({code, stderr}).toEqual({code: 0, stderr: ''})
      expect(stdout).toContain('USAGE')
    } else expect(stderr).not.toMatch(/^Usage:/m)
  })
})
