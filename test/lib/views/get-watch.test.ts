/** `get --watch` on both stores: each step waits for the events of the one before. */
import {expect, test} from '@jest/globals'
import {newSession} from '../../../src/lib/client/session.js'
import {CompactedError} from '../../../src/lib/datastore/errors.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {resourceKey} from '../../../src/lib/model/keys.js'
import {KINDS} from '../../../src/lib/model/kinds.js'
import {parseSelector} from '../../../src/lib/model/selector/index.js'
import {resourceColumns} from '../../../src/lib/views/kind-columns.js'
import {type Event, eventPrinter, type Watched, watchResources} from '../../../src/lib/views/get-more/watch.js'
import {onBothStores} from '../../support/stores.js'

const put = (store: Datastore, name: string, labels: object = {}, namespace?: string): Promise<unknown> => {
  const kind = namespace === undefined ? 'Profile' : 'NetworkSet'
  return store.transact({then: [{put: resourceKey(kind, name, namespace), value: JSON.stringify({kind, apiVersion: 'projectcalico.org/v3', metadata: {name, namespace, labels}, spec: {}})}]})
}
const remove = (store: Datastore, name: string): Promise<unknown> => store.transact({then: [{delete: resourceKey('Profile', name)}]})

function watching(store: Datastore, wanted: Partial<Watched> = {}, kind: 'Profile' | 'NetworkSet' = 'Profile') {
  const stop = new AbortController()
  const warnings: string[] = []
  const session = newSession(store, {warn: (message) => warnings.push(message), announce: () => undefined, init: true})
  const batches = watchResources(session, KINDS[kind], {names: [], namespace: 'default', ...wanted}, stop.signal)
  const raw = async (): Promise<readonly Event[]> => ((await batches.next()) as {value: readonly Event[]}).value
  return {
    warnings,
    raw,
    next: async (): Promise<string[]> => (await raw()).map(({event, stored}) => `${event} ${stored.resource.metadata.name}`),
    stop: async (): Promise<void> => {
      stop.abort()
      await batches.return(undefined)
    },
  }
}

onBothStores((stores) => {
  test('what there is, then every change, a transaction at a time', async () => {
    const store = await stores.empty()
    await put(store, 'a')
    const {next, stop} = watching(store)
    expect(await next()).toEqual(['ADDED a'])
    await put(store, 'b')
    expect(await next()).toEqual(['ADDED b'])
    await put(store, 'a', {x: 'y'})
    expect(await next()).toEqual(['MODIFIED a'])
    await store.transact({then: ['a', 'b'].map((name) => ({delete: resourceKey('Profile', name)}))})
    expect(await next()).toEqual(['DELETED a', 'DELETED b'])
    await put(store, 'a')
    expect(await next()).toEqual(['ADDED a'])
    await stop()
  })

  test('a change between the list and the watch is not lost', async () => {
    const store = await stores.empty()
    await put(store, 'a')
    const {next, stop} = watching(store)
    await next()
    for (const name of ['b', 'c']) await put(store, name)
    const seen = [...(await next())]
    while (seen.length < 2) seen.push(...(await next()))
    expect(seen).toEqual(['ADDED b', 'ADDED c'])
    await stop()
  })

  test('a selector, names and namespaces choose; what does not match any more is deleted; what cannot be read is told', async () => {
    const store = await stores.empty()
    await put(store, 'a', {role: 'web'})
    await put(store, 'b')
    const chosen = watching(store, {selector: parseSelector('role == "web"')})
    expect(await chosen.next()).toEqual(['ADDED a'])
    await put(store, 'b', {role: 'web'})
    expect(await chosen.next()).toEqual(['ADDED b'])
    await put(store, 'a', {role: 'db'})
    expect(await chosen.next()).toEqual(['DELETED a'])
    await store.transact({then: [{put: resourceKey('Profile', 'c'), value: 'garbage'}]})
    await put(store, 'a', {role: 'web'})
    expect(await chosen.next()).toEqual(['ADDED a'])
    expect(chosen.warnings).toEqual([expect.stringContaining('cannot be read')])
    await chosen.stop()

    const named = watching(store, {names: ['b']})
    expect(await named.next()).toEqual(['ADDED b'])
    await put(store, 'a')
    await remove(store, 'b')
    expect(await named.next()).toEqual(['DELETED b'])
    await named.stop()

    await put(store, 's', {}, 'default')
    await put(store, 's', {}, 'shop')
    const [one, all] = [watching(store, {namespace: 'shop'}, 'NetworkSet'), watching(store, {namespace: undefined}, 'NetworkSet')]
    expect([await one.next(), await all.next()]).toEqual([['ADDED s'], ['ADDED s', 'ADDED s']])
    await Promise.all([one.stop(), all.stop()])
  })

  test('after a compaction it reads anew and tells what differs', async () => {
    const store = await stores.empty()
    for (const name of ['a', 'b', 'c']) await put(store, name)
    let compacted = 0
    const forgetful: Datastore = {
      ...store,
      description: store.description,
      generation: 0,
      get: (key, options) => store.get(key, options),
      list: (prefix, options) => store.list(prefix, options),
      transact: (transaction) => store.transact(transaction),
      history: (key, from) => store.history(key, from),
      close: () => undefined,
      async *watch(prefix, from, signal) {
        if (compacted++ === 0) {
          await remove(store, 'a')
          await put(store, 'b', {x: 'y'})
          await put(store, 'd')
          throw new CompactedError(from + 1n)
        }
        yield* store.watch(prefix, from, signal)
      },
    }
    const {next, stop, warnings} = watching(forgetful)
    expect(await next()).toEqual(['ADDED a', 'ADDED b', 'ADDED c'])
    expect(await next()).toEqual(['MODIFIED b', 'ADDED d', 'DELETED a'])
    expect(warnings).toEqual([expect.stringContaining('was compacted')])
    await put(store, 'e')
    expect(await next()).toEqual(['ADDED e'])
    await stop()
  })
})

test('each format has a line, or a document, for each event', async () => {
  const stored = (name: string, version = 7n) => ({kv: {key: '', value: '', modRevision: version, createRevision: 1n, version: 1n}, resource: {kind: 'Profile', apiVersion: 'projectcalico.org/v3', metadata: {name, uid: 'u'}, spec: {labelsToApply: {a: 'b'}}}}) as unknown as Event['stored']
  const columns = resourceColumns('Profile')
  const first: Event[] = [{event: 'ADDED', stored: stored('web')}]
  const second: Event[] = [{event: 'DELETED', stored: stored('a-longer-name')}]
  const printed = async (format: Parameters<typeof eventPrinter>[1], withExport = false): Promise<string[]> => {
    const print = eventPrinter(columns, format, withExport)
    return [await print(first), await print([]), await print(second)]
  }
  expect(await printed('table')).toEqual([expect.stringMatching(/^EVENT {6}NAME .*\nADDED {6}web .*\n$/), '', expect.stringMatching(/^DELETED {4}a-longer-name .*\n$/)])
  expect((await printed('json')).map((line) => (line === '' ? undefined : JSON.parse(line) as unknown))).toEqual([expect.objectContaining({event: 'ADDED', object: expect.objectContaining({metadata: {name: 'web', uid: 'u', resourceVersion: '7'}}) as unknown}), undefined, expect.objectContaining({event: 'DELETED'})])
  expect((await printed('json', true))[0]).not.toContain('uid')
  expect((await printed('yaml'))[0]).toMatch(/^---\nevent: ADDED\nobject:\n/)
  expect(await printed('plain')).toEqual([expect.stringMatching(/^ADDED\tweb\t/), '', expect.stringMatching(/^DELETED\ta-longer-name\t/)])
  expect(await printed('name')).toEqual(['web\n', '', 'a-longer-name\n'])
})
