import {describe, expect, test} from '@jest/globals'
import {newDriver, type Parts} from '../../../src/lib/libnetwork/driver.js'
import {newRepeatCheck} from '../../../src/lib/libnetwork/pool-repeats.js'
import type {Scope} from '../../../src/lib/libnetwork/protocol.js'
import {parseAddress, type Address} from '../../../src/lib/net/index.js'
import {fakeParts, listedLog} from '../../support/driver-parts.js'

const NETWORK = 'a4d2'.repeat(16)
const ENDPOINT = '0d69a0124353'.padEnd(64, '0')
const IDS = {NetworkID: NETWORK, EndpointID: ENDPOINT}

const addresses = (...texts: string[]): Address[] => texts.flatMap((text) => parseAddress(text) ?? [])

function newTable(changes: Partial<Parts> = {}, scope: Scope = 'local') {
  const parts = fakeParts(changes)
  const log = listedLog()
  const driver = newDriver(parts, {scope, log})
  const job = (name: string, body: unknown) => {
    const found = driver[name]
    if (!found) throw new Error(`no ${name}`)
    return found(body)
  }
  return {parts, log, job, call: async (name: string, body: unknown) => job(name, body).run()}
}

describe('answers that need nothing', () => {
  test.each([
    ['NetworkDriver.GetCapabilities', {Scope: 'local'}],
    ['NetworkDriver.EndpointOperInfo', {Value: {}}],
    ['NetworkDriver.ProgramExternalConnectivity', {}],
    ['NetworkDriver.RevokeExternalConnectivity', {}],
    ['NetworkDriver.AllocateNetwork', {}],
    ['NetworkDriver.FreeNetwork', {}],
    ['NetworkDriver.DiscoverNew', {}],
    ['NetworkDriver.DiscoverDelete', {}],
    ['IpamDriver.GetCapabilities', {RequiresMACAddress: false}],
    ['IpamDriver.GetDefaultAddressSpaces', {LocalDefaultAddressSpace: 'CalicoLocalAddressSpace', GlobalDefaultAddressSpace: 'CalicoGlobalAddressSpace'}],
  ])('%s', async (name, reply) => {
    const {call, parts, job} = newTable()
    expect(await call(name, {})).toEqual(reply)
    expect(job(name, {}).onHost).toBe(true)
    expect(parts.calls).toEqual([])
  })

  test('the scope is a setting', async () => expect(await newTable({}, 'global').call('NetworkDriver.GetCapabilities', {})).toEqual({Scope: 'global'}))

  test('ReleasePool', async () => expect(await newTable().call('IpamDriver.ReleasePool', {PoolID: 'CalicoPoolIPv4'})).toEqual({}))
})

test('what an endpoint is asked for and does not get is told', async () => {
  const {call, log} = newTable()
  expect(await call('NetworkDriver.CreateEndpoint', {...IDS, Interface: {Address: '192.168.0.1/32'}, Options: {'com.docker.network.portmap': [{Port: 80}]}})).toEqual({Interface: {MacAddress: 'EE:EE:EE:EE:EE:EE'}})
  expect(log.lines).toEqual([expect.stringMatching(/^warn endpoint 0d69a0124353: Docker publishes no ports/)])
})

test('the interface is called as a setting says', async () => {
  const parts = fakeParts()
  const join = newDriver(parts, {scope: 'local', log: listedLog(), interfacePrefix: 'eth'})['NetworkDriver.Join']
  expect(await join?.(IDS).run()).toMatchObject({InterfaceName: {SrcName: 'tmp0d69a012435', DstPrefix: 'eth'}})
})

describe('networks', () => {
  test('CreateNetwork and DeleteNetwork of one network are done one after another', async () => {
    const {call, job, parts} = newTable()
    const create = {NetworkID: NETWORK, Options: {}, IPv4Data: null, IPv6Data: null}
    expect(await call('NetworkDriver.CreateNetwork', create)).toEqual({})
    expect(await call('NetworkDriver.DeleteNetwork', {NetworkID: NETWORK})).toEqual({})
    expect(parts.calls).toEqual([`createNetwork ${JSON.stringify(create)}`, `removeNetwork "${NETWORK}"`])
    expect(job('NetworkDriver.CreateNetwork', create).key).toBe(job('NetworkDriver.DeleteNetwork', {NetworkID: NETWORK}).key)
  })
})

describe('a network made too late', () => {
  test.each([[true, [`removeNetwork "${NETWORK}"`]], [false, []]])('new: %p', async (created, calls) => {
    const {job, parts} = newTable({createNetwork: () => Promise.resolve({created})})
    const late = job('NetworkDriver.CreateNetwork', {NetworkID: NETWORK, Options: {}, IPv4Data: null, IPv6Data: null})
    await late.run()
    await late.undo?.()
    expect(parts.calls.slice(1)).toEqual(calls)
  })
})

describe('IPAM', () => {
  test('a Docker that asks for any IPv6 pool without end gets an error; one that names the pool, or asks slowly, does not', async () => {
    const {call} = newTable()
    const any = () => call('IpamDriver.RequestPool', {Pool: '', SubPool: '', Options: {}, V6: true})
    for (let i = 0; i < 50; i++) {
      await any()
      await call('IpamDriver.RequestPool', {Pool: 'fd80::/64', SubPool: '', Options: {}, V6: true})
      await call('IpamDriver.RequestPool', {Pool: '', SubPool: '', Options: {}, V6: false})
    }
    await expect(any()).rejects.toMatchObject({kind: 'refused', hint: expect.stringContaining('--subnet') as unknown})
    await expect(any()).resolves.toBeDefined()
    let time = 0
    const check = newRepeatCheck(() => (time += 41))
    expect(() => {
      for (let i = 0; i < 1_000; i++) check()
    }).not.toThrow()
  })

  test('RequestPool and RequestAddress pass on what Docker says', async () => {
    const {call, parts} = newTable()
    await call('IpamDriver.RequestPool', {Pool: '192.168.0.0/16', SubPool: '', Options: {}, V6: false})
    expect(await call('IpamDriver.RequestAddress', {PoolID: 'CalicoPoolIPv4', Address: '', Options: null})).toEqual({Address: '192.168.0.1/32', Data: {}})
    expect(parts.calls).toEqual([
      'requestPool {"pool":"192.168.0.0/16","subPool":"","options":{},"v6":false}',
      'requestAddress {"poolId":"CalicoPoolIPv4","address":"","options":null}',
    ])
  })

  test('an address that came too late is released', async () => {
    const {job, parts} = newTable()
    const late = job('IpamDriver.RequestAddress', {PoolID: 'P', Address: '', Options: null})
    await late.run()
    await late.undo?.()
    expect(parts.calls.at(-1)).toBe('releaseAddress {"poolId":"P","address":"192.168.0.1"}')
  })

  test.each([
    ['released', []],
    ['free', []],
    ['foreign', ['warn The address 10.0.0.1 was not released: Calico did not assign it to Docker on this node']],
    ['in-use', ['warn The address 10.0.0.1 was not released: an endpoint uses it']],
  ] as const)('ReleaseAddress: %s', async (outcome, lines) => {
    const {call, log} = newTable({releaseAddress: () => Promise.resolve(outcome)})
    expect(await call('IpamDriver.ReleaseAddress', {PoolID: 'P', Address: '10.0.0.1'})).toEqual({})
    expect(log.lines).toEqual(lines)
  })
})

describe('CreateEndpoint', () => {
  const request = {...IDS, Interface: {Address: '192.168.0.1/32', AddressIPv6: '', MacAddress: ''}, Options: {}}

  test('gives the MAC, since Docker has none', async () => {
    const {call, parts} = newTable()
    expect(await call('NetworkDriver.CreateEndpoint', request)).toEqual({Interface: {MacAddress: 'EE:EE:EE:EE:EE:EE'}})
    expect(parts.calls).toEqual([
      `findNetwork "${NETWORK}"`,
      `createEndpoint {"endpointId":"${ENDPOINT}","networkId":"${NETWORK}","profile":"databases","addresses":[{"family":4,"value":"c0a80001"}],"fromCalico":true,"mac":"ee:ee:ee:ee:ee:ee"}`,
    ])
  })

  test('keeps the user\'s MAC, and gives none back', async () => {
    const {call, parts} = newTable()
    expect(await call('NetworkDriver.CreateEndpoint', {...request, Interface: {...request.Interface, MacAddress: '02:11:22:33:44:AB'}})).toEqual({Interface: {}})
    expect(parts.calls.at(-1)).toContain('"mac":"02:11:22:33:44:ab"')
  })

  test('both families; the prefix length of Docker\'s own IPAM does not matter', async () => {
    const {call, parts} = newTable({findNetwork: (id) => Promise.resolve({id, profile: 'x', fromCalico: false, labels: false})})
    await call('NetworkDriver.CreateEndpoint', {...request, Interface: {Address: '192.168.40.2/24', AddressIPv6: 'fd00::2/64', MacAddress: ''}})
    expect(parts.calls.at(-1)).toContain('"addresses":[{"family":4,"value":"c0a82802"},{"family":6,"value":"fd000000000000000000000000000002"}],"fromCalico":false')
  })

  test('no address, or none that is one', async () => {
    const {call, parts} = newTable()
    await expect(call('NetworkDriver.CreateEndpoint', {...request, Interface: {}})).rejects.toMatchObject({kind: 'invalid', message: 'No address assigned for endpoint'})
    await expect(call('NetworkDriver.CreateEndpoint', {...request, Interface: {Address: 'x'}})).rejects.toMatchObject({kind: 'invalid', message: 'Docker sent \'x\' as an address'})
    expect(parts.calls).toEqual([])
  })

  test('what came into being with it is told', async () => {
    const {call, log} = newTable({createEndpoint: () => Promise.resolve({created: true, createdProfile: true, createdNode: true})})
    await call('NetworkDriver.CreateEndpoint', request)
    expect(log.lines).toEqual(['info Created the Node of this host, because calico-node had not created it', 'info Created the profile databases'])
  })

  test.each([[true, 1], [false, 0]])('done too late and new: %p; removed: %i', async (created, count) => {
    const {job, parts} = newTable({createEndpoint: () => Promise.resolve({created, createdProfile: false, createdNode: false})})
    const late = job('NetworkDriver.CreateEndpoint', request)
    await late.run()
    await late.undo?.()
    expect(parts.calls.filter((call) => call === `removeEndpoint "${ENDPOINT}"`)).toHaveLength(count)
  })
})

describe('Join', () => {
  const InterfaceName = {SrcName: 'tmp0d69a012435', DstPrefix: 'cali'}

  test('with Calico\'s IPAM', async () => {
    const {call, parts} = newTable()
    expect(await call('NetworkDriver.Join', {...IDS, SandboxKey: '/x', Options: {}})).toEqual({
      InterfaceName,
      Gateway: '169.254.1.1',
      StaticRoutes: [{Destination: '169.254.1.1/32', RouteType: 1, NextHop: ''}],
    })
    expect(parts.calls.slice(2)).toEqual([
      `refuseConnected {"endpointId":"${ENDPOINT}","sandbox":"/x"}`,
      `makeLink {"endpointId":"${ENDPOINT}","mac":"ee:ee:ee:ee:ee:ee","ipv6":false}`,
      `describeLater {"endpointId":"${ENDPOINT}","networkId":"${NETWORK}","labels":false}`,
    ])
  })

  test('with IPv6: by the link-local address of the host end', async () => {
    const {call, parts} = newTable({
      findEndpoint: () => Promise.resolve({mac: '02:11:22:33:44:55', addresses: addresses('192.168.0.1', 'fd80::1')}),
      findNetwork: (id) => Promise.resolve({id, profile: 'x', fromCalico: true, labels: true, mtu: 1400}),
      makeLink: () => Promise.resolve({srcName: InterfaceName.SrcName, linkLocal: 'fe80::a00:1'}),
    })
    expect(await call('NetworkDriver.Join', IDS)).toEqual({
      InterfaceName,
      Gateway: '169.254.1.1',
      GatewayIPv6: 'fe80::a00:1',
      StaticRoutes: [{Destination: '169.254.1.1/32', RouteType: 1, NextHop: ''}, {Destination: 'fe80::a00:1/128', RouteType: 1, NextHop: ''}],
    })
    expect(parts.calls.slice(2)).toEqual([
      `refuseConnected {"endpointId":"${ENDPOINT}","sandbox":""}`,
      `makeLink {"endpointId":"${ENDPOINT}","mac":"02:11:22:33:44:55","ipv6":true,"mtu":1400}`,
      `describeLater {"endpointId":"${ENDPOINT}","networkId":"${NETWORK}","labels":true}`,
    ])
  })

  test('with Docker\'s own IPAM: no gateways, and no link-local address is waited for', async () => {
    const {call, parts} = newTable({
      findEndpoint: () => Promise.resolve({mac: 'ee:ee:ee:ee:ee:ee', addresses: addresses('192.168.40.2', 'fd00::2')}),
      findNetwork: (id) => Promise.resolve({id, profile: 'x', fromCalico: false, labels: false}),
    })
    expect(await call('NetworkDriver.Join', IDS)).toEqual({InterfaceName, Gateway: '', GatewayIPv6: ''})
    expect(parts.calls[2]).toContain('"ipv6":false')
  })

  test('of an endpoint that is not there', async () => {
    const {call, parts} = newTable({findEndpoint: () => Promise.resolve(undefined)})
    await expect(call('NetworkDriver.Join', IDS)).rejects.toMatchObject({kind: 'not-found', message: expect.stringContaining('0d69a0124353') as unknown})
    expect(parts.calls.some((call) => call.startsWith('makeLink'))).toBe(false)
  })

  test('done too late, it takes the interfaces back', async () => {
    const {job, parts} = newTable()
    const late = job('NetworkDriver.Join', IDS)
    await late.run()
    await late.undo?.()
    expect(parts.calls.at(-1)).toBe(`removeLink "${ENDPOINT}"`)
  })
})

describe('Leave and DeleteEndpoint', () => {
  test('Leave removes the interface; that it cannot is only told, and it asks no datastore', async () => {
    const {call, log, job} = newTable({removeLink: () => Promise.reject(new Error('busy'))})
    expect(await call('NetworkDriver.Leave', IDS)).toEqual({})
    expect(log.lines).toEqual(['warn The interface of endpoint 0d69a0124353 was not removed: busy'])
    expect(job('NetworkDriver.Leave', IDS).onHost).toBe(true)
  })

  test('DeleteEndpoint removes what is left of the interface, too; one that is not there is deleted', async () => {
    const {call, parts, log} = newTable({deleteEndpoint: () => Promise.resolve(false)})
    expect(await call('NetworkDriver.DeleteEndpoint', IDS)).toEqual({})
    expect(parts.calls).toEqual([`removeLink "${ENDPOINT}"`, `deleteEndpoint "${ENDPOINT}"`])
    expect(log.lines).toEqual(['debug endpoint 0d69a0124353 did not exist when it was to be deleted'])
  })

  test('all calls for one endpoint have one key', () => {
    const {job} = newTable()
    const keys = ['CreateEndpoint', 'Join', 'Leave', 'DeleteEndpoint'].map((name) => job(`NetworkDriver.${name}`, {...IDS, Interface: {}}).key)
    expect(new Set(keys)).toEqual(new Set([`endpoint ${ENDPOINT}`]))
  })
})
