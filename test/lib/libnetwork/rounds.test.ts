import {setTimeout as sleep} from 'node:timers/promises'
import {afterEach, describe, expect, test} from '@jest/globals'
import {CalicoError} from '../../../src/lib/errors.js'
import type {Log} from '../../../src/lib/libnetwork/log.js'
import {newMetrics} from '../../../src/lib/libnetwork/metrics.js'
import {keepRounds, type RoundsOptions} from '../../../src/lib/libnetwork/rounds.js'
import {newStoreState} from '../../../src/lib/libnetwork/store-state.js'

const away = new CalicoError('unreachable', 'no answer')
const ended: (() => Promise<void>)[] = []
afterEach(() => Promise.all(ended.splice(0).map((end) => end())))

/** Rounds on a datastore that answers or not as the test says. */
function started(options: Partial<RoundsOptions> = {}) {
  const state = newStoreState()
  const metrics = newMetrics()
  const seen = {probes: 0, rounds: 0, lines: [] as string[]}
  const store = {answers: true}
  const say = (level: string) => (text: string) => void seen.lines.push(`${level} ${text}`)
  const log: Log = {info: say('info'), warn: say('warn'), error: say('error'), debug: say('debug')}
  const ask = () => {
    state.note(store.answers ? undefined : away)
    return store.answers ? Promise.resolve() : Promise.reject(away)
  }
  const ending = new AbortController()
  const done = keepRounds({
    state,
    probe: () => {
      seen.probes++
      return ask()
    },
    round: async () => {
      seen.rounds++
      await ask()
      return {removedEndpoints: seen.rounds === 1 ? 2 : 0, releasedAddresses: 0}
    },
    log,
    metrics,
    roundMs: 10_000,
    probeMs: 5,
    ...options,
  }, ending.signal)
  ended.push(() => {
    ending.abort()
    return done
  })
  return {state, store, seen, metrics, ask}
}

const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 12_000 && !holds(); i++) await sleep(5)
  expect(holds()).toBe(true)
}

describe('keepRounds', () => {
  test('one at once, told and counted; no second one before its time', async () => {
    const {seen, metrics} = started()
    await until(() => seen.rounds === 1)
    await sleep(50)
    expect(seen).toMatchObject({probes: 1, rounds: 1, lines: ['info Reconciliation: 2 endpoints removed that Docker does not know, 0 addresses released']})
    expect(metrics.text()).toContain('endpoints_removed_total 2\n')
  })

  test('again and again', async () => {
    const {seen} = started({roundMs: 5})
    await until(() => seen.rounds > 3)
    expect(seen.probes).toBe(1)
  })

  test('what seems wrong is looked at again when it is certain', async () => {
    const at: number[] = []
    const {seen} = started({
      surelyMs: 20,
      round: () => {
        at.push(performance.now())
        return Promise.resolve({removedEndpoints: 0, releasedAddresses: 0, certainInMs: at.length === 1 ? 80 : undefined})
      },
    })
    await until(() => at.length === 2)
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(95)
    await sleep(150)
    expect(at).toHaveLength(2)
    expect(seen.lines).toEqual([])
  })

  test('what will be certain much later does not put off the next round', async () => {
    let rounds = 0
    started({roundMs: 5, round: () => Promise.resolve({removedEndpoints: 0, releasedAddresses: 0, certainInMs: ++rounds * 10_000})})
    await until(() => rounds > 2)
  })

  test('a store that is away is probed, and there is a round as soon as it is back', async () => {
    const {seen, store, metrics} = started()
    store.answers = false
    await until(() => seen.rounds === 1) // the first probe was before
    await until(() => seen.probes > 3)
    expect(seen.rounds).toBe(1)
    expect(metrics.text()).not.toContain('last_success')
    store.answers = true
    await until(() => seen.rounds === 2)
    await sleep(50)
    expect(seen.rounds).toBe(2)
    expect(metrics.text()).toContain('last_success')
  })

  test('a request of Docker\'s that finds the store away, and back, is noticed', async () => {
    const {seen, store, ask} = started({probeMs: 10_000})
    await until(() => seen.rounds === 1)
    await sleep(10)
    store.answers = false
    await ask().catch(() => undefined)
    await until(() => seen.probes === 2)
    store.answers = true
    await ask()
    await until(() => seen.rounds === 2)
  })

  test('a round that fails is told, and tried again', async () => {
    let rounds = 0
    const {seen, metrics} = started({
      roundMs: 5,
      round: () => {
        rounds++
        return rounds === 1 ? Promise.reject(new Error('broken')) : Promise.resolve({removedEndpoints: 0, releasedAddresses: 0})
      },
    })
    await until(() => rounds > 1)
    expect(seen.lines).toEqual(['warn Reconciliation failed, and will be repeated: broken'])
    await until(() => metrics.text().includes('last_success'))
  })

  test.each([
    [new CalicoError('unreachable', 'away'), 'debug'],
    [new CalicoError('refused', 'locked'), 'warn'],
  ])('%s is a line of level %s: that the store is away has been said already', async (error, level) => {
    const {seen} = started({round: () => Promise.reject(error)})
    await until(() => seen.lines.length > 0)
    expect(seen.lines).toEqual([`${level} Reconciliation failed, and will be repeated: ${error.message}`])
  })

  test('ends in the middle of a pause', async () => {
    const {seen} = started()
    await until(() => seen.rounds === 1)
    const before = performance.now()
    await ended.splice(0)[0]?.()
    expect(performance.now() - before).toBeLessThan(9_000) // the pause is of ten seconds
  })
})
