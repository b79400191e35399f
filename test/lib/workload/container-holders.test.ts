import {expect, test} from '@jest/globals'
import {formatAddress} from '../../../src/lib/net/index.js'
import {hostRouteAddresses} from '../../../src/lib/workload/container-holders.js'

test('only addresses for one host are taken for Calico\'s: not those of Docker\'s own networks, of the loopback or of the link', () => {
  const interfaces = [
    {addr_info: [{local: '127.0.0.1', prefixlen: 8, scope: 'host'}, {local: '::1', prefixlen: 128, scope: 'host'}]},
    {addr_info: [{local: '172.17.0.2', prefixlen: 16, scope: 'global'}]},
    {addr_info: [{local: '192.168.0.5', prefixlen: 32, scope: 'global'}, {local: 'fd80::5', prefixlen: 128, scope: 'global'}, {local: 'fe80::1', prefixlen: 64, scope: 'link'}]},
    {addr_info: [{local: 'fd80::6', prefixlen: 32, scope: 'global'}, {prefixlen: 32, scope: 'global'}]},
    {},
  ]
  expect(hostRouteAddresses(interfaces).map(formatAddress)).toEqual(['192.168.0.5', 'fd80::5'])
})
