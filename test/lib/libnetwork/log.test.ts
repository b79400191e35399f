import {closeSync, fstatSync, openSync} from 'node:fs'
import {describe, expect, test} from '@jest/globals'
import {createLog, goesToJournal, type LogOptions} from '../../../src/lib/libnetwork/log.js'

function logged(options: Partial<LogOptions>): string[] {
  const lines: string[] = []
  const log = createLog({write: (text) => lines.push(text), level: 'debug', journal: false, now: () => new Date(0), escape: (text) => text.replaceAll('\n', '\\n'), ...options})
  log.error('e')
  log.warn('w')
  log.info('i')
  log.debug('d\nd')
  return lines
}

test('with times, where no journal has them', () => {
  const at = '1970-01-01T00:00:00.000Z'
  expect(logged({})).toEqual([`${at} error: e\n`, `${at} warning: w\n`, `${at} i\n`, `${at} debug: d\\nd\n`])
})

test('with the priorities of the journal', () => expect(logged({journal: true})).toEqual(['<3>e\n', '<4>w\n', '<6>i\n', '<7>d\\nd\n']))

test.each([['error', 1], ['warn', 2], ['info', 3], ['debug', 4]] as const)('up to %s', (level, count) => expect(logged({level})).toHaveLength(count))

describe('goesToJournal', () => {
  test('only if the variable names this very stream', () => {
    const descriptor = openSync('/dev/null', 'r')
    const {dev, ino} = fstatSync(descriptor)
    expect(goesToJournal({JOURNAL_STREAM: `${dev}:${ino}`}, descriptor)).toBe(true)
    expect(goesToJournal({JOURNAL_STREAM: `${dev}:${ino + 1}`}, descriptor)).toBe(false)
    expect(goesToJournal({}, descriptor)).toBe(false)
    closeSync(descriptor)
    expect(goesToJournal({JOURNAL_STREAM: `${dev}:${ino}`}, 9_999)).toBe(false)
  })
})
