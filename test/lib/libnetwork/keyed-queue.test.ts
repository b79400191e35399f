import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from '@jest/globals'
import {keyedQueue} from '../../../src/lib/libnetwork/keyed-queue.js'

test('one key: in order, one at a time, whatever becomes of each', async () => {
  const queue = keyedQueue()
  const order: string[] = []
  let running = 0
  const work = (name: string, ms: number, fails = false) => async () => {
    expect(++running).toBe(1)
    await sleep(ms)
    running--
    order.push(name)
    if (fails) throw new Error(name)
    return name
  }
  const results = await Promise.allSettled([queue.run('k', work('slow', 20)), queue.run('k', work('fails', 5, true)), queue.run('k', work('quick', 0))])
  expect(order).toEqual(['slow', 'fails', 'quick'])
  expect(results.map(({status}) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await queue.run('k', () => Promise.resolve('again'))).toBe('again')
})

test('what comes when the first of two has ended waits for the second', async () => {
  const queue = keyedQueue()
  const order: string[] = []
  let release = (): void => undefined
  const first = queue.run('k', () => Promise.resolve(order.push('first')))
  const second = queue.run('k', () => new Promise<void>((resolve) => (release = resolve)).then(() => order.push('second')))
  await first
  // All that the end of the first sets going has happened.
  await sleep(0)
  const third = queue.run('k', () => Promise.resolve(order.push('third')))
  await sleep(0)
  expect(order).toEqual(['first'])
  release()
  await Promise.all([second, third])
  expect(order).toEqual(['first', 'second', 'third'])
})

test('other keys, and none, do not wait', async () => {
  const queue = keyedQueue()
  let release = (): void => undefined
  const blocked = queue.run('a', () => new Promise<void>((resolve) => (release = resolve)))
  expect(await queue.run('b', () => Promise.resolve(1))).toBe(1)
  expect(await queue.run(undefined, () => Promise.resolve(2))).toBe(2)
  release()
  await blocked
})
