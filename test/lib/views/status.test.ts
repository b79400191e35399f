import {expect, test} from '@jest/globals'
import {elapsed} from '../../../src/lib/views/status.js'

const now = new Date('2026-11-21T12:00:00Z')

test.each([
  ['2026-11-21T11:59:52.5Z', '7s'],
  ['2026-11-21T11:54:48Z', '5m12s'],
  ['2026-11-21T09:55:00.402678114Z', '2h4m'],
  ['2026-11-18T08:00:00Z', '3d4h'],
  ['2026-11-21T12:00:05Z', '0s'],
  ['not a time', 'for an unknown time'],
])('since %s: %s', (start, text) => expect(elapsed(start, now)).toBe(text))
