/** `node stop` and `node remove` on a host of its own, with real etcd, Engine, iptables and routes; calico-node is a stand-in. */
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {afterAll, afterEach, beforeAll, describe, expect, test} from '@jest/globals'
import {suite} from '../support/docker.js'
import {CALICOCTL} from '../support/cli.js'
import {ETCD, startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'
import {importStandIn, STAND_IN} from '../support/stand-in/image.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org'
const META = (name: string) => ({name, uid: '9b2d8c3e-7e0a-4b58-9d64-3d5a0f1f7c11', creationTimestamp: '2026-11-21T10:00:00Z'})

suite('node stop and remove, with a stand-in for calico-node', whyNoHost(), () => {
  let host: TestHost
  beforeAll(async () => {
    host = await startHost()
    await Promise.all([host.startEtcd(), host.startEngine()])
    importStandIn(host.docker)
  })
  afterAll(() => host.stop(), 60_000)
  afterEach(() => {
    const ids = host.docker('ps', '-aq').split('\n').filter((id) => id !== '')
    if (ids.length > 0) host.docker('rm', '-f', ...ids)
    host.etcdctl('del', '--prefix', '/')
    host.run('rm', '-f', '/var/lib/calico/nodename')
  })

  const run = (line: string) => host.calicoctl(line.split(' '))
  const start = () => run(`node --ip=192.0.2.2 --node-image=${STAND_IN}`)
  const keys = (): string[] => host.etcdctl('get', '--prefix', '/', '--keys-only').split('\n').filter((line) => line !== '')
  const put = (plural: string, kind: string, name: string, spec: object, namespace?: string): string =>
    host.etcdctl('put', `${RESOURCES}/${plural}/${namespace === undefined ? '' : `${namespace}/`}${name}`, JSON.stringify({kind, apiVersion: 'projectcalico.org/v3', metadata: {...META(name), ...(namespace === undefined ? {} : {namespace})}, spec}))
  const state = (): string => host.docker('ps', '-a', '--format', '{{.Names}} {{.State}}')
  /** What `container add` would store, for NODE. */
  const putEndpoint = (node: string): string =>
    put('workloadendpoints', 'WorkloadEndpoint', `${node}-docker-web-e1`, {orchestrator: 'docker', workload: 'web', node, endpoint: 'e1', ipNetworks: ['192.168.0.1/32'], interfaceName: 'calie1', mac: '02:00:00:00:00:01'}, 'default')

  test('stop: the container stays, stopped; what is left behind is told; again is not a fault', async () => {
    await start()
    expect(await run('node stop')).toMatchObject({code: 0, stdout: 'Node stopped\n', stderr: expect.stringMatching(/calico-node was stopped\.\nNot changed: .*--clean-host/) as unknown})
    expect(state()).toBe('calico-node exited')
    expect(await run('node stop')).toMatchObject({code: 0, stdout: 'Node stopped\n', stderr: ''})
  })

  test('stop with endpoints: 8 unless forced, also where the datastore is away', async () => {
    await start()
    putEndpoint('rack1-host1')
    expect(await run('node stop')).toMatchObject({code: 8, stdout: '', stderr: expect.stringMatching(/an active endpoint[^]*--force/) as unknown})
    expect(state()).toBe('calico-node running')
    expect(await run('node stop --force --dry-run')).toMatchObject({code: 0, stdout: ''})
    expect(state()).toBe('calico-node running')
    const away = {env: {ETCD_ENDPOINTS: 'http://192.0.2.2:1'}}
    expect(await host.calicoctl(['node', 'stop', '--timeout=500ms'], away)).toMatchObject({code: 6})
    expect(await host.calicoctl(['node', 'stop', '--force', '--timeout=500ms'], away)).toMatchObject({code: 0, stdout: 'Node stopped\n', stderr: expect.stringContaining('cannot determine whether') as unknown})
    expect(state()).toBe('calico-node exited')
  })

  describe('the unit calico-node.service', () => {
    /** What stands in for systemctl: the unit's STATE, and a stop that never ends. */
    const withUnit = (state: string): {PATH: string} => {
      const folder = join(host.folder, 'systemd')
      mkdirSync(folder, {recursive: true})
      rmSync(join(folder, 'calls'), {force: true})
      writeFileSync(join(folder, 'systemctl'), `#!/bin/sh\n[ "$1" = show ] && { echo ActiveState=${state}; exit 0; }\necho "$@" >>${folder}/calls\nexec sleep 300\n`, {mode: 0o755})
      return {PATH: `${folder}:${process.env.PATH ?? ''}:/usr/sbin:/sbin`}
    }
    const stopped = (): boolean => existsSync(join(host.folder, 'systemd/calls'))

    test('whose ExecStop this command is: it does not wait for itself', async () => {
      const env = withUnit('active')
      const group = host.run('sh', '-c', 'for each in /sys/fs/cgroup /sys/fs/cgroup/systemd; do [ -e $each/cgroup.procs ] && echo $each; done; true').split('\n')[0] ?? ''
      expect(group).not.toBe('')
      host.run('mkdir', '-p', `${group}/calico-node.service`)
      try {
        const child = host.spawn(['sh', '-c', `echo 0 >${group}/calico-node.service/cgroup.procs; exec ${process.execPath} ${CALICOCTL} node stop --force`], {...env, DOCKER_HOST: `unix://${host.socket}`, ETCD_ENDPOINTS: ETCD, HOSTNAME: 'rack1-host1'})
        const code = await new Promise((resolve) => child.on('close', resolve))
        expect({code, stopped: stopped()}).toEqual({code: 0, stopped: false})
      } finally {
        host.run('rmdir', `${group}/calico-node.service`)
      }
    })

    test('that is stopping already is not waited for', async () => {
      expect(await host.calicoctl(['node', 'stop', '--force'], {env: withUnit('deactivating')})).toMatchObject({code: 0, stdout: 'Node stopped\n'})
      expect(stopped()).toBe(false)
    })

    test('that runs is stopped', async () => {
      let calls = ''
      const {code} = await host.calicoctl(['node', 'stop', '--force'], {env: withUnit('active')}, (child) => {
        const timer = setInterval(() => {
          // The file is there before the line is.
          calls = stopped() ? readFileSync(join(host.folder, 'systemd/calls'), 'utf8') : ''
          if (!calls.endsWith('\n')) return
          child.kill('SIGTERM')
          clearInterval(timer)
        }, 50)
        child.on('exit', () => clearInterval(timer))
      })
      expect({code, calls}).toEqual({code: 143, calls: 'stop calico-node.service\n'})
    })
  })

  test('remove while it runs: 8', async () => {
    await start()
    expect(await run('node remove')).toMatchObject({code: 8, stderr: expect.stringContaining('Stop it first') as unknown})
  })

  test('remove takes all that is the node\'s, and nothing of another node\'s', async () => {
    await start()
    await host.calicoctl(['node', '--runtime=none', '--ip=192.0.2.9', '--replace'], {env: {HOSTNAME: 'other'}})
    for (const name of ['rack1-host1', 'other']) {
      await host.calicoctl(['ipam', 'assign', '--node', name], {env: {HOSTNAME: name}})
      put('bgppeers', 'BGPPeer', `peer-${name}`, {node: name, peerIP: '192.0.2.99', asNumber: 64512})
      put('bgpconfigurations', 'BGPConfiguration', `node.${name}`, {logSeverityScreen: 'Info'})
      put('hostendpoints', 'HostEndpoint', `hep-${name}`, {node: name, interfaceName: 'eth0'})
      putEndpoint(name)
    }
    await run('node stop --force')
    const before = keys()
    expect(before.filter((key) => key.includes('/host/rack1-host1/'))).toHaveLength(1)
    expect(await run('node remove')).toMatchObject({code: 8, stdout: '', stderr: expect.stringContaining('--remove-endpoints') as unknown})
    expect(await run('node remove --remove-endpoints --dry-run')).toMatchObject({code: 0, stdout: expect.stringContaining('--- node/rack1-host1') as unknown})
    expect(keys()).toEqual(before)
    expect(await run('node remove --remove-endpoints')).toMatchObject({code: 0, stdout: 'Node configuration removed\n', stderr: expect.stringContaining('nodename removed') as unknown})
    expect(keys()).toEqual(before.filter((key) => !key.includes('rack1-host1')))
    expect(() => host.run('test', '-e', '/var/lib/calico/nodename')).toThrow()
    expect(await run('node remove --remove-endpoints')).toMatchObject({code: 0, stdout: 'Node configuration removed\n', stderr: ''})
  })

  test('--clean-host: Calico\'s chains, sets, devices and routes go; foreign ones stay byte for byte', async () => {
    await run('pool add 10.0.0.0/24')
    const shell = (script: string): string => host.run('sh', '-ec', script)
    const variants = ['iptables-legacy', 'iptables-nft', 'ip6tables-nft'].filter((program) => {
      try {
        shell(`${program} -t filter -S`)
        return true
      } catch {
        return false
      }
    })
    expect(variants.length).toBeGreaterThan(0)
    for (const program of variants) {
      shell(`${program} -N MINE; ${program} -A FORWARD -j MINE; ${program} -A MINE -m comment --comment 'calico: "see" cali-FORWARD' -j ACCEPT; ${program} -P FORWARD DROP`)
    }
    shell('ip route add blackhole 198.51.100.0/24 proto static; ip route add 203.0.113.0/24 via 192.0.2.1')
    const sets = has('ipset list -n')
    if (sets) shell('ipset create mine hash:ip; ipset add mine 192.0.2.1')
    // The packets of etcd's own traffic are counted all the time.
    const image = (): string => [...variants.map((program) => shell(`${program}-save | grep -v '^#' | sed 's/ \\[[0-9:]*\\]$//'`)), shell('ip route show table all; ip -6 route show table all; ip -o link | cut -d: -f2'), sets ? shell('ipset save') : ''].join('\n---\n')
    const foreign = image()
    for (const program of variants) {
      shell(`
        ${program} -N cali-FORWARD; ${program} -N cali-tw-1
        ${program} -A cali-FORWARD -m comment --comment cali:vjrMJCRpqwy5oRoX -j cali-tw-1
        ${program} -I FORWARD -m comment --comment cali:wUHhoiAYhphO9Mso -j cali-FORWARD
        ${program} -A FORWARD -m comment --comment cali:S93hcgKJrXEqnTfs -m mark --mark 0x10000/0x10000 -j ACCEPT`)
    }
    shell('ip route add blackhole 192.168.7.0/26 proto 80; ip -6 route add blackhole fd80::/122 proto 80; ip link add vxlan.calico type veth peer name peer0; ip link set vxlan.calico up; ip route add 192.168.9.0/26 dev vxlan.calico proto 80')
    if (sets) shell('ipset create cali40s:abc hash:ip; ipset create cali4t0 hash:ip')
    const full = image()
    expect(full).not.toBe(foreign)
    expect(await run('node remove --clean-host --dry-run')).toMatchObject({code: 0, stderr: expect.stringContaining('2 chains') as unknown})
    expect(image()).toBe(full)
    expect(await run('node remove --clean-host')).toMatchObject({code: 0, stdout: 'Node configuration removed\n', stderr: expect.stringMatching(/device vxlan\.calico removed/) as unknown})
    expect(image()).toBe(foreign)
    expect(await run('node remove --clean-host')).toMatchObject({code: 0, stderr: 'Nothing of Calico is left on this host.\n'})
  })

  function has(line: string): boolean {
    try {
      host.run('sh', '-c', line)
      return true
    } catch {
      return false
    }
  }

  test.each(['stop', 'remove'])('the examples of node %s, as they are written', async (command) => {
    const page = readFileSync(resolve(import.meta.dirname, `../../dist/help/calicoctl.node.${command}.txt`), 'utf8')
    const examples = [...page.matchAll(/^\s*\$ calicoctl (.*)$/gm)].map(([, words = '']) => words)
    expect(examples.length).toBeGreaterThan(1)
    await run('pool add 10.0.0.0/24')
    put('nodes', 'Node', 'rack3-host1', {})
    for (const words of examples) expect({words, ...(await run(words))}).toMatchObject({words, code: 0, stderr: expect.not.stringContaining('Error') as unknown})
  })
})
