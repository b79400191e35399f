/** `node show` as a process, on a real etcd: v0.20's table, the Node objects in the other formats, and stores that are not as they should be. */
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import type {Result} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {calicoctl} from '../support/warm.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org'

let etcd: TestEtcd
beforeAll(async () => {
  etcd = await startEtcd()
})
afterAll(() => etcd.stop())
beforeEach(async () => {
  await etcd.ctl('del', '--prefix', '/')
  await out('profile add web') // makes it a Calico datastore
})

const run = (line: string): Promise<Result> => calicoctl(line.split(' '), {env: {ETCD_ENDPOINTS: etcd.endpoints.join(','), NODENAME: 'host-1'}})

async function out(line: string): Promise<string> {
  const {code, stdout, stderr} = await run(line)
  expect({line, code, stderr: code === 0 ? '' : stderr}).toEqual({line, code: 0, stderr: ''})
  return stdout
}

const node = (name: string, spec: object): Promise<string> =>
  etcd.ctl('put', `${RESOURCES}/nodes/${name}`, JSON.stringify({kind: 'Node', apiVersion: 'projectcalico.org/v3', metadata: {name, uid: 'c2d7a1de-0000-4000-8000-000000000000', creationTimestamp: '2026-11-21T09:00:00Z'}, spec, status: {}}))
const lines = (...rows: string[]): string => `${rows.join('\n')}\n`

describe('the table', () => {
  test('no nodes: an empty one, and a blank line', async () => {
    expect(await out('node show')).toBe(
      lines(
        '+----------+-----------+-----------+--------+--------------+--------------+',
        '| Hostname | Bird IPv4 | Bird IPv6 | AS Num | BGP Peers v4 | BGP Peers v6 |',
        '+----------+-----------+-----------+--------+--------------+--------------+',
        '+----------+-----------+-----------+--------+--------------+--------------+',
        '',
      ),
    )
  })
  test('addresses without prefixes, AS numbers, peers in numeric order, nodes by name', async () => {
    await node('host-2', {})
    await node('host-1', {bgp: {asNumber: 64600, ipv4Address: '172.17.8.101/24', ipv6Address: 'fd00::1/64'}})
    await out('node bgp peer add 10.0.0.1 as 64513')
    await out('node bgp peer add 9.0.0.1 as 64514')
    await out('node bgp peer add fd00::9 as 64515')
    await out('bgp peer add 192.0.2.1 as 64516')
    expect(await out('node show')).toBe(
      lines(
        '+----------+--------------+-----------+-------------------+-------------------+------------------+',
        '| Hostname |  Bird IPv4   | Bird IPv6 |       AS Num      |    BGP Peers v4   |   BGP Peers v6   |',
        '+----------+--------------+-----------+-------------------+-------------------+------------------+',
        '|  host-1  | 172.17.8.101 |  fd00::1  |       64600       |  9.0.0.1 as 64514 | fd00::9 as 64515 |',
        '|          |              |           |                   | 10.0.0.1 as 64513 |                  |',
        '|  host-2  |              |           | 64512 (inherited) |                   |                  |',
        '+----------+--------------+-----------+-------------------+-------------------+------------------+',
        '',
      ),
    )
    expect(await out('node show -o name')).toBe('host-1\nhost-2\n')
  })
  test('the cluster\'s own default AS', async () => {
    await node('host-1', {bgp: {ipv4Address: '10.0.0.1'}})
    await out('bgp default-node-as 65000')
    expect(await out('node show -o plain')).toBe('host-1\t10.0.0.1\t\t65000 (inherited)\t\t\t\t\n')
  })
  test('peers for a node that does not exist show it, as in v0.20', async () => {
    await etcd.ctl('put', `${RESOURCES}/bgppeers/rack9`, JSON.stringify({kind: 'BGPPeer', apiVersion: 'projectcalico.org/v3', metadata: {name: 'rack9'}, spec: {node: 'rack9', peerIP: '192.0.2.1', asNumber: 64513}}))
    const {code, stdout, stderr} = await run('node show')
    expect(code).toBe(0)
    expect(stdout).toContain('|  rack9   |           |           | 64512 (inherited) | 192.0.2.1 as 64513 |')
    expect(stderr).toBe('There are BGP peers for nodes that do not exist: rack9.\n')
  })
  test('peers on a port, and those that a selector chooses', async () => {
    await node('host-1', {})
    const peer = (name: string, spec: object): Promise<string> => etcd.ctl('put', `${RESOURCES}/bgppeers/${name}`, JSON.stringify({kind: 'BGPPeer', apiVersion: 'projectcalico.org/v3', metadata: {name}, spec}))
    await peer('on-a-port', {node: 'host-1', peerIP: '10.201.0.9:1790', asNumber: 64513})
    await peer('chosen', {node: 'host-1', peerSelector: 'has(rr)'})
    const {code, stdout, stderr} = await run('node show')
    expect(code).toBe(0)
    expect(stdout).toContain('10.201.0.9:1790 as 64513')
    expect(stderr).toContain('1 more peer is chosen by selectors')
  })
})

describe('the other formats', () => {
  test('json: the objects, as Go\'s calicoctl lists them', async () => {
    await node('host-1', {bgp: {asNumber: 4294967295, ipv4Address: '172.17.8.101/24'}, newField: {kept: 12345678901234567890n.toString()}})
    const list = JSON.parse(await out('node show -o json')) as {items: {metadata: object}[]}
    expect(list).toMatchObject({
      kind: 'NodeList',
      apiVersion: 'projectcalico.org/v3',
      items: [{kind: 'Node', metadata: {name: 'host-1', resourceVersion: expect.stringMatching(/^\d+$/) as unknown}, spec: {bgp: {asNumber: 4294967295, ipv4Address: '172.17.8.101/24'}}}],
    })
    expect(await out('node show --json')).toBe(await out('node show -o json'))
  })
  test('wide: tunnels and route reflectors too', async () => {
    await node('host-1', {bgp: {ipv4Address: '10.0.0.1/24', ipv4IPIPTunnelAddr: '192.168.0.1', routeReflectorClusterID: '1.0.0.1'}, ipv4VXLANTunnelAddr: '192.168.0.2'})
    const wide = await out('node show -o wide')
    expect(wide).toContain('ipip 192.168.0.1')
    expect(wide).toContain('vxlan 192.168.0.2')
    expect(wide).toContain('1.0.0.1')
  })
})

describe('faults', () => {
  test('a value that cannot be read is told and passed over', async () => {
    await node('host-1', {})
    await etcd.ctl('put', `${RESOURCES}/nodes/broken`, '{"kind":')
    const {code, stdout, stderr} = await run('node show -o name')
    expect({code, stdout}).toEqual({code: 0, stdout: 'host-1\n'})
    expect(stderr).toContain('/nodes/broken')
  })
  test('a configuration that cannot be read leaves the default in force', async () => {
    await node('host-1', {})
    await etcd.ctl('put', `${RESOURCES}/bgpconfigurations/default`, '{"kind":')
    const {code, stdout, stderr} = await run('node show')
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringContaining('bgpconfigurations/default') as unknown})
    expect(stdout).toContain('64512 (inherited)')
  })
  test('an address that is none is not shown; text that steers terminals is harmless', async () => {
    await node('host-1', {bgp: {ipv4Address: '\u001b[31m10.0.0.1'}})
    await node('host-2', {bgp: {routeReflectorClusterID: '\u001b[31m'}})
    const {stdout} = await run('node show -o plain')
    expect(stdout).not.toContain('\u001b')
    expect(stdout).toContain('\\x1b[31m')
  })
  test('no datastore: 6', async () => {
    expect(await calicoctl(['node', 'show', '--timeout', '1s'], {env: {ETCD_ENDPOINTS: 'http://127.0.0.1:1'}})).toMatchObject({code: 6, stdout: ''})
  })
})
