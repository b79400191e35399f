/** Real interfaces in real namespaces. */
import {execFileSync} from 'node:child_process'
import {chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {addAddress, connectContainer, connectionState, removeAddress, routeFamily} from '../../../src/lib/host/container-network.js'
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

  /** An interface eth0 with addresses and default routes of both families. */
  const giveOwnNetwork = (): void => {
    peer.run('ip', 'link', 'add', 'eth0', 'type', 'bridge')
    peer.run('ip', 'address', 'add', '172.18.0.2/16', 'dev', 'eth0')
    peer.run('ip', 'address', 'add', 'fd00::2/64', 'dev', 'eth0', 'nodad')
    peer.run('ip', 'link', 'set', 'eth0', 'up')
    peer.run('ip', 'route', 'add', 'default', 'via', '172.18.0.1', 'dev', 'eth0')
    peer.run('ip', '-6', 'route', 'add', 'default', 'via', 'fd00::9', 'dev', 'eth0')
  }

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
    // Where there is none, IPv4's too, as v0.20 made it.
    expect(routes()).toContain('default via 169.254.1.1 dev eth1')
    expect(await connectionState(namespace, name, [address('2001:db8::7')])).toBe('complete')
    peer.run('ip', '-6', 'route', 'del', 'default')
    expect(await connectionState(namespace, name, [address('2001:db8::7')])).toBe('half')
  })

  test.each([['192.0.2.7', '-6', '2001:db8::7'], ['2001:db8::7', '-4', '192.0.2.7']] as const)('with %s alone, the routes of the other family stay as they are until it has an address of it', async (own, other, later) => {
    giveOwnNetwork()
    const before = routes(other).filter((route) => !route.includes('eth1'))
    expect(before).toContainEqual(expect.stringMatching(/^default .* dev eth0/))
    await connectContainer(network(own))
    // The kernel gives each interface its link-local network.
    expect(routes(other).filter((route) => !route.startsWith('fe80::/64 dev eth1 '))).toEqual(before)
    expect(await connectionState(namespace, name, [address(own)])).toBe('complete')
    await addAddress(namespace, 'eth1', address(later))
    expect(await connectionState(namespace, name, [address(own), address(later)])).toBe('half')
    for (const _ of [1, 2]) await routeFamily(namespace, name, 'eth1', address(later).family)
    expect(routes(other)).toContainEqual(expect.stringMatching(/^default via (169\.254\.1\.1|fe80:\S+) dev eth1/))
    if (other === '-4') expect(routes()).toContain('default via 172.18.0.1 dev eth0 metric 1')
    expect(await connectionState(namespace, name, [address(own), address(later)])).toBe('complete')
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

  describe('with an `ip` that notes its commands, and refuses one', () => {
    let bin: string
    const {PATH} = process.env
    beforeEach(() => {
      bin = mkdtempSync(join(tmpdir(), 'calicoctl-ip-'))
      process.env.PATH = `${bin}:${PATH ?? ''}`
    })
    afterEach(() => {
      process.env.PATH = PATH
      rmSync(bin, {recursive: true})
    })
    const useShim = (refused = 'nothing'): void => {
      const real = execFileSync('sh', ['-c', 'command -v ip'], {encoding: 'utf8'}).trim()
      writeFileSync(join(bin, 'ip'), `#!/bin/sh\necho "$*" >> ${bin}/calls\ncase "$*" in ${refused}) echo 'no luck' >&2; exit 2;; esac\nexec ${real} "$@"\n`)
      chmodSync(join(bin, 'ip'), 0o755)
      writeFileSync(join(bin, 'calls'), '')
    }
    const calls = (): string[] => readFileSync(join(bin, 'calls'), 'utf8').trimEnd().split('\n')
    const giveDefaultRoute = (): void => {
      peer.run('ip', 'link', 'add', 'eth0', 'type', 'bridge')
      peer.run('ip', 'address', 'add', '172.18.0.2/16', 'dev', 'eth0')
      peer.run('ip', 'link', 'set', 'eth0', 'up')
      peer.run('ip', 'route', 'add', 'default', 'via', '172.18.0.1', 'dev', 'eth0')
    }
    async function steps(...addresses: string[]): Promise<string[]> {
      const told: string[] = []
      await connectContainer(network(...addresses), (step) => told.push(step))
      return told
    }

    test('few programs are started', async () => {
      peer.run('sysctl', '-q', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1')
      useShim()
      expect(await steps('192.0.2.7')).toEqual(['interfaces', 'interfaces up', 'addresses', 'routes'])
      // The last one is the IPv6 route that is refused, where the host end has IPv6.
      expect(calls()).toEqual([expect.stringMatching(/^link add /), '-batch -', ...calls().slice(2, 3).map(() => expect.stringMatching(/^-6 route add default /) as unknown)])
      expect(routes('-6')).toEqual([''])
    })

    test('the default routes are only looked at where there is one of metric 0', async () => {
      giveDefaultRoute()
      useShim()
      expect(await steps('192.0.2.7')).toEqual(['interfaces', 'interfaces up', 'addresses', 'routes', 'default routes'])
      expect(routes()).toEqual(expect.arrayContaining(['default via 169.254.1.1 dev eth1', 'default via 172.18.0.1 dev eth0 metric 1']))
    })

    test('those that were moved come back if ours cannot be made', async () => {
      giveDefaultRoute()
      const before = routes()
      useShim("'route replace default via 169.254.1.1'*")
      const error = await connectContainer(network('192.0.2.7')).catch((problem: unknown) => problem)
      expect(error).toMatchObject({kind: 'failed', message: "'nsenter --net=/proc/self/fd/3 ip route replace default via 169.254.1.1 dev eth1' failed: exit code 2", details: ['no luck']})
      expect(calls().filter((line) => line === '-batch -')).toHaveLength(3) // up to the route, there, and back
      expect(routes()).toEqual(before)
      expect(await findInterface(undefined, name)).toBeUndefined()
    })

    test('an IPv6 route that is needed and refused', async () => {
      giveDefaultRoute()
      const before = routes()
      useShim("'-6 route replace '*")
      await expect(connectContainer(network('192.0.2.7', '2001:db8::7'))).rejects.toMatchObject({kind: 'failed', details: ['no luck']})
      expect(routes()).toEqual(before)
      expect(await findInterface(undefined, name)).toBeUndefined()
    })

    test('undoing that fails too is told', async () => {
      useShim("'link delete '*|-batch*")
      await expect(connectContainer(network('192.0.2.7'))).rejects.toMatchObject({kind: 'unknown', details: ['no luck', 'Rolling back the earlier steps failed too:', `'ip link delete dev ${name}' failed: exit code 2`]})
    })
  })

  test('what an earlier attempt had half done is completed', async () => {
    await connectContainer(network('192.0.2.7'))
    execFileSync('ip', ['link', 'set', 'dev', name, 'down'])
    peer.run('ip', 'address', 'flush', 'dev', 'eth1')
    await connectContainer(network('192.0.2.7', '192.0.2.8'))
    expect((await findInterface(undefined, name))?.flags).toContain('UP')
    expect(peer.run('ip', '-4', '-o', 'address', 'show', 'dev', 'eth1')).toMatch(/192\.0\.2\.7\/32[^]*192\.0\.2\.8\/32/)
    expect(routes()).toEqual(['default via 169.254.1.1 dev eth1', '169.254.1.1 dev eth1 scope link'])
  })

  test('an address that the kernel refuses: told as if it had been given alone', async () => {
    await expect(connectContainer(network('192.0.2.7', 'ff02::1'))).rejects.toMatchObject({
      message: expect.stringMatching(/^'nsenter --net=\/proc\/self\/fd\/3 ip address replace ff02::1\/128 dev eth1 nodad' failed: exit code \d$/) as unknown,
      details: [expect.stringMatching(/Invalid|Cannot assign/)],
    })
    expect(hostInterfaces()).not.toContain(name)
  })

  test('a taken name on either side is told, and nothing is left', async () => {
    peer.run('ip', 'link', 'add', 'eth1', 'type', 'bridge')
    await expect(connectContainer(network('192.0.2.7'))).rejects.toMatchObject({kind: 'conflict', message: 'The interface name is already used in the container: eth1'})
    expect(await findInterface(undefined, name)).toBeUndefined()
    execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', `${name.slice(0, 13)}pp`])
    await expect(connectContainer(network('192.0.2.7'))).rejects.toMatchObject({kind: 'conflict', message: `The interface name is already used on this host: ${name}`})
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

describe('what is not a network namespace', () => {
  test.each([
    ['/etc/hostname', /is not a network namespace/],
    ['/proc/self/ns/net', /the host's own/],
    ['/nosuch', /cannot be opened/],
  ])('%s', (path, message) => expect(() => openNamespaceAt(path)).toThrow(message))
  test('a pipe, which is not waited for', () => {
    const folder = mkdtempSync(join(tmpdir(), 'calicoctl-pipe-'))
    try {
      execFileSync('mkfifo', [join(folder, 'pipe')])
      expect(() => openNamespaceAt(join(folder, 'pipe'))).toThrow(/is not a network namespace/)
    } finally {
      rmSync(folder, {recursive: true})
    }
  })
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
