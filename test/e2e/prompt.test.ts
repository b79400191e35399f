/** What is refused to protect the user is asked on a terminal, and only there. `script` (util-linux) is the terminal. */
import {spawn} from 'node:child_process'
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
function onTerminal(args: string, answer: string): Promise<{code: number | null; screen: string}> {
  const child = spawn('script', ['-qefc', `${process.execPath} ${CALICOCTL} ${args}`, '/dev/null'], {env: {PATH: process.env.PATH, TERM: 'xterm', ...env()}})
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

  test.each([['no', 'n\r'], ['nothing typed', '\r'], ['Ctrl-C', '\u0003']])('%s: kept', async (_, answer) => {
    const {code} = await onTerminal('profile remove web', answer)
    expect(code).not.toBe(0)
    expect(await isThere()).toBe(true)
  })

  test('--no-input: not asked', async () => {
    const {code, screen} = await onTerminal('profile remove web --no-input', 'y\r')
    expect(code).toBe(8)
    expect(screen).not.toContain('(y/N)')
  })
})

test('without a terminal: refused at once, naming the flag', async () => {
  const {code, stderr} = await calicoctl(['profile', 'remove', 'web'], {env: env(), stdin: 'y\n'})
  expect(code).toBe(8)
  expect(stderr).toContain('--no-check')
  expect(await isThere()).toBe(true)
})
