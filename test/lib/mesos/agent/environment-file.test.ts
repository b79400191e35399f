import {execFileSync} from 'node:child_process'
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {environmentOf, readVariables, setVariable, unfinishedLine} from '../../../../src/lib/mesos/agent/environment-file.js'

const bash = (text: string): Record<string, string> => {
  const out = execFileSync('bash', ['--norc', '-c', 'set -a; eval "$1"; env -0', 'bash', text], {env: {PATH: process.env.PATH}, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']})
  return Object.fromEntries(out.split('\0').filter((line) => line !== '').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

describe('reading', () => {
  test.each([
    ['A=b\n', {A: 'b'}],
    ['A=b', {A: 'b'}],
    ['A=\n', {A: ''}],
    ['# A=b\n  #B=c\n', {}],
    ['export A=b\nexport\tC=d\n', {A: 'b', C: 'd'}],
    ['  A=b  \n', {A: 'b'}],
    ['A="b c" # why\n', {A: 'b c'}],
    ["A='b # c'\n", {A: 'b # c'}],
    ['A="b \\"c\\" \\$d \\\\"\n', {A: 'b "c" $d \\'}],
    ['A=b\\\nc\nD=e\n', {A: 'bc', D: 'e'}],
    ['A="b\nc"\nD=e\n', {A: 'b\nc', D: 'e'}],
    ['A=b"c d"\'e f\'g\n', {A: 'bc de fg'}],
    ['A=a\\ b\n', {A: 'a b'}],
    ['A=b#c\n', {A: 'b#c'}],
    ['A=1\nA=2\n', {A: '2'}],
  ])('as a shell: %j', (text, expected) => {
    expect(environmentOf(text)).toEqual(expected)
    expect(bash(text)).toMatchObject(expected)
  })
  test.each([
    // A shell would run `b` or complain; systemd takes the line as it is.
    ['A=a b\n', {A: 'a b'}],
    ['MESOS_RESOURCES=ports(*):[31000-31100]\n', {MESOS_RESOURCES: 'ports(*):[31000-31100]'}],
    ['A=b\r\nC=d\r\n', {A: 'b', C: 'd'}],
    ['A = b\n1A=c\n=d\n-A=e\nexportA=f\n', {exportA: 'f'}],
  ])('as systemd: %j', (text, expected) => expect(environmentOf(text)).toEqual(expected))
  test.each(['A=$B\n', 'A="x${B}"\n', 'A=`hostname`\n', 'A=$(hostname -f)\n', 'A="never closed\nB=c\n'])('only a shell could tell: %j', (text) => {
    expect(readVariables(text).get('A')).toMatchObject({value: undefined})
  })
  test('what is never closed takes no other line with it', () => expect(environmentOf('A="b\nC=d\n')).toEqual({C: 'd'}))
})

describe('setting', () => {
  test.each([
    ['', 'A=x\n'],
    ['B=c', 'B=c\nA=x\n'],
    ['B=c\n', 'B=c\nA=x\n'],
    ['A=x\n', 'A=x\n'],
    ["export A='x' # mine\n", "export A='x' # mine\n"],
    ['  export A="y" # mine\nB=c\n', '  export A=x # mine\nB=c\n'],
    ['A=1\nA=2\n', 'A=1\nA=x\n'],
    ['#A=x\n', '#A=x\nA=x\n'],
    ['A=b\\\nc\nD=e\n', 'A=x\nD=e\n'],
    ['A=b\r\nC=d\r\n', 'A=x\r\nC=d\r\n'],
    ['A=$B\n', 'A=x\n'],
  ])('%j', (before, after) => {
    expect(setVariable(before, 'A', 'x')).toBe(after)
    expect(setVariable(after, 'A', 'x')).toBe(after)
  })
})

test.each([['', undefined], ['A="b"\nC=\'d\'\n', undefined], ['#"\nA="b\nC=d\n', 2], ["A='b", 1], ['B=c\nA=b\\', 2], ['A=b\\\n', undefined]])('the unfinished line of %j', (text, line) => expect(unfinishedLine(text)).toBe(line))

test('a variable that is added behind a line which the file leaves continued', () => {
  for (const text of ['B=\\\n', 'A=1\nB=x\\\r\n']) expect(environmentOf(setVariable(text, 'C', 'd'))).toEqual({...environmentOf(text), C: 'd'})
  expect(setVariable('B=x\n', 'C', 'd')).toBe('B=x\nC=d\n')
})

const NAME = fc.constantFrom('A', 'B', 'ETCD_AUTHORITY', 'MESOS_HOOKS')
const LINE = fc.oneof(
  fc.tuple(fc.constantFrom('', ' ', 'export '), NAME, fc.constantFrom('x', '"a b"', "'c'", '', 'a\\\nb', '$HOME', '"x\ny"', 'a b', "'", '"'), fc.constantFrom('', ' # why', '  ')).map((parts) => `${parts[0]}${parts[1]}=${parts[2]}${parts[3]}`),
  fc.constantFrom('# a comment', '', '; systemd', 'set -e', '  ', '[x]'),
  fc.string({maxLength: 12}).filter((text) => !text.includes('\n')),
)
const FILE = fc.tuple(fc.array(LINE, {maxLength: 8}), fc.constantFrom('\n', '\r\n'), fc.boolean()).map(([lines, feed, last]) => lines.join(feed) + (last ? feed : '')).filter((text) => unfinishedLine(text) === undefined)
const VALUE = fc.string({maxLength: 20}).filter((text) => !/[\u0000-\u001f\u007f]/.test(text))

describe('properties', () => {
  test('what was set is read, by a second edit too, and changes nothing then', () =>
    fc.assert(fc.property(FILE, NAME, VALUE, (text, name, value) => {
      const after = setVariable(text, name, value)
      expect(environmentOf(after)[name]).toBe(value)
      expect(setVariable(after, name, value)).toBe(after)
    })))
  test('other lines stay as they are, in their order', () =>
    fc.assert(fc.property(FILE, NAME, VALUE, (text, name, value) => {
      const others = (whole: string): [string, string][] => [...readVariables(whole)].filter(([other]) => other !== name).map(([other, {raw}]) => [other, raw])
      const after = setVariable(text, name, value)
      expect(others(after)).toEqual(others(text))
      // A part before and a part behind are the same characters.
      let from = 0
      while (from < text.length && text[from] === after[from]) from++
      let to = 0
      while (to < text.length - from && to < after.length - from && text[text.length - 1 - to] === after[after.length - 1 - to]) to++
      const changed = text.slice(from, text.length - to)
      const lines = [...readVariables(text)].filter(([other]) => other === name).map(([, {raw}]) => raw)
      expect(changed === '' || lines.some((line) => line.includes(changed.trim()))).toBe(true)
    })))
  test('a shell reads what was written', () =>
    fc.assert(fc.property(VALUE, (value) => {
      expect(bash(setVariable('B=c\n', 'CALICOCTL_TEST', value))).toMatchObject({B: 'c', CALICOCTL_TEST: value})
    }), {numRuns: 30}))
})
