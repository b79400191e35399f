/** The line reader of batch, held to a real `sh`. */
import {execFileSync} from 'node:child_process'
import {expect, test} from '@jest/globals'
import fc from 'fast-check'
import {quoteWord, readLines} from '../../../src/lib/batch/lines.js'

const words = (text: string) => readLines(text).lines.map((line) => line.words)
const problems = (text: string) => readLines(text).problems

/** The words that sh makes of each line of TEXT. */
function shWords(text: string): string[][] {
  const out = execFileSync('sh', ['-s'], {input: `c() { for w in "$@"; do printf '%s\\0' "$w"; done; printf '\\001'; }\nset -f\n${text}\n`}).toString()
  return out.split('\u0001').slice(0, -1).map((line) => line.split('\0').slice(0, -1))
}

test('words, quotes, backslashes, comments and continuation', () => {
  expect(words('profile add web # a comment\n\n# only this\n\tcalicoctl profile  add \'a b\'"c d"\\ e\n')).toEqual([['profile', 'add', 'web'], ['profile', 'add', 'a bc d e']])
  expect(words('a#b "" \'\' x\\\ny \\\n z')).toEqual([['a#b', '', '', 'xy', 'z']])
  expect(words('"a\\$b\\`c\\"d\\\\e\\f" \'$x\' \\$x $ a$')).toEqual([['a$b`c"d\\e\\f', '$x', '$x', '$', 'a$']])
  expect(words('profile add web\r\nprofile show\r\n')).toEqual([['profile', 'add', 'web'], ['profile', 'show']])
})

test('a line is called by the number of its first line', () => {
  expect(readLines('\n# c\na \\\n b\nc "x\ny"\nd').lines.map(({line}) => line)).toEqual([3, 5, 7])
})

test.each([
  ['$x', 'a variable'], ['"$x"', 'a variable'], ['${x}', 'a variable'], ['$1', 'a variable'], ['$(date)', 'the output of a command'], ['`date`', 'the output of a command'], ['"`date`"', 'the output of a command'],
  ['$((1+1))', 'a calculation'], ['a*', 'a pattern'], ['a?', 'a pattern'], ['[a]', 'a pattern'], ['a | b', 'a pipe'], ['a; b', 'a list of commands'], ['a && b', 'a list of commands'], ['a || b', 'a list of commands'],
  ['a & b', 'in the background'], ['a < b', 'a redirection'], ['a > b', 'a redirection'], ['a << b', 'a here-document'], ['(a)', 'a subshell'], ['~/x', 'the home folder'], ['{a,b}', 'a list of alternatives'],
  ['X=1 profile show', 'setting a variable'], ["$'a'", 'a special quotation'], ["'a", 'is not closed'], ['"a', 'is not closed'], ['a \\', 'there is no next line'],
])('%s is refused by name', (text, name) => {
  const read = readLines(`profile show\n${text}`)
  expect(read.problems).toMatchObject([{line: 2}])
  expect(read.problems[0]?.problem).toContain(name)
  expect(read.lines).toHaveLength(1)
})

test('all of it is text in single quotes', () => {
  expect(words(`'$x \`y\` * ? [ | ; & < > ( ) ~ {a,b} # \\'`)).toEqual([['$x `y` * ? [ | ; & < > ( ) ~ {a,b} # \\']])
})

const anyWord = fc.string({unit: fc.constantFrom(...Array.from('ab=\'"\\$`#*?[]|;&<>(){}~,! \t\n'), 'ä'), maxLength: 8})

test('what quoteWord makes is read back as it was, by us and by sh', () => {
  fc.assert(fc.property(fc.array(anyWord, {minLength: 1, maxLength: 5}), (given) => {
    expect(words(['c', ...given].map(quoteWord).join(' '))).toEqual([['c', ...given]])
  }))
  const many = fc.sample(fc.array(anyWord, {minLength: 1, maxLength: 5}), 200)
  expect(shWords(many.map((given) => ['c', ...given].map(quoteWord).join(' ')).join('\n'))).toEqual(many)
})

test('any text is read as sh reads it, or refused', () => {
  const lines = fc.sample(fc.string({unit: fc.constantFrom(...Array.from('ab\'"\\$#={} \t'), '\\\n', '*', '|'), maxLength: 12}), 2000).map((text) => `c x${text}`)
  // One that goes on in the next line, or is refused, is not for this comparison.
  const alone = lines.filter((text) => problems(text).length === 0 && words(`${text}\nc`).length === 2)
  expect(alone.length).toBeGreaterThan(200)
  expect(alone.map((text) => words(text)[0]?.slice(1))).toEqual(shWords(alone.join('\n')))
})
