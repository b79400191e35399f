/** The life of a node, line by line as the guides have it, on a host of its own with a real etcd and a real Docker Engine. calico-node is a stand-in. */
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {suite} from '../support/docker.js'
import {startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'
import {importStandIn} from '../support/stand-in/image.js'

/** What `node` starts when no image is named. */
const DEFAULT_IMAGE = 'quay.io/calico/node:v3.32.1'

suite('the main job of a node, with a stand-in for calico-node', whyNoHost(), () => {
  let host: TestHost
  beforeAll(async () => {
    host = await startHost()
    await Promise.all([host.startEtcd(), host.startEngine()])
    importStandIn(host.docker, DEFAULT_IMAGE)
  })
  afterAll(() => host.stop(), 60_000)

  /** Each line, what it must end with, and what must stand on its stdout. checksystem and diags judge the machine, which is not the same everywhere. */
  const JOB: readonly (readonly [string, readonly number[], RegExp])[] = [
    ['checksystem', [0, 10], /^$/],
    ['node --ip=192.0.2.2 --as=64600', [0], /Calico node is running with id: [0-9a-f]{64}[^]*Calico node started successfully/],
    ['status', [0, 10], /^calico-node container is running\. Status: Up[^]*IP: 192\.0\.2\.2 {4}AS Number: 64600[^]*Established/],
    ['node show', [0], /\| rack1-host1 \| +192\.0\.2\.2 +\|.*64600/],
    ['node bgp peer add 192.0.2.1 as 64601', [0], /^$/],
    ['diags', [0, 9], /Collecting diagnostics[^]*Diags saved to .*\.tar\.gz/],
    ['node stop --force', [0], /^Node stopped\n$/],
    ['node remove --remove-endpoints', [0], /^Node configuration removed\n$/],
  ]

  test('line by line', async () => {
    for (const [line, codes, output] of JOB) {
      const {code, stdout, stderr} = await host.calicoctl(line.split(' '))
      if (!codes.includes(code ?? -1)) throw new Error(`${line} ended with ${String(code)}\n${stdout}\n${stderr}`)
      expect({line, stdout}).toEqual({line, stdout: expect.stringMatching(output) as unknown})
      expect({line, stderr}).toEqual({line, stderr: expect.not.stringMatching(/bug in calicoctl|Usage:/) as unknown})
    }
    expect(host.etcdctl('get', '--prefix', '/calico/resources/v3/projectcalico.org/nodes/', '--keys-only').trim()).toBe('')
    expect(host.etcdctl('get', '--prefix', '/calico/resources/v3/projectcalico.org/bgppeers/', '--keys-only').trim()).toBe('')
    expect(host.docker('ps', '-q')).toBe('')
  })
})
