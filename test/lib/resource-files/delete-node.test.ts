/** `delete` of nodes, on both stores: with all that the datastore has of them, as the Go calicoctl's; one with endpoints is kept unless --force is given. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {beforeAll, expect, test} from '@jest/globals'
import {resourceKey} from '../../../src/lib/model/keys.js'
import {differences, expectedChanges, GOLDEN_LINES, prepare, snapshot} from '../../support/golden-files.js'
import {loadCommands, type RunOn} from '../../support/in-process.js'
import {onBothStores} from '../../support/stores.js'

const golden = GOLDEN_LINES.find(({id}) => id === 'delete-node')
const ENDPOINT = resourceKey('WorkloadEndpoint', 'host--1-docker-w1-e1', 'default')

let run: RunOn
beforeAll(async () => {
  run = await loadCommands('delete')
})

onBothStores((stores) => {
  async function given() {
    if (golden === undefined) throw new Error('there is such a line')
    const store = await stores.empty()
    await prepare(store, golden)
    return {store, before: await snapshot(store), expected: expectedChanges(golden)}
  }

  test('one with an endpoint: 8, naming it, and nothing is deleted; with --force all of it goes, as in the recorded line', async () => {
    const {store, before, expected} = await given()
    expect(await run(store, ['delete', 'node', 'host-1'])).toMatchObject({code: 8, stderr: expect.stringMatching(/nothing was changed:\n {2}node\/host-1: has an endpoint: endpoint e1 of docker workload w1 on host-1 \(--force/) as unknown})
    expect(await snapshot(store)).toEqual(before)
    expect(await run(store, ['delete', 'node', 'host-1', '--force', '--dry-run'])).toMatchObject({code: 0, stderr: expect.stringContaining('node/host-1 would be deleted') as unknown})
    expect(await snapshot(store)).toEqual(before)
    const {code, stderr} = await run(store, ['delete', 'node', 'host-1', '--force'])
    expect([code, stderr.split('\n').filter((line) => line.includes('deleted'))]).toEqual([0, expect.arrayContaining(['workloadendpoint/host--1-docker-w1-e1 deleted', 'node/host-1 deleted', '6 objects: 6 deleted'])])
    expect(differences(before, await snapshot(store))).toEqual(expected)
  })

  test('with its endpoint in the same files, a dry run prints each once, as the real one does', async () => {
    const {store} = await given()
    const folder = mkdtempSync(join(tmpdir(), 'calicoctl-delete-node-'))
    const file = join(folder, 'both.json')
    const object = (kind: string, metadata: object): object => ({apiVersion: 'projectcalico.org/v3', kind, metadata, spec: kind === 'Node' ? {} : {node: 'host-1', orchestrator: 'docker', workload: 'w1', endpoint: 'e1'}})
    writeFileSync(file, JSON.stringify([object('Node', {name: 'host-1'}), object('WorkloadEndpoint', {name: 'host--1-docker-w1-e1', namespace: 'default'})]))
    const lines = async (...words: string[]): Promise<string[]> => (await run(store, ['delete', '-f', file, ...words])).stderr.split('\n').filter((line) => line.includes('deleted')).map((line) => line.replace('would be ', ''))
    const dry = await lines('--dry-run')
    expect(dry).toEqual(await lines())
    expect(dry.filter((line) => line.startsWith('workloadendpoint/'))).toEqual(['workloadendpoint/host--1-docker-w1-e1 deleted'])
    rmSync(folder, {recursive: true})
  })

  test('one whose endpoints are deleted by the same line, or that has none, goes without --force', async () => {
    const {store, before, expected} = await given()
    await store.transact({then: [{delete: ENDPOINT}]})
    expect(await run(store, ['delete', 'node', 'host-1'])).toMatchObject({code: 0})
    expect(differences(before, await snapshot(store))).toEqual(expected)
    expect(await run(store, ['delete', 'node', 'host-1'])).toMatchObject({code: 4})
    expect(await run(store, ['delete', 'node', 'host-1', '-s'])).toMatchObject({code: 0})
    expect(await run(store, ['delete', 'node', 'host-1', '--atomic'])).toMatchObject({code: 8})
  })
})
