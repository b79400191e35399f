/** examples/two-groups as its user runs it, on a real Docker Engine and a real etcd. That the policy holds takes Felix, and is not judged here. */
import {resolve} from 'node:path'
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {suite, whyNoEngine} from '../support/docker.js'
import {NODE, startExampleWorld, type ExampleWorld} from '../support/example-world.js'

const RUN = 'two-groups/run.sh'

interface Endpoint {
  readonly metadata: {readonly name: string}
  readonly spec: {readonly node: string; readonly orchestrator: string; readonly endpoint: string; readonly ipNetworks: readonly string[]; readonly profiles: readonly string[]; readonly interfaceName: string}
}

suite('the example of two groups', whyNoEngine(), () => {
  let world: ExampleWorld
  beforeAll(async () => {
    world = await startExampleWorld()
  })
  afterAll(async () => {
    await world.run(RUN, 'down')
    await world.stop()
  })

  const containers = async (): Promise<string[]> => (await world.engine.docker('ps', '-a', '--format', '{{.Names}}')).split('\n').filter((name) => name === 'db' || name === 'app').sort()

  test('asks for its pool, and makes none', async () => {
    const {code, stderr} = await world.run(RUN)
    expect({code, stderr}).toEqual({code: 1, stderr: expect.stringMatching(/no pool 192\.168\.0\.0\/16[^]*calicoctl pool add 192\.168\.0\.0\/16/) as unknown})
    expect(await containers()).toEqual([])
    expect((await world.run('calicoctl', 'pool', 'add', '192.168.0.0/16')).code).toBe(0)
  })

  test('does not touch a container that already has the name', async () => {
    await world.engine.docker('run', '-d', '--net', 'none', '--name', 'db', 'busybox', 'sleep', '1d')
    const {code, stderr} = await world.run(RUN)
    expect({code, stderr}).toEqual({code: 1, stderr: expect.stringContaining('there is a container db already') as unknown})
    expect((await world.run(RUN, 'down')).code).toBe(0)
    expect(await containers()).toEqual(['db'])
    await world.engine.docker('rm', '-f', 'db')
  })

  test('does not touch a profile that already has the name', async () => {
    expect((await world.run('calicoctl', 'profile', 'add', 'applications')).code).toBe(0)
    const {code, stderr} = await world.run(RUN)
    expect({code, stderr}).toEqual({code: 1, stderr: expect.stringContaining('there is a profile applications already') as unknown})
    expect((await world.run(RUN, 'down')).code).toBe(0)
    expect(await world.names('profile')).toContain('applications')
    expect((await world.run('calicoctl', 'profile', 'remove', 'applications')).code).toBe(0)
  })

  test('stopped half-way, it says how to take away what was made, and that does', async () => {
    const script = resolve(import.meta.dirname, '../../examples', RUN)
    const {code, stderr} = await world.run('env', 'IMAGE=no-such-image-of-anybody:1', script)
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/It stopped half-way\. To take away what was made: .*run\.sh down\n$/)
    expect(await world.engine.docker('network', 'ls', '-q', '--filter', 'label=org.projectcalico.example=two-groups')).not.toBe('')
    expect((await world.run(RUN, 'down')).code).toBe(0)
    expect(await world.engine.docker('network', 'ls', '-q', '--filter', 'label=org.projectcalico.example=two-groups')).toBe('')
  })

  test('makes networks, containers and policy, and says so', async () => {
    const {code, stdout, stderr} = await world.run(RUN)
    expect({code, stderr}).toEqual({code: 0, stderr: expect.not.stringMatching(/Error|half-way/) as unknown})
    expect(stdout).toContain(
      '$ calicoctl profile databases rule add inbound allow tcp from tag applications to ports 3306\n$ calicoctl profile databases rule show\n' +
        'Inbound rules:\n   1 allow from tag databases\n   2 allow tcp from tag applications to ports 3306\nOutbound rules:\n   1 allow\n',
    )
    expect(stdout).toMatch(new RegExp(`\\| +${NODE} +\\| +libnetwork +\\| +libnetwork +\\| +[0-9a-f]{64} +\\| +192\\.168\\.0\\.77/32 +\\|.*\\| +applications +\\| active \\|`))

    expect((await world.stored<{spec: object}>('profile', 'databases')).spec).toEqual({
      labelsToApply: {databases: ''},
      ingress: [
        {action: 'Allow', source: {selector: 'has(databases)'}, destination: {}},
        {action: 'Allow', protocol: 'TCP', source: {selector: 'has(applications)'}, destination: {ports: [3306]}},
      ],
      egress: [{action: 'Allow', source: {}, destination: {}}],
    })
    const endpoints = await Promise.all((await world.names('workloadendpoint')).map((name) => world.stored<Endpoint>('workloadendpoint', name)))
    const ofNetwork = (network: string) => endpoints.find(({spec}) => spec.profiles[0] === network)?.spec
    for (const [name, network] of [['db', 'databases'], ['app', 'applications']] as const) {
      const [address, id] = (await world.engine.docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.EndpointID}}{{end}}', name)).split(' ')
      expect(ofNetwork(network)).toMatchObject({node: NODE, orchestrator: 'libnetwork', endpoint: id, ipNetworks: [`${address ?? ''}/32`], profiles: [network], interfaceName: `cali${(id ?? '').slice(0, 11)}`})
    }
    expect(ofNetwork('applications')?.ipNetworks).toEqual(['192.168.0.77/32'])
  })

  test('is not run a second time over itself', async () => {
    const {code, stderr} = await world.run(RUN)
    expect({code, stderr}).toEqual({code: 1, stderr: expect.stringMatching(/there is a container db already\. If it is left of an earlier run: .*run\.sh down/) as unknown})
    expect(await containers()).toEqual(['app', 'db'])
  })

  test('without calico-node, the check says what is missing and ends with 1', async () => {
    const {code, stdout, stderr} = await world.run(RUN, 'check')
    expect({code, stdout}).toEqual({code: 1, stdout: 'app -> db:3306  no, where yes was expected\napp -> db:5432  no\ndb -> app:3306  no\n'})
    expect(stderr).toContain('calico-node does not run on this host')
  })

  test('is taken down whole, and again', async () => {
    for (let time = 1; time <= 2; time++) {
      const {code, stdout} = await world.run(RUN, 'down')
      expect({code, stdout}).toEqual({code: 0, stdout: expect.stringContaining('Nothing of the example two-groups is left.\n') as unknown})
    }
    expect(await containers()).toEqual([])
    expect(await world.engine.docker('network', 'ls', '-q', '--filter', 'label=org.projectcalico.example=two-groups')).toBe('')
    expect(await world.names('workloadendpoint')).toEqual([])
    expect(await world.names('profile')).not.toEqual(expect.arrayContaining(['databases', 'applications']))
    expect((await world.run('calicoctl', 'ipam', 'check', '--docker')).code).toBe(0)
  })

  test('refuses other words', async () => {
    expect(await world.run(RUN, 'away')).toMatchObject({code: 1, stderr: expect.stringContaining('usage:') as unknown})
  })
})
