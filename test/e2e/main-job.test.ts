/** The main job, typed as in the README, on a real etcd and on the embedded store: the same output, and in etcd what Calico reads. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {MAIN_JOB} from '../../scripts/main-job.mjs'
import {calicoctl} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'

let etcd: TestEtcd
let folder: string

beforeAll(async () => {
  etcd = await startEtcd()
  folder = await mkdtemp(join(tmpdir(), 'calicoctl-job-'))
})

afterAll(async () => {
  await etcd.stop()
  await rm(folder, {recursive: true, force: true})
})

/** The whole job's output. */
async function run(env: Record<string, string>): Promise<string> {
  let output = ''
  for (const line of MAIN_JOB) {
    const {code, stdout, stderr} = await calicoctl(line.split(' '), {env})
    expect({line, code, stderr: code === 0 ? '' : stderr}).toEqual({line, code: 0, stderr: ''})
    output += `$ ${line}\n${stdout}`
  }
  return output
}

interface StoredProfile {
  readonly metadata: {readonly name: string; readonly uid: string; readonly creationTimestamp: string}
  readonly spec: object
}

async function stored(key: string): Promise<StoredProfile> {
  return JSON.parse(await etcd.ctl('get', '--print-value-only', `/calico/resources/v3/projectcalico.org/${key}`)) as StoredProfile
}

describe('the main job', () => {
  test('says the same on etcd and on the embedded store', async () => {
    const onEtcd = await run({ETCD_ENDPOINTS: etcd.endpoints.join(',')})
    const embedded = await run({CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`})
    expect(onEtcd).toBe(embedded)
    expect(onEtcd).toContain('$ profile backend rule show\nInbound rules:\n   1 allow from tag backend\n   2 allow tcp from tag frontend to ports 9000\nOutbound rules:\n   1 allow\n')
  })

  test('leaves in etcd what Calico enforces', async () => {
    const managementUi = await stored('profiles/management-ui')
    expect(managementUi.spec).toEqual({
      labelsToApply: {'management-ui': ''},
      ingress: [{action: 'Allow', protocol: 'TCP', source: {}, destination: {ports: [9001]}}],
      egress: [{action: 'Allow', source: {}, destination: {}}],
    })
    expect(managementUi.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect((await stored('profiles/backend')).spec).toMatchObject({
      ingress: [
        {action: 'Allow', source: {selector: 'has(backend)'}},
        {action: 'Allow', protocol: 'TCP', source: {selector: 'has(frontend)'}, destination: {ports: [9000]}},
      ],
    })
    const keys = await etcd.ctl('get', '--prefix', '--keys-only', '/calico/')
    expect(keys.split('\n').filter((key) => key.includes('/ippools/'))).toHaveLength(1)
    expect((await stored('clusterinformations/default')).spec).toMatchObject({datastoreReady: true})
  })
})
