/** Real interfaces in real namespaces. */
import {execFileSync} from 'node:child_process'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {addAddress, connectContainer, removeAddress} from '../../../src/lib/host/container-network.js'
import {createVeth, deleteVeth, findInterface, hostInterfaceName} from '../../../src/lib/host/interfaces.js'
import {HOST_MAC, randomMac} from '../../../src/lib/host/mac.js'
import {type NetworkNamespace, openNamespaceAt, openNamespaceOfProcess} from '../../../src/lib/host/network-namespace.js'
import {type Address, parseAddress} from '../../../src/lib/net/index.js'
import {hostInterfaces, startNamespace, type TestNamespace, whyNoNamespaces} from '../../support/namespaces.js'
import {suite} from '../../support/docker.js'

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  if (!parsed) throw new Error(text)
  return parsed
}

suite('network of a container', whyNoNamespaces(), () => {
  let peer: TestNamespace
  let namespace: NetworkNamespace
  const endpoint = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex')
  const name = hostInterfaceName(endpoint)
  const mac = randomMac()
  const network = (...addresses: string[]) => ({namespace, host: {name, mac: HOST_MAC}, container: {name: 'eth1', mac}, addresses: addresses.map(address), mtu: 1400})
  const routes = (family: '-4' | '-6' = '-4') => peer.run('ip', family, 'route').trim().split('\n').map((line) => line.trim())

  beforeEach(async () => {
    peer = await startNamespace()
    namespace = openNamespaceOfProcess(peer.pid)
  })
  afterEach(async () => {
    await deleteVeth(name)
    namespace.close()
    await peer.stop()
  })

  test('interfaces, MAC addresses, MTU, address and routes are there', async () => {
    await connectContainer(network('192.0.2.7'))
    expect(await findInterface(undefined, name)).toMatchObject({address: HOST_MAC, mtu: 1400, linkinfo: {info_kind: 'veth'}})
    expect(await findInterface(namespace, 'eth1')).toMatchObject({address: mac, mtu: 1400})
    expect((await findInterface(namespace, 'eth1'))?.flags).toContain('UP')
    expect(routes()).toEqual(['default via 169.254.1.1 dev eth1', '169.254.1.1 dev eth1 scope link'])
    expect(peer.run('ip', '-4', '-o', 'address', 'show', 'dev', 'eth1')).toContain('192.0.2.7/32')
  })

  test('IPv6: the gateway is the link-local address of the host end, and the address can be used at once', async () => {
    peer.run('sysctl', '-q', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1') // as Docker does
    await connectContainer(network('2001:db8::7'))
    const [, linkLocal] = /inet6 (fe80:[0-9a-f:]+)\//.exec(execFileSync('ip', ['-6', 'address', 'show', 'dev', name], {encoding: 'utf8'})) ?? []
    expect(linkLocal).toBeDefined()
    expect(routes('-6')).toContainEqual(expect.stringContaining(`default via ${linkLocal ?? ''} dev eth1`))
    expect(peer.run('ip', '-6', 'address', 'show', 'dev', 'eth1')).toMatch(/2001:db8::7\/128 scope global nodad/)
    expect(routes()).toContain('default via 169.254.1.1 dev eth1')
  })

  test('a second time changes nothing', async () => {
    await connectContainer(network('192.0.2.7', '2001:db8::7'))
    const before = [peer.run('ip', '-o', 'link'), routes(), routes('-6')]
    await connectContainer(network('192.0.2.7', '2001:db8::7'))
    expect([peer.run('ip', '-o', 'link'), routes(), routes('-6')]).toEqual(before)
  })

  test('default routes of the container step back by one, the highest first, and come back if a later step fails', async () => {
    peer.run('ip', 'link', 'add', 'eth0', 'type', 'bridge')
    peer.run('ip', 'address', 'add', '172.18.0.2/16', 'dev', 'eth0')
    peer.run('ip', 'link', 'set', 'eth0', 'up')
    peer.run('ip', 'route', 'add', 'default', 'via', '172.18.0.1', 'dev', 'eth0')
    peer.run('ip', 'route', 'add', 'default', 'via', '172.18.0.3', 'dev', 'eth0', 'metric', '1')
    const before = routes()
    await expect(connectContainer({...network('192.0.2.7'), addresses: [address('ff02::1')]})).rejects.toMatchObject({kind: 'failed'})
    expect(routes()).toEqual(before)
    expect(await findInterface(undefined, name)).toBeUndefined()
    expect(await findInterface(namespace, 'eth1')).toBeUndefined()
    await connectContainer(network('192.0.2.7'))
    expect(routes()).toEqual([
      'default via 169.254.1.1 dev eth1',
      'default via 172.18.0.1 dev eth0 metric 1',
      'default via 172.18.0.3 dev eth0 metric 2',
      '169.254.1.1 dev eth1 scope link',
      '172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.2',
    ])
  })

  test('a taken name on either side is told, and nothing is left', async () => {
    peer.run('ip', 'link', 'add', 'eth1', 'type', 'bridge')
    await expect(connectContainer(network('192.0.2.7'))).rejects.toMatchObject({kind: 'conflict', message: 'The interface name is taken in the container: eth1'})
    expect(await findInterface(undefined, name)).toBeUndefined()
    execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', `${name.slice(0, 13)}pp`])
    await expect(connectContainer(network('192.0.2.7'))).rejects.toMatchObject({kind: 'conflict', message: `The interface name is taken on this host: ${name}`})
    await expect(createVeth({name, mac: HOST_MAC}, {name: 'eth2', mac}, namespace)).rejects.toMatchObject({kind: 'conflict'})
  })

  test('addresses come and go, each as often as one likes', async () => {
    await connectContainer(network('192.0.2.7'))
    for (const text of ['192.0.2.8', '2001:db8::8']) {
      for (const _ of [1, 2]) await addAddress(namespace, 'eth1', address(text))
      expect(peer.run('ip', 'address', 'show', 'dev', 'eth1')).toContain(text)
      for (const _ of [1, 2]) await removeAddress(namespace, 'eth1', address(text))
      expect(peer.run('ip', 'address', 'show', 'dev', 'eth1')).not.toContain(text)
    }
    await removeAddress(namespace, 'nosuch', address('192.0.2.8'))
    await expect(addAddress(namespace, 'nosuch', address('192.0.2.8'))).rejects.toMatchObject({kind: 'failed'})
  })

  test('only a veth is ever deleted', async () => {
    expect(await deleteVeth('nosuch0')).toBe(false)
    expect(await deleteVeth('../x')).toBe(false)
    await expect(deleteVeth('lo')).resolves.toBe(false)
    execFileSync('ip', ['link', 'add', name, 'type', 'bridge'])
    await expect(deleteVeth(name)).rejects.toMatchObject({kind: 'refused'})
    execFileSync('ip', ['link', 'delete', name])
    expect(hostInterfaces()).not.toContain(name)
  })

  test('a namespace stays the one that was opened when its process has gone', async () => {
    const {path} = peer
    await peer.stop()
    expect(() => openNamespaceOfProcess(peer.pid)).toThrow(/cannot be opened/)
    expect(() => openNamespaceAt(path)).toThrow(/cannot be opened/)
    await connectContainer(network('192.0.2.7'))
    expect(await findInterface(namespace, 'eth1')).toBeDefined()
  })
})

describe('what is no network namespace', () => {
  test.each([
    ['/etc/hostname', /is not a network namespace/],
    ['/proc/self/ns/net', /the host's own/],
    ['/nosuch', /cannot be opened/],
  ])('%s', (path, message) => expect(() => openNamespaceAt(path)).toThrow(message))
})

suite('a namespace of another kind', whyNoNamespaces(), () => {
  test('is refused when it is to be entered', async () => {
    const namespace = openNamespaceAt('/proc/self/ns/uts')
    try {
      await expect(findInterface(namespace, 'lo')).rejects.toMatchObject({kind: 'invalid', message: '/proc/self/ns/uts is not a network namespace that can be entered'})
    } finally {
      namespace.close()
    }
  })
})
