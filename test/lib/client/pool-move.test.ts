/** `pool move` on both stores: what it writes, and the lines that it prints. */
import {beforeAll, expect, test} from '@jest/globals'
import {newSession} from '../../../src/lib/client/session.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {resourceKey} from '../../../src/lib/model/keys.js'
import {snapshot} from '../../support/golden-files.js'
import {createObject} from '../../support/ipam.js'
import {loadCommands, type RunOn} from '../../support/in-process.js'
import {onBothStores} from '../../support/stores.js'

let run: RunOn
beforeAll(async () => {
  run = await loadCommands('pool', 'ipam:assign')
})

const OLD = resourceKey('IPPool', '10-1-0-0-16')
const NEW = resourceKey('IPPool', '10-2-0-0-16')
const spec = async (store: Datastore, key: string): Promise<unknown> => {
  const {kv} = await store.get(key)
  return kv && (JSON.parse(kv.value) as {spec: unknown}).spec
}

async function given(store: Datastore, ...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const {code, stderr} = await run(store, line.split(' '))
    if (code !== 0) throw new Error(`${line}: ${stderr}`)
  }
}

const endpoint = (store: Datastore, node: string, orchestrator: string, workload: string, ip: string, {annotations = {}, profiles = []}: {annotations?: object; profiles?: string[]} = {}) => {
  const name = `${node}-${orchestrator}-${workload}-${ip.replaceAll('.', '')}`
  const metadata = {name, namespace: 'default', annotations}
  return store.transact({then: [{put: resourceKey('WorkloadEndpoint', name, 'default'), value: JSON.stringify({kind: 'WorkloadEndpoint', apiVersion: 'projectcalico.org/v3', metadata, spec: {node, orchestrator, workload, endpoint: 'eth0', ipNetworks: [`${ip}/32`], profiles, interfaceName: 'cali1'}})}]})
}

onBothStores((stores) => {
  test('the new pool has the options of the old one, which is disabled, in one transaction; again nothing changes', async () => {
    const store = await stores.empty()
    await given(store, 'pool add 10.1.0.0/16 --nat-outgoing --ipip --block-size 28')
    const before = await spec(store, OLD)
    const {revision} = await store.get(OLD)
    const moved = await run(store, ['pool', 'move', '10.1.0.9/16', '10.2.0.0/16'])
    expect(moved).toEqual({
      code: 0,
      stdout: 'No address of the old pool is in use. To remove it:\ncalicoctl pool remove 10.1.0.0/16 --drain\n',
      stderr: 'ippool/10.2.0.0/16 created\nippool/10.1.0.0/16 updated (disabled)\n',
    })
    expect(await spec(store, NEW)).toEqual({...(before as object), cidr: '10.2.0.0/16'})
    expect(await spec(store, OLD)).toEqual({...(before as object), disabled: true})
    expect((await store.get(NEW)).revision).toBe(revision + 1n)
    expect(await run(store, ['pool', 'move', '10.1.0.0/16', '10.2.0.0/16'])).toMatchObject({code: 0, stdout: moved.stdout, stderr: 'ippool/10.2.0.0/16 unchanged\nippool/10.1.0.0/16 unchanged\n'})
    expect((await store.get(NEW)).revision).toBe(revision + 1n)
  })

  test('endpoints of the old pool are printed by node, with the line that reconnects each, safe for a shell', async () => {
    const store = await stores.empty()
    await given(store, 'pool add 10.1.0.0/16 10.3.0.0/16')
    await createObject(newSession(store, {warn: () => undefined}), 'Node', 'node-a', {})
    await endpoint(store, 'node-b', 'docker', 'abc', '10.1.0.1', {annotations: {'calicoctl/container': 'web-1'}, profiles: ['frontend', 'client']})
    await endpoint(store, 'node-a', 'libnetwork', 'libnetwork', '10.1.0.2', {annotations: {'calicoctl/container': 'db', 'calicoctl/network': 'f'.repeat(64)}})
    await endpoint(store, 'node-a', 'libnetwork', 'libnetwork', '10.1.0.3', {annotations: {'calicoctl/network': '$(reboot)'}})
    await endpoint(store, 'node-a', 'docker', 'x; reboot', '10.1.0.4')
    await endpoint(store, 'node-a', 'mesos', 'task-1', '10.1.0.5')
    await endpoint(store, 'node-a', 'docker', 'elsewhere', '10.3.0.1')
    await given(store, 'ipam assign 10.1.0.9 --node node-a --handle mine', 'ipam assign 10.1.0.1 --node node-a')
    expect((await run(store, ['pool', 'move', '10.1.0.0/16', '10.2.0.0/16'])).stdout).toBe(
      [
        'On node-a:',
        '  10.1.0.4: calicoctl container remove \'x; reboot\' && calicoctl container add \'x; reboot\' 10.2.0.0/16',
        '  10.1.0.2: docker network disconnect ffffffffffff db && docker network connect ffffffffffff db',
        '  10.1.0.3: docker network disconnect NETWORK CONTAINER && docker network connect NETWORK CONTAINER',
        '  10.1.0.5: restart the mesos workload task-1',
        'On node-b:',
        '  10.1.0.1: calicoctl container remove web-1 && calicoctl container add web-1 10.2.0.0/16 && calicoctl container web-1 profile append frontend client',
        'Addresses without an endpoint:',
        '  10.1.0.9: manual, handle mine, node node-a',
        'When they are reconnected:',
        'calicoctl pool remove 10.1.0.0/16 --drain',
        '',
      ].join('\n'),
    )
  })

  test.each([
    ['pool move 10.9.0.0/16 10.2.0.0/16', 4, /10\.9\.0\.0\/16 is not a configured pool/],
    ['pool move 10.1.0.0/16 10.1.128.0/17', 1, /overlaps the pool to be moved/],
    ['pool move 10.1.0.0/16 10.1.0.0/16', 1, /is the pool to be moved/],
    ['pool move 10.1.0.0/16 10.3.1.0/24', 1, /overlaps the pool 10\.3\.0\.0\/16/],
    ['pool move 10.1.0.0/16 fd00::/64', 1, /have different IP versions/],
    ['pool move 10.1.0.0/16 10.3.0.0/16', 5, /already is a pool, with other options/],
    ['pool move 10.1.0.0/16 10.2.0.0/30', 1, /10\.2\.0\.0\/30/],
    ['pool move 10.1.0.0/16 127.0.0.0/16', 1, /loopback/],
  ])('%s: %d, and nothing is changed', async (line, code, message) => {
    const store = await stores.empty()
    await given(store, 'pool add 10.1.0.0/16 --nat-outgoing', 'pool add 10.3.0.0/16')
    const before = await snapshot(store)
    expect(await run(store, line.split(' '))).toMatchObject({code, stdout: '', stderr: expect.stringMatching(message) as unknown})
    expect(await snapshot(store)).toEqual(before)
  })

  test('a new CIDR that is smaller than a block: refused, and no option is suggested that this command does not have', async () => {
    const store = await stores.empty()
    await given(store, 'pool add 10.1.0.0/16')
    const {code, stderr} = await run(store, ['pool', 'move', '10.1.0.0/16', '10.2.0.0/27'])
    expect([code, stderr.split('\n')[0]]).toEqual([1, 'Error: 10.2.0.0/27 is too small: a block of it would be a /26. Give a larger network: the new pool has blocks of the same size as the old one. Nothing was changed.'])
  })
  test('a dry run writes nothing; a pool stored twice is disabled twice', async () => {
    const store = await stores.empty()
    await given(store, 'pool add 10.1.0.0/16')
    const {kv} = await store.get(OLD)
    await store.transact({then: [{put: resourceKey('IPPool', 'again'), value: (kv?.value ?? '').replace('"10-1-0-0-16"', '"again"')}]})
    const before = await snapshot(store)
    expect(await run(store, ['pool', 'move', '10.1.0.0/16', '10.2.0.0/16', '--dry-run'])).toMatchObject({code: 0, stderr: expect.stringContaining('would be created') as unknown})
    expect(await snapshot(store)).toEqual(before)
    await given(store, 'pool move 10.1.0.0/16 10.2.0.0/16')
    expect([await spec(store, OLD), await spec(store, resourceKey('IPPool', 'again'))]).toMatchObject([{disabled: true}, {disabled: true}])
  })
})
