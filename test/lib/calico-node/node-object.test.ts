import {describe, expect, test} from '@jest/globals'
import {defaultNetworks} from '../../../src/lib/calico-node/default-pools.js'
import {withWanted, type WantedNode} from '../../../src/lib/calico-node/node-object.js'
import type {Node} from '../../../src/lib/model/types.js'
import {type Address, formatCidr, parseAddress} from '../../../src/lib/net/index.js'

function address(text: string): Address {
  const parsed = parseAddress(text)
  if (!parsed) throw new Error(text)
  return parsed
}

const stored: Node = {
  kind: 'Node', apiVersion: 'projectcalico.org/v3', metadata: {name: 'h', labels: {rack: 'r1'}},
  spec: {bgp: {ipv4Address: '192.0.2.9/24', ipv6Address: 'fd00::9/64', asNumber: 64600, ipv4IPIPTunnelAddr: '192.168.0.0'}, ipv4VXLANTunnelAddr: '192.168.0.1'},
}
const wanted = (more: Partial<WantedNode>): WantedNode => ({name: 'h', ipv4: undefined, ipv6: undefined, asNumber: undefined, networking: true, isLocal: () => true, ownName: true, ...more})
const ipv4 = {address: address('192.0.2.2'), prefix: 24}

describe('the Node', () => {
  test('new', () => expect(withWanted(undefined, wanted({ipv4, asNumber: 64601})).spec).toEqual({bgp: {asNumber: 64601, ipv4Address: '192.0.2.2/24'}}))
  test('what is not given is cleared; what others wrote stays', () => {
    expect(withWanted(stored, wanted({ipv4}))).toEqual({...stored, spec: {bgp: {ipv4IPIPTunnelAddr: '192.168.0.0', ipv4Address: '192.0.2.2/24'}, ipv4VXLANTunnelAddr: '192.168.0.1'}})
  })
  test('policy only: no BGP section is made, stored addresses stay', () => {
    expect(withWanted(undefined, wanted({networking: false})).spec).toEqual({})
    expect(withWanted(stored, wanted({networking: false})).spec.bgp).toEqual({ipv4IPIPTunnelAddr: '192.168.0.0', ipv4Address: '192.0.2.9/24', ipv6Address: 'fd00::9/64'})
  })
})

describe('default pools', () => {
  const networks = (taken: string[]): string[] => defaultNetworks([4, 6], taken.map(address)).map(formatCidr)
  test('v0.20\'s', () => expect(networks(['192.0.2.2'])).toEqual(['192.168.0.0/16', 'fd80:24e2:f998:72d6::/64']))
  test('never around the host\'s own address', () => {
    expect(networks(['192.168.5.5', 'fd80:24e2:f998:72d6::5'])).toEqual(['172.16.0.0/16'])
    expect(networks(['192.168.5.5', '172.16.0.1'])).toEqual(['172.17.0.0/16', 'fd80:24e2:f998:72d6::/64'])
  })
})
