import {describe, expect, test} from '@jest/globals'
import {BadRequest, createEndpoint, createNetwork, ofEndpoint, ofNetwork, readRequest, releaseAddress, requestAddress, requestPool} from '../../../src/lib/libnetwork/protocol.js'

const NETWORK = 'a4d2'.repeat(16)
const ENDPOINT = '0d69a0124353'.padEnd(64, '0')

/** What was recorded of Docker 20.10.24 (spec mesos-docker, appendix A). */
describe('recorded requests', () => {
  test('RequestPool', () => {
    const request = {AddressSpace: 'CalicoGlobalAddressSpace', Pool: '', SubPool: '', Options: {}, V6: false}
    expect(readRequest(requestPool, request)).toEqual({Pool: '', SubPool: '', Options: {}, V6: false})
    expect(readRequest(requestPool, {...request, Pool: '192.168.0.0/16', Options: {x: 'y'}})).toMatchObject({Pool: '192.168.0.0/16', Options: {x: 'y'}})
  })

  test('RequestAddress: Options is null for containers', () => {
    expect(readRequest(requestAddress, {PoolID: 'CalicoPoolIPv4', Address: '', Options: null})).toEqual({PoolID: 'CalicoPoolIPv4', Address: '', Options: null})
    const gateway = {PoolID: '192.168.0.0/16', Address: '192.168.0.1', Options: {RequestAddressType: 'com.docker.network.gateway'}}
    expect(readRequest(requestAddress, gateway)).toEqual(gateway)
  })

  test('ReleaseAddress', () => expect(readRequest(releaseAddress, {PoolID: 'CalicoPoolIPv4', Address: '0.0.0.0'})).toEqual({PoolID: 'CalicoPoolIPv4', Address: '0.0.0.0'}))

  test('CreateNetwork with Calico\'s IPAM, with options, with Docker\'s IPAM', () => {
    const calico = {
      NetworkID: NETWORK,
      Options: {'com.docker.network.enable_ipv6': false, 'com.docker.network.generic': {ipip: 'true'}, 'com.docker.network.internal': true},
      IPv4Data: [{AddressSpace: 'CalicoGlobalAddressSpace', Gateway: '0.0.0.0/0', Pool: '0.0.0.0/0'}],
      IPv6Data: [],
    }
    expect(readRequest(createNetwork, calico)).toEqual(calico)
    const docker = {NetworkID: NETWORK, Options: null, IPv4Data: [{AddressSpace: 'LocalDefault', Pool: '192.168.40.0/24', AuxAddresses: {a: '192.168.40.9/24'}}], IPv6Data: null}
    expect(readRequest(createNetwork, docker)).toEqual({...docker, IPv4Data: [{AddressSpace: 'LocalDefault', Gateway: '', Pool: '192.168.40.0/24', AuxAddresses: {a: '192.168.40.9/24'}}]})
  })

  test('CreateEndpoint', () => {
    const request = {
      NetworkID: NETWORK,
      EndpointID: ENDPOINT,
      Interface: {Address: '192.168.77.10/32', AddressIPv6: '', MacAddress: '02:11:22:33:44:55'},
      Options: {'com.docker.network.endpoint.exposedports': [], 'com.docker.network.portmap': [], 'com.docker.network.endpoint.macaddress': 'AhEiM0RV'},
    }
    expect(readRequest(createEndpoint, request)).toEqual(request)
  })

  test('CreateEndpoint without an interface, as Go writes it: no address', () => {
    expect(readRequest(createEndpoint, {NetworkID: NETWORK, EndpointID: ENDPOINT, Interface: null, Options: null})).toMatchObject({Interface: {Address: '', AddressIPv6: '', MacAddress: ''}})
  })

  test('Join, with members that are not looked at', () => {
    expect(readRequest(ofEndpoint, {NetworkID: NETWORK, EndpointID: ENDPOINT, SandboxKey: '/var/run/docker/netns/c1001b6dddfb', Options: {}, New: 1})).toEqual({NetworkID: NETWORK, EndpointID: ENDPOINT})
  })

  test('the id of a network of a swarm', () => expect(readRequest(ofNetwork, {NetworkID: 'k3v9zj1o2p4x5c6v7b8n9m0qw'})).toEqual({NetworkID: 'k3v9zj1o2p4x5c6v7b8n9m0qw'}))
})

describe('bad requests name the member', () => {
  test.each([
    [createEndpoint, {NetworkID: NETWORK, EndpointID: ENDPOINT}, 'Interface is missing'],
    [createEndpoint, {NetworkID: NETWORK, EndpointID: ENDPOINT, Interface: {Address: 7}}, 'Interface.Address: '],
    [ofEndpoint, {}, 'NetworkID is missing; EndpointID is missing'],
    [ofEndpoint, {NetworkID: NETWORK, EndpointID: '../../etc/passwd'}, 'EndpointID is not the id of an endpoint (64 hex digits)'],
    [ofNetwork, {NetworkID: '../x'}, 'NetworkID is not the id of a network'],
    [requestPool, {Pool: ''}, 'V6 is missing'],
    [requestAddress, {Address: ''}, 'PoolID is missing'],
    [createNetwork, {NetworkID: NETWORK, Options: {}, IPv4Data: [{Pool: 1}], IPv6Data: []}, 'IPv4Data.0.Pool: '],
    [ofNetwork, [], 'the request is not a JSON object'],
    [ofNetwork, null, 'the request is not a JSON object'],
    [ofNetwork, 'text', 'the request is not a JSON object'],
  ])('%#', (schema, body, text) => {
    expect(() => readRequest<unknown>(schema, body)).toThrow(BadRequest)
    expect(() => readRequest<unknown>(schema, body)).toThrow(text)
  })
})
