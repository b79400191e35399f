/** Real interfaces, which move into real namespaces as Docker moves them. */
import {execFileSync} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {findInterface, hostInterfaceName} from '../../../src/lib/host/interfaces.js'
import {hostLinkLocal} from '../../../src/lib/host/link-local.js'
import {openNamespaceOfProcess} from '../../../src/lib/host/network-namespace.js'
import {linkState, makeLink, removeLink} from '../../../src/lib/libnetwork/links.js'
import {suite} from '../../support/docker.js'
import {hostInterfaces, startNamespace, type TestNamespace, whyNoNamespaces} from '../../support/namespaces.js'

const MAC = 'EE:EE:EE:EE:EE:EE'

suite('the pair of a Docker endpoint', whyNoNamespaces(), () => {
  let endpointId: string
  let outer: string
  let inner: string
  let container: TestNamespace
  const request = (more: Partial<Parameters<typeof makeLink>[0]> = {}) => ({endpointId, mac: MAC, mtu: 1400, ipv6: false, ...more})
  const on = (name: string) => findInterface(undefined, name)
  /** What Docker does with the inner end. */
  const moveIn = (): void => {
    execFileSync('ip', ['link', 'set', 'dev', inner, 'netns', String(container.pid)])
    container.run('ip', 'link', 'set', 'dev', inner, 'name', 'cali0', 'up')
  }

  beforeEach(async () => {
    endpointId = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')
    outer = hostInterfaceName(endpointId)
    inner = `tmp${endpointId.slice(0, 11)}`
    container = await startNamespace()
  })
  afterEach(async () => {
    for (const name of [outer, inner]) if (hostInterfaces().includes(name)) execFileSync('ip', ['link', 'delete', name])
    await container.stop()
  })

  test('both ends are on the host: the outer one up and with a MAC of its own, the inner one as it will be in the container', async () => {
    expect(await makeLink(request())).toEqual({srcName: inner, linkLocal: undefined})
    const [host, container] = [await on(outer), await on(inner)]
    expect(host).toMatchObject({mtu: 1400, link: inner, linkinfo: {info_kind: 'veth'}})
    expect(host?.flags).toContain('UP')
    expect(container).toMatchObject({mtu: 1400, address: 'ee:ee:ee:ee:ee:ee'})
    expect(container?.flags).not.toContain('UP')
    expect(host?.address).not.toBe('ee:ee:ee:ee:ee:ee')
  })

  test('IPv6: the link-local address of the host end is told, is there at once, and stays when Docker has moved the inner end', async () => {
    const {linkLocal: told} = await makeLink(request({ipv6: true}))
    expect(readFileSync(`/proc/sys/net/ipv6/conf/${outer}/accept_dad`, 'utf8').trim()).toBe('0') // the kernel's duplicate address detection takes a second
    expect(told).toMatch(/^fe80::/)
    const address = execFileSync('ip', ['-6', 'address', 'show', 'dev', outer], {encoding: 'utf8'})
    expect(address).toContain(`inet6 ${told ?? ''}/64`)
    expect(address).not.toContain('tentative')
    moveIn()
    expect(hostLinkLocal(outer)).toBe(told)
    container.run('ip', '-6', 'route', 'add', 'default', 'via', told ?? '', 'dev', 'cali0')
  })

  test('a second call finds the pair as it is', async () => {
    await makeLink(request({ipv6: true}))
    const before = [await on(outer), await on(inner)]
    expect(await makeLink(request({ipv6: true}))).toMatchObject({srcName: inner})
    expect([await on(outer), await on(inner)]).toEqual(before)
    expect(before[0]?.ifindex).toBeGreaterThan(0)
  })

  test('two calls at once make one pair', async () => {
    expect(await Promise.all([makeLink(request()), makeLink(request())])).toEqual([{srcName: inner, linkLocal: undefined}, {srcName: inner, linkLocal: undefined}])
    expect(await linkState(endpointId)).toBe('unused')
  })

  test.each([
    ['another MAC address', {mac: '02:11:22:33:44:55'}],
    ['another MTU', {mtu: 1300}],
  ])('a pair from an earlier call with %s is made anew', async (_, earlier) => {
    await makeLink(request(earlier))
    const before = await on(outer)
    await makeLink(request())
    expect(await on(inner)).toMatchObject({mtu: 1400, address: 'ee:ee:ee:ee:ee:ee'})
    expect((await on(outer))?.ifindex).not.toBe(before?.ifindex)
  })

  test('a pair whose outer end an earlier call could not bring up is completed', async () => {
    execFileSync('ip', ['link', 'add', outer, 'mtu', '1400', 'type', 'veth', 'peer', 'name', inner, 'address', MAC, 'mtu', '1400'])
    await makeLink(request())
    expect((await on(outer))?.flags).toContain('UP')
  })

  test('a pair that a container has stays as it is', async () => {
    await makeLink(request())
    moveIn()
    await expect(makeLink(request())).rejects.toMatchObject({kind: 'conflict', message: `The interface ${outer} exists, and its other end is in a container`})
    expect(container.run('ip', 'link', 'show', 'cali0')).toContain('UP')
    expect(await linkState(endpointId)).toBe('in-use')
  })

  test('a namespace without a process uses nothing: Docker, killed, leaves such behind', async () => {
    await makeLink(request())
    moveIn()
    const left = openNamespaceOfProcess(container.pid)
    try {
      expect(await linkState(endpointId)).toBe('in-use')
      await container.stop()
      expect(await on(outer)).toBeDefined()
      expect(await linkState(endpointId)).toBe('unused')
      expect(await removeLink(endpointId)).toBe(true)
    } finally {
      left.close()
    }
  })

  test('a name that belongs to something else is told, and neither thing is touched', async () => {
    execFileSync('ip', ['link', 'add', inner, 'type', 'bridge'])
    await expect(makeLink(request())).rejects.toMatchObject({kind: 'conflict', message: `The interface name is already used on this host: ${inner}`})
    expect(await on(outer)).toBeUndefined()
    execFileSync('ip', ['link', 'add', outer, 'type', 'bridge'])
    await expect(makeLink(request())).rejects.toMatchObject({kind: 'conflict'})
    await expect(removeLink(endpointId)).rejects.toMatchObject({kind: 'refused'})
    expect(hostInterfaces()).toEqual(expect.arrayContaining([outer, inner]))
  })

  test('an MTU that the kernel refuses leaves nothing', async () => {
    await expect(makeLink(request({mtu: 67}))).rejects.toMatchObject({kind: 'failed'})
    expect(hostInterfaces()).not.toContain(outer)
  })

  describe('removal', () => {
    test('a second one finds nothing to do', async () => {
      await makeLink(request())
      expect(await removeLink(endpointId)).toBe(true)
      expect(await removeLink(endpointId)).toBe(false)
      expect(await linkState(endpointId)).toBe('absent')
      expect(hostInterfaces()).not.toContain(inner)
    })
    test('out of a container', async () => {
      await makeLink(request())
      moveIn()
      expect(await removeLink(endpointId)).toBe(true)
      expect(container.run('ip', 'link')).not.toContain('cali0')
    })
  })
})
