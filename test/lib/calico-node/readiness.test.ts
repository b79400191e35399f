import {describe, expect, test} from '@jest/globals'
import {followLog, STARTED_LINE} from '../../../src/lib/calico-node/node-log.js'
import {waitUntilReady, type WaitOptions} from '../../../src/lib/calico-node/readiness.js'
import type {ContainerState, ExecResult, Lifecycle} from '../../../src/lib/docker/lifecycle.js'
import {CalicoError} from '../../../src/lib/errors.js'

const UP: ContainerState = {id: 'c', running: true, restarting: false, restartCount: 0, exitCode: 0, restartPolicy: 'unless-stopped'}
const never = (): never => {
  throw new Error('not to be called')
}

/** An Engine whose container is as STATES say, one after the other, the last for ever. */
function engine(states: readonly (ContainerState | undefined | Error)[], {log = [], answers = [{exitCode: 1, output: 'calico/node is not ready: x'}]}: {log?: readonly string[]; answers?: readonly ExecResult[]} = {}): Lifecycle {
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

const wait = (on: Lifecycle, options: Partial<WaitOptions> = {}) => {
  const log = followLog(on, 'c', {from: 'start', foreground: false, onLine: () => undefined})
  return waitUntilReady(on, 'c', {want: 'ready', timeoutMs: 400, networking: true, log, restartsBefore: 0, ...options})
}

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
    ['it crash-loops', {...UP, running: true, restartCount: 2, exitCode: 3}, /restarted repeatedly \(exit code 3\)/],
    ['it waits for its next start', {...UP, restarting: true, exitCode: 3}, /restarted repeatedly/],
    ['it was removed', undefined, /removed/],
  ])('%s', async (_, state, why) => expect(await wait(engine([UP, UP, state]), {timeoutMs: 1_000})).toMatchObject({type: 'ended', why: expect.stringMatching(why) as unknown}))
  test('it was started again meanwhile: its last lines are looked at when it has ended again', async () => {
    const states = [UP, {...UP, restartCount: 1, exitCode: 1}, {...UP, restartCount: 1, exitCode: 1}, {...UP, restartCount: 1, restarting: true, exitCode: 1}]
    const looked: ContainerState[] = []
    const on = engine(states)
    const outcome = await wait({
      ...on,
      state: async (id) => {
        const state = await on.state(id)
        if (state) looked.push(state)
        return state
      },
      tail: () => Promise.resolve([looked.at(-1)?.restarting === true ? 'the reason' : 'line 1 of its next start']),
    }, {timeoutMs: 5_000})
    expect(outcome).toEqual({type: 'ended', why: 'it exits and is restarted repeatedly (exit code 1)', lines: ['the reason']})
  })
  test.each(['ready', 'started'] as const)('for %s, in a container without calico-node: at once', async (want) => {
    expect(await wait(engine([UP], {answers: [{exitCode: 127, output: 'OCI runtime exec failed', missing: true}]}), {want, timeoutMs: 60_000})).toEqual({type: 'stranger'})
  })
  test('a container that was started again before we came is up; one that is started again now is not', async () => {
    const old = {...UP, restartCount: 3}
    expect(await wait(engine([old], {answers: [{exitCode: 0, output: ''}]}), {restartsBefore: 3})).toEqual({type: 'ready'})
    expect(await wait(engine([old, {...old, restartCount: 4}]), {restartsBefore: 3})).toMatchObject({type: 'ended'})
  })
  test('for the line of the start-up checks, however many came after it', async () => {
    expect(await wait(engine([UP], {log: [STARTED_LINE, ...Array.from({length: 500}, (_, i) => `line ${i}`)]}), {want: 'started'})).toEqual({type: 'ready'})
  })
  test('an Engine that goes away is an error', async () => {
    await expect(wait(engine([UP, new CalicoError('failed', 'Cannot connect')]))).rejects.toThrow('Cannot connect')
  })
})

describe('the log that is shown', () => {
  const many = (prefix: string): string[] => Array.from({length: 1000}, (_, i) => `${prefix} ${i}`)
  const shown = (log: readonly string[], options: {foreground?: boolean; from?: 'start' | 'now'} = {}): string[] => {
    const lines: string[] = []
    followLog(engine([UP], {log}), 'c', {from: 'start', foreground: false, onLine: (line) => lines.push(line), ...options})
    return lines
  }
  test('nothing of a start that fails', () => expect(shown(many('before'))).toEqual([]))
  test('the last 20 lines of a start, and nothing after it', () => {
    expect(shown([...many('before'), STARTED_LINE, ...many('after')])).toEqual([...many('before').slice(-19), STARTED_LINE])
  })
  test('in the foreground, all that follows', () => {
    expect(shown([...many('before'), STARTED_LINE, ...many('after')], {foreground: true})).toEqual([...many('before').slice(-19), STARTED_LINE, ...many('after')])
  })
  test('of a container that ran before, in the foreground: what is new', () => expect(shown(['a', 'b'], {from: 'now', foreground: true})).toEqual(['a', 'b']))
})
