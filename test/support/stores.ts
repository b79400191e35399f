/** The two datastores, for suites that run on both: a real etcd that the suite starts once, and an embedded store in a folder of its own. */
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe} from '@jest/globals'
import type {Datastore} from '../../src/lib/datastore/datastore.js'
import {openDatastore} from '../../src/lib/datastore/open.js'
import {startEtcd, type TestEtcd} from './etcd.js'

/** What a suite gets to open its stores with. */
export interface TestStores {
  readonly kind: 'etcd' | 'embedded'
  /** An empty store, in place of the one before, which is closed. */
  empty(): Promise<Datastore>
  /** Another client of the store that `empty` gave last; closed with it. */
  another(): Promise<Datastore>
  /** The etcd behind it; undefined for the embedded one. */
  etcd(): TestEtcd | undefined
}

/** SUITE twice, each time with stores of one kind. */
export function onBothStores(suite: (stores: TestStores) => void): void {
  for (const kind of ['embedded', 'etcd'] as const) describe(kind, () => suite(testStores(kind)))
}

function testStores(kind: TestStores['kind']): TestStores {
  let etcd: TestEtcd | undefined
  let folder: string
  let number = 0
  let open: Datastore[] = []
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'calicoctl-stores-'))
    if (kind === 'etcd') etcd = await startEtcd()
  })
  const close = (): void => {
    for (const store of open) store.close()
    open = []
  }
  afterAll(async () => {
    close()
    await etcd?.stop()
    await rm(folder, {recursive: true})
  })
  async function another(): Promise<Datastore> {
    const datastore = etcd
      ? {type: 'etcd' as const, endpoints: {value: etcd.endpoints, origin: 'the test'}}
      : {type: 'embedded' as const, path: {value: join(folder, `${number}.json`), origin: 'the test'}}
    const store = await openDatastore({datastore}, {perRequest: true})
    open.push(store)
    return store
  }
  return {
    kind,
    another,
    etcd: () => etcd,
    async empty() {
      close()
      number++
      await etcd?.ctl('del', '--prefix', '/')
      return another()
    },
  }
}
