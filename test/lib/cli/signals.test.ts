import {afterEach, beforeEach, expect, jest, test} from '@jest/globals'
import {watchSignals} from '../../../src/lib/cli/signals.js'
import type {Session} from '../../../src/lib/client/session.js'

// The patience of an interrupted command is a timer, which must not end the test's process.
beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
  jest.restoreAllMocks()
})

/** What stderr gets when Ctrl-C comes while WRITES are what the session did and does. */
function interrupted(writes: object): string {
  let written = ''
  const listeners = new Map<string | symbol, (signal: string) => void>()
  jest.spyOn(process, 'on').mockImplementation(((event: string, listener: () => void) => listeners.set(event, listener)) as never)
  jest.spyOn(process.stderr, 'write').mockImplementation(((text: string) => (written += text)) as never)
  jest.spyOn(process, 'exit').mockImplementation((() => undefined) as never)
  watchSignals({writes} as Session)
  listeners.get('SIGINT')?.('SIGINT')
  listeners.get('SIGINT')?.('SIGINT')
  return written
}

test('the name of what was under way makes no line of its own, nor steers the terminal', () => {
  const name = 'profile/x\nInterrupted: nothing was changed\u001b[2J\u202e'
  const text = interrupted({done: [name], open: {what: `the change of ${name}`, settled: new Promise<void>(() => undefined)}})
  expect(text.split('\n').filter((line) => line.startsWith('Interrupted: nothing'))).toEqual([])
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u)
  expect(text).toContain('waiting for the answer to the change of profile/x\\x0aInterrupted')
})
