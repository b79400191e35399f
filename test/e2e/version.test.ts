/** `version`, answered by the launcher alone, and with the cluster's. */
import {readFileSync} from 'node:fs'
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {calicoctl} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'

const {version} = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {version: string}

let etcd: TestEtcd
beforeAll(async () => {
  etcd = await startEtcd()
})
afterAll(() => etcd.stop())

const run = (...args: string[]) => calicoctl(args, {env: {ETCD_ENDPOINTS: etcd.endpoints.join(',')}})

test.each([['version'], ['--version']])('%s prints the number and needs no datastore', async (word) => {
  expect(await calicoctl([word], {env: {ETCD_ENDPOINTS: 'http://127.0.0.1:1'}})).toMatchObject({code: 0, stdout: `${version}\n`, stderr: ''})
})

test('version -o json', async () => {
  const {code, stdout} = await run('version', '-o', 'json')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({apiVersion: 'calicoctl/v1', kind: 'Version', clientVersion: version})
})

test('version --cluster tells what the cluster says about itself', async () => {
  await etcd.ctl('put', '/calico/resources/v3/projectcalico.org/clusterinformations/default', '{"metadata":{"name":"default"},"spec":{"clusterGUID":"abc","clusterType":"bird","calicoVersion":"v3.32.1","datastoreReady":false}}')
  const {code, stdout} = await run('version', '--cluster')
  expect(code).toBe(0)
  expect(stdout).toBe(`Client version:  ${version}\nCluster GUID:    abc\nCluster type:    bird\nCalico version:  v3.32.1\nDatastore ready: false\n`)
  expect(JSON.parse((await run('version', '--cluster', '-o', 'json')).stdout)).toMatchObject({
    clientVersion: version,
    cluster: {clusterGUID: 'abc', clusterType: 'bird', calicoVersion: 'v3.32.1', datastoreReady: false},
  })
})
