/** Containers of the Mesos plugin: isolate and cleanup, with real network namespaces. */
import {execFileSync} from 'node:child_process'
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, test} from '@jest/globals'
import {hostInterfaceName} from '../../src/lib/host/interfaces.js'
import {endpointId} from '../../src/lib/model/hash.js'
import {suite} from '../support/docker.js'
import {allAssigned, createObject} from '../support/ipam.js'
import {mesosContainers, type Task} from '../support/mesos-containers.js'
import {failure, HOSTNAME, mesosPlugin, NODE, parsed, SUCCESS} from '../support/mesos-plugin.js'
import {startNamespace, whyNoNamespaces} from '../support/namespaces.js'
import {CALICO_MESOS, netModules, plugin} from '../support/net-modules.js'
import {calicoctl} from '../support/warm.js'

const world = mesosPlugin()
const {options, pool, call, allocation, reservation, allocated, endpoints, endpointOf, profiles, assignmentOf, expectNothingLeft} = world

suite('containers', whyNoNamespaces(), () => {
  const containers = mesosContainers(world)
  const {namespace, launch, isolation, isolated, expectWired, matrix, calicoInterfaces} = containers

  describe('the scenarios of the test framework', () => {
    test('same group, different groups, two groups; nothing is left after them', async () => {
      const tasks = [await launch(['a']), await launch(['a']), await launch(['b']), await launch(['a', 'b'])]
      for (const task of tasks) await expectWired(task)
      expect(await matrix(tasks)).toEqual([
        '-x.x', //
        'x-.x',
        '..-x',
        'xxx-',
      ])
      expect([...(await profiles()).values()].map(({metadata}) => metadata.annotations?.['calicoctl/name'] ?? metadata.name).sort()).toEqual(['a', 'b', `default_${HOSTNAME}`])
      const check = await calicoctl(['ipam', 'check'], options())
      expect(check).toMatchObject({code: 0, stdout: ''})
      for (const {id} of tasks) await containers.agent.cleanup(id)
      await expectNothingLeft()
      expect(calicoInterfaces()).toEqual([])
    }, 300_000)

    test('isolated stars with a collector in public', async () => {
      const [a, b, c, d] = [await launch(['star-1']), await launch(['star-1']), await launch(['star-2']), await launch(['star-2'])]
      const collector = await launch(['star-1', 'star-2', 'public'])
      expect(await matrix([a, b, c, d, collector])).toEqual(['-x..x', 'x-..x', '..-xx', '..x-x', 'xxxx-'])
      const {spec} = await endpointOf(collector.id)
      const stored = await profiles()
      expect(spec.profiles?.map((name) => stored.get(name)?.metadata.annotations?.['calicoctl/name'] ?? name)).toEqual([`default_${HOSTNAME}`, 'public', 'star-1', 'star-2'])
    }, 300_000)

    test.each([
      ['several automatic', [{}, {}, {}]],
      ['static', [{ipAddress: '192.168.28.23'}, {ipAddress: '192.168.28.34'}]],
      ['mixed', [{ipAddress: '192.168.28.23'}, {}, {ipAddress: '192.168.28.34'}, {}]],
    ])('%s addresses', async (_, ipAddresses) => {
      const task = await launch(['g'], ipAddresses)
      const fixed = ipAddresses.flatMap((each) => ('ipAddress' in each ? each.ipAddress : []))
      expect(task.addresses.slice(0, fixed.length)).toEqual(fixed)
      expect(new Set(task.addresses).size).toBe(ipAddresses.length)
      await expectWired(task)
      await containers.agent.cleanup(task.id)
      await expectNothingLeft()
    })

    test('a static address by label', async () => {
      const task = await launch(['g'], [{}], [{key: 'rack', value: '3A'}, {key: 'ipv4_addrs', value: "['192.168.28.23']"}])
      expect(task.addresses).toEqual(['192.168.28.23'])
      await expectWired(task)
    })

    test('no group: its own agent, and nothing else', async () => {
      const [task, other] = [await launch([]), await launch([])]
      expect(await matrix([task, other])).toEqual(['-.', '.-'])
    })
  })

  describe('isolate', () => {
    test('a second time, and the same addresses for another container', async () => {
      const task = await launch(['g'])
      expect(await isolation(task.id, task.space.pid, task.addresses)).toMatchObject(failure('This container has already been configured with Calico Networking.'))
      const other = await namespace()
      expect(await isolation('other', other.pid, task.addresses)).toMatchObject(failure(`IP '${task.addresses[0] ?? ''}' belongs to container ${task.id}, which has an endpoint with it.`))
      expect(calicoInterfaces()).toHaveLength(1)
      await expectWired(task)
    })

    test('two containers at once with one address: one of them', async () => {
      const addresses = await allocated('u')
      const spaces = await Promise.all([namespace(), namespace(), namespace(), namespace()])
      const results = await Promise.all(spaces.map(({pid}, i) => isolation(`c${i}`, pid, addresses)))
      expect(results.map(({code}) => code).sort()).toEqual([0, 1, 1, 1])
      expect(await endpoints()).toHaveLength(1)
      expect(calicoInterfaces()).toHaveLength(1)
    })

    test('one container at once, several times: one of them', async () => {
      const addresses = await allocated('u')
      const space = await namespace()
      const results = await Promise.all([1, 2, 3, 4].map(() => isolation('c', space.pid, addresses)))
      expect(results.filter(({code}) => code === 0)).toHaveLength(1)
      for (const {code, stdout} of results) if (code !== 0) expect(stdout).toBe(failure('This container has already been configured with Calico Networking.').stdout)
      await expectWired({id: 'c', space, addresses})
    })

    test('addresses outside the pools, somebody else\'s, or of two tasks', async () => {
      const {pid} = await namespace()
      await calicoctl(['ipam', 'assign', '192.168.0.7', '--handle', 'vm'], options())
      await reservation('u', '192.168.1.1')
      await reservation('v', '192.168.1.2')
      expect(parsed(await isolation('c', pid, ['10.0.0.1'])).error).toMatch(/^10\.0\.0\.1 is not in an enabled pool/)
      expect(parsed(await isolation('c', pid, ['192.168.1.1', '10.0.0.1'])).error).toMatch(/^10\.0\.0\.1 is not in an enabled pool/)
      expect(parsed(await isolation('c', pid, ['192.168.0.7'])).error).toBe("IP '192.168.0.7' is assigned to vm, not to a task of this agent.")
      expect(parsed(await isolation('c', pid, ['192.168.1.1', '192.168.1.2'])).error).toMatch(/belong to different tasks/)
      expect([calicoInterfaces(), await endpoints(), [...(await profiles()).keys()]]).toEqual([[], [], []])
    })

    test('addresses that nobody has asked for: assigned with the endpoint, and released with it', async () => {
      const [first, second] = [await namespace(), await namespace()]
      expect(await isolation('c', first.pid, ['192.168.200.1', '192.168.200.2'])).toMatchObject(SUCCESS)
      await expectWired({id: 'c', space: first, addresses: ['192.168.200.1', '192.168.200.2']})
      expect(parsed(await isolation('d', second.pid, ['192.168.200.2'])).error).toMatch(/^IP '192\.168\.200\.2' belongs to container c/)
      await reservation('u', '192.168.1.1')
      expect(await isolation('d', second.pid, ['192.168.1.1', '192.168.200.3'])).toMatchObject(SUCCESS)
      await expectWired({id: 'd', space: second, addresses: ['192.168.1.1', '192.168.200.3']})
      for (const id of ['c', 'd']) expect(await call('cleanup', {container_id: id, hostname: HOSTNAME})).toMatchObject(SUCCESS)
      await expectNothingLeft()
    })

    test('IPv6 only, and both families', async () => {
      await pool('fd00:1::/64', 'pool6')
      const {ipv6} = parsed(await allocation('six', {num_ipv4: 0, num_ipv6: 1}))
      const [one, two] = [await namespace(), await namespace()]
      expect(await isolation('six', one.pid, [], {ipv4_addrs: undefined, ipv6_addrs: ipv6})).toMatchObject(SUCCESS)
      await expectWired({id: 'six', space: one, addresses: ipv6})
      expect(one.run('ip', '-6', 'route')).toMatch(/default via fe80:\S+ dev eth0/)
      const both = parsed(await allocation('both', {num_ipv6: 1}))
      expect(await isolation('both', two.pid, both.ipv4, {ipv6_addrs: both.ipv6})).toMatchObject(SUCCESS)
      await expectWired({id: 'both', space: two, addresses: [...both.ipv4, ...both.ipv6]})
      expect(await call('cleanup', {container_id: 'six', hostname: 'h'})).toMatchObject(SUCCESS)
      expect(await call('cleanup', {container_id: 'both', hostname: 'h'})).toMatchObject(SUCCESS)
      await expectNothingLeft()
    })

    test('the process is gone, the namespace is the host\'s, the interface exists: nothing stays', async () => {
      const addresses = await allocated('u')
      const gone = await startNamespace()
      await gone.stop()
      expect(await isolation('c', gone.pid, addresses)).toMatchObject(failure(`Namespace pseudofile /proc/${gone.pid}/ns/net does not exist.`))
      expect(parsed(await isolation('c', process.pid, addresses)).error).toMatch(/is the host's own network namespace/)
      const space = await namespace()
      space.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other')
      expect(await isolation('c', space.pid, addresses)).toMatchObject(failure('The interface name is already used in the container: eth0'))
      expect([calicoInterfaces(), await endpoints(), [...(await profiles()).keys()]]).toEqual([[], [], []])
      space.run('ip', 'link', 'del', 'eth0')
      expect(await isolation('c', space.pid, addresses)).toMatchObject(SUCCESS)
    })

    test('the interface of its name is another container\'s: that one stays', async () => {
      const addresses = await allocated('u')
      const [space, other] = [await namespace(), await namespace()]
      const name = hostInterfaceName(endpointId(NODE, 'mesos', 'c'))
      execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(other.pid)])
      expect(parsed(await isolation('c', space.pid, addresses)).error).toContain(`The interface name is already used on this host: ${name}`)
      expect([calicoInterfaces(), await endpoints()]).toEqual([[name], []])
    })

    test('net-groups are looked at before anything is made', async () => {
      const addresses = await allocated('u')
      const {pid} = await namespace()
      expect(parsed(await isolation('c', pid, addresses, {netgroups: ['good', 'b/d']})).error).toMatch(/^'b\/d' is not allowed for key 'src_tag'/)
      expect([calicoInterfaces(), await endpoints(), [...(await profiles()).keys()]]).toEqual([[], [], []])
    })

    test('names that v3 cannot hold: converted, and found under what was typed', async () => {
      const addresses = await allocated('u')
      const {pid} = await namespace()
      expect(await isolation('My/Container', pid, addresses, {netgroups: ['_Odd_', 'UPPER']})).toMatchObject(SUCCESS)
      const shown = await calicoctl(['endpoint', 'show', '--detailed'], options())
      expect(shown.stdout).toContain('My/Container')
      expect(shown.stdout).toContain(`default_${HOSTNAME},_Odd_,UPPER`)
      const all = [...(await profiles()).values()]
      const odd = all.find(({metadata}) => metadata.annotations?.['calicoctl/name'] === '_Odd_')
      const [tag = ''] = Object.keys(odd?.spec.labelsToApply ?? {})
      expect(tag).toBe(odd?.metadata.name)
      expect(odd?.spec.ingress?.[0]?.source?.selector).toContain(tag)
      expect(await call('cleanup', {container_id: 'My/Container', hostname: 'h'})).toMatchObject(SUCCESS)
      await expectNothingLeft()
    })

    test('the profiles of §1.6, written whole; those that exist stay as the operator made them', async () => {
      await createObject(world.session, 'Node', NODE, {bgp: {ipv4Address: '10.1.2.3/24'}})
      await calicoctl(['profile', 'add', 'mine'], options())
      await calicoctl(['profile', 'mine', 'rule', 'add', 'inbound', 'deny'], options())
      const before = (await profiles()).get('mine')
      await launch(['mine', 'public', 'other', 'mine', 'public'])
      const stored = await profiles()
      expect(stored.get('mine')).toEqual(before)
      const any = {source: {}, destination: {}}
      const host = [...stored.values()].find(({metadata}) => metadata.annotations?.['calicoctl/name'] === `default_${HOSTNAME}`)
      expect(host?.spec).toMatchObject({
        ingress: [{action: 'Allow', source: {nets: ['10.1.2.3/32']}}],
        egress: [{action: 'Allow', destination: {nets: ['10.1.2.3/32']}}],
      })
      expect(stored.get('public')?.spec).toMatchObject({ingress: [{action: 'Allow', ...any}], egress: [{action: 'Allow', ...any}], labelsToApply: {public: ''}})
      expect(stored.get('other')?.spec).toMatchObject({ingress: [{action: 'Allow', source: {selector: 'has(other)'}}], egress: [{action: 'Allow', ...any}], labelsToApply: {other: ''}})
      const [endpoint] = await endpoints()
      expect(endpoint?.spec.profiles).toEqual([host?.metadata.name, 'public', 'mine', 'other'])
    })

    test('the names of v0.1.5', async () => {
      containers.agent = netModules(HOSTNAME, options({CALICO_MESOS_NETGROUP_PREFIX: 'ng_'}))
      const tasks = [await launch(['g', 'public']), await launch(['g']), await launch(['h'])]
      const names = [...(await profiles()).values()].map(({metadata}) => metadata.annotations?.['calicoctl/name'] ?? metadata.name)
      expect(names.sort()).toEqual([`default_${HOSTNAME}`, 'ng_g', 'ng_h', 'public'])
      expect(await matrix(tasks)).toEqual(['-xx', 'x-.', '..-'])
    })
  })

  describe('cleanup', () => {
    test('a container without endpoint; a setting makes that a success', async () => {
      expect(await call('cleanup', {container_id: 'c', hostname: 'h'})).toMatchObject(failure('No endpoint found with container-id: c'))
      expect(await call('cleanup', {container_id: 'c', hostname: 'h'}, {CALICO_MESOS_IDEMPOTENT_CLEANUP: 'true'})).toMatchObject(SUCCESS)
    })

    test('between release and cleanup, the address is nobody else\'s', async () => {
      const task = await launch(['g'], [{ipAddress: '192.168.5.5'}])
      expect(await call('release', {ips: ['192.168.5.5']})).toMatchObject(SUCCESS)
      expect(await reservation('other', '192.168.5.5')).toMatchObject(failure("IP '192.168.5.5' already in use."))
      expect(await call('cleanup', {container_id: task.id, hostname: HOSTNAME})).toMatchObject(SUCCESS)
      expect(await reservation('other', '192.168.5.5')).toMatchObject(SUCCESS)
    })

    test('an address that somebody else has by now stays his', async () => {
      const task = await launch(['g'], [{ipAddress: '192.168.5.5'}])
      await calicoctl(['ipam', 'release', '192.168.5.5', '--force'], options())
      await calicoctl(['ipam', 'assign', '192.168.5.5', '--handle', 'vm'], options())
      await containers.agent.cleanup(task.id)
      expect(await allAssigned(world.store)).toEqual(['192.168.5.5'])
      expect(await assignmentOf('192.168.5.5')).toMatchObject({handle: 'vm'})
      expect(await endpoints()).toEqual([])
    })

    test('the container is dead, its addresses were released, the agent was restarted meanwhile', async () => {
      const task = await launch(['g'])
      containers.agent.restart()
      await containers.agent.cleanup(task.id)
      expect(await endpoints()).toHaveLength(1)
      await task.space.stop()
      await call('release', {ips: task.addresses})
      expect(await call('cleanup', {container_id: task.id, hostname: HOSTNAME})).toMatchObject(SUCCESS)
      await expectNothingLeft()
    })

    test('a stale endpoint of a container that Mesos forgot does not keep another task\'s address', async () => {
      const stale = await launch(['g'], [{ipAddress: '192.168.5.5'}])
      await calicoctl(['ipam', 'release', '192.168.5.5', '--force'], options())
      const {addresses} = await containers.agent.prepare('new', {ipAddresses: [{ipAddress: '192.168.5.5'}]})
      const {pid} = await namespace()
      isolated('new')
      await expect(containers.agent.isolate('new', pid)).rejects.toThrow(`belongs to container ${stale.id}`)
      expect(await call('release', {ips: addresses})).toMatchObject(SUCCESS)
      expect(await allAssigned(world.store)).toEqual([])
    })

    test('other containers keep theirs', async () => {
      const [task, other] = [await launch(['g']), await launch(['g'])]
      await containers.agent.cleanup(task.id)
      await expectWired(other)
      expect(await allAssigned(world.store)).toEqual(other.addresses)
    })
  })

  test('ten containers at once, started and ended', async () => {
    const start = async (i: number): Promise<Task> => launch([i % 2 === 0 ? 'even' : 'odd'], i % 3 === 0 ? [{}, {}] : [{}])
    const tasks = await Promise.all(Array.from({length: 10}, (_, i) => start(i)))
    for (const task of tasks) await expectWired(task)
    expect(new Set(tasks.flatMap(({addresses}) => addresses)).size).toBe(14)
    expect([...(await profiles()).keys()]).toHaveLength(3)
    await Promise.all(tasks.map(({id}) => containers.agent.cleanup(id)))
    await expectNothingLeft()
  }, 300_000)

  test('without the rights for it: told, and nothing is made', async () => {
    const addresses = await allocated('u')
    const {pid} = await namespace()
    const script = join(world.folder, 'unprivileged')
    writeFileSync(script, `#!/bin/sh\nexec setpriv --bounding-set -net_admin,-sys_admin ${CALICO_MESOS}\n`, {mode: 0o755})
    const result = await plugin({command: 'isolate', args: {container_id: 'c', hostname: 'h', pid, ipv4_addrs: addresses}}, {...options(), command: script})
    expect(parsed(result).error).toMatch(/CAP_NET_ADMIN/)
    expect(await endpoints()).toEqual([])
  })
})
