/** A list whose datastore goes away in the middle: nobody must take what was written for the whole. */
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import type {Datastore, Page} from '../../../../src/lib/datastore/datastore.js'
import {CalicoError} from '../../../../src/lib/errors.js'
import {faultyStore, type FaultyStore} from '../../../support/faulty-store.js'
import {loadCommands, type RunOn} from '../../../support/in-process.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const COUNT = 2500

let store: FaultyStore
let runOn: RunOn

beforeAll(async () => {
  runOn = await loadCommands('get')
  store = await faultyStore()
  await store.transact({then: [{put: `${RESOURCES}clusterinformations/default`, value: '{"metadata":{"name":"default"},"spec":{"clusterGUID":"g","datastoreReady":true}}'}]})
  for (let at = 0; at < COUNT; at += 125) {
    const names = Array.from({length: 125}, (_, i) => `p${String(at + i).padStart(5, '0')}`)
    await store.transact({then: names.map((name) => ({put: `${RESOURCES}profiles/${name}`, value: `{"metadata":{"name":"${name}"},"spec":{}}`}))})
  }
})
afterAll(() => store.close())

/** The store, which goes away after PAGES pages of a list. */
const leaving = (pages: number): Datastore =>
  Object.create(store, {
    list: {
      async *value(...args: Parameters<Datastore['list']>): AsyncGenerator<Page> {
        let left = pages
        for await (const page of store.list(...args)) {
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

test('whole: all of them, at one revision', async () => {
  const {code, stdout} = await runOn(store, ['get', 'profile', '-o', 'json'])
  const document = JSON.parse(stdout) as {kind: string; metadata: object; items: {metadata: {name: string}}[]}
  expect({code, ...document, items: document.items.map(({metadata}) => metadata.name)}).toMatchObject({code: 0, kind: 'ProfileList', metadata: {resourceVersion: expect.stringMatching(/^\d+$/) as unknown}, items: Array.from({length: COUNT}, (_, i) => `p${String(i).padStart(5, '0')}`)})
})
