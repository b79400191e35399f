/** Rows as blocks of lines, on narrow terminals. */
import {expect, test} from '@jest/globals'
import {blockLines} from '../../../../src/lib/cli/output/blocks.js'

const column = (header: string, cells: readonly string[], more: {command?: boolean; short?: readonly string[]} = {}): Parameters<typeof blockLines>[0][number] => ({
  header, cells: cells.map((cell) => [cell]), command: more.command, short: more.short?.map((cell) => [cell]),
})

test('a line for each cell, sentences folded under themselves, ids short, an empty line between rows', () => {
  const columns = [column('Code', ['one', 'two']), column('Problem', ['it is not assigned to anything', 'x'], {}), column('Object', ['0123456789abcdef', 'y'], {short: ['0123', 'y']})]
  expect(blockLines(columns, 28)).toEqual(['Code:    one', 'Problem: it is not assigned', '         to anything', 'Object:  0123', '', 'Code:    two', 'Problem: x', 'Object:  y'])
})

test('a command goes on in the next line as a shell has it; what is no plain command is folded as a sentence; a short one stays in its line', () => {
  const commands = ['calicoctl ipam assign 10.0.0.1 --node h1 --handle docker.a', 'calicoctl node', "calicoctl delete profile 'a b' --and --so --on --and --on", 'calicoctl endpoint remove e1, or the other one of the two']
  expect(blockLines([column('Code', ['1', '2', '3', '4']), column('Repair', commands, {command: true})], 40)).toEqual([
    'Code: 1', 'Repair:', '    calicoctl ipam assign 10.0.0.1 \\', '    --node h1 --handle docker.a', '',
    'Code: 2', 'Repair: calicoctl node', '',
    'Code: 3', 'Repair:', "    calicoctl delete profile 'a b' --and", '    --so --on --and --on', '',
    'Code: 4', 'Repair:', '    calicoctl endpoint remove e1, or the', '    other one of the two',
  ])
})

test('no line is wider than the terminal, whatever it has to write', () => {
  const long = 'x'.repeat(100)
  for (const room of [20, 40, 80]) {
    const lines = blockLines([column('Code', [long]), column('Repair', [`calicoctl ${long} --handle ${long}`], {command: true})], room)
    expect(Math.max(...lines.map(({length}) => length))).toBeLessThanOrEqual(room)
  }
})
