/** The main job of the Docker driver and the Mesos plugin: the lines of the guides typed into bash, on a real Docker Engine and a real etcd. */
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {CALICOCTL, checkBuild} from '../support/cli.js'
import {suite} from '../support/docker.js'
import {assigned, calicoInterfaces, importBusybox, NODE, stored, V3} from '../support/plugin.js'
import {until} from '../support/until.js'
import {ETCD, startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'

const JOB = [
  'calicoctl pool add 192.168.0.0/16',
  'calicoctl libnetwork serve &',
  'docker network create --driver calico --ipam-driver calico databases',
  'docker network create --driver calico --ipam-driver calico --subnet 192.168.0.0/16 applications',
  'docker run -d --net databases --name db  busybox sleep 1d',
  'docker run -d --net applications --ip 192.168.0.77 --name app busybox sleep 1d',
  'calicoctl profile databases rule add inbound allow tcp from tag applications to ports 3306',
  'calicoctl profile databases rule show',
  'calicoctl endpoint show --detailed',
  `echo '{"command":"allocate","args":{"hostname":"agent1","num_ipv4":1,"num_ipv6":0,"uid":"u1","netgroups":["my-group-1"]}}' | calico_mesos`,
] as const

suite('the main job of the two plugins', whyNoHost(), () => {
  let host: TestHost
  /** The pid of what the job started in the background. */
  let service: number | undefined
  beforeAll(async () => {
    host = await startHost()
    await Promise.all([host.startEtcd(), host.startEngine()])
    importBusybox(host)
  })
  afterAll(async () => {
    await host.stop()
    try {
      if (service !== undefined) process.kill(service, 'SIGKILL')
    } catch {
      // It has ended in order.
    }
  })

  /** Types LINES into one bash; gives what each wrote to stdout, and its exit code. */
  async function typed(lines: readonly string[]): Promise<{results: {code: number; stdout: string}[]; stderr: string}> {
    const bin = join(host.folder, 'bin')
    mkdirSync(bin, {recursive: true})
    for (const [name, file] of [['calicoctl', CALICOCTL], ['calico_mesos', resolve(CALICOCTL, '../calico_mesos')]] as const) {
      writeFileSync(join(bin, name), `#!/bin/sh\nexec ${process.execPath} ${file} "$@"\n`)
      chmodSync(join(bin, name), 0o755)
    }
    const script = [...lines, 'jobs -p'].map((line) => `${line}\nprintf '\\0%d\\0' $?\n`).join('')
    const bash = host.spawn(['bash', '-c', script], {PATH: `${bin}:${process.env.PATH ?? ''}:/usr/sbin:/sbin`, DOCKER_HOST: `unix://${host.socket}`, ETCD_ENDPOINTS: ETCD, HOSTNAME: NODE})
    const out = {stdout: '', stderr: ''}
    for (const name of ['stdout', 'stderr'] as const) bash[name]?.on('data', (data: Buffer) => (out[name] += data.toString()))
    // The service that was started in it lives on, and has its streams.
    await new Promise((ended) => bash.once('exit', ended))
    const parts = out.stdout.split('\0')
    const results = Array.from({length: lines.length + 1}, (_, i) => ({stdout: parts[2 * i] ?? '', code: Number(parts[2 * i + 1])}))
    service = Number(results.pop()?.stdout)
    return {results, stderr: out.stderr}
  }

  interface Endpoint {
    readonly metadata: {readonly annotations: Readonly<Record<string, string>>; readonly labels: Readonly<Record<string, string>>}
    readonly spec: {readonly endpoint: string; readonly interfaceName: string; readonly ipNetworks: readonly string[]}
  }

  /** What CONTAINER has instead of a network of its own making. */
  function inside(container: string) {
    const exec = (...command: string[]): string => host.docker('exec', container, ...command)
    return {
      addresses: exec('ip', '-4', '-o', 'addr', 'show', 'dev', 'cali0').match(/inet \S+/g),
      mac: exec('cat', '/sys/class/net/cali0/address'),
      routes: exec('ip', '-4', 'route').split('\n').map((line) => line.trim()).sort(),
      interfaces: exec('ls', '/sys/class/net').split('\n').filter((name) => name !== 'lo'),
    }
  }

  const RULE_ALLOW = {action: 'Allow', source: {}, destination: {}}
  const allowFrom = (tag: string) => ({action: 'Allow', source: {selector: `has(${tag})`}, destination: {}})

  test('typed into bash, word for word; and everything is gone after docker rm and network rm', async () => {
    checkBuild()
    const {results, stderr} = await typed(JOB)
    expect({failed: JOB.filter((_, i) => results[i]?.code !== 0), stderr}).toEqual({failed: [], stderr})
    const [databases = '', applications = '', , app = ''] = results.slice(2, 6).map(({stdout}) => stdout.trim())
    expect(results.map(({stdout}) => stdout)).toEqual([
      '',
      '',
      ...Array.from({length: 4}, () => expect.stringMatching(/^[0-9a-f]{64}\n$/) as unknown),
      '',
      'Inbound rules:\n   1 allow from tag databases\n   2 allow tcp from tag applications to ports 3306\nOutbound rules:\n   1 allow\n',
      expect.any(String),
      expect.stringMatching(/^\{"error":null,"ipv4":\["192\.168\.\d+\.\d+"\],"ipv6":\[\]\}$/),
    ])

    const read = (): Endpoint[] => Object.values(stored(host, `${V3}workloadendpoints/default/`)) as Endpoint[]
    // The driver learns a container's name from the Engine after the container has started.
    await until("both endpoints have their container's name", () => read().filter(({metadata}) => 'calicoctl/container' in metadata.annotations).length === 2)
    const endpoints = read()
    const [ofDb, ofApp] = ['db', 'app'].map((name) => endpoints.find(({metadata}) => metadata.annotations['calicoctl/container'] === name))
    const dbAddress = host.docker('inspect', '-f', '{{.NetworkSettings.Networks.databases.IPAddress}}', 'db')
    expect(endpoints).toHaveLength(2)
    for (const [endpoint, network, profile, address] of [[ofDb, databases, 'databases', dbAddress], [ofApp, applications, 'applications', '192.168.0.77']] as const) {
      const id = host.docker('inspect', '-f', `{{.NetworkSettings.Networks.${profile}.EndpointID}}`, profile === 'databases' ? 'db' : 'app')
      expect(endpoint).toMatchObject({
        metadata: {
          name: `rack1--host1-libnetwork-libnetwork-${id}`,
          namespace: 'default',
          labels: {'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'libnetwork'},
          annotations: {'calicoctl/network': network},
        },
        spec: {orchestrator: 'libnetwork', workload: 'libnetwork', node: NODE, endpoint: id, interfaceName: `cali${id.slice(0, 11)}`, ipNetworks: [`${address}/32`], profiles: [profile], mac: 'ee:ee:ee:ee:ee:ee'},
      })
    }
    expect(Object.keys(stored(host, `${V3}workloadendpoints/`)).sort()).toEqual([ofDb, ofApp].map((endpoint) => `default/rack1--host1-libnetwork-libnetwork-${endpoint?.spec.endpoint ?? ''}`).sort())

    const profiles = stored(host, `${V3}profiles/`) as Record<string, {spec: object}>
    expect(Object.keys(profiles).sort()).toEqual(['applications', 'databases'])
    expect(profiles.applications?.spec).toEqual({labelsToApply: {applications: ''}, ingress: [allowFrom('applications')], egress: [RULE_ALLOW]})
    expect(profiles.databases?.spec).toEqual({
      labelsToApply: {databases: ''},
      ingress: [allowFrom('databases'), {action: 'Allow', protocol: 'TCP', source: {selector: 'has(applications)'}, destination: {ports: [3306]}}],
      egress: [RULE_ALLOW],
    })

    const rows = (results[8]?.stdout ?? '').split('\n').filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
    expect(rows[0]).toEqual(['Hostname', 'Orchestrator ID', 'Workload ID', 'Endpoint ID', 'Addresses', 'MAC', 'Profiles', 'State'])
    expect(rows.slice(1).sort()).toEqual([
      [NODE, 'libnetwork', 'libnetwork', ofDb?.spec.endpoint, `${dbAddress}/32`, 'ee:ee:ee:ee:ee:ee', 'databases', 'active'],
      [NODE, 'libnetwork', 'libnetwork', ofApp?.spec.endpoint, '192.168.0.77/32', 'ee:ee:ee:ee:ee:ee', 'applications', 'active'],
    ].sort())

    for (const [name, address] of [['db', dbAddress], ['app', '192.168.0.77']] as const) {
      expect(inside(name)).toEqual({
        addresses: [`inet ${address}/32`],
        mac: 'ee:ee:ee:ee:ee:ee',
        routes: ['169.254.1.1 dev cali0 scope link', 'default via 169.254.1.1 dev cali0'],
        interfaces: ['cali0'],
      })
    }
    const links = JSON.parse(host.run('ip', '-j', 'link')) as {ifname: string; operstate: string; address: string}[]
    const ends = links.filter(({ifname}) => calicoInterfaces(host).includes(ifname))
    expect(ends.map(({ifname}) => ifname).sort()).toEqual([ofDb, ofApp].map((endpoint) => endpoint?.spec.interfaceName).sort())
    for (const {operstate, address} of ends) expect({operstate, address}).toEqual({operstate: 'UP', address: expect.not.stringMatching(/^(ee:?){6}$/) as unknown})

    const [allocated = ''] = (JSON.parse(results[9]?.stdout ?? '') as {ipv4: string[]}).ipv4
    expect(Object.keys(stored(host, 'ipam/v2/handle/')).sort()).toEqual([...endpoints.map(({spec}) => `libnetwork.${spec.endpoint}`), 'u1'].sort())
    expect(assigned(host)).toEqual({[dbAddress]: `libnetwork.${ofDb?.spec.endpoint ?? ''}`, '192.168.0.77': `libnetwork.${ofApp?.spec.endpoint ?? ''}`, [allocated]: 'u1'})
    expect(await host.calicoctl(['ipam', 'check', '--docker'])).toMatchObject({code: 0})
    expect(host.run('ls', '/var/lib/calico/calicoctl/networks').trim().split('\n').sort()).toEqual([databases, applications].map((id) => `${id}.json`).sort())

    expect(host.docker('rm', '-f', 'db', app).split('\n')).toEqual(['db', app])
    host.docker('network', 'rm', 'databases', 'applications')
    expect(stored(host, `${V3}workloadendpoints/`)).toEqual({})
    expect(assigned(host)).toEqual({[allocated]: 'u1'})
    expect(Object.keys(stored(host, 'ipam/v2/handle/'))).toEqual(['u1'])
    expect(calicoInterfaces(host)).toEqual([])
    expect(host.run('ls', '/var/lib/calico/calicoctl/networks')).toBe('')
    // What operators have made of a profile outlives its network.
    expect(Object.keys(stored(host, `${V3}profiles/`)).sort()).toEqual(['applications', 'databases'])
    expect(await host.calicoctl(['ipam', 'check', '--docker'])).toMatchObject({code: 0})

    process.kill(service ?? NaN, 'SIGTERM')
    await until('the driver has removed its sockets', () => host.run('ls', '/run/docker/plugins') === '')
  })
})
