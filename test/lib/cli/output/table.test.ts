import {describe, expect, test} from '@jest/globals'
import {renderTable} from '../../../../src/lib/cli/output/table.js'

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
    expect(table.split('\n').slice(3, 5)).toEqual(['| host1 | 10.0.0.1 as 1 |', '|       | 10.0.0.2 as 2 |'])
  })

  test('a line feed in a text makes no line', async () => {
    expect(await renderTable(['Name'], [['a\nb']])).toContain('| a\\x0ab |')
  })

  test('control characters from the store reach no terminal', async () => {
    expect(await renderTable(['Name'], [['\u001b[31mred']])).toContain('| \\x1b[31mred |')
  })
})
