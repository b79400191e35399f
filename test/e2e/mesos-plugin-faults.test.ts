/** The Mesos plugin where etcd is away, other calls come between, or it is killed. */
import {randomUUID} from 'node:crypto'
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {suite} from '../support/docker.js'
import {mesosContainers} from '../support/mesos-containers.js'
import {failure, HOSTNAME, mesosPlugin, parsed, SUCCESS} from '../support/mesos-plugin.js'
import {startNamespace, whyNoNamespaces} from '../support/namespaces.js'
import {CALICO_MESOS, plugin, type PluginResult, startPlugin} from '../support/net-modules.js'
import {freePorts} from '../support/ports.js'
import {type Proxy, startProxy} from '../support/proxy.js'
import {startSilentServer} from '../support/silent-server.js'
import {until} from '../support/until.js'
import {calicoctl} from '../support/warm.js'

const world = mesosPlugin()
const {options, pool, call, allocation, allocated, endpoints, profiles, expectNothingLeft} = world

describe('etcd is away', () => {
  const REQUESTS = {
    allocate: {hostname: 'h', num_ipv4: 1, num_ipv6: 0, uid: 'u'},
    reserve: {hostname: 'h', ipv4_addrs: ['192.168.0.1'], uid: 'u'},
    release: {ips: ['192.168.0.1']},
    isolate: {container_id: 'c', hostname: 'h', pid: process.pid, ipv4_addrs: ['192.168.0.1']},
    cleanup: {container_id: 'c', hostname: 'h'},
  }

  test.each(Object.entries(REQUESTS))('%s', async (command, args) => {
    const [port] = await freePorts(1)
    const authority = `127.0.0.1:${port ?? 0}`
    const away = (what: string, variable: string) => failure(`Failed to communicate with etcd at '${what}'. Ensure that it is up and running or change ${variable} environment variable used by the mesos-agent process.`)
    expect(await call(command, args, {ETCD_ENDPOINTS: undefined, ETCD_AUTHORITY: authority})).toMatchObject(away(authority, 'ETCD_AUTHORITY'))
    expect(await call(command, args, {ETCD_ENDPOINTS: `http://${authority}`})).toMatchObject(away(`http://${authority}`, 'ETCD_ENDPOINTS'))
  })

  test('no variable is set', async () => {
    const inNamespace = await startNamespace()
    try {
      const script = join(world.folder, 'in-namespace')
      // Of its own, so that there is nothing at 127.0.0.1:2379.
      writeFileSync(script, `#!/bin/sh\nexec nsenter --net=${inNamespace.path} ${CALICO_MESOS}\n`, {mode: 0o755})
      const result = await plugin({command: 'cleanup', args: REQUESTS.cleanup}, {...options({ETCD_ENDPOINTS: undefined}), command: script})
      expect(result).toMatchObject(failure('Failed to communicate with etcd. ETCD_AUTHORITY is not set for this agent process.'))
    } finally {
      await inNamespace.stop()
    }
  })

  test('a server that never answers does not hold up the agent', async () => {
    const silent = await startSilentServer()
    const start = Date.now()
    try {
      expect(parsed(await allocation('u', {}, {ETCD_ENDPOINTS: silent.endpoint})).error).toMatch(/^Failed to communicate with etcd at 'http:/)
      expect(Date.now() - start).toBeLessThan(60_000)
    } finally {
      await silent.stop()
    }
  })

  test('the answer to a write is lost: it says so', async () => {
    await pool()
    const proxy = await startProxy(world.etcd.endpoints[0] ?? '')
    try {
      proxy.before('requestedAt', () => proxy.set('swallow-replies'))
      const {error} = parsed(await allocation('u', {}, {ETCD_ENDPOINTS: proxy.endpoint}))
      expect(error).toMatch(/not known whether/)
      expect(error).not.toContain('\n')
    } finally {
      await proxy.stop()
    }
  })
})

suite('containers', whyNoNamespaces(), () => {
  const containers = mesosContainers(world)
  const {namespace, launch, isolation, isolated, expectWired, calicoInterfaces} = containers

  describe('another call comes between the look and the transaction', () => {
    let proxy: Proxy
    beforeEach(async () => {
      proxy = await startProxy(world.etcd.endpoints[0] ?? '')
    })
    afterEach(() => proxy.stop())

    /** An isolate whose transaction reaches etcd later than what MEANWHILE does. */
    async function overtaken(id: string, pid: number, addresses: readonly string[], meanwhile: () => Promise<void>): Promise<PluginResult> {
      isolated(id)
      const {result} = startPlugin(JSON.stringify({command: 'isolate', args: {container_id: id, hostname: HOSTNAME, pid, ipv4_addrs: addresses, netgroups: ['g']}}), options({ETCD_ENDPOINTS: proxy.endpoint}))
      await new Promise<void>((settle) =>
        proxy.before('"kind":"WorkloadEndpoint"', () => {
          proxy.delay(3_000)
          settle()
        }),
      )
      await meanwhile()
      proxy.delay(0)
      return result
    }

    test('another container with the same address: the later one loses', async () => {
      // Node and profiles are there already: nothing but the address is common to the two.
      await containers.agent.cleanup((await launch(['g'])).id)
      const addresses = await allocated('u')
      const [one, two] = [await namespace(), await namespace()]
      const late = await overtaken('late', one.pid, addresses, async () => expect(await isolation('early', two.pid, addresses, {netgroups: ['g']})).toMatchObject(SUCCESS))
      expect(late).toMatchObject(failure(`IP '${addresses[0] ?? ''}' belongs to container early, which has an endpoint with it.`))
      await expectWired({id: 'early', space: two, addresses})
      expect(calicoInterfaces()).toHaveLength(1)
    })

    test('a release: the container does not get what is free', async () => {
      const addresses = await allocated('u')
      const {pid} = await namespace()
      const late = await overtaken('late', pid, addresses, async () => expect(await call('release', {ips: addresses})).toMatchObject(SUCCESS))
      expect(parsed(late).error).toMatch(/^There is no handle u|has been released since then/)
      expect(calicoInterfaces()).toEqual([])
      await expectNothingLeft()
    })

    test('an operator removes a profile: it is made again with the endpoint that names it', async () => {
      await calicoctl(['profile', 'add', 'g'], options())
      const addresses = await allocated('u')
      const space = await namespace()
      const late = await overtaken('late', space.pid, addresses, async () => expect(await calicoctl(['profile', 'remove', 'g'], options())).toMatchObject({code: 0}))
      expect(late).toMatchObject(SUCCESS)
      expect([...(await profiles()).keys()]).toContain('g')
      await expectWired({id: 'late', space, addresses})
    })
  })

  describe('killed in the middle', () => {
    let proxy: Proxy
    beforeEach(async () => {
      proxy = await startProxy(world.etcd.endpoints[0] ?? '')
    })
    afterEach(() => proxy.stop())

    function isolate(id: string, pid: number, addresses: readonly string[]): ReturnType<typeof startPlugin> {
      isolated(id)
      return startPlugin(JSON.stringify({command: 'isolate', args: {container_id: id, hostname: HOSTNAME, pid, ipv4_addrs: addresses}}), options({ETCD_ENDPOINTS: proxy.endpoint}))
    }

    test('isolate, with its interfaces made and its endpoint not stored: the same request completes it', async () => {
      const addresses = await allocated('u')
      const space = await namespace()
      const {process: child, result} = isolate('c', space.pid, addresses)
      proxy.before('"kind":"WorkloadEndpoint"', () => {
        proxy.set('black-hole')
        child.kill('SIGKILL')
      })
      expect((await result).signal).toBe('SIGKILL')
      expect(calicoInterfaces()).toHaveLength(1)
      expect(await isolation('c', space.pid, addresses)).toMatchObject(SUCCESS)
      await expectWired({id: 'c', space, addresses})
    })

    test('isolate, with its interfaces made, and net-modules gives up: nothing is left', async () => {
      const addresses = await allocated('u')
      const space = await namespace()
      const {process: child, result} = isolate('c', space.pid, addresses)
      proxy.before('"kind":"WorkloadEndpoint"', () => {
        proxy.set('black-hole')
        child.kill('SIGKILL')
      })
      await result
      await space.stop()
      expect(await call('release', {ips: addresses})).toMatchObject(SUCCESS)
      expect(await call('cleanup', {container_id: 'c', hostname: 'h'})).toMatchObject(failure('No endpoint found with container-id: c'))
      await expectNothingLeft()
      await until('the interfaces are gone', () => calicoInterfaces().length === 0)
    })

    test('the answer to the endpoint\'s transaction is lost: it is told, and the interfaces are gone', async () => {
      const addresses = await allocated('u')
      const {pid} = await namespace()
      const {result} = isolate('c', pid, addresses)
      proxy.before('"kind":"WorkloadEndpoint"', () => proxy.set('swallow-replies'))
      expect(parsed(await result).error).toMatch(/not known whether/)
      expect(calicoInterfaces()).toEqual([])
      await call('release', {ips: addresses})
      expect(await call('cleanup', {container_id: 'c', hostname: 'h'})).toMatchObject(SUCCESS)
      await expectNothingLeft()
    })

    test('etcd goes away between the interfaces and the endpoint: they are gone again', async () => {
      const addresses = await allocated('u')
      const {pid} = await namespace()
      const {result} = isolate('c', pid, addresses)
      proxy.before('"kind":"WorkloadEndpoint"', () => {
        proxy.set('black-hole')
        proxy.reset()
      })
      expect(parsed(await result).error).not.toBeNull()
      expect([calicoInterfaces(), await endpoints()]).toEqual([[], []])
    })

    test('at any moment: a repetition or a cleanup ends it', async () => {
      for (let delay = 60; delay <= 200; delay += 10) {
        const id = randomUUID()
        const addresses = await allocated(id)
        const space = await namespace()
        const isolating = isolate(id, space.pid, addresses)
        await new Promise((settle) => setTimeout(settle, delay))
        isolating.process.kill('SIGKILL')
        await isolating.result
        const again = await isolation(id, space.pid, addresses)
        if (again.code !== 0) expect(again).toMatchObject(failure('This container has already been configured with Calico Networking.'))
        await expectWired({id, space, addresses})
        const cleaning = startPlugin(JSON.stringify({command: 'cleanup', args: {container_id: id, hostname: HOSTNAME}}), options())
        await new Promise((settle) => setTimeout(settle, delay / 2))
        cleaning.process.kill('SIGKILL')
        await cleaning.result
        expect(await call('cleanup', {container_id: id, hostname: HOSTNAME}, {CALICO_MESOS_IDEMPOTENT_CLEANUP: 'true'})).toMatchObject(SUCCESS)
        await expectNothingLeft()
        expect(calicoInterfaces()).toEqual([])
      }
    }, 300_000)
  })
})
