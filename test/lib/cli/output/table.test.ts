import {describe, expect, test} from '@jest/globals'
import {renderTable} from '../../../../src/lib/cli/output/table.js'
import {textWidth} from '../../../../src/lib/cli/output/text-width.js'

describe('renderTable', () => {
  test('draws the grid of v0.20', async () => {
    expect(await renderTable(['Name', 'Foo'], [['a', 'b']])).toBe(['+------+-----+', '| Name | Foo |', '+------+-----+', '|  a   |  b  |', '+------+-----+'].join('\n'))
  })

  test('centres as prettytable: an odd surplus goes right for a text of odd length, left for one of even length', async () => {
    // the line that scripts match (cli-v0.20 §4.2)
    const table = await renderTable(['State'], [['up'], ['a'], ['abc'], ['start']])
    expect(table.split('\n').slice(3, 7)).toEqual(['|   up  |', '|   a   |', '|  abc  |', '| start |'])
  })

  test('an even column: odd texts lean left, even ones sit in the middle', async () => {
    const table = await renderTable(['Name'], [['a'], ['ab'], ['abc']])
    expect(table.split('\n').slice(3, 6)).toEqual(['|  a   |', '|  ab  |', '| abc  |'])
  })

  test('no rows: rule, header, rule, rule', async () => {
    expect(await renderTable(['IPv4 CIDR', 'Options'], [])).toBe(['+-----------+---------+', '| IPv4 CIDR | Options |', '+-----------+---------+', '+-----------+---------+'].join('\n'))
  })

  test('BGP peers are left-aligned', async () => {
    const table = await renderTable(['Peer', 'AS Num'], [['10.0.0.1', '1']], 'left')
    expect(table.split('\n')[3]).toBe('| 10.0.0.1 | 1      |')
  })

  test('a cell of several lines extends its row', async () => {
    const table = await renderTable(['Name', 'Peers'], [['host1', ['10.0.0.1 as 1', '10.0.0.2 as 2']]])
    expect(table.split('\n')).toEqual(['+-------+---------------+', '|  Name |     Peers     |', '+-------+---------------+', '| host1 | 10.0.0.1 as 1 |', '|       | 10.0.0.2 as 2 |', '+-------+---------------+'])
  })

  test('a line feed in a text makes no line', async () => {
    expect(await renderTable(['Name'], [['a\nb']])).toContain('| a\\x0ab |')
  })

  test('control characters from the store reach no terminal', async () => {
    expect(await renderTable(['Name'], [['\u001b[31mred']])).toContain('| \\x1b[31mred |')
  })

  test('a long table, which is drawn in pieces, has the same rows as a short one', async () => {
    const texts = ['a', 'ab', '日本', 'two\nlines', 'é', '', '\u001b[31m']
    const rows = Array.from({length: 1_000}, (_, i) => [String(i), i === 3 ? 'the widest of all 日本' : (texts[i % texts.length] ?? ''), 'x'.repeat(i % 5)])
    for (const alignment of ['center', 'left'] as const) {
      const long = (await renderTable(['Number', 'Text', 'X'], rows, alignment)).split('\n')
      const short = (await renderTable(['Number', 'Text', 'X'], rows.slice(0, 100), alignment)).split('\n')
      expect(long.slice(0, short.length - 1)).toEqual(short.slice(0, -1))
      expect(long.at(-1)).toBe(short.at(-1))
      const numbers = long.map((line) => /^\|\s*(\d+)\s*\|/.exec(line)?.[1]).filter((number) => number !== undefined)
      expect(numbers).toEqual(rows.map(([number]) => number))
      expect(long.filter((line) => line.startsWith('+'))).toHaveLength(3)
      expect(new Set(long.map(textWidth)).size).toBe(1)
    }
  })

  test('130,000 rows: made, in time, and others have their turn meanwhile', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const table = await renderTable(['Name'], Array.from({length: 130_000}, (_, i) => [`name-${i}`]))
    clearInterval(timer)
    expect(table.split('\n')).toHaveLength(130_004)
    expect(turns).toBeGreaterThan(10)
  })
})
