/** The BGP commands as a script meets them: exit code, both streams, and what is in etcd. */
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
beforeEach(() => etcd.ctl('del', '--prefix', '/'))

const run = (line: string, env: Record<string, string> = {}): Promise<Result> =>
  calicoctl(line.split(' '), {env: {ETCD_ENDPOINTS: etcd.endpoints.join(','), NODENAME: 'host-1', ...env}})

/** Runs LINE, expects it to end in 0, and gives its stdout. */
async function out(line: string, env?: Record<string, string>): Promise<string> {
  const {code, stdout, stderr} = await run(line, env)
  expect({line, code, stderr: code === 0 ? '' : stderr}).toEqual({line, code: 0, stderr: ''})
  return stdout
}

const keys = async (): Promise<string[]> => (await etcd.ctl('get', '--prefix', `${RESOURCES}/bgp`, '--keys-only')).split('\n').filter((key) => key !== '')

async function spec(key: string): Promise<unknown> {
  return (JSON.parse(await etcd.ctl('get', `${RESOURCES}/${key}`, '--print-value-only')) as {spec: unknown}).spec
}

describe('bgp peer', () => {
  test('add is silent, replaces the AS number, and takes a dotted one', async () => {
    expect(await out('bgp peer add 192.0.2.1 as 64513')).toBe('')
    expect(await out('bgp peer add 192.0.2.1 as 1.10')).toBe('')
    expect(await out('bgp peer add fd00:0::1 as 64513')).toBe('')
    expect(await keys()).toEqual([`${RESOURCES}/bgppeers/192-0-2-1`, `${RESOURCES}/bgppeers/fd00-0000-0000-0000-0000-0000-0000-0001`])
    expect(await spec('bgppeers/192-0-2-1')).toEqual({peerIP: '192.0.2.1', asNumber: 65546})
    expect(await spec('bgppeers/fd00-0000-0000-0000-0000-0000-0000-0001')).toEqual({peerIP: 'fd00::1', asNumber: 64513})
  })

  test('the same again says unchanged on stderr', async () => {
    await run('bgp peer add 192.0.2.1 as 64513')
    expect(await run('bgp peer add 192.0.2.1 as 64513')).toMatchObject({code: 0, stdout: '', stderr: 'bgppeer/192-0-2-1 unchanged\n'})
    expect(await run('bgp peer add 192.0.2.1 as 64513 -q')).toMatchObject({code: 0, stdout: '', stderr: ''})
    expect(await run('bgp peer add 192.0.2.1 as 64514')).toMatchObject({code: 0, stdout: '', stderr: 'bgppeer/192-0-2-1 updated (AS 64514, was 64513)\n'})
  })

  test('show: v0.20\'s tables, sorted as numbers', async () => {
    expect(await out('bgp peer show')).toBe('No global IPv4 BGP Peers defined.\n\nNo global IPv6 BGP Peers defined.\n\n')
    await run('bgp peer add 10.0.0.1 as 64513')
    await run('bgp peer add 9.0.0.1 as 1')
    expect(await out('bgp peer show --ipv4')).toBe(
      [
        '+----------------------+--------+',
        '| Global IPv4 BGP Peer | AS Num |',
        '+----------------------+--------+',
        '| 9.0.0.1              | 1      |',
        '| 10.0.0.1             | 64513  |',
        '+----------------------+--------+',
        '',
      ].join('\n'),
    )
    expect(await out('bgp peer show --ipv6')).toBe('No global IPv6 BGP Peers defined.\n\n')
    expect(await out('bgp peer show -o name')).toBe('9.0.0.1\n10.0.0.1\n')
  })

  test('remove, and what is not there', async () => {
    await run('bgp peer add 192.0.2.1 as 64513')
    expect(await out('bgp peer remove 192.0.2.1')).toBe('BGP peer removed from global configuration\n')
    expect(await keys()).toEqual([])
    const {code, stdout, stderr} = await run('bgp peer remove 192.0.2.1')
    expect({code, stdout}).toEqual({code: 4, stdout: ''})
    expect(stderr).toContain('192.0.2.1 is not a globally configured peer.')
    expect(stderr).not.toContain('Usage:')
  })

  test.each([
    ['bgp peer add 300.0.0.1 as 1', ['300.0.0.1']],
    ['bgp peer add 192.0.2.1 as 0', ['\'0\'']],
    ['bgp peer add 192.0.2.1 as 4294967296', ['4294967296']],
    ['bgp peer add fe80::1%eth0 as 1.65536', ['fe80::1%eth0', '1.65536']],
    ['bgp peer add 1 as 64513', ['\'1\' is not written in full: v0.20 read it as 0.0.0.1; if you mean that, write 0.0.0.1.']],
    ['bgp peer add 224.0.0.5 as 0', ['224.0.0.5 cannot be a BGP peer: it is a multicast address.', '\'0\'']],
    ['bgp peer add 0.0.0.1 as 1', ['0.0.0.1 cannot be a BGP peer']],
    ['node bgp peer add ff02::5 as 1', ['ff02::5 cannot be a BGP peer: it is a multicast address.']],
    ['bgp peer add fe80::1 as 64513', ['fe80::1 cannot be a BGP peer: it is a link-local address, for which BIRD needs an interface that Calico does not configure.']],
    ['node bgp peer remove 10.1', ['write 10.0.0.1']],
    ['bgp peer remove nonsense', ['nonsense']],
  ])('%s: every wrong value is told, nothing is written', async (line, wrong) => {
    const {code, stdout, stderr} = await run(line)
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    for (const value of wrong) expect(stderr).toContain(value)
    expect(stderr).not.toContain('Usage:')
    expect(await etcd.ctl('get', '--prefix', '/', '--keys-only')).toBe('')
  })

  test('a dry run prints the difference and writes nothing', async () => {
    expect(await out('bgp peer add 192.0.2.1 as 64513 --dry-run')).toContain('+  peerIP: 192.0.2.1')
    expect(await keys()).toEqual([])
  })
})

describe('node bgp peer', () => {
  test('belongs to this host, or to the node that is named, in lower case', async () => {
    expect(await out('node bgp peer add 192.0.2.1 as 64513')).toBe('')
    await out('ipam configure --strict-affinity=false')
    await etcd.ctl('put', '/calico/ipam/v2/host/host-2/ipv4/block/10.0.0.0-26', '{"state":"confirmed"}')
    expect(await out('node bgp peer add 192.0.2.2 as 64513 --node Host-2')).toBe('')
    expect(await spec('bgppeers/host-1.192-0-2-1')).toEqual({node: 'host-1', peerIP: '192.0.2.1', asNumber: 64513})
    expect(await spec('bgppeers/host-2.192-0-2-2')).toEqual({node: 'host-2', peerIP: '192.0.2.2', asNumber: 64513})
    expect(await out('node bgp peer show --ipv4')).toContain('| Node specific IPv4 BGP Peer | AS Num |')
    expect(await out('node bgp peer show -o name', {NODENAME: 'HOST-2'})).toBe('192.0.2.2\n')
    expect(await out('bgp peer show -o plain')).toBe('')
  })

  test('show without peers, remove, and what is not there', async () => {
    expect(await out('node bgp peer show')).toBe('No IPv4 BGP Peers defined for this node.\n\nNo IPv6 BGP Peers defined for this node.\n\n')
    await run('node bgp peer add fd00::1 as 64513')
    expect(await out('node bgp peer remove FD00::1')).toBe('BGP peer removed from node configuration\n')
    const {code, stderr} = await run('node bgp peer remove fd00::1')
    expect(code).toBe(4)
    expect(stderr).toContain('fd00::1 is not a configured peer for this node.')
  })

  test.each(['add 192.0.2.1 as 1', 'remove 192.0.2.1', 'show'])('%s --node of a node of which the store has nothing: 4', async (line) => {
    expect(await out('node bgp peer add 192.0.2.9 as 1')).toBe('')
    const before = await keys()
    expect(await run(`node bgp peer ${line} --node host-9`)).toMatchObject({code: 4, stdout: '', stderr: expect.stringMatching(/Node host-9 does not exist[^]*Did you mean host-1\?/) as unknown})
    expect(await keys()).toEqual(before)
    // This host's own needs nothing.
    expect((await run('node bgp peer show --node HOST-1')).code).toBe(0)
  })

  test('an empty variable names no node: the next source does', async () => {
    expect((await run('node bgp peer add 192.0.2.1 as 1', {NODENAME: '', HOSTNAME: 'host-2'})).code).toBe(0)
    expect(await keys()).toEqual([expect.stringContaining('host-2')])
  })

  test('says that a global peer of the same address goes before it', async () => {
    await run('bgp peer add 192.0.2.1 as 1')
    const {code, stderr} = await run('node bgp peer add 192.0.2.1 as 1')
    expect(code).toBe(0)
    expect(stderr).toContain('global peer')
  })
})

describe('bgp default-node-as', () => {
  test('shows the one in force, sets it silently, converts a dotted one', async () => {
    expect(await out('bgp default-node-as')).toBe('64512\n')
    expect(await keys()).toEqual([])
    expect(await out('bgp default-node-as 1.10')).toBe('')
    expect(await out('bgp default-node-as')).toBe('65546\n')
    expect(await spec('bgpconfigurations/default')).toMatchObject({asNumber: 65546})
    expect(JSON.parse(await out('bgp default-node-as -o json'))).toEqual({apiVersion: 'calicoctl/v1', kind: 'Setting', name: 'default-node-as', value: 65546, configured: true})
  })

  test('an empty word asks', async () => {
    const {code, stdout} = await calicoctl(['bgp', 'default-node-as', ''], {env: {ETCD_ENDPOINTS: etcd.endpoints.join(',')}})
    expect({code, stdout}).toEqual({code: 0, stdout: '64512\n'})
  })

  test('0 is refused', async () => {
    expect((await run('bgp default-node-as 0')).code).toBe(1)
    expect(await keys()).toEqual([])
  })
})

describe('bgp node-mesh', () => {
  test('is on until it is switched off, and says what that does to sessions', async () => {
    expect(await out('bgp node-mesh')).toBe('on\n')
    const off = await run('bgp node-mesh off')
    expect({code: off.code, stdout: off.stdout}).toEqual({code: 0, stdout: ''})
    expect(off.stderr).toContain('sessions')
    expect(await out('bgp node-mesh')).toBe('off\n')
    expect(await spec('bgpconfigurations/default')).toMatchObject({nodeToNodeMeshEnabled: false})
    expect((await run('bgp node-mesh off')).stderr).toBe('bgpconfiguration/default unchanged\n')
    expect(await out('bgp node-mesh on')).toBe('')
    expect(await out('bgp node-mesh -o json')).toContain('"value": "on"')
  })

  test('another word is a usage error', async () => {
    const {code, stdout, stderr} = await run('bgp node-mesh maybe')
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    expect(stderr).toMatch(/^Usage:/)
  })
})
