/**
 * docs/first-steps.md, typed as it stands, on two hosts of their own that share one real etcd. Each has a real Docker Engine while it is its turn; calico-node is a
 * stand-in, so nothing is proved of BGP and packets.
 */
import {execFileSync} from 'node:child_process'
import {mkdirSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {CALICOCTL} from '../support/cli.js'
import {suite} from '../support/docker.js'
import {page} from '../support/pages.js'
import {startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'
import {importBusybox, importStandIn} from '../support/stand-in/image.js'
import {keyboard, type Keyboard} from '../support/stand-in/keyboard.js'

const NODE_IMAGE = 'quay.io/calico/node:v3.32.1'
const ENDPOINT = 'http://10.0.0.1:2379'

suite('two hosts from nothing', whyNoHost(), () => {
  let first: TestHost
  let second: TestHost

  beforeAll(async () => {
    [first, second] = await Promise.all([startHost(), startHost()])
    execFileSync('nsenter', ['-t', String(first.pid), '--net', 'ip', 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth1', 'netns', String(second.pid)])
    for (const [host, address] of [[first, '10.0.0.1/24'], [second, '10.0.0.2/24']] as const) host.run('sh', '-c', `ip addr flush dev eth0; ip addr add ${address} dev eth1; ip link set eth1 up`)
    await first.startEtcd(ENDPOINT)
  })
  afterAll(async () => {
    await second.stop()
    await first.stop()
  })

  /** Gives HOST its Engine and its images; calicoctl is on the PATH of its shells. */
  async function turnOf(host: TestHost, name: string): Promise<Keyboard> {
    await host.startEngine()
    importStandIn(host.docker, NODE_IMAGE)
    importBusybox(host.docker)
    const programs = join(host.folder, 'bin')
    mkdirSync(programs)
    symlinkSync(CALICOCTL, join(programs, 'calicoctl'))
    return keyboard(host, {PATH: `${programs}:${process.env.PATH ?? ''}`, HOSTNAME: name})
  }
  /** The keys of nodes, endpoints and addresses in use. */
  const stored = (): string[] =>
    first.run('etcdctl', `--endpoints=${ENDPOINT}`, 'get', '--prefix', '/calico/', '--keys-only').split('\n').filter((key) => /\/(nodes|workloadendpoints)\/|ipam\/v2\/(assignment|handle|host)/.test(key))

  test('the page', async () => {
    const one = await turnOf(first, 'rack3-host1')
    const onFirst = await one.page(['first-host', 'first-container'])
    expect(onFirst('calicoctl node --ip')).toMatch(/^Calico node is running with id: [0-9a-f]{64}$/m)
    expect(onFirst('calicoctl status')).toMatch(/^calico-node container is running\.[^]*^Felix: +ready$[^]*^BIRD: +ready/m)
    expect(onFirst('calicoctl container add')).toMatch(/^IP 192\.168\.\d+\.\d+ added to web-1$/m)
    const [again] = await one.type(['ETCD_ENDPOINTS=http://10.0.0.1:2379 calicoctl node --ip=10.0.0.1'])
    expect(again).toMatchObject({code: 0, output: expect.stringContaining('unchanged') as unknown})
    // Killed first, for the Engine would wait for each of them.
    first.docker('rm', '-f', 'web-1', 'calico-node')
    await first.stopEngine()

    const two = await turnOf(second, 'rack3-host2')
    const onSecond = await two.page(['second-host', 'second-container'])
    expect(onSecond('calicoctl node --ip')).toMatch(/^Calico node is running with id: [0-9a-f]{64}$/m)
    expect(onSecond('calicoctl status --all')).toMatch(/rack3-host1[^]*rack3-host2/)
    expect(onSecond('calicoctl container add')).toMatch(/^IP 192\.168\.\d+\.\d+ added to web-2$/m)
    for (const name of ['rack3-host1', 'rack3-host2']) expect(onSecond('calicoctl endpoint show')).toMatch(new RegExp(`^\\| ${name} \\| +docker +\\| +1 +\\| +1 +\\|$`, 'm'))
    const matrix = page('docs/first-steps.md').split('as `policy matrix` shows:\n\n')[1]?.split('\n\n')[0] ?? ''
    expect(onSecond('calicoctl policy matrix').trim()).toBe(matrix.replaceAll(/^ {4}/gm, '').trim())

    const endpoint = ['export ETCD_ENDPOINTS=http://10.0.0.1:2379']
    const out = await two.page(['host-out'], endpoint)
    expect(out('calicoctl node stop')).toMatch(/^Not changed: .*The current policy stays in force\..*\nNode stopped$/m)
    expect(out('calicoctl node remove')).toMatch(/^node\/rack3-host2 deleted$[^]*^Nothing of Calico is left on this host\.$/m)
    expect(stored().filter((key) => /rack3-{1,2}host2/.test(key))).toEqual([])
    expect(stored().filter((key) => /rack3-{1,2}host1/.test(key))).toHaveLength(3)
    const gone = await two.page(['host-gone'], endpoint)
    expect(gone('calicoctl node remove')).toMatch(/^node\/rack3-host1 deleted$/m)
    expect(stored()).toEqual([])
  })
})
