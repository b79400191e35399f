/** Who looks at this host, or removes what it has, means this host (decisions.md 23): on a host of its own, where calico-node has left its name. */
import {afterAll, beforeAll, beforeEach, expect, test} from '@jest/globals'
import {suite} from '../support/docker.js'
import {startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org'
const NODENAME_FILE = '/var/lib/calico/nodename'
const ID = 'c'.repeat(64)

suite('a node that is not this host', whyNoHost(), () => {
  let host: TestHost
  beforeAll(async () => {
    host = await startHost()
    await Promise.all([host.startEtcd(), host.startEngine()])
  })
  afterAll(() => host.stop(), 60_000)

  const run = (line: string, env: Record<string, string> = {}) => host.calicoctl(line.split(' '), {env})
  const given = async (line: string, env?: Record<string, string>): Promise<void> => {
    expect({line, ...(await run(line, env))}).toMatchObject({line, code: 0})
  }
  const image = (): string => host.etcdctl('get', '--prefix', '/')
  const keys = (): string[] => host.etcdctl('get', '--prefix', '/', '--keys-only').split('\n').filter((line) => line !== '')
  const put = (plural: string, name: string, value: object): string => host.etcdctl('put', `${RESOURCES}/${plural}/${name}`, JSON.stringify({apiVersion: 'projectcalico.org/v3', ...value}))
  const nodename = (): string => host.run('cat', NODENAME_FILE)
  /** An endpoint of NODE with ADDRESS, as `container add` and the Mesos plugin store it. */
  const endpoint = (node: string, orchestrator: string, address: string): void => {
    const name = `${node.replaceAll('-', '--')}-${orchestrator}-${ID}-e${orchestrator}`
    put('workloadendpoints/default', name, {
      kind: 'WorkloadEndpoint',
      metadata: {name, namespace: 'default', uid: name, creationTimestamp: '2026-01-01T00:00:00Z'},
      spec: {orchestrator, workload: ID, node, endpoint: `e${orchestrator}`, ipNetworks: [`${address}/32`], interfaceName: `calie${orchestrator}`},
    })
  }

  beforeEach(async () => {
    host.etcdctl('del', '--prefix', '/')
    host.run('sh', '-c', `mkdir -p /var/lib/calico; rm -f ${NODENAME_FILE}`)
    await given('pool add 192.168.0.0/16')
    await given('ipam assign 192.168.1.1 --handle docker.' + ID, {HOSTNAME: 'node-0003'})
    await given('ipam assign 192.168.2.1', {HOSTNAME: 'rack1-host1'})
    endpoint('node-0003', 'docker', '192.168.1.1')
    endpoint('node-0003', 'mesos', '192.168.1.2')
    // As it was written by hand; names are compared as stored.
    host.run('sh', '-c', `echo Rack1-Host1 > ${NODENAME_FILE}`)
  })

  const LINES = [
    'endpoint gc', 'endpoint gc --apply', 'mesos gc', 'mesos gc --apply', 'ipam check --docker', 'ipam check --docker --repair --grace 0', 'node stop', 'node stop --force', 'status',
    'node remove', 'node remove --remove-endpoints', 'node remove --clean-host', `container add ${ID} ipv4`, `container remove ${ID}`, `container remove ${ID} --dry-run`, `container ${ID} ip add ipv4`,
    `container ${ID} ip remove 192.168.1.1`, `container ${ID} endpoint show`, `container ${ID} profile show`, `container ${ID} profile append web`, `container ${ID} profile remove web`, `container ${ID} profile set`,
  ]

  test.each(LINES)('named by a variable: %s', async (line) => {
    const before = image()
    const refusal = {line, code: 8, stdout: '', stderr: expect.stringMatching(/^Error: This host is node rack1-host1 \(\/var\/lib\/calico\/nodename\), but the command was given node node-0003 \(from [A-Z_]+\); nothing was done/) as unknown}
    expect({line, ...(await run(line, {HOSTNAME: 'node-0003'}))}).toMatchObject(refusal)
    expect({line, ...(await run(line, {CALICO_NODENAME: 'NODE-0003'}))}).toMatchObject(refusal)
    expect(image()).toBe(before)
    expect(nodename()).toBe('Rack1-Host1\n')
  })

  test.each(LINES.filter((line) => !/^(mesos gc|ipam check|node remove)/.test(line)))('named by --node: %s', async (line) => {
    const before = image()
    expect({line, ...(await run(`${line} --node node-0003`))}).toMatchObject({line, code: 8, stdout: '', stderr: expect.stringContaining('(from --node)') as unknown})
    expect(image()).toBe(before)
  })

  test('this host by its own name works, in any case, and so does what only reads the datastore', async () => {
    await given('endpoint gc --apply')
    await given('endpoint gc --apply --node RACK1-host1', {HOSTNAME: 'node-0003'})
    await given('endpoint show --host node-0003', {HOSTNAME: 'node-0003'})
    await given('node bgp peer show', {HOSTNAME: 'node-0003'})
    await given('status --all -q', {HOSTNAME: 'node-0003'})
  })

  test('a variable does not create the Node of another host', async () => {
    expect(await run('ipam assign', {HOSTNAME: 'node-0007'})).toMatchObject({code: 4, stderr: expect.stringContaining('node-0007') as unknown})
    expect(keys().filter((key) => key.includes('node-0007'))).toEqual([])
  })

  test('a container whose endpoint is another node\'s keeps its address', async () => {
    const before = image()
    expect(await run(`container remove ${ID}`)).toMatchObject({code: 8, stdout: '', stderr: expect.stringMatching(/has no endpoint on node rack1-host1, but one on node node-0003; nothing was removed[^]*addresses 192\.168\.1\.1\) on node node-0003\.\nRun the command on that host\. If that host no longer exists: calicoctl endpoint remove edocker\n$/) as unknown})
    expect(image()).toBe(before)
  })

  test('a container that is connected here under a name that is no longer this host\'s: what is suggested works', async () => {
    host.run('ip', 'link', 'add', 'caliedocker', 'type', 'veth', 'peer', 'name', 'far0')
    try {
      const {code, stderr} = await run(`container remove ${ID}`)
      expect({code, stderr}).toEqual({code: 8, stderr: expect.stringMatching(/calicoctl works on this host as node rack1-host1 only [^]*: calicoctl endpoint remove edocker --force\n$/) as unknown})
      expect(await run('endpoint remove edocker')).toMatchObject({code: 8, stderr: expect.stringMatching(/it is connected.*\nWith --force/) as unknown})
      await given('endpoint remove edocker --force')
    } finally {
      host.run('ip', 'link', 'del', 'caliedocker')
    }
  })

  test('an endpoint that is connected here is protected, whatever a variable says', async () => {
    endpoint('rack1-host1', 'docker', '192.168.2.1')
    host.run('ip', 'link', 'add', 'caliedocker', 'type', 'veth', 'peer', 'name', 'far0')
    try {
      expect(await run('endpoint remove 192.168.2.1', {HOSTNAME: 'node-0003'})).toMatchObject({code: 8, stderr: expect.stringMatching(/Warning: HOSTNAME is node-0003[^]*it is connected/) as unknown})
    } finally {
      host.run('ip', 'link', 'del', 'caliedocker')
    }
  })

  test('node remove --hostname=OTHER: what the datastore has of it goes; nothing of this host is touched', async () => {
    host.run('ip', 'link', 'add', 'caliedocker', 'type', 'veth', 'peer', 'name', 'far0')
    try {
      const before = keys()
      expect(await run('node remove --hostname=node-0003 --clean-host')).toMatchObject({code: 8, stdout: '', stderr: expect.stringContaining('is not node node-0003; nothing was removed') as unknown})
      expect(await run('node remove --hostname=node-0003')).toMatchObject({code: 8, stdout: '', stderr: expect.stringContaining('--remove-endpoints') as unknown})
      expect(keys()).toEqual(before)
      expect(await run('node remove --hostname=Node-0003 --remove-endpoints', {HOSTNAME: 'node-0003', DOCKER_HOST: 'unix:///nobody'})).toMatchObject({code: 0, stdout: 'Node configuration removed\n'})
      expect(keys().filter((key) => key.includes('0003'))).toEqual([])
      expect(keys().filter((key) => key.includes('rack1-host1'))).toEqual(before.filter((key) => key.includes('rack1-host1')))
      expect(nodename()).toBe('Rack1-Host1\n')
      host.run('ip', 'link', 'show', 'caliedocker')
    } finally {
      host.run('ip', 'link', 'del', 'caliedocker')
    }
  })

  test('node remove --hostname=OTHER asks on a terminal, unless --yes', async () => {
    await given('endpoint remove emesos --force')
    await given('endpoint remove edocker --force')
    const line = ['node', 'remove', '--hostname=node-0003']
    const stored = (): boolean => keys().some((key) => key.endsWith('/nodes/node-0003'))
    expect(await host.onTerminal(line, '(y/N)', 'n\r')).toMatchObject({code: 8, stdout: expect.stringContaining('another host') as unknown})
    expect(await host.onTerminal([...line, '--no-input'], '(y/N)', 'y\r')).toMatchObject({code: 8, stdout: expect.not.stringContaining('(y/N)') as unknown})
    expect(stored()).toBe(true)
    expect(await host.onTerminal(line, '(y/N)', 'y\r')).toMatchObject({code: 0, stdout: expect.stringContaining('Node configuration removed') as unknown})
    expect(stored()).toBe(false)
    await given('ipam assign', {HOSTNAME: 'rack1-host1'})
    put('nodes', 'node-0003', {kind: 'Node', metadata: {name: 'node-0003'}, spec: {}})
    expect(await host.onTerminal([...line, '--yes'], '(y/N)', 'n\r')).toMatchObject({code: 0, stdout: expect.not.stringContaining('(y/N)') as unknown})
    expect(stored()).toBe(false)
  })

  test('node remove of a name that is unknown: 4, with the nearest; of this host with nothing there: 0', async () => {
    const before = image()
    expect(await run('node remove --hostname=node-003')).toMatchObject({code: 4, stdout: '', stderr: expect.stringMatching(/^Error: Node node-003 does not exist[^]*Did you mean node-0003\?/) as unknown})
    expect(image()).toBe(before)
    await given('node remove')
    await given('node remove --hostname=rack1-host1')
    await given('node remove')
  })

  test('where calico-node has left no name, a variable alone does not choose the node to remove', async () => {
    host.run('rm', NODENAME_FILE)
    const before = image()
    expect(await run('node remove --remove-endpoints', {HOSTNAME: 'node-0003'})).toMatchObject({code: 8, stdout: '', stderr: expect.stringMatching(/only HOSTNAME identifies it as node node-0003[^]*node remove --hostname=node-0003/) as unknown})
    expect(image()).toBe(before)
  })
})
