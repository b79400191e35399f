import {AsyncLocalStorage, executionAsyncResource} from 'node:async_hooks'
import {setImmediate as turn} from 'node:timers/promises'
import {expect, test} from '@jest/globals'

test('jest notes nothing in the promises of a test', async () => {
  await turn()
  expect(Object.getOwnPropertySymbols(executionAsyncResource()).map(String)).not.toContain('Symbol(kResourceStore)')
})

test('a test gets the AsyncLocalStorage of Node: each of two runs side by side keeps its own', async () => {
  const storage = new AsyncLocalStorage<string>()
  const kept = (text: string): Promise<string | undefined> =>
    storage.run(text, async () => {
      await turn()
      return storage.getStore()
    })
  expect(await Promise.all([kept('one'), kept('other')])).toEqual(['one', 'other'])
})
