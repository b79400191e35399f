/** What is refused to protect the user is asked on a terminal, and only there. `script` (util-linux) is the terminal. */
import {spawn} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {CALICOCTL, calicoctl, checkBuild} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'

const ENDPOINT = {
  kind: 'WorkloadEndpoint',
  apiVersion: 'projectcalico.org/v3',
  metadata: {name: 'h1-docker-w-e', namespace: 'default', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z'},
  spec: {orchestrator: 'docker', workload: 'w', node: 'h1', endpoint: 'e', ipNetworks: ['10.0.0.1/32'], profiles: ['web'], interfaceName: 'cali1'},
}

let etcd: TestEtcd
beforeAll(async () => {
  checkBuild()
  etcd = await startEtcd()
})
afterAll(() => etcd.stop())
beforeEach(async () => {
  await etcd.ctl('del', '--prefix', '/')
  expect((await calicoctl(['profile', 'add', 'web'], {env: env()})).code).toBe(0)
  await etcd.ctl('put', '/calico/resources/v3/projectcalico.org/workloadendpoints/default/h1-docker-w-e', JSON.stringify(ENDPOINT))
})

const env = () => ({ETCD_ENDPOINTS: etcd.endpoints.join(',')})
const isThere = async (): Promise<boolean> => (await calicoctl(['get', 'profile', 'web'], {env: env()})).code === 0

/** Runs `calicoctl ARGS` on a terminal; ANSWER is typed once the question stands there. */
function onTerminal(args: string, answer: string, more: Record<string, string> = {}): Promise<{code: number | null; screen: string}> {
  const child = spawn('script', ['-qefc', `${process.execPath} ${CALICOCTL} ${args}`, '/dev/null'], {env: {PATH: process.env.PATH, TERM: 'xterm', ...env(), ...more}})
  let screen = ''
  child.stdout.on('data', (data: Buffer) => {
    const asked = screen.includes('(y/N)')
    screen += data.toString()
    if (!asked && screen.includes('(y/N)')) child.stdin.write(answer)
  })
  return new Promise((settle) => child.on('close', (code) => settle({code, screen})))
}

describe('a profile in use, on a terminal', () => {
  test('yes: removed', async () => {
    const {code, screen} = await onTerminal('profile remove web', 'y\r')
    expect({code, there: await isThere()}).toEqual({code: 0, there: false})
    expect(screen).toContain('in use')
    expect(screen).toContain('Deleted profile web')
  })

  test.each([['no', 'n\r', 8], ['nothing typed', '\r', 8], ['Ctrl-C', '\u0003', 130]])('%s: kept; the reason is printed once', async (_, answer, wanted) => {
    const {code, screen} = await onTerminal('profile remove web', answer)
    expect(code).toBe(wanted)
    // The prompt is drawn anew when it is answered; what comes after it has nothing of it.
    expect(screen.slice(screen.lastIndexOf('(--no-check)?'))).not.toContain('in use')
    expect(await isThere()).toBe(true)
  })

  test.each([['y\r', 0], ['n\r', 8]])('TERM=dumb: asked without control sequences, answered %j', async (answer, wanted) => {
    const {code, screen} = await onTerminal('profile remove web', answer, {TERM: 'dumb'})
    expect({code, there: await isThere()}).toEqual({code: wanted, there: wanted !== 0})
    expect(screen).toContain('(--no-check)? (y/N) ')
    expect(screen).not.toContain('\u001b')
  })

  test('--no-input: not asked', async () => {
    const {code, screen} = await onTerminal('profile remove web --no-input', 'y\r')
    expect(code).toBe(8)
    expect(screen).not.toContain('(y/N)')
  })
})

test('apply --prune: asked without saying that nothing was changed; the objects are listed below', async () => {
  const FILE = 'apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata: {name: NAME}\nspec: {}\n'
  expect((await calicoctl(['apply', '-f', '-', '--set', 's'], {env: env(), stdin: FILE.replace('NAME', 'old')})).code).toBe(0)
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-prompt-'))
  writeFileSync(join(folder, 'a.yaml'), FILE.replace('NAME', 'new'))
  const {code, screen} = await onTerminal(`apply -f ${folder} --set s --prune`, 'n\r', {TERM: 'dumb'})
  rmSync(folder, {recursive: true})
  expect({code, screen}).toEqual({code: 8, screen: expect.stringMatching(/^--prune would delete this object of the set s:\r?\n  profile\/old\r?\nContinue anyway \(--yes\)\? \(y\/N\) /) as unknown})
})

test('without a terminal: refused at once, naming the flag', async () => {
  const {code, stderr} = await calicoctl(['profile', 'remove', 'web'], {env: env(), stdin: 'y\n'})
  expect(code).toBe(8)
  expect(stderr).toContain('--no-check')
  expect(await isThere()).toBe(true)
})

describe('bgp node-mesh off', () => {
  const node = (name: string): Promise<string> => etcd.ctl('put', `/calico/resources/v3/projectcalico.org/nodes/${name}`, JSON.stringify({kind: 'Node', apiVersion: 'projectcalico.org/v3', metadata: {name}, spec: {}}))
  const isOff = async (): Promise<boolean> => (await calicoctl(['bgp', 'node-mesh'], {env: env()})).stdout === 'off\n'
  test('several nodes and no peer: asked on a terminal', async () => {
    await node('h1')
    await node('h2')
    expect((await onTerminal('bgp node-mesh off', 'n\r')).code).toBe(8)
    expect((await onTerminal('bgp node-mesh off --no-input', '')).code).toBe(8)
    expect(await isOff()).toBe(false)
    expect(await onTerminal('bgp node-mesh off', 'y\r')).toMatchObject({code: 0, screen: expect.stringContaining('no routes are exchanged') as unknown})
    expect(await isOff()).toBe(true)
  })
  test('one node, or a peer, or --yes: not asked', async () => {
    await node('h1')
    expect((await onTerminal('bgp node-mesh off', '')).screen).not.toContain('(y/N)')
    await node('h2')
    expect((await calicoctl(['bgp', 'node-mesh', 'on'], {env: env()})).code).toBe(0)
    expect(await onTerminal('bgp node-mesh off --yes', '')).toMatchObject({code: 0, screen: expect.not.stringContaining('(y/N)') as unknown})
    expect((await calicoctl(['bgp', 'node-mesh', 'on'], {env: env()})).code).toBe(0)
    expect((await calicoctl(['bgp', 'peer', 'add', '192.0.2.1', 'as', '64513'], {env: env()})).code).toBe(0)
    expect(await onTerminal('bgp node-mesh off', '')).toMatchObject({code: 0, screen: expect.not.stringContaining('(y/N)') as unknown})
  })
})
