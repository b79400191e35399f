/** Every line that was given to the argument parser of calicoctl v0.20.0 is judged alike, and read alike. */
import {readFileSync} from 'node:fs'
import {describe, expect, test} from '@jest/globals'
import {attemptAll, v020Options} from '../../../../src/lib/cli/grammar/attempt.js'
import {readLine} from '../../../../src/lib/cli/grammar/read-line.js'
import {splitLine} from '../../../../src/lib/cli/grammar/split.js'
import {V020_TABLE} from './table.js'

interface GoldenLine {
  readonly argv: string[]
  readonly verdict: 'accept' | 'reject' | 'help'
  readonly parsed?: Record<string, unknown>
}

const lines = readFileSync(new URL('../../../fixtures/golden/grammar.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as GoldenLine)

const VERDICTS = {command: 'accept', unavailable: 'accept', usage: 'reject', help: 'help'} as const

/** docopt's values for options that are not on the line: every alternative of a command has them (cli-v0.20 §1.3). */
const DEFAULTS: Record<string, Record<string, string>> = {
  node: {
    '--node-image': 'calico/node:v0.20.0',
    '--runtime': 'docker',
    '--log-dir': '/var/log/calico',
    '--detach': 'true',
    '--libnetwork-image': 'calico/node-libnetwork:v0.8.0',
  },
  status: {'--runtime': 'docker'},
  checksystem: {'--runtime': 'docker'},
  diags: {'--log-dir': '/var/log/calico'},
  container: {'--interface': 'eth1'},
}

/** Names that occur several times in one usage of v0.20's: docopt counts them, and collects values in a list. */
const COUNTED = new Set(['tag', 'ports', 'cidr'])
const LISTS = new Set(['<PROFILES>', '<CIDRS>'])

/** What docopt made of ARGV, computed from our reading of it. */
function parsedLikeDocopt(argv: readonly string[]): Record<string, unknown> {
  const line = splitLine(argv, {}, v020Options)
  if ('problem' in line) throw new Error(line.problem)
  const fitting = attemptAll(line).find((attempt) => attempt.match.fits)
  if (fitting === undefined) throw new Error(`no usage fits ${argv.join(' ')}`)
  const parsed: Record<string, unknown> = {...DEFAULTS[line.words[0] ?? '']}
  for (const {kind, value} of line.options) parsed[`--${kind.name}`] = value ?? true
  const {taken} = fitting.match
  const keyword = (word: string): void => void (parsed[word] = COUNTED.has(word) ? Number(parsed[word] ?? 0) + 1 : true)
  for (const {name, word} of taken) {
    if (name === '<MATCH>') continue
    if (!name.startsWith('<')) keyword(word)
    else if (LISTS.has(name)) parsed[name] = [...((parsed[name] as string[] | undefined) ?? []), word]
    else parsed[name] = word
  }
  const rule = taken.filter(({name}) => name === '<MATCH>').map(({word}) => word)
  const values: Record<string, string> = {type: 'ICMPTYPE', code: 'ICMPCODE', ports: 'PORTS', tag: 'TAG', cidr: 'CIDR'}
  let side = ''
  for (let at = 0; at < rule.length; at++) {
    const word = rule[at] ?? ''
    keyword(word)
    if (word === 'from' || word === 'to') side = word === 'from' ? 'SRC' : 'DST'
    const value = values[word]
    if (value !== undefined) parsed[`<${value.startsWith('ICMP') ? '' : side}${value}>`] = rule[++at]
  }
  return parsed
}

describe('golden/grammar.jsonl', () => {
  test('has all its lines', () => expect(lines).toHaveLength(450))

  test.each(lines.map((line) => [line.argv.join(' '), line] as const))('%s', (_, {argv, verdict, parsed}) => {
    expect(VERDICTS[readLine(argv, {}).type]).toBe(verdict)
    expect(VERDICTS[readLine(argv, V020_TABLE).type]).toBe(verdict)
    if (parsed !== undefined) expect(parsedLikeDocopt(argv)).toEqual(parsed)
  })
})
