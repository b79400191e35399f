/** Every example of the help, the README and docs/ works as it is written: each is typed into bash, on a store in which what it names exists. */
import {execFile} from 'node:child_process'
import {chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {CALICOCTL, checkBuild} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {example, marked, page} from '../support/pages.js'

const ROOT = resolve(import.meta.dirname, '../..')
const HELP = join(ROOT, 'dist/help')

/** What the examples of the help may rely on. */
const PREPARED = [
  'pool add 192.168.0.0/16 10.1.0.0/16 fd80:24e2:f998:72d6::/64', 'pool range add 172.24.0.0 172.24.25.255',
  'profile add web', 'profile add frontend', 'profile add client',
  'profile web tag add frontend', 'label profile web stage=test',
  'bgp peer add 192.0.2.1 as 64513', 'node bgp peer add 192.0.2.1 as 64513', 'node bgp peer add fd00::1 as 64513 --node rack3-host1',
  'profile web rule json > rules.json',
  'datastore save backup.gz',
]

/** The files that the examples name. */
const FILES: Readonly<Record<string, string>> = {
  'profiles.yaml': 'apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata: {name: web}\nspec:\n  ingress:\n  - {action: Allow}\n',
  'policy-test.yaml': 'apiVersion: calicoctl/v1\nkind: PolicyTest\nprobes:\n- 192.168.0.1 -> 192.168.0.2 tcp/80 allow\n',
  'cluster/tiers.yaml': 'apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: security}\nspec: {order: 100}\n',
}

/** Examples that need more of the machine than a datastore are run where that is set up. */
const ELSEWHERE: Readonly<Record<string, string>> = {container: 'container.test.ts', diags: 'diags.test.ts', import: 'import.test.ts', endpoint: 'endpoint.test.ts', ipam: 'ipam.test.ts', status: 'status.test.ts', checksystem: 'checksystem.test.ts', libnetwork: 'libnetwork.test.ts', mesos: 'mesos-agent.test.ts', undo: 'history.test.ts', confirm: 'confirm.test.ts'}
/** The same for single commands: their topics have others. */
const COMMANDS_ELSEWHERE: Readonly<Record<string, string>> = {edit: 'plan.test.ts', node: 'node.test.ts', 'node stop': 'node-stop.test.ts', 'node remove': 'node-stop.test.ts'}

/** The marked examples of README and docs/ that are not run here. */
const ELSEWHERE_IN_DOCS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['docker-etcd', 'docker-node', 'docker-networks', 'docker-policy', 'docker-down', 'mesos-node', 'mesos-config', 'mesos-task', 'mesos-policy', 'mesos-down', 'containers', 'repair', 'pool-move', 'handle'].map((name) => [name, 'readme-networks.test.ts'])),
  ...Object.fromEntries(['first-host', 'second-host', 'first-container', 'second-container', 'host-out', 'host-gone'].map((name) => [name, 'readme-two-hosts.test.ts'])),
  dump: 'import.test.ts', plan: 'import.test.ts', import: 'import.test.ts', grants: 'import.test.ts',
}

let folder: string

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

/** Types LINE into bash, with calicoctl on the PATH and the node called rack1-host1. */
function shell(line: string, env: Record<string, string>): Promise<Outcome> {
  return new Promise((settle) => {
    execFile('bash', ['-c', line], {cwd: folder, env: {PATH: `${folder}/bin:${process.env.PATH ?? ''}`, HOME: folder, HOSTNAME: 'rack1-host1', ...env}}, (error, stdout, stderr) => {
      settle({code: error === null ? 0 : Number(error.code), stdout, stderr})
    })
  })
}

beforeAll(() => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-examples-'))
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/calicoctl'), `#!/bin/sh\nexec ${process.execPath} ${CALICOCTL} "$@"\n`)
  chmodSync(join(folder, 'bin/calicoctl'), 0o755)
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), {recursive: true})
    writeFileSync(join(folder, name), text)
  }
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

describe('examples of the help', () => {
  const examples = readdirSync(HELP).flatMap((page) => {
    const topic = page.split('.')[1] ?? ''
    const id = page.split('.').slice(1, -1).join(' ')
    if (topic in ELSEWHERE || id in COMMANDS_ELSEWHERE) return []
    const lines = readFileSync(join(HELP, page), 'utf8').split('\n')
    return lines.flatMap((line, i) => {
      const start = /^\s*\$ (.*calicoctl.*)$/.exec(line)?.[1]
      if (start === undefined) return []
      let text = start
      for (let next = i + 1; /^ {6,}\S/.test(lines[next] ?? ''); next++) text += ` ${(lines[next] ?? '').trim()}`
      return [text]
    })
  })
  const prepared = () => join(folder, 'prepared.json')

  beforeAll(async () => {
    // Another node, of which others may speak.
    expect(await shell('calicoctl config node bgp loglevel info', {CALICO_DATASTORE: `embedded:${prepared()}`, NODENAME: 'rack3-host1'})).toMatchObject({code: 0})
    for (const line of PREPARED) {
      const {code, stderr} = await shell(`calicoctl ${line}`, {CALICO_DATASTORE: `embedded:${prepared()}`})
      if (code !== 0) throw new Error(`calicoctl ${line}: ${stderr}`)
    }
  })

  test('there are some for most commands', () => expect(new Set(examples).size).toBeGreaterThan(30))

  test.each([...new Set(examples)])('%s', async (line) => {
    copyFileSync(prepared(), join(folder, 'store.json'))
    const {code, stderr} = await shell(`set -o pipefail; ${line.replace('| source', '| cat')}`, {CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`})
    expect({code, stderr}).toEqual({code: 0, stderr: expect.not.stringMatching(/Error|Usage:/) as unknown})
  })
})

describe('README and docs/', () => {
  let etcd: TestEtcd
  beforeAll(async () => {
    etcd = await startEtcd()
  })
  afterAll(() => etcd.stop())
  const readme = page('README.md')

  test('the quick start, in a checkout: the main job of this page', async () => {
    const {code, stdout} = await shell(`cd ${ROOT} && npm run --silent quickstart`, {npm_config_cache: join(folder, 'npm')})
    expect({code, ends: stdout.includes('\nAll done.')}).toEqual({code: 0, ends: true})
    expect([...stdout.matchAll(/^\$ (calicoctl .*)$/gm)].map(([, line]) => line)).toEqual(example('main-job'))
  })

  test('the main job, line by line, on a real etcd', async () => {
    const env = {ETCD_ENDPOINTS: etcd.endpoints.join(',')}
    const lines = example('main-job')
    expect(lines).toHaveLength(12)
    for (const line of lines) {
      const {code, stdout, stderr} = await shell(line, env)
      expect({line, code, stderr}).toEqual({line, code: 0, stderr: expect.not.stringContaining('Error') as unknown})
      if (line.endsWith('backend rule show')) {
        const shown = readme.split('`profile backend rule show` then prints\n\n')[1]?.split('\n\n')[0] ?? ''
        expect(stdout.trimEnd()).toBe(shown.replaceAll(/^ {4}/gm, ''))
      }
    }
  })

  test('files, line by line', async () => {
    const lines = example('files')
    expect(lines).toHaveLength(11)
    for (const line of lines) expect(await shell(line, {CALICO_DATASTORE: `embedded:${join(folder, 'files.json')}`})).toMatchObject({code: 0})
  })

  test('batch, as one script', async () => {
    const env = {CALICO_DATASTORE: `embedded:${join(folder, 'batch.json')}`}
    const {code, stdout} = await shell(['set -e', ...example('batch')].join('\n'), env)
    expect({code, ends: stdout.endsWith('Created profile frontend\nCreated profile backend\nCreated profile cache\nTag backend added to profile cache\n')}).toEqual({code: 0, ends: true})
    expect(stdout.match(/^\+\+\+ .*$/gm)).toEqual(['+++ ippool/192.168.0.0/16', '+++ profile/backend', '+++ profile/frontend'])
  })

  test('history, line by line', async () => {
    const lines = example('history')
    expect(lines).toHaveLength(10)
    const env = {CALICO_DATASTORE: `embedded:${join(folder, 'history.json')}`, XDG_STATE_HOME: join(folder, 'history-state')}
    for (const line of lines) expect({line, ...(await shell(line, env))}).toMatchObject({line, code: 0})
  })

  test('a backup, line by line: the store is the same afterwards', async () => {
    const env = {CALICO_DATASTORE: `embedded:${join(folder, 'saved.json')}`}
    const lines = example('backup')
    expect(lines).toHaveLength(2)
    for (const line of ['calicoctl profile add kept', lines[0] ?? '', 'calicoctl profile add later', lines[1] ?? '']) expect({line, ...(await shell(line, env))}).toMatchObject({line, code: 0})
    expect((await shell('calicoctl profile show -o name', env)).stdout).toBe('kept\n')
  })

  test('every marked example of README and docs/ is run by a test: here, or where ELSEWHERE_IN_DOCS says', () => {
    expect(marked().sort()).toEqual(['main-job', 'files', 'batch', 'history', 'backup', ...Object.keys(ELSEWHERE_IN_DOCS)].sort())
  })
})

describe('docs/policy.md', () => {
  const text = page('docs/policy.md')
  /** The containers that the page speaks of. */
  const endpoint = (name: string, at: number): object => ({
    apiVersion: 'projectcalico.org/v3', kind: 'WorkloadEndpoint', metadata: {name: `h1-docker-${name}-eth0`, namespace: 'default'},
    spec: {orchestrator: 'docker', node: 'h1', workload: name, endpoint: 'eth0', interfaceName: `cali${at}`, mac: 'ee:ee:ee:ee:ee:ee', ipNetworks: [`192.168.0.${at}/32`], profiles: [name]},
  })

  test('each of its lines prints what the page shows, in one store from above to below', async () => {
    const env = {CALICO_DATASTORE: `embedded:${join(folder, 'policy.json')}`}
    for (const [, name = '', content] of text.matchAll(/<!-- file: (\S+) -->\n```yaml\n([^`]+)```/g)) writeFileSync(join(folder, name), content ?? '')
    writeFileSync(join(folder, 'containers.yaml'), [endpoint('web', 1), endpoint('db', 2)].map((each) => JSON.stringify(each)).join('\n---\n'))
    for (const line of ['pool add 192.168.0.0/16', 'create -f containers.yaml']) expect(await shell(`calicoctl ${line}`, env)).toMatchObject({code: 0})
    const blocks = [...text.matchAll(/<!-- console: policy -->\n```console\n([^`]+)```/g)].flatMap(([, block = '']) => block.split(/^\$ /m).slice(1))
    expect(blocks.length).toBeGreaterThan(8)
    for (const block of blocks) {
      const [line = '', ...output] = block.split('\n')
      expect({line, stdout: (await shell(line, env)).stdout}).toEqual({line, stdout: output.join('\n')})
    }
  })
})
