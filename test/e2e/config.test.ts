/** `config` as a script meets it: exit code, both streams, and what is in etcd. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import type {Result} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {calicoctl} from '../support/warm.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org'

let etcd: TestEtcd
beforeAll(async () => {
  etcd = await startEtcd()
})
afterAll(() => etcd.stop())
beforeEach(() => etcd.ctl('del', '--prefix', '/'))

const run = (line: string, env: Record<string, string> = {}): Promise<Result> =>
  calicoctl(line.split(' '), {env: {ETCD_ENDPOINTS: etcd.endpoints.join(','), NODENAME: 'host-1', ...env}})

/** Runs LINE, expects it to end in 0, and gives its stdout. */
async function out(line: string): Promise<string> {
  const {code, stdout, stderr} = await run(line)
  expect({line, code, stderr: code === 0 ? '' : stderr}).toEqual({line, code: 0, stderr: ''})
  return stdout
}

const exists = async (key: string): Promise<boolean> => (await etcd.ctl('get', `${RESOURCES}/${key}`)) !== ''

describe.each([
  ['config felix', 'felixconfigurations/default', ['none', 'debug', 'info', 'warning', 'error', 'critical']],
  ['config bgp', 'bgpconfigurations/default', ['none', 'debug', 'info']],
  ['config node bgp', 'bgpconfigurations/node.host-1', ['none', 'debug', 'info']],
])('%s', (section, key, levels) => {
  test('sets silently, shows, removes: all with 0', async () => {
    expect(await out(`${section} loglevel`)).toBe('No value configured\n')
    for (const level of levels) {
      expect(await out(`${section} loglevel ${level}`)).toBe('')
      expect(await out(`${section} loglevel`)).toBe(`${level}\n`)
    }
    expect(await exists(key)).toBe(true)
    expect(await out(`${section} loglevel --remove`)).toBe('Value removed\n')
    expect(await exists(key)).toBe(false)
    expect(await out(`${section} loglevel --remove`)).toBe('No value configured\n')
  })

  test.each(['loglevel debugger', 'loglevel DEBUG', 'LogLevel', 'Other 1', 'Other --remove'])('%s is refused with what is allowed', async (words) => {
    const {code, stdout, stderr} = await run(`${section} ${words}`)
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    expect(stderr).toContain(words.startsWith('loglevel') ? levels.join(', ') : 'loglevel')
    expect(stderr).not.toContain('Usage:')
    expect(await exists(key)).toBe(false)
  })

  test('--force takes any name as a raw parameter', async () => {
    expect(await out(`${section} Other 1 --force`)).toBe('')
    expect(await out(`${section} Other --force`)).toBe('1\n')
    expect(await etcd.ctl('get', `${RESOURCES}/${key}`, '--print-value-only')).toContain('"config.projectcalico.org/Other":"1"')
    expect(await out(`${section} Other --remove --force`)).toBe('Value removed\n')
    expect(await exists(key)).toBe(false)
  })

  test('a value together with --remove is a usage error', async () => {
    const {code, stderr} = await run(`${section} loglevel info --remove`)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^Usage:/)
  })
})

test('config node bgp: --node names another node, which must be one', async () => {
  expect(await run('config node bgp loglevel debug --node Host-2')).toMatchObject({code: 4, stderr: expect.stringContaining('Node host-2 does not exist') as unknown})
  expect(await exists('bgpconfigurations/node.host-2')).toBe(false)
  expect(await out('config node bgp loglevel info --node host-1')).toBe('')
  await etcd.ctl('put', `${RESOURCES}/felixconfigurations/node.host-2`, '{}')
  expect(await out('config node bgp loglevel debug --node Host-2')).toBe('')
  expect(await exists('bgpconfigurations/node.host-2')).toBe(true)
  expect(await out('config node bgp loglevel')).toBe('info\n')
  expect(await etcd.ctl('get', `${RESOURCES}/bgpconfigurations/node.host-2`, '--print-value-only')).toContain('"logSeverityScreen":"Debug"')
})

test('what other commands write configures no level', async () => {
  await run('bgp node-mesh off')
  expect(await out('config bgp loglevel')).toBe('No value configured\n')
})

describe('config view', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'calicoctl-config-'))
  })
  afterAll(() => rm(folder, {recursive: true, force: true}))

  const view = (args: readonly string[], env: Record<string, string>): Promise<Result> => calicoctl(['config', 'view', ...args], {env})

  test('shows values and origins without any datastore', async () => {
    const {code, stdout} = await view(['-o', 'plain'], {ETCD_ENDPOINTS: 'http://127.0.0.1:1', NODENAME: 'Host-1'})
    expect(code).toBe(0)
    expect(stdout).toBe('datastore\tetcd\tETCD_ENDPOINTS\nendpoints\thttp://127.0.0.1:1\tETCD_ENDPOINTS\nnode\thost-1\tNODENAME\n')
  })

  test('shows no password, in no format', async () => {
    const env = {ETCD_ENDPOINTS: 'http://127.0.0.1:1', ETCD_USERNAME: 'root', ETCD_PASSWORD: 'hunter2', NODENAME: 'h'}
    for (const format of ['table', 'wide', 'json', 'yaml', 'plain', 'name']) {
      const {code, stdout, stderr} = await view(['-o', format, '--debug'], env)
      expect(code).toBe(0)
      expect(stdout + stderr).not.toContain('hunter2')
      expect(stdout).toContain('password')
    }
  })

  test('names the file that a value comes from', async () => {
    const path = join(folder, 'calicoctl.cfg')
    await writeFile(path, 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata: {}\nspec: {datastoreType: etcdv3, etcdEndpoints: "http://10.0.0.1:2379"}\n')
    const {code, stdout} = await view(['--config', path, '-o', 'json'], {NODENAME: 'h'})
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: 'calicoctl/v1',
      kind: 'EffectiveSettings',
      settings: expect.arrayContaining([{name: 'endpoints', value: 'http://10.0.0.1:2379', origin: path}]),
    })
  })

  test('a host name that is not a node\'s name is a warning here', async () => {
    const {code, stderr} = await view([], {HOSTNAME: 'not_a_name'})
    expect(code).toBe(0)
    expect(stderr).toContain('HOSTNAME')
  })
})

test('an empty name: refused with --force, too, which is not suggested again', async () => {
  const {code, stderr} = await calicoctl(['config', 'felix', '', '1', '--force'], {env: {ETCD_ENDPOINTS: etcd.endpoints.join(',')}})
  expect([code, stderr]).toEqual([1, "Error: '' is not a setting of config felix: use loglevel.\n"])
})
test.each([['IptablesFilterDenyAction', 'Reject'], ['iptablesfilterdenyaction', 'REJECT'], ['InterfacePrefix', 'cali!']])('config felix %s %s --force is refused: Felix would stop on every node', async (name, value) => {
  const {code, stdout, stderr} = await run(`config felix ${name} ${value} --force`)
  expect({code, stdout}).toEqual({code: 1, stdout: ''})
  expect(stderr).toContain('Felix stops')
  expect(await exists('felixconfigurations/default')).toBe(false)
})
