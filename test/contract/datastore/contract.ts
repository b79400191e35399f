/** What the parts of the contract of the datastore share. */
import type {Change, Datastore, KeyValue, Page} from '../../../src/lib/datastore/datastore.js'

/** What a test of the port needs from an adapter. */
export interface Subject {
  /** Another client of the same store. */
  open(): Promise<Datastore>
  /** Makes the store forget everything before its present revision; absent = it never does. */
  compact?: (store: Datastore) => Promise<void>
  stop(): Promise<void>
}

/** What a part of the contract is held on. */
export interface Contract {
  readonly subject: Subject
  readonly store: Datastore
  /** A prefix that no other test uses. */
  readonly freshPrefix: () => string
  readonly put: (key: string, value: string) => Promise<bigint>
  readonly remove: (key: string) => Promise<bigint>
}

export const number = (i: number): string => String(i).padStart(4, '0')
export const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Creates COUNT keys under PREFIX, numbered in key order, with their number as value. */
export async function fill(store: Datastore, prefix: string, count: number): Promise<void> {
  for (let start = 0; start < count; start += 100) {
    const names = Array.from({length: Math.min(100, count - start)}, (_, i) => start + i)
    await store.transact({then: names.map((i) => ({put: `${prefix}${number(i)}`, value: String(i)}))})
  }
}

export async function pages(store: Datastore, prefix: string, options?: Parameters<Datastore['list']>[1]): Promise<Page[]> {
  const all: Page[] = []
  for await (const page of store.list(prefix, options)) all.push(page)
  return all
}

export const listed = async (...args: Parameters<typeof pages>): Promise<KeyValue[]> => (await pages(...args)).flatMap(({entries}) => entries)

export const holds = async (store: Datastore, compare: NonNullable<Parameters<Datastore['transact']>[0]['if']>[number]): Promise<boolean> =>
  (await store.transact({if: [compare], then: []})).succeeded

/** The first COUNT changes that a watch reports. */
export async function collect(store: Datastore, prefix: string, from: bigint, count: number): Promise<Change[]> {
  const controller = new AbortController()
  const changes: Change[] = []
  try {
    for await (const batch of store.watch(prefix, from, controller.signal)) {
      changes.push(...batch)
      if (changes.length >= count) break
    }
  } finally {
    controller.abort()
  }
  return changes
}
