/** A list whose datastore goes away in the middle: nobody must take what was written for the whole. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import type {Datastore, Page} from '../../../../src/lib/datastore/datastore.js'
import {CalicoError} from '../../../../src/lib/errors.js'
import {type Endpoint, listEndpoints, sortEndpoints} from '../../../../src/lib/client/endpoints.js'
import {newSession} from '../../../../src/lib/client/session.js'
import {faultyStore, type FaultyStore} from '../../../support/faulty-store.js'
import {loadCommands, type RunOn} from '../../../support/in-process.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const COUNT = 2500

let store: FaultyStore
let runOn: RunOn

beforeAll(async () => {
  runOn = await loadCommands('get', 'endpoint')
  store = await faultyStore()
  await store.transact({then: [{put: `${RESOURCES}clusterinformations/default`, value: '{"metadata":{"name":"default"},"spec":{"clusterGUID":"g","datastoreReady":true}}'}]})
  for (let at = 0; at < COUNT; at += 125) {
    const names = Array.from({length: 125}, (_, i) => `p${String(at + i).padStart(5, '0')}`)
    await store.transact({then: names.map((name) => ({put: `${RESOURCES}profiles/${name}`, value: `{"metadata":{"name":"${name}"},"spec":{}}`}))})
  }
})
afterAll(() => store.close())

/** The store, which goes away after PAGES pages of a list. */
const leaving = (pages: number, from = store): Datastore =>
  Object.create(from, {
    list: {
      async *value(...args: Parameters<Datastore['list']>): AsyncGenerator<Page> {
        let left = pages
        for await (const page of from.list(...args)) {
          if (left-- === 0) throw new CalicoError('unreachable', 'The datastore does not answer any more')
          yield page
        }
      },
    },
  }) as Datastore

test.each(['json', 'yaml', 'name', 'plain'])('-o %s in the middle: an error that says so, and JSON that is not closed', async (format) => {
  const {code, stdout, stderr} = await runOn(leaving(2), ['get', 'profile', '-o', format])
  expect({code, stderr}).toEqual({code: 6, stderr: expect.stringMatching(/does not answer any more[^]*The output is incomplete\./) as unknown})
  expect(stdout).toContain('p00000')
  expect(stdout).not.toContain(`p0${COUNT - 1}`)
  if (format === 'json') expect(() => JSON.parse(stdout) as unknown).toThrow()
})

test.each(['json', 'yaml', 'name', 'plain', 'table'])('-o %s before anything was written: stdout is empty', async (format) => {
  const {code, stdout, stderr} = await runOn(leaving(format === 'table' ? 2 : 0), ['get', 'profile', '-o', format])
  expect({code, stdout}).toEqual({code: 6, stdout: ''})
  expect(stderr).not.toContain('incomplete')
})

const ENDPOINTS = 700

describe('endpoint show', () => {
  let endpoints: FaultyStore
  beforeAll(async () => {
    endpoints = await faultyStore()
    await endpoints.transact({then: [{put: `${RESOURCES}clusterinformations/default`, value: '{"metadata":{"name":"default"},"spec":{"clusterGUID":"g","datastoreReady":true}}'}]})
    // In the order of keys, node h-b is before h.
    for (let at = 0; at < ENDPOINTS; at += 100) {
      const numbers = Array.from({length: 100}, (_, i) => String(at + i).padStart(3, '0'))
      await endpoints.transact({
        then: numbers.map((n) => {
          const node = Number(n) % 2 === 0 ? 'h' : 'h-b'
          const name = `${node.replace('-', '--')}-docker-w${n}-e${n}`
          return {put: `${RESOURCES}workloadendpoints/default/${name}`, value: JSON.stringify({metadata: {name, namespace: 'default', annotations: {note: 'ä€😀'}}, spec: {node, orchestrator: 'docker', workload: `w${n}`, endpoint: `e${n}`, interfaceName: `cali${n}`}})}
        }),
      })
    }
  })
  afterAll(() => endpoints.close())
  const numbers = Array.from({length: ENDPOINTS}, (_, i) => i)
  const sorted = [...numbers.filter((n) => n % 2 === 0), ...numbers.filter((n) => n % 2 === 1)].map((n) => `e${String(n).padStart(3, '0')}`)

  test.each(['json', 'yaml', 'name', 'plain'])('-o %s while the datastore goes away: stdout is empty, since nothing is written before all is read', async (format) => {
    const {code, stdout, stderr} = await runOn(leaving(0, endpoints), ['endpoint', 'show', '-o', format])
    expect({code, stdout}).toEqual({code: 6, stdout: ''})
    expect(stderr).not.toContain('incomplete')
  })

  test('-o json has them in the order of the table, with all that is stored', async () => {
    const {code, stdout, stderr} = await runOn(endpoints, ['endpoint', 'show', '-o', 'json'])
    const document = JSON.parse(stdout) as {kind: string; items: {metadata: {annotations: object; resourceVersion: string}; spec: {endpoint: string}}[]}
    expect({code, stderr, kind: document.kind, ids: document.items.map(({spec}) => spec.endpoint)}).toEqual({code: 0, stderr: '', kind: 'WorkloadEndpointList', ids: sorted})
    expect(document.items.every(({metadata}) => /^\d+$/.test(metadata.resourceVersion) && Object.values(metadata.annotations)[0] === 'ä€😀')).toBe(true)
  })

  test('-o name, and yaml', async () => {
    expect((await runOn(endpoints, ['endpoint', 'show', '-o', 'name'])).stdout).toBe(`${sorted.join('\n')}\n`)
    expect([...(await runOn(endpoints, ['endpoint', 'show', '-o', 'yaml'])).stdout.matchAll(/endpoint: (e\d+)/g)].map(([, id]) => id)).toEqual(sorted)
  })

  test('objects are made again when they are written, a piece at a time', async () => {
    const session = newSession(endpoints, {warn: (message) => { throw new Error(message) }})
    const {count, [Symbol.iterator]: iterate} = await sortEndpoints(listEndpoints(session, {}))
    const [first, again] = [iterate().next().value as Endpoint, iterate().next().value as Endpoint]
    expect(count).toBe(ENDPOINTS)
    expect(again).toEqual(first)
    expect(again.stored.resource).not.toBe(first.stored.resource)
  })
})

test('whole: all of them, at one revision', async () => {
  const {code, stdout} = await runOn(store, ['get', 'profile', '-o', 'json'])
  const document = JSON.parse(stdout) as {kind: string; metadata: object; items: {metadata: {name: string}}[]}
  expect({code, ...document, items: document.items.map(({metadata}) => metadata.name)}).toMatchObject({code: 0, kind: 'ProfileList', metadata: {resourceVersion: expect.stringMatching(/^\d+$/) as unknown}, items: Array.from({length: COUNT}, (_, i) => `p${String(i).padStart(5, '0')}`)})
})
