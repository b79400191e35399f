import {expect, test} from '@jest/globals'
import {hostOverlaps, networksOf} from '../../../src/lib/host/networks.js'
import {formatCidr} from '../../../src/lib/net/index.js'
import {network} from '../net/parsed.js'

const inet = (local: string, prefixlen: number, scope = 'global') => ({family: local.includes(':') ? 'inet6' : 'inet', local, prefixlen, scope})

const INTERFACES = [
  {ifname: 'lo', addr_info: [inet('127.0.0.1', 8, 'host'), inet('10.99.0.1', 32), inet('::1', 128, 'host')]},
  {ifname: 'eth0', flags: ['UP'], addr_info: [inet('192.0.2.2', 24), inet('fd00::2', 64), inet('fe80::1', 64, 'link')]},
  {ifname: 'docker0', flags: ['NO-CARRIER', 'UP'], addr_info: [inet('172.17.0.1', 16)]},
  {ifname: 'tunl0', flags: ['UP'], addr_info: [inet('10.1.0.1', 32)]},
  {ifname: 'vxlan.calico', flags: ['UP'], addr_info: [inet('10.1.0.2', 32)]},
  {ifname: 'cali0123', flags: ['UP'], addr_info: [inet('10.1.0.3', 32)]},
]

test('the networks of a host: container engines\' too, but neither loopback nor link-local ones, nor what Calico\'s own interfaces have of pools', () => {
  expect(networksOf(INTERFACES).map(({interfaceName, network: own}) => `${interfaceName} ${formatCidr(own)}`)).toEqual(['lo 10.99.0.1/32', 'eth0 192.0.2.0/24', 'docker0 172.17.0.0/16', 'eth0 fd00::/64'])
})

test('a pool overlaps them from within and from around', () => {
  const found = hostOverlaps(['172.17.5.0/24', '192.0.0.0/16', '10.1.0.0/16', 'fd00::/64'].map(network), networksOf(INTERFACES))
  expect(found.map(({pool, interfaceName}) => `${formatCidr(pool)} ${interfaceName}`)).toEqual(['172.17.5.0/24 docker0', '192.0.0.0/16 eth0', 'fd00::/64 eth0'])
})
