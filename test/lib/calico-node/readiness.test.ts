import {describe, expect, test} from '@jest/globals'
import {STARTED_LINE, waitUntilReady, type WaitOptions} from '../../../src/lib/calico-node/readiness.js'
import type {ContainerState, Lifecycle} from '../../../src/lib/docker/lifecycle.js'
import {CalicoError} from '../../../src/lib/errors.js'

const UP: ContainerState = {id: 'c', running: true, restarting: false, restartCount: 0, exitCode: 0, startedAt: '2026-11-21T10:00:00Z', restartPolicy: 'unless-stopped'}
const never = (): never => {
  throw new Error('not to be called')
}

/** An Engine whose container is as STATES say, one after the other, the last for ever. */
function engine(states: readonly (ContainerState | undefined | Error)[], {log = [], answers = [{exitCode: 1, output: 'calico/node is not ready: x'}]}: {log?: readonly string[]; answers?: readonly {exitCode: number; output: string}[]} = {}): Lifecycle {
  let [asked, looked] = [0, 0]
  return {
    address: 'test', ping: never, create: never, start: never, stop: never, remove: never,
    state() {
      const state = states[Math.min(looked++, states.length - 1)]
      return state instanceof Error ? Promise.reject(state) : Promise.resolve(state)
    },
    tail: () => Promise.resolve(['last line']),
    follow(_, {onLine, stop}) {
      log.forEach(onLine)
      return new Promise((end) => stop.addEventListener('abort', () => end()))
    },
    exec: () => Promise.resolve(answers[Math.min(asked++, answers.length - 1)] ?? {exitCode: 1, output: ''}),
  }
}

const wait = (on: Lifecycle, options: Partial<WaitOptions> = {}) => waitUntilReady(on, 'c', {want: 'ready', timeoutMs: 400, networking: true, onLine: () => undefined, ...options})

describe('waiting', () => {
  test('until the readiness check passes', async () => {
    expect(await wait(engine([UP], {answers: [{exitCode: 1, output: 'x'}, {exitCode: 0, output: ''}]}), {timeoutMs: 5_000})).toEqual({type: 'ready'})
  })
  test('in vain: with the reason', async () => expect(await wait(engine([UP], {log: ['a']}))).toEqual({type: 'late', why: 'calico/node is not ready: x', lines: ['a']}))
  test('for the line of the start-up checks', async () => {
    expect(await wait(engine([UP], {log: [STARTED_LINE]}), {want: 'started'})).toEqual({type: 'ready'})
    expect(await wait(engine([UP], {log: ['Calico node failed']}), {want: 'started'})).toMatchObject({type: 'late'})
  })
  test.each<[string, ContainerState | undefined, RegExp]>([
    ['it ended', {...UP, running: false, exitCode: 1}, /^it ended with exit code 1$/],
    ['it crash-loops', {...UP, running: true, restartCount: 2, exitCode: 3}, /again and again \(exit code 3\)/],
    ['it waits for its next start', {...UP, restarting: true, exitCode: 3}, /again and again/],
    ['it was removed', undefined, /removed/],
  ])('%s', async (_, state, why) => expect(await wait(engine([UP, UP, state]), {timeoutMs: 5_000})).toMatchObject({type: 'ended', why: expect.stringMatching(why) as unknown}))
  test('an Engine that goes away is an error', async () => {
    await expect(wait(engine([UP, new CalicoError('failed', 'Cannot connect')]))).rejects.toThrow('Cannot connect')
  })
})
