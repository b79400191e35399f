import {afterAll, describe, expect, test} from '@jest/globals'
import type {Check} from '../../../src/lib/system-check/check.js'
import {conntrack, defaultInterface, firewall, forwarding, mtu, networkManager, rpFilter} from '../../../src/lib/system-check/network.js'
import {localPorts, ports} from '../../../src/lib/system-check/ports.js'
import {recordedHost, removeRecordedHosts} from './host.js'

afterAll(removeRecordedHosts)

const run = async <Facts>({gather, judge}: Check<Facts>, files: Record<string, string>, links: Record<string, string> = {}) => judge(await gather(recordedHost(files, links)), {libnetwork: false})
const sysctls = (forward4: string, forward6: string, max: string) => ({
  '/proc/sys/net/ipv4/ip_forward': forward4,
  '/proc/sys/net/ipv6/conf/all/forwarding': forward6,
  '/proc/sys/net/netfilter/nf_conntrack_max': max,
})

describe('what node would set', () => {
  test('is so already', async () => {
    const files = sysctls('1\n', '1\n', '1048576\n')
    expect(await run(forwarding, files)).toEqual({state: 'ok', found: 'IP forwarding is on'})
    expect((await run(conntrack, files)).state).toBe('ok')
  })
  test('is not yet so; nothing is written', async () => {
    const host = recordedHost(sysctls('0\n', '1\n', '262144\n'))
    expect(forwarding.judge(await forwarding.gather(host), {libnetwork: false})).toEqual({state: 'wrong', found: expect.stringMatching(/^not set: \S+\/net\/ipv4\/ip_forward = 1$/) as unknown})
    expect(conntrack.judge(await conntrack.gather(host), {libnetwork: false}).state).toBe('wrong')
    expect(host.files.read('/proc/sys/net/ipv4/ip_forward')).toBe('0\n')
  })
  test.each([['0', 'ok'], ['1', 'ok'], ['2', 'wrong']])('rp_filter %s: %s', async (value, state) => {
    expect((await run(rpFilter, {'/proc/sys/net/ipv4/conf/all/rp_filter': `${value}\n`})).state).toBe(state)
  })
  test('rp_filter is not there', async () => expect((await run(rpFilter, {})).state).toBe('skipped'))
})

const ROUTES = [
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
  'eth1\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
  'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
  'tun0\t00000000\t010200C0\t0003\t0\t0\t0\t00000080\t0\t0\t0',
].join('\n')

describe('MTU', () => {
  const files = (value: number, felix?: number) => ({'/proc/net/route': ROUTES, '/sys/class/net/eth0/mtu': `${value}\n`, ...(felix === undefined ? {} : {'/var/lib/calico/mtu': String(felix)})})
  test('the uplink is that of the default route with the lowest metric', () => {
    expect(defaultInterface(ROUTES)).toBe('eth0')
    expect(defaultInterface('Iface\n')).toBeUndefined()
  })
  test('good', async () => expect(await run(mtu, files(1500))).toEqual({state: 'ok', found: 'eth0 has 1500; workloads can have 1500, 1480 with IPIP, 1450 with VXLAN'}))
  test('too small for IPv6 in a tunnel', async () => {
    expect((await run(mtu, files(1330))).state).toBe('ok')
    expect((await run(mtu, files(1329))).state).toBe('wrong')
  })
  test('workloads get more than the uplink has', async () => {
    expect(await run(mtu, files(1400, 1500))).toEqual({state: 'wrong', found: 'workloads get an MTU of 1500, but eth0 has 1400'})
    expect(await run(mtu, files(1400, 1380))).toEqual({state: 'ok', found: 'eth0 has 1400; workloads get 1380'})
  })
  test('no default route', async () => expect((await run(mtu, {})).state).toBe('skipped'))
})

const processes = (...names: string[]): Record<string, string> => Object.fromEntries(names.map((name, i) => [`/proc/${100 + i}/comm`, `${name}\n`]))

describe('who else manages the network', () => {
  test.each([
    [processes('init', 'sshd'), 'ok'],
    [processes('firewalld'), 'wrong'],
    [{'/etc/ufw/ufw.conf': '# ENABLED=yes\nENABLED=no\n'}, 'ok'],
    [{'/etc/ufw/ufw.conf': 'LOGLEVEL=low\nENABLED=yes\n'}, 'wrong'],
  ])('firewall: %j: %s', async (files: Record<string, string>, state) => expect((await run(firewall, files)).state).toBe(state))
  test.each([
    [{}, 'ok'],
    [{'/etc/NetworkManager/NetworkManager.conf': '[main]\nplugins=keyfile\n'}, 'wrong'],
    [{'/etc/NetworkManager/conf.d/calico.conf': '[keyfile]\nunmanaged-devices=interface-name:cali*;interface-name:tunl*\n'}, 'ok'],
    [{'/etc/NetworkManager/conf.d/calico.conf': '[keyfile]\nunmanaged-devices=interface-name:tunl*;interface-name:cali*\n'}, 'ok'],
    [{'/etc/NetworkManager/conf.d/calico.conf': '[keyfile]\n#unmanaged-devices=interface-name:cali*\n'}, 'wrong'],
    [{'/etc/NetworkManager/conf.d/calico.conf.bak': '[keyfile]\nunmanaged-devices=interface-name:cali*\n'}, 'wrong'],
  ])('NetworkManager: %j: %s', async (files: Record<string, string>, state) => {
    const running = Object.keys(files).length === 0 ? processes('init') : processes('NetworkManager')
    expect((await run(networkManager, {...files, ...running})).state).toBe(state)
  })
})

describe('ports', () => {
  const line = (port: number, inode: number, state = '0A') => `   0: 00000000:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0`
  const table = (...lines: string[]) => ['  sl  local_address rem_address   st', ...lines, ''].join('\n')
  test('free', async () => expect(await run(ports, {'/proc/net/tcp': table()})).toEqual({state: 'ok', found: '179 (BGP): free, 9099 (the health of Felix): free'}))
  test('calico-node has them, and etcd listens', async () => {
    const files = {'/proc/net/tcp': table(line(179, 7), line(2379, 9)), '/proc/net/tcp6': table(line(9099, 8)), ...processes('bird', 'calico-node', 'etcd')}
    const links = {'/proc/100/fd/3': 'socket:[7]', '/proc/101/fd/5': 'socket:[8]', '/proc/102/fd/4': 'socket:[9]'}
    expect(await run(ports, files, links)).toEqual({state: 'ok', found: '179 (BGP): bird, 9099 (the health of Felix): calico-node, 2379 (etcd): etcd'})
  })
  test('somebody else has one', async () => {
    const files = {'/proc/net/tcp': table(line(179, 7)), ...processes('bgpd')}
    expect(await run(ports, files, {'/proc/100/fd/3': 'socket:[7]'})).toEqual({state: 'wrong', found: '179 (BGP) is used by bgpd'})
    expect((await run(ports, files)).found).toBe('179 (BGP) is used by a process that is not visible from here')
  })
  test('connections are no listeners', async () => expect((await run(ports, {'/proc/net/tcp': table(line(179, 7, '01'))})).state).toBe('ok'))
  test('the ports of a local etcd', () => expect(localPorts(['http://127.0.0.1:2379', 'https://localhost', 'http://[::1]:4001', 'http://10.0.0.1:2379'])).toEqual([2379, 443, 4001]))
})
