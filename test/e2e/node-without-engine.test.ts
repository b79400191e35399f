/** A host without a Docker Engine: what needs none works, and one that is only down is not taken for none. Felix is a process that is called so; BIRD is Debian's. */
import type {ChildProcess} from 'node:child_process'
import {copyFileSync, existsSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, expect, test} from '@jest/globals'
import {whyNoBird} from '../support/bird.js'
import {suite} from '../support/docker.js'
import {startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'

/** Where an Engine may be installed: what there is of it is covered on the test's host. */
const PROGRAMS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/snap/bin'].flatMap((folder) => ['dockerd', 'dockerd-current', 'docker'].map((name) => join(folder, name)))
const UNITS = ['/etc/systemd/system', '/usr/local/lib/systemd/system', '/usr/lib/systemd/system'].flatMap((folder) => ['docker.service', 'docker.socket'].map((name) => join(folder, name)))

suite('a host without a Docker Engine', whyNoHost() ?? whyNoBird(), () => {
  let host: TestHost
  let covered: string[]
  const children: ChildProcess[] = []
  beforeAll(async () => {
    host = await startHost()
    await host.startEtcd()
    covered = [...PROGRAMS, ...UNITS].filter((path) => existsSync(path))
    for (const path of covered) host.run('mount', '--bind', '/dev/null', path)
    copyFileSync('/bin/sleep', join(host.folder, 'calico-node'))
    host.run('chmod', '755', join(host.folder, 'calico-node'))
  }, 300_000)
  afterAll(() => host.stop(), 60_000)
  beforeEach(async () => {
    expect(await run('node --runtime=none --ip=192.0.2.2')).toMatchObject({code: 0})
    // As calico-node leaves it.
    host.run('sh', '-c', 'mkdir -p /var/lib/calico; echo rack1-host1 > /var/lib/calico/nodename')
  })
  afterEach(async () => {
    for (const child of children.splice(0)) await stop(child)
    host.etcdctl('del', '--prefix', '/')
  })

  const run = (line: string, env: Record<string, string> = {}) => host.calicoctl(line.split(' '), {env: {DOCKER_HOST: '', ...env}})
  const keys = (): string[] => host.etcdctl('get', '--prefix', '/', '--keys-only').split('\n').filter((line) => line.includes('rack1-host1'))
  const start = (...command: string[]): ChildProcess => {
    const child = host.spawn(command)
    children.push(child)
    return child
  }
  const stop = (child: ChildProcess): Promise<unknown> => {
    const ended = new Promise((resolve) => (child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve(undefined)))
    child.kill('SIGKILL')
    return ended
  }
  const until = async (work: () => Promise<boolean>): Promise<void> => {
    for (const deadline = Date.now() + 60_000; !(await work()); ) if (Date.now() > deadline) throw new Error('it takes too long')
  }
  const NOTE = 'No Docker Engine is installed on this host'

  test('status: what BIRD and the datastore say, and whether Felix runs', async () => {
    const without = await run('status')
    expect(without).toMatchObject({code: 10, stderr: expect.stringContaining('calico-node does not run on this host: it has no Docker Engine, and no process of that name.') as unknown})
    expect(without.stdout).toMatch(new RegExp(`^${NOTE}\\.\\n\\nIPv4 BGP status\\nIP: 192\\.0\\.2\\.2 +AS Number: 64512 \\(inherited\\)\\nCouldn't connect to bird\\.\\nIPv6 BGP status\\nNo IPv6[^]*\\nFelix: +does not run\\n`))
    host.run('mkdir', '-p', '/run/calico')
    writeFileSync(join(host.folder, 'bird.conf'), 'router id 192.0.2.2; protocol device { } protocol bgp Mesh_192_0_2_3 { local 192.0.2.2 as 64512; neighbor 192.0.2.3 as 64512; multihop; passive; }')
    start('bird', '-f', '-c', join(host.folder, 'bird.conf'), '-s', '/run/calico/bird.ctl', '-P', join(host.folder, 'bird.pid'))
    const felix = start(join(host.folder, 'calico-node'), '86400')
    await until(async () => (await run('status')).code === 0)
    const {code, stdout, stderr} = await run('status')
    expect({code, stderr}).toEqual({code: 0, stderr: ''})
    expect(stdout).toMatch(/\n\| +192\.0\.2\.3 +\| node-to-node mesh \| start/)
    expect(stdout).toContain(`calico-node (process ${felix.pid ?? 0})\n`)
    expect(JSON.parse((await run('status -o json')).stdout)).toMatchObject({kind: 'NodeStatus', container: null, datastore: {state: 'answers'}, bgp: {ipv4: {bird: 'answers'}}, problems: []})
  }, 300_000)

  test('node stop and node remove do what is left to do, and say that no Engine was asked', async () => {
    const felix = start(join(host.folder, 'calico-node'), '86400')
    await until(async () => (await run('status')).stdout.includes(`process ${felix.pid ?? 0}`))
    expect(await run('node remove')).toMatchObject({code: 8, stdout: '', stderr: expect.stringContaining(`calico-node runs on this host: calico-node (process ${felix.pid ?? 0}); nothing was removed`) as unknown})
    expect(keys()).not.toEqual([])
    expect(await run('node stop --force')).toMatchObject({code: 0, stdout: 'Node stopped\n', stderr: expect.stringMatching(new RegExp(`^${NOTE}[^]*Warning: calico-node \\(process ${felix.pid ?? 0}\\) still runs`)) as unknown})
    await stop(felix)
    expect(await run('node stop')).toMatchObject({code: 0, stdout: 'Node stopped\n', stderr: expect.stringMatching(new RegExp(`^${NOTE}.*\\n$`)) as unknown})
    expect(await run('node remove --dry-run')).toMatchObject({code: 0, stderr: expect.stringContaining(NOTE) as unknown})
    expect(await run('node remove')).toMatchObject({code: 0, stdout: 'Node configuration removed\n', stderr: expect.stringContaining(NOTE) as unknown})
    expect(keys()).toEqual([])
  }, 300_000)

  test('another host\'s node: no Engine is asked, whether there is one or not', async () => {
    for (const env of [{}, {DOCKER_HOST: 'unix:///run/none.sock'}]) {
      await run('node --runtime=none --ip=192.0.2.77', {HOSTNAME: 'other'})
      for (const line of ['node remove --hostname=other --dry-run', 'node remove --hostname=other']) expect({line, ...(await run(line, env))}).toMatchObject({line, code: 0, stderr: expect.not.stringContaining('Engine') as unknown})
    }
  })

  test.each<[string, () => Record<string, string>, () => void]>([
    ['that DOCKER_HOST names', () => ({DOCKER_HOST: 'unix:///run/none.sock'}), () => undefined],
    ['whose socket is there', () => (host.run('touch', '/run/docker.sock'), {}), () => host.run('rm', '/run/docker.sock')],
    ['whose program is installed', () => (host.run('umount', covered[0] ?? ''), {}), () => host.run('mount', '--bind', '/dev/null', covered[0] ?? '')],
    ['of the host, from a container of calicoctl', () => ({CALICO_CTL_CONTAINER: '1'}), () => undefined],
  ])('an Engine %s is expected: 1 while it does not answer', async (_, arrange, restore) => {
    const env = arrange()
    try {
      for (const line of ['node stop --force', 'node remove', 'node remove --dry-run', 'status']) expect({line, ...(await run(line, env))}).toMatchObject({line, code: 1, stdout: '', stderr: expect.stringContaining('Cannot connect to the Docker Engine') as unknown})
      expect(keys()).not.toEqual([])
    } finally {
      restore()
    }
  })
})
