import {describe, expect, test} from '@jest/globals'
import {newSession} from '../../../src/lib/client/session.js'
import {listPages} from '../../../src/lib/client/snapshot.js'
import type {ListOptions, Page} from '../../../src/lib/datastore/datastore.js'
import {CompactedError} from '../../../src/lib/datastore/errors.js'
import {faultyStore} from '../../support/faulty-store.js'

const KEYS = ['/a/1', '/a/2', '/a/\u{10000}', '/a/\uff00', '/a/z'].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

/** A session with KEYS stored whose lists fail with a compaction after one page, FAILURES times. */
async function compacting(failures: number) {
  const store = await faultyStore()
  await store.transact({then: KEYS.map((put) => ({put, value: 'v'}))})
  let left = failures
  const list = store.list.bind(store)
  store.list = async function* (prefix: string, options?: ListOptions): AsyncGenerator<Page> {
    for await (const page of list(prefix, {...options, pageSize: 2})) {
      yield page
      if (left-- > 0) throw new CompactedError(undefined)
    }
  }
  const warnings: string[] = []
  return {store, warnings, session: newSession(store, {warn: (text) => warnings.push(text)})}
}

async function keysOf(pages: AsyncIterable<Page>): Promise<string[]> {
  const keys: string[] = []
  for await (const {entries} of pages) keys.push(...entries.map(({key}) => key))
  return keys
}

describe('listPages', () => {
  test('a compaction under the list: it goes on once where it was, visibly', async () => {
    const {store, session, warnings} = await compacting(1)
    expect(await keysOf(listPages(session, '/a/'))).toEqual(KEYS)
    expect(warnings).toEqual([expect.stringContaining('compacted')])
    store.close()
  })

  test('a second compaction is an error, not a loop', async () => {
    const {store, session} = await compacting(2)
    await expect(keysOf(listPages(session, '/a/'))).rejects.toThrow(CompactedError)
    store.close()
  })

  test('a list at a revision that the caller names is never mixed', async () => {
    const {store, session} = await compacting(1)
    await expect(keysOf(listPages(session, '/a/', {revision: 2n}))).rejects.toThrow(CompactedError)
    store.close()
  })
})
