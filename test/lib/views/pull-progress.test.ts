import {expect, test} from '@jest/globals'
import {progressLine, pullDisplay} from '../../../src/lib/views/pull-progress.js'

const half = {layers: 2, layersDone: 1, bytes: 1_500_000, totalBytes: 3_000_000}

test('a bar', () => {
  expect(progressLine(half)).toBe(`[${'='.repeat(15)}${' '.repeat(15)}] 1/2 layers, 1.5 of 3.0 MB`)
  expect(progressLine({layers: 0, layersDone: 0, bytes: 0, totalBytes: 0})).toContain('0/0 layers')
})

test('one line that changes on a terminal; elsewhere a line for every layer', () => {
  for (const terminal of [true, false]) {
    let text = ''
    const display = pullDisplay((piece) => (text += piece), {terminal})
    for (const layersDone of [0, 0, 1, 1, 2]) display.show({...half, layersDone})
    display.end()
    if (terminal) {
      expect(text.split('\r')).toHaveLength(4)
      expect(text.endsWith('\n')).toBe(true)
    } else expect(text).toBe('1 of 2 layers, 1.5 MB\n2 of 2 layers, 1.5 MB\n')
  }
})
