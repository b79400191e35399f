/** `ipam split` on both stores: the golden lines of the Go calicoctl, and what is done otherwise on purpose. */
import {beforeAll, describe, expect, test} from '@jest/globals'
import {MAX_PARTS} from '../../../src/lib/client/pool-split.js'
import {stringifyJson} from '../../../src/lib/json/json.js'
import {resourceKey} from '../../../src/lib/model/keys.js'
import {differences, expectedChanges, GOLDEN_LINES, prepare, snapshot} from '../../support/golden-files.js'
import {loadCommands, type RunOn} from '../../support/in-process.js'
import {onBothStores} from '../../support/stores.js'

/** Where ours does otherwise on purpose (resource-files.md §12 no. 10: nothing is changed when it is refused). */
const UNTOUCHED: Readonly<Record<string, number>> = {'split-not-power': 1, 'split-one': 1, 'split-zero': 1, 'split-text': 1, 'split-too-many': 1, 'split-name-taken': 5}

const LINES = GOLDEN_LINES.filter(({cmd: [first, second]}) => first === 'ipam' && second === 'split')
const [sample] = LINES
const poolKey = (name: string): string => resourceKey('IPPool', name)

let run: RunOn
beforeAll(async () => {
  run = await loadCommands('ipam:split')
})

onBothStores((stores) => {
  test.each(LINES.map((line) => [line.id, line] as const))('%s', async (id, line) => {
    const store = await stores.empty()
    await prepare(store, line)
    const before = await snapshot(store)
    const {code, stdout, stderr} = await run(store, line.cmd)
    const refused = UNTOUCHED[id]
    expect({code, stderr, changed: differences(before, await snapshot(store))}).toEqual({
      code: refused ?? (line.rc === 0 ? 0 : 4),
      stderr: expect.any(String) as unknown,
      changed: refused === undefined ? expectedChanges(line) : {},
    })
    if (code === 0) expect(stdout).toBe(line.stdout.replace('pools.Created', 'pools.\nCreated').replace(/Please refer.*$/, ''))
  })

  describe('one pool', () => {
    async function given(spec: object, {metadata = {}, cluster = {}}: {metadata?: object; cluster?: object} = {}) {
      const store = await stores.empty()
      if (sample === undefined) throw new Error('there are golden lines')
      await prepare(store, sample)
      const clusterKey = resourceKey('ClusterInformation', 'default')
      await store.transact({then: [
        {put: clusterKey, value: stringifyJson({kind: 'ClusterInformation', apiVersion: 'projectcalico.org/v3', metadata: {name: 'default', ...cluster}, spec: {clusterGUID: 'a', datastoreReady: 'annotations' in cluster ? false : true}})},
        {put: poolKey('p1'), value: stringifyJson({kind: 'IPPool', apiVersion: 'projectcalico.org/v3', metadata: {name: 'p1', uid: 'u', creationTimestamp: '2026-06-24T18:32:35Z', ...metadata}, spec: {cidr: '10.0.0.0/16', ipipMode: 'Never', vxlanMode: 'Never', blockSize: 26, nodeSelector: 'all()', ...spec}})},
      ]})
      return store
    }

    test('that is disabled: its parts are enabled, which is told; labels, annotations and unknown fields go along', async () => {
      const store = await given({disabled: true, fromTomorrow: 1}, {metadata: {labels: {a: 'b'}, annotations: {c: 'd'}}})
      const {code, stderr} = await run(store, ['ipam', 'split', '2', '--name', 'p1'])
      expect({code, stderr}).toEqual({code: 0, stderr: expect.stringContaining('The pool p1 was disabled; the pools in its place are enabled. To disable them: calicoctl pool set 10.0.0.0/17 10.0.128.0/17 --disabled') as unknown})
      expect(JSON.parse((await store.get(poolKey('split-p1-1'))).kv?.value ?? '')).toMatchObject({metadata: {labels: {a: 'b'}, annotations: {c: 'd'}}, spec: {cidr: '10.0.128.0/17', fromTomorrow: 1}})
      expect(JSON.parse((await store.get(poolKey('split-p1-1'))).kv?.value ?? '')).not.toHaveProperty('spec.disabled')
    })

    test('into the most parts fits into one transaction', async () => {
      const store = await given({})
      const {revision} = await store.get(poolKey('p1'))
      expect(await run(store, ['ipam', 'split', String(MAX_PARTS), '--cidr=10.0.0.0/16'])).toMatchObject({code: 0})
      expect((await store.get(poolKey(`split-p1-${MAX_PARTS - 1}`))).kv).toMatchObject({modRevision: revision + 1n})
      expect((await store.get(poolKey('p1'))).kv).toBeUndefined()
    })

    test.each([MAX_PARTS + 1, 2 * MAX_PARTS])('into %i parts: refused, and the pool is as it was', async (parts) => {
      const store = await given({})
      const before = await store.get(poolKey('p1'))
      expect(await run(store, ['ipam', 'split', String(parts), '--name=p1'])).toMatchObject({code: 1, stderr: expect.stringContaining(`A pool is split into 2, 4, 8, 16, 32 or 64 parts, not into ${parts}.`) as unknown})
      expect(await store.get(poolKey('p1'))).toEqual(before)
    })

    test('into parts smaller than its blocks: refused', async () => {
      const store = await given({cidr: '10.0.0.0/25'})
      expect(await run(store, ['ipam', 'split', '4', '--name=p1'])).toMatchObject({code: 1, stderr: expect.stringMatching(/each would be a \/27, smaller than one block of it \(\/26\)\. Nothing was changed/) as unknown})
    })

    test('of a name that is as long as names can be', async () => {
      const store = await given({})
      const long = 'p'.repeat(253)
      await store.transact({then: [{delete: poolKey('p1')}, {put: poolKey(long), value: stringifyJson({kind: 'IPPool', apiVersion: 'projectcalico.org/v3', metadata: {name: long}, spec: {cidr: '10.0.0.0/16', blockSize: 26, nodeSelector: 'all()'}})}]})
      expect(await run(store, ['ipam', 'split', '2', `--name=${long}`])).toMatchObject({code: 0})
      const {results: [entries = []]} = await store.transact({then: [{list: poolKey('')}]})
      expect(entries.map(({key}) => key.slice(poolKey('').length))).toEqual(['0', '1'].map((part) => `split-${'p'.repeat(245)}-${part}`))
    })

    test('of a Docker network, and under an unfinished restore: 8; in a dry run nothing is written', async () => {
      const docker = await given({disabled: true}, {metadata: {annotations: {'calicoctl/network': 'f'.repeat(64)}}})
      const before = await snapshot(docker)
      expect(await run(docker, ['ipam', 'split', '2', '--name=p1', '--dry-run'])).toMatchObject({code: 8, stderr: expect.stringContaining('whose addresses Docker assigns itself') as unknown})
      const restoring = await given({}, {cluster: {annotations: {'calicoctl/restore': 'x'}}})
      expect(await run(restoring, ['ipam', 'split', '2', '--name=p1'])).toMatchObject({code: 8, stderr: expect.stringContaining('datastore restore FILE') as unknown})
      const plain = await given({})
      const then = await snapshot(plain)
      expect(await run(plain, ['ipam', 'split', '2', '--name=p1', '--dry-run'])).toMatchObject({code: 0, stdout: expect.stringContaining('10.0.128.0/17') as unknown})
      expect(await snapshot(plain)).toEqual(then)
      expect(before.size).toBe(then.size)
    })

    test('of neither name nor CIDR, and of no such name', async () => {
      const store = await given({})
      expect(await run(store, ['ipam', 'split', '2'])).toMatchObject({code: 1, stderr: expect.stringContaining('The pool is missing: give --name=POOL or --cidr=CIDR.') as unknown})
      expect(await run(store, ['ipam', 'split', '2', '--name=px'])).toMatchObject({code: 4, stderr: expect.stringContaining('There is no pool named px') as unknown})
    })
  })
})
