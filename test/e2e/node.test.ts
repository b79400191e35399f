/**
 * `node` on a host of its own, with a real etcd and a real Docker Engine. calico-node is a stand-in (test/support/stand-in): these tests prove nothing
 * about packets, BGP or Felix.
 */
import {existsSync, readFileSync} from 'node:fs'
import {resolve} from 'node:path'
import type {ChildProcess} from 'node:child_process'
import {afterAll, afterEach, beforeAll, expect, test} from '@jest/globals'
import {startEngineProxy, suite} from '../support/docker.js'
import {ETCD, startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'
import {importBase, importStandIn, STAND_IN} from '../support/stand-in/image.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org'
const IMAGE = `--node-image=${STAND_IN}`
const CRASHING = 'calicoctl-stand-in:crashing'
const TALKATIVE = 'calicoctl-stand-in:talkative'
const FAILING = 'calicoctl-stand-in:failing'

suite('node, with a stand-in for calico-node', whyNoHost(), () => {
  let host: TestHost
  beforeAll(async () => {
    host = await startHost()
    await Promise.all([host.startEtcd(), host.startEngine()])
    importStandIn(host.docker)
    importStandIn(host.docker, CRASHING, ['ENV FAIL_AFTER=200'])
    importStandIn(host.docker, TALKATIVE, ['ENV FLOOD=3000'])
    importStandIn(host.docker, FAILING, ['ENV FLOOD=3000', 'ENV CALICO_IPV4POOL_CIDR=10.0.0.0/16'])
  }, 300_000)
  afterAll(() => host.stop(), 60_000)
  afterEach(() => {
    const ids = host.docker('ps', '-aq').split('\n').filter((id) => id !== '')
    if (ids.length > 0) host.docker('rm', '-f', ...ids)
    host.etcdctl('del', '--prefix', '/')
    host.run('rm', '-f', '/var/lib/calico/nodename')
  })

  const keys = (): string[] => host.etcdctl('get', '--prefix', '/', '--keys-only').split('\n').filter((line) => line !== '')
  const spec = (plural: string, name: string): unknown => (JSON.parse(host.etcdctl('get', `${RESOURCES}/${plural}/${name}`, '--print-value-only')) as {spec: unknown}).spec
  const containers = (): string => host.docker('ps', '-a', '--format', '{{.Names}} {{.State}}')
  const environment = (): string[] => JSON.parse(host.docker('inspect', '-f', '{{json .Config.Env}}', 'calico-node')) as string[]
  const node = (...args: string[]) => host.calicoctl(['node', IMAGE, ...args])

  test('starts it: host prepared, Node and pools written, container ready, v0.20\'s lines on stdout', async () => {
    host.run('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward')
    const {code, stdout, stderr} = await node('--ip=192.0.2.2', '--as=64600')
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringContaining('Felix and BIRD are ready.') as unknown})
    const id = host.docker('ps', '-q', '--no-trunc')
    const lines = stdout.split('\n')
    expect(lines.slice(0, 4)).toEqual(['Running Docker container with the following command:', '', expect.stringMatching(/^docker run -d .* calicoctl-stand-in:v3\.32\.1$/), ''])
    expect(lines.slice(4, 6)).toEqual([`Calico node is running with id: ${id}`, 'Waiting for successful startup'])
    expect(lines).toContain('Calico node started successfully')
    expect(stderr).toMatch(/ip_forward = 1: done/)
    expect(host.run('cat', '/proc/sys/net/ipv4/ip_forward').trim()).toBe('1')
    expect(spec('nodes', 'rack1-host1')).toMatchObject({bgp: {ipv4Address: '192.0.2.2/24', asNumber: 64600}})
    expect(keys().filter((key) => key.includes('/ippools/'))).toEqual([`${RESOURCES}/ippools/192-168-0-0-16`, `${RESOURCES}/ippools/fd80-24e2-f998-72d6---64`])
    expect(environment()).toEqual(expect.arrayContaining(['NODENAME=rack1-host1', `ETCD_ENDPOINTS=${ETCD}`, 'IP=192.0.2.2/24', 'AS=64600', 'CALICO_MANAGE_CNI=false', 'FELIX_HEALTHENABLED=true']))
    expect(host.docker('inspect', '-f', '{{.HostConfig.Privileged}} {{.HostConfig.NetworkMode}} {{.HostConfig.RestartPolicy.Name}}', 'calico-node')).toBe('true host unless-stopped')
  }, 300_000)

  test('again: steps are told as done already, the old container is replaced, the AS number that is not given is cleared', async () => {
    await node('--ip=192.0.2.2', '--as=64600')
    const first = host.docker('ps', '-q')
    const {code, stderr} = await node('--ip=192.0.2.2')
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringContaining('ip_forward = 1: already done') as unknown})
    expect(stderr).toContain('node/rack1-host1 updated (AS number: 64600 → none)\n')
    expect(stderr).toContain(`was removed (${first}).\nDifferences:\n  AS: 64600 → none\n`)
    expect(host.docker('ps', '-aq')).not.toContain(first)
    expect(spec('nodes', 'rack1-host1')).toMatchObject({bgp: {ipv4Address: '192.0.2.2/24'}})
    expect(spec('nodes', 'rack1-host1')).not.toMatchObject({bgp: {asNumber: 64600}})
  }, 300_000)

  test('what the line does not name is removed, and told; in a dry run too', async () => {
    await node('--runtime=none', '--ip=192.0.2.2', '--ip6=fd00::2', '--as=64600')
    expect(await node('--runtime=none', '--ip=192.0.2.7', '--dry-run')).toMatchObject({code: 0, stderr: expect.stringContaining('node/rack1-host1 would be updated (IPv4 address: 192.0.2.2/24 → 192.0.2.7/32, IPv6 address: fd00::2/64 → none, AS number: 64600 → none)') as unknown})
    expect(await node('--runtime=none', '--ip=192.0.2.2')).toMatchObject({code: 0, stderr: expect.stringContaining('node/rack1-host1 updated (IPv6 address: fd00::2/64 → none, AS number: 64600 → none)') as unknown})
  })

  test('the identical line again: the container runs on; another image of the name, or another variable, replaces it', async () => {
    const running = (): string => host.docker('ps', '-q', '--no-trunc')
    const again = (wait = 'started') => node('--ip=192.0.2.2', '--as=64600', `--wait=${wait}`)
    await again()
    const first = running()
    const {code, stdout, stderr} = await again('ready')
    expect({code, stdout}).toEqual({code: 0, stdout: `Calico node is running with id: ${first}\n`})
    expect(stderr).toMatch(/node\/rack1-host1 unchanged[^]*The container calico-node is already running and was not changed\.\nFelix and BIRD are ready\.\n/)
    expect(running()).toBe(first)
    expect(await node('--ip=192.0.2.2', '--as=64600', '--dry-run')).toMatchObject({code: 0, stdout: '', stderr: expect.stringContaining('would not be changed') as unknown})

    host.docker('tag', TALKATIVE, STAND_IN)
    expect((await again()).stderr).toContain(`the tag ${STAND_IN} now refers to another image`)
    const second = running()
    expect(second).not.toBe(first)
    importStandIn(host.docker)
    await again()
    host.run('sh', '-c', /^docker run .*$/m.exec((await node('--ip=192.0.2.3', '--as=64600', '--dry-run')).stdout)?.[0]?.replace('docker run ', 'docker rm -f calico-node; docker run -e FELIX_SECRET=hush ') ?? 'false')
    const replaced = await again()
    expect(replaced.stderr).toContain('Differences:\n  FELIX_SECRET: removed\n  IP: 192.0.2.3/32 → 192.0.2.2/24\n')
    host.docker('stop', 'calico-node')
    expect(await again()).toMatchObject({code: 0, stdout: expect.stringContaining('Running Docker container') as unknown})
  }, 300_000)

  test('a signal while a container that is kept is waited for: it is left as it is', async () => {
    await node('--ip=192.0.2.2', '--wait=started')
    const first = host.docker('ps', '-q')
    const {code, stderr} = await host.calicoctl(['node', IMAGE, '--ip=192.0.2.2', '--detach=false'], {}, (child) => {
      child.stderr?.on('data', (data: Buffer) => {
        if (data.toString().includes('is already running')) child.kill('SIGTERM')
      })
    })
    expect({code, stderr}).toEqual({code: 143, stderr: expect.stringContaining('was not changed') as unknown})
    expect(host.docker('ps', '-q')).toBe(first)
  }, 300_000)

  test('an image without calico-node: 1 at once, saying what it is', async () => {
    importBase(host.docker, 'other:1', {changes: ['CMD ["sleep", "600"]']})
    for (const wait of ['ready', 'started']) {
      const {code, stderr} = await host.calicoctl(['node', '--node-image=other:1', '--ip=192.0.2.2', `--wait=${wait}`, '--wait-timeout=10m'])
      expect({code, stderr}).toEqual({code: 1, stderr: expect.stringMatching(/The image other:1 is not calico\/node: it does not contain the program calico-node\.\n\s*Its command: sleep 600\n[^]*--node-image/) as unknown})
      expect(stderr).not.toContain('OCI runtime')
      expect(containers()).toBe('')
    }
    importBase(host.docker, 'other:2', {changes: ['CMD ["/nowhere"]']})
    expect(await host.calicoctl(['node', '--node-image=other:2', '--ip=192.0.2.2'])).toMatchObject({code: 1, stderr: expect.stringMatching(/of the image other:2 could not be started: The image does not contain the program that it should start/) as unknown})
    expect(containers()).toBe('')
  }, 300_000)

  test('--wait=started sees a line of the first moment', async () => {
    importBase(host.docker, 'early:1', {changes: ['CMD ["sh", "-c", "echo Calico node started successfully; exec sleep 600"]'], node: true})
    expect(await host.calicoctl(['node', '--node-image=early:1', '--ip=192.0.2.2', '--wait=started', '--wait-timeout=10m'])).toMatchObject({code: 0, stdout: expect.stringContaining('\nCalico node started successfully\n') as unknown})
  }, 300_000)

  test('a log of thousands of lines: the last 20 of a start, or of a failure, and where all are', async () => {
    const good = await host.calicoctl(['node', `--node-image=${TALKATIVE}`, '--ip=192.0.2.2'])
    expect(good).toMatchObject({code: 0})
    expect(good.stdout.split('\n').filter((line) => / line \d+$/.test(line))).toHaveLength(18)
    expect(good.stdout).toMatch(/Using node name: rack1-host1\nCalico node started successfully\n$/)
    const failed = await host.calicoctl(['node', `--node-image=${FAILING}`, '--ip=192.0.2.2'], {timeoutMs: 240_000})
    expect(failed).toMatchObject({code: 1, stderr: expect.stringMatching(/stopped: [^]*Its last lines:[^]*Calico node failed to start[^]*For its log: docker logs calico-node/) as unknown})
    expect(failed.stdout).toMatch(/Waiting for successful startup\n$/)
    expect(`${failed.stdout}${failed.stderr}`.split('\n').filter((line) => / line \d+$/.test(line)).length).toBeLessThan(20)
    expect(host.docker('logs', 'calico-node').split('\n').length).toBeGreaterThan(3000)
  }, 300_000)

  test('the line that it prints starts the same node', async () => {
    const {stdout} = await node('--ip=192.0.2.2')
    const settings = () => ({environment: environment().sort(), mounts: (JSON.parse(host.docker('inspect', '-f', '{{json .HostConfig.Binds}}', 'calico-node')) as string[]).sort()})
    const before = settings()
    host.docker('rm', '-f', 'calico-node')
    host.run('sh', '-c', /^docker run .*$/m.exec(stdout)?.[0] ?? 'false')
    expect(settings()).toEqual(before)
  }, 300_000)

  test('without an address: the only possible one, the candidates told; calico-node looks for it at every start', async () => {
    const {code, stderr} = await node()
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringContaining('192.0.2.2/24 on eth0: chosen') as unknown})
    expect(environment()).toEqual(expect.arrayContaining(['IP=autodetect', 'IP_AUTODETECTION_METHOD=interface=^eth0$']))
    expect(spec('nodes', 'rack1-host1')).toMatchObject({bgp: {ipv4Address: '192.0.2.2/24'}})
  }, 300_000)

  test('several possible addresses: refused, naming --ip; with a method it goes on', async () => {
    host.run('ip', 'addr', 'add', '198.51.100.7/25', 'dev', 'uplink')
    try {
      const refused = await node('--runtime=none')
      expect(refused).toMatchObject({code: 1, stderr: expect.stringMatching(/\nGive the address with --ip/) as unknown})
      for (const line of ['  192.0.2.2/24 on eth0: possible\n', '  198.51.100.7/25 on uplink: possible\n', '  127.0.0.1/8 on lo: loopback\n']) expect(refused.stderr).toContain(line)
      expect(keys()).toEqual([])
      expect(await node('--runtime=none', '--ip=cidr=198.51.100.0/24')).toMatchObject({code: 0})
      expect(spec('nodes', 'rack1-host1')).toMatchObject({bgp: {ipv4Address: '198.51.100.7/25'}})
      expect(await node('--runtime=none', '--ip=can-reach=192.0.2.99')).toMatchObject({code: 0})
      expect(spec('nodes', 'rack1-host1')).toMatchObject({bgp: {ipv4Address: '192.0.2.2/24'}})
    } finally {
      host.run('ip', 'addr', 'del', '198.51.100.7/25', 'dev', 'uplink')
    }
  }, 300_000)

  test('several possible addresses, on a terminal: the chosen one is the node\'s, calico-node gets it, and the same line keeps it', async () => {
    host.run('ip', 'addr', 'add', '10.5.5.5/24', 'dev', 'eth0')
    try {
      const {code, stdout} = await host.onTerminal(['node', IMAGE], '10.5.5.5 on eth0', '\u001b[B\r')
      expect({code, stdout}).toEqual({code: 0, stdout: expect.stringContaining("Which address should the node use?") as unknown})
      expect(environment()).toContain('IP=10.5.5.5/24')
      expect(environment()).not.toContainEqual(expect.stringMatching(/^IP_AUTODETECTION_METHOD=/))
      // As the container itself has left it.
      expect(spec('nodes', 'rack1-host1')).toMatchObject({bgp: {ipv4Address: '10.5.5.5/24'}})
      const container = host.docker('ps', '-q')
      expect(await node()).toMatchObject({code: 0})
      expect({container: host.docker('ps', '-q'), env: environment()}).toEqual({container, env: expect.arrayContaining(['IP=10.5.5.5/24']) as unknown})
    } finally {
      host.run('ip', 'addr', 'del', '10.5.5.5/24', 'dev', 'eth0')
    }
  }, 300_000)

  test('addresses that no node can have: 1, and nothing is written; Docker\'s own can be had by naming its interface', async () => {
    host.run('sh', '-c', 'ip link add docker0 type veth peer name docker0p; ip link set docker0 up; ip addr add 172.17.0.1/16 dev docker0; ip link add eth9 type veth peer name eth9p; ip addr add 203.0.113.9/24 dev eth9; ip addr add fd09::9/64 dev eth9')
    try {
      for (const [option, reason] of [['--ip=127.0.0.1', 'a loopback address'], ['--ip=172.17.0.1', 'docker0 belongs to containers'], ['--ip=203.0.113.9', 'eth9 is down'], ['--ip=192.0.2.255', 'the broadcast address'], ['--ip6=ff02::1', 'a multicast address'], ['--ip6=fd09::9', 'eth9 is down']] as const) {
        expect({option, ...(await node('--runtime=none', ...(option.startsWith('--ip6') ? ['--ip=192.0.2.2'] : []), option))}).toMatchObject({option, code: 1, stdout: '', stderr: expect.stringContaining(reason) as unknown})
      }
      expect(keys()).toEqual([])
      expect(await node('--runtime=none', '--ip=interface=docker0')).toMatchObject({code: 0})
      expect(spec('nodes', 'rack1-host1')).toMatchObject({bgp: {ipv4Address: '172.17.0.1/16'}})
    } finally {
      host.run('sh', '-c', 'ip link del docker0; ip link del eth9')
    }
  })

  test('both families, the prefix of the interface', async () => {
    expect(await node('--runtime=none', '--ip=192.0.2.2', '--ip6=fd00::2')).toMatchObject({code: 0, stdout: ''})
    expect(spec('nodes', 'rack1-host1')).toEqual({bgp: {ipv4Address: '192.0.2.2/24', ipv6Address: 'fd00::2/64'}})
    expect(containers()).toBe('')
  })

  test('policy only: the Node is made first, BIRD is not waited for', async () => {
    const {code, stderr} = await host.calicoctl(['node', IMAGE], {env: {CALICO_NETWORKING: 'false', NO_DEFAULT_POOLS: 'true'}})
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringContaining('Felix is ready; without networking there is no BIRD.') as unknown})
    expect(spec('nodes', 'rack1-host1')).toEqual({})
    expect(keys().filter((key) => key.includes('/ippools/'))).toEqual([])
  }, 300_000)

  test('a dry run changes nothing and shows what it would do', async () => {
    host.run('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward')
    const {code, stdout, stderr} = await node('--ip=192.0.2.2', '--dry-run')
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringMatching(/ip_forward = 1: would be done[^]*node\/rack1-host1 would be created/) as unknown})
    expect(stdout).toMatch(/\+\+\+ node\/rack1-host1[^]*192\.0\.2\.2\/24[^]*\ndocker run -d/)
    expect(keys()).toEqual([])
    expect(containers()).toBe('')
    expect(host.run('cat', '/proc/sys/net/ipv4/ip_forward').trim()).toBe('0')
  })

  test('a systemd unit and its environment file; nothing changes', async () => {
    const {code, stdout} = await node('--ip=192.0.2.2', '--init-system')
    expect({code, stdout}).toEqual({code: 0, stdout: expect.stringMatching(/^# \/etc\/systemd\/system\/calico-node\.service\n\[Unit\][^]*ExecStart=\/usr\/bin\/docker run --rm [^]*\n# \/etc\/calico\/calico\.env\nNODENAME=rack1-host1\n/) as unknown})
    expect(keys()).toEqual([])
  })

  test('--node is the name of the node, not the image', async () => {
    expect(await host.calicoctl(['node', '--node=other', '--ip=192.0.2.2', '--init-system'])).toMatchObject({code: 0, stdout: expect.stringMatching(/ quay\.io\/calico\/node:\S+\n[^]*\nNODENAME=other\n/) as unknown})
    expect(await host.calicoctl(['node', '--node', 'other', '--runtime=none', '--ip=192.0.2.2', '--dry-run'])).toMatchObject({code: 0, stderr: expect.stringContaining('node/other would be created') as unknown})
    // As in v0.20, whose --node was short for --node-image: no node has such a name.
    for (const words of [['--node=calico/node:v1'], ['--node', 'calico/node:v1']]) expect(await host.calicoctl(['node', ...words, '--ip=192.0.2.2', '--init-system'])).toMatchObject({code: 0, stdout: expect.stringMatching(/ calico\/node:v1\n/) as unknown})
  })

  test.each<[string, string[], RegExp]>([
    ['a name that no node can have', ['--node=Bad_Name', '--ip=192.0.2.2'], /^Error: --node: [^]*Bad_Name/],
    ['an empty name', ['--node=', '--ip=192.0.2.2'], /^Error: --node is empty/],
    ['all wrong values at once', ['--ip=1.2.3', '--as=0', '--runtime=rkt', '--log-dir=log', '--libnetwork', '--libnetwork-image=-x'], /5 problems in the command line:[^]*--runtime: [^]*--as: [^]*--libnetwork-image: [^]*--ip: /],
    ['the embedded datastore', ['--datastore=embedded:/tmp/never', '--ip=192.0.2.2'], /cannot read the embedded datastore/],
    ['an interface without an address', ['--ip=interface=none'], /No IPv4 address of this host can be used for the node/],
  ])('refused: %s', async (_, args, message) => {
    const {code, stderr, stdout} = await node(...args)
    expect({code, stdout, stderr}).toEqual({code: 1, stdout: '', stderr: expect.stringMatching(message) as unknown})
    expect(keys()).toEqual([])
    expect(containers()).toBe('')
  })

  test('the address of another node, and a name that seems to be another host\'s: 5, nothing changed', async () => {
    await host.calicoctl(['node', '--runtime=none', '--ip=192.0.2.2'], {env: {HOSTNAME: 'other'}})
    const before = keys()
    expect(await node('--ip=192.0.2.2')).toMatchObject({code: 5, stderr: expect.stringContaining('192.0.2.2 belongs to node other already') as unknown})
    expect(keys()).toEqual(before)
    await host.calicoctl(['node', '--runtime=none', '--ip=192.0.2.77'], {env: {HOSTNAME: 'other'}})
    expect(await host.calicoctl(['node', '--runtime=none', '--ip=192.0.2.2'], {env: {HOSTNAME: 'other'}})).toMatchObject({code: 5, stderr: expect.stringContaining('--replace') as unknown})
    expect(await host.calicoctl(['node', '--runtime=none', '--ip=192.0.2.2', '--replace'], {env: {HOSTNAME: 'other'}})).toMatchObject({code: 0})
  }, 300_000)

  test('of hosts that take one address at the same time, one has it', async () => {
    await node('--runtime=none', '--ip=192.0.2.77')
    const codes = await Promise.all(['a', 'b', 'c'].map(async (HOSTNAME) => (await host.calicoctl(['node', '--runtime=none', '--ip=192.0.2.2'], {env: {HOSTNAME}})).code))
    expect(codes.sort()).toEqual([0, 5, 5])
  })

  test('a container that stopped: its last lines, exit 1; it is stopped', async () => {
    const {code, stderr} = await host.calicoctl(['node', `--node-image=${CRASHING}`, '--ip=192.0.2.2'])
    expect({code, stderr}).toEqual({code: 1, stderr: expect.stringMatching(/stopped: [^]*Calico node started successfully[^]*Already written, and kept: [^]*node\/rack1-host1[^]*docker logs calico-node/) as unknown})
    expect(containers()).toBe('calico-node exited')
  }, 300_000)

  test('not ready in time: 9 with the reason; the container goes on', async () => {
    const {code, stderr} = await node('--ip=192.0.2.2', '--wait-timeout=800ms')
    expect({code, stderr}).toEqual({code: 9, stderr: expect.stringMatching(/was not ready within 0\.8 s: calico\/node is not ready: BIRD is not ready/) as unknown})
    expect(containers()).toBe('calico-node running')
  }, 300_000)

  test('--wait=started does not wait for BIRD', async () => {
    expect(await node('--ip=192.0.2.2', '--wait=started', '--wait-timeout=20s')).toMatchObject({code: 0})
    expect(() => host.docker('exec', 'calico-node', 'calico-node', '-bird-ready')).toThrow()
  }, 300_000)

  test('an image that cannot be pulled: the old container runs on', async () => {
    await node('--ip=192.0.2.2')
    const before = host.docker('ps', '-q')
    const {code, stderr} = await host.calicoctl(['node', '--node-image=127.0.0.1:9/calico/node:v1', '--ip=192.0.2.2'])
    expect({code, stderr}).toEqual({code: 1, stderr: expect.stringMatching(/could not be pulled: [^]*connection refused[^]*--no-pull/) as unknown})
    expect(host.docker('ps', '-q')).toBe(before)
    expect(await host.calicoctl(['node', '--node-image=nothing:v1', '--no-pull', '--ip=192.0.2.2'])).toMatchObject({code: 4, stderr: expect.stringContaining('nothing:v1 is not on this host') as unknown})
  }, 300_000)

  test.each([['SIGINT', 130, 'Interrupted'], ['SIGTERM', 143, 'Terminated']] as const)('%s while waiting: the container is removed again, and that is said', async (signal, expected, word) => {
    let text = ''
    const {code, stderr} = await host.calicoctl(['node', IMAGE, '--ip=192.0.2.2'], {}, (child: ChildProcess) => {
      child.stdout?.on('data', (data: Buffer) => {
        text += data.toString()
        if (text.includes('Waiting for') && !child.killed) child.kill(signal)
      })
    })
    expect({code, stderr}).toEqual({code: expected, stderr: expect.stringMatching(new RegExp(`${word}: The container calico-node was removed again\\.[^]*node/rack1-host1[^]*was made`)) as unknown})
    expect(containers()).toBe('')
  }, 300_000)

  test('SIGTERM during a pull that hangs: 143 at once, the old container runs on', async () => {
    await node('--ip=192.0.2.2', '--wait=started')
    const before = host.docker('ps', '-q')
    const proxy = await startEngineProxy(host.socket)
    const pulls = new Promise<void>((resolve) => {
      proxy.answer = (_, line) => {
        if (!line.includes('/images/create')) return 'pass'
        resolve()
        return 'hang'
      }
    })
    try {
      const {code, stderr} = await host.calicoctl(['node', '--node-image=registry.example/node:v1', '--ip=192.0.2.2'], {env: {DOCKER_HOST: proxy.address}}, (child) => void pulls.then(() => child.kill('SIGTERM')))
      expect({code, stderr}).toEqual({code: 143, stderr: expect.stringContaining('The pull of the image was cancelled; no container was changed.') as unknown})
      expect(host.docker('ps', '-q')).toBe(before)
    } finally {
      await proxy.stop()
    }
  }, 300_000)

  test('an Engine that cuts the connection when the container is started: none is left', async () => {
    const proxy = await startEngineProxy(host.socket)
    proxy.answer = (_, line) => (/\/containers\/[0-9a-f]{64}\/start/.test(line) ? 'cut' : 'pass')
    try {
      expect(await host.calicoctl(['node', IMAGE, '--ip=192.0.2.2'], {env: {DOCKER_HOST: proxy.address}})).toMatchObject({code: 1})
      expect(containers()).toBe('')
    } finally {
      await proxy.stop()
    }
  }, 300_000)

  test('--detach=false stays until the container ends, which is a failure', async () => {
    const {code, stderr} = await host.calicoctl(['node', IMAGE, '--ip=192.0.2.2', '--detach=false'], {}, (child) => {
      let text = ''
      child.stderr?.on('data', (data: Buffer) => {
        text += data.toString()
        if (text.includes('are ready')) host.docker('stop', 'calico-node')
      })
    })
    expect({code, stderr}).toEqual({code: 1, stderr: expect.stringContaining('calico-node ended with exit code 0') as unknown})
  }, 300_000)

  test('without etcd: 6 before any container is touched', async () => {
    await node('--ip=192.0.2.2')
    const before = host.docker('ps', '-q')
    const {code, stderr} = await host.calicoctl(['node', IMAGE, '--ip=192.0.2.2', '--timeout=1s'], {env: {ETCD_ENDPOINTS: 'http://192.0.2.2:1'}})
    expect({code, stderr}).toMatchObject({code: 6})
    expect(host.docker('ps', '-q')).toBe(before)
  }, 300_000)

  test('without an Engine: 1, and nothing is written', async () => {
    expect(await host.calicoctl(['node', IMAGE, '--ip=192.0.2.2'], {env: {DOCKER_HOST: 'unix:///nowhere.sock'}})).toMatchObject({code: 1, stderr: expect.stringContaining('Cannot connect to the Docker Engine at unix:///nowhere.sock') as unknown})
    expect(keys()).toEqual([])
  })

  test('the Engine ends while the node is waited for: 1, and what was written is told', async () => {
    const {code, stderr} = await host.calicoctl(['node', IMAGE, '--ip=192.0.2.2'], {}, (child) => {
      let asked = false
      child.stdout?.on('data', (data: Buffer) => {
        if (asked || !data.toString().includes('Waiting for')) return
        asked = true
        void host.stopEngine()
      })
    })
    await host.stopEngine()
    await host.startEngine()
    expect({code, stderr}).toEqual({code: 1, stderr: expect.stringMatching(/Error: [^]*Already written, and kept: the change of node\/rack1-host1/) as unknown})
  }, 300_000)

  test('a locked store: 8, and the host is as before', async () => {
    await node('--runtime=none', '--ip=192.0.2.2')
    host.run('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward')
    const key = `${RESOURCES}/clusterinformations/default`
    host.etcdctl('put', key, host.etcdctl('get', key, '--print-value-only').replace('"datastoreReady":true', '"datastoreReady":false').trim())
    expect(await node('--ip=192.0.2.2')).toMatchObject({code: 8, stderr: expect.stringContaining('locked') as unknown})
    expect(host.run('cat', '/proc/sys/net/ipv4/ip_forward').trim()).toBe('0')
    expect(containers()).toBe('')
  })

  test('a store that is not Calico\'s: 6', async () => {
    host.etcdctl('put', '/calico/resources/v3/projectcalico.org/x/y', '{}')
    expect(await node('--ip=192.0.2.2')).toMatchObject({code: 6, stderr: expect.stringContaining('not a Calico datastore') as unknown})
    expect(containers()).toBe('')
  })

  test('a stale nodename file: the name of the environment holds, and the difference is told', async () => {
    host.run('sh', '-c', 'mkdir -p /var/lib/calico; echo old-name > /var/lib/calico/nodename')
    expect(await node('--ip=192.0.2.2', '--wait=started')).toMatchObject({code: 0, stderr: expect.stringMatching(/The node name is rack1-host1 .*uses the name old-name/) as unknown})
    expect(host.run('cat', '/var/lib/calico/nodename')).toBe('rack1-host1')
  }, 300_000)

  test('the examples of the help, as they are written', async () => {
    host.docker('tag', STAND_IN, 'quay.io/calico/node:v3.32.1')
    host.run('ip', 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth1p')
    for (const words of ['addr add 172.17.8.101/24 dev eth1', 'link set eth1 up', 'link set eth1p up']) host.run('ip', ...words.split(' '))
    const page = readFileSync(resolve(import.meta.dirname, '../../dist/help/calicoctl.node.txt'), 'utf8')
    const examples = [...page.matchAll(/^\s*\$ calicoctl (.*)$/gm)].map(([, words = '']) => words)
    expect(examples.length).toBeGreaterThan(2)
    // Those with --libnetwork are run by node-libnetwork.test.ts.
    for (const words of examples.filter((each) => !each.includes('--libnetwork'))) {
      const {code, stderr} = await host.calicoctl(words.split(' '))
      expect({words, code, stderr}).toEqual({words, code: 0, stderr: expect.not.stringContaining('Error') as unknown})
    }
  }, 300_000)

  test('nothing of this machine was used', () => {
    expect(existsSync('/var/lib/calico/nodename') && readFileSync('/var/lib/calico/nodename', 'utf8').includes('rack1-host1')).toBe(false)
  })
})
