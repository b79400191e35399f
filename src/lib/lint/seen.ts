/** What can be said of objects that were read for another purpose: only what each of them shows by itself. */
import type {Datastore, KeyValue} from '../datastore/datastore.js'
import {kindPrefix} from '../model/keys.js'
import type {Finding} from './finding.js'
import {ALL_RESOURCES, singleCheck} from './lint.js'
import {storedObject} from './stored.js'

/** STORE, and the objects that are read through it from now on, as keys and values. */
export function recording(store: Datastore): {readonly store: Datastore; readonly seen: ReadonlyMap<string, string>} {
  const seen = new Map<string, string>()
  const note = ({key, value}: KeyValue): void => {
    // A list of keys alone has no values.
    if (value !== '' && key.startsWith(ALL_RESOURCES)) seen.set(key, value)
  }
  return {
    seen,
    store: {
      get description() {
        return store.description
      },
      get generation() {
        return store.generation
      },
      get: async (key, options) => {
        const answer = await store.get(key, options)
        if (answer.kv) note(answer.kv)
        return answer
      },
      list: async function* (prefix, options) {
        for await (const page of store.list(prefix, options)) {
          page.entries.forEach(note)
          yield page
        }
      },
      transact: async (transaction) => {
        const answer = await store.transact(transaction)
        for (const result of answer.results) result.forEach(note)
        return answer
      },
      watch: (prefix, from, signal) => store.watch(prefix, from, signal),
      history: (key, from) => store.history(key, from),
      close: () => store.close(),
    },
  }
}

/** The number of lint's errors in the objects SEEN, which may be a part of a store. */
export function countErrors(seen: ReadonlyMap<string, string>): number {
  const settings = [...seen].flatMap(([key, value]) => (DECISIVE.some((kind) => key.startsWith(kindPrefix(kind))) ? (storedObject(key, value) ?? []) : []))
  const knowsSettings = settings.some(({kind}) => kind === 'FelixConfiguration')
  const check = singleCheck(settings)
  let count = 0
  // One at a time: objects take several times what their values do.
  for (const [key, value] of seen) {
    const object = storedObject(key, value)
    for (const found of object ? check(object) : []) if (found.level === 'error' && (knowsSettings || !dependsOnSettings(found))) count++
  }
  return count
}

/** Kinds whose objects decide which settings a node has. */
const DECISIVE = ['FelixConfiguration', 'Node'] as const

/** Whether FOUND would be none with other settings of Felix, which may not be among what was read: how interfaces are called, and who may send from addresses of others. */
const dependsOnSettings = ({code, field}: Finding): boolean => code === 'unpoliced-interface' || (code === 'refused' && field === 'spec.allowSpoofedSourcePrefixes')
