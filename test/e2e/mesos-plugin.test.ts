/** Addresses of the Mesos plugin: allocate, reserve and release, with a real etcd. */
import {existsSync} from 'node:fs'
import {describe, expect, test} from '@jest/globals'
import {listResources} from '../../src/lib/client/resources.js'
import type {Node} from '../../src/lib/model/types.js'
import {allAssigned, unsound} from '../support/ipam.js'
import {failure, mesosPlugin, NODE, parsed, SUCCESS} from '../support/mesos-plugin.js'
import {type Label, plugin} from '../support/net-modules.js'
import {calicoctl} from '../support/warm.js'

const world = mesosPlugin()
const {options, pool, call, allocation, reservation, allocated, assignmentOf, expectNothingLeft} = world

describe('addresses', () => {
  test('the line of the guide: an address, its handle is the uid, the Node of this host is made', async () => {
    await pool()
    const result = await plugin('{"command":"allocate","args":{"hostname":"agent1","num_ipv4":1,"num_ipv6":0,"uid":"u1","netgroups":["my-group-1"]}}', options())
    const {error, ipv4, ipv6} = parsed(result)
    expect([result.code, error, ipv4.length, ipv6]).toEqual([0, null, 1, []])
    expect(await assignmentOf(ipv4[0] ?? '')).toMatchObject({handle: 'u1', attributes: {node: NODE, type: 'mesos', requestedAt: expect.stringMatching(/^\d{4}-.*Z$/)}})
    const nodes: string[] = []
    for await (const {resource} of listResources<Node>(world.session, 'Node')) nodes.push(resource.metadata.name)
    expect(nodes).toEqual([NODE])
    expect(await unsound(world.store)).toEqual([])
  })

  test('several, of both families', async () => {
    await pool()
    await pool('fd00:1::/64', 'pool6')
    const {ipv4, ipv6} = parsed(await allocation('u', {num_ipv4: 3, num_ipv6: 2}))
    expect([new Set(ipv4).size, new Set(ipv6).size]).toEqual([3, 2])
  })

  test('static ones by label come behind those that were chosen', async () => {
    await pool()
    const labels: Label[] = [{key: 'ipv4_addrs', value: "['192.168.3.1']"}]
    expect(await allocated('u', {labels})).toEqual(['192.168.3.1'])
    const three = await allocated('v', {labels: [{key: 'ipv4_addrs', value: "['192.168.3.2', '192.168.3.3']"}], num_ipv4: 3})
    expect(three.slice(1)).toEqual(['192.168.3.2', '192.168.3.3'])
    expect(await allocation('w', {labels: [{key: 'ipv4_addrs', value: "['192.168.3.4', '192.168.3.1']"}], num_ipv4: 3})).toMatchObject(failure("IP '192.168.3.1' already in use."))
    expect((await allAssigned(world.store)).sort()).toEqual([...['192.168.3.1'], ...three].sort())
  })

  test('no pool, an exhausted one, a family without one: a reason, and nothing stays assigned', async () => {
    expect(parsed(await allocation('u')).error).toMatch(/pool/)
    await pool('10.9.0.0/30', 'small', {blockSize: 30})
    expect(await allocated('u', {num_ipv4: 6})).toHaveLength(4)
    expect(parsed(await allocation('v')).error).toMatch(/no address is free in pool 10\.9\.0\.0\/30/)
    await call('release', {uid: 'u'})
    expect(parsed(await allocation('w', {num_ipv6: 1})).error).toMatch(/pool/)
    expect(parsed(await allocation('x', {labels: [{key: 'ipv4_addrs', value: "['10.9.0.1']"}], num_ipv4: 1, num_ipv6: 1})).error).toMatch(/pool/)
    await expectNothingLeft()
  })

  test('reserve: all or none', async () => {
    await pool()
    expect(await reservation('u', '192.168.0.5', '192.168.9.9')).toMatchObject(SUCCESS)
    expect(await reservation('v', '192.168.0.6', '192.168.20.1', '192.168.9.9')).toMatchObject(failure("IP '192.168.9.9' already in use."))
    expect(await reservation('v', '192.168.0.6', '10.0.0.1')).toMatchObject(failure('10.0.0.1 is not in an enabled pool. To see the pools: calicoctl pool show'))
    expect((await allAssigned(world.store)).sort()).toEqual(['192.168.0.5', '192.168.9.9'])
    expect(await unsound(world.store)).toEqual([])
  })

  test('of ten that want one address, one gets it', async () => {
    await pool()
    const all = await Promise.all(Array.from({length: 10}, (_, i) => reservation(`u${i}`, '192.168.0.5', `192.168.1.${i}`)))
    expect(all.filter(({code}) => code === 0)).toHaveLength(1)
    for (const {code, stdout} of all) if (code !== 0) expect(JSON.parse(stdout)).toEqual({error: "IP '192.168.0.5' already in use."})
    expect(await allAssigned(world.store)).toHaveLength(2)
  })

  test('release by address: free, foreign and unknown ones do not matter', async () => {
    await pool()
    await reservation('u', '192.168.0.5', '192.168.0.6')
    await calicoctl(['ipam', 'assign', '192.168.0.7'], options())
    await plugin({command: 'reserve', args: {hostname: 'h', ipv4_addrs: ['192.168.0.8'], uid: 'other'}}, options({CALICO_NODENAME: 'another-agent'}))
    expect(await call('release', {ips: ['192.168.0.5', '192.168.0.7', '192.168.0.8', '192.168.0.9', '10.1.2.3', 'fd00::1', '192.168.0.5']})).toMatchObject(SUCCESS)
    const own = existsSync('/var/lib/calico/nodename') ? [] : ['192.168.0.8']
    expect((await allAssigned(world.store)).sort()).toEqual(['192.168.0.6', '192.168.0.7', ...own])
    expect(await unsound(world.store)).toEqual([])
  })

  test('release by uid; an unknown one is released already; a handle that is not a task\'s is left alone', async () => {
    await pool()
    await reservation('u', '192.168.0.5', '192.168.4.6')
    await calicoctl(['ipam', 'assign', '192.168.0.7', '--handle', 'vm'], options())
    expect(await call('release', {uid: 'u'})).toMatchObject(SUCCESS)
    expect(await call('release', {uid: 'u'})).toMatchObject(SUCCESS)
    expect(await call('release', {uid: 'vm'})).toMatchObject(SUCCESS)
    expect(await allAssigned(world.store)).toEqual(['192.168.0.7'])
  })
})
