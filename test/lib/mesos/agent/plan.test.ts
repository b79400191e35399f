import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import type {FileText} from '../../../../src/lib/mesos/agent/files.js'
import {type AgentPlan, planAgent, type Wanted} from '../../../../src/lib/mesos/agent/plan.js'
import type {Style} from '../../../../src/lib/mesos/agent/styles.js'
import type {EtcdSettings, Settings} from '../../../../src/lib/settings/types.js'
import {modulesJson} from '../../../support/mesos-agent.js'

type Files = Record<string, string>

const etcd = (endpoints: readonly string[], more: Partial<EtcdSettings> = {}): Settings => ({datastore: {type: 'etcd', endpoints: {value: endpoints, origin: 'ETCD_ENDPOINTS'}, ...more}, warnings: []})
const ONE = etcd(['http://10.0.0.5:2379'])

const reader = (files: Files) => (path: string): FileText => {
  const text = files[path]
  return text === undefined ? {state: 'missing'} : {state: 'file', text, mode: 0o644}
}
function plan(style: Style, files: Files = {}, more: Partial<Wanted> = {}): AgentPlan {
  return planAgent({style, library: undefined, plugin: undefined, settings: ONE, absolute: (path) => `/here/${path}`, ...more}, reader(files))
}
function applied(style: Style, files: Files = {}, more: Partial<Wanted> = {}): Files {
  const after = {...files, ...Object.fromEntries(plan(style, files, more).edits.map(({path, after: text}) => [path, text]))}
  expect(plan(style, after, more).edits).toEqual([])
  return after
}
const ISOLATOR = 'com_mesosphere_mesos_NetworkIsolator'
const HOOK = 'com_mesosphere_mesos_NetworkHook'

describe('each style as its guide has it', () => {
  test.each(['rpm', 'manual'] as const)('%s', (style) => {
    const files = applied(style)
    expect(Object.keys(files).sort()).toEqual(['/calico/modules.json', '/etc/default/mesos-slave', '/etc/mesos-slave/hooks', '/etc/mesos-slave/isolation', '/etc/mesos-slave/modules'])
    expect(JSON.parse(files['/calico/modules.json'] ?? '')).toEqual(JSON.parse(modulesJson()))
    expect(files).toMatchObject({
      '/etc/default/mesos-slave': 'ETCD_AUTHORITY=10.0.0.5:2379\n',
      '/etc/mesos-slave/modules': 'file:///calico/modules.json\n',
      '/etc/mesos-slave/isolation': `${ISOLATOR}\n`,
      '/etc/mesos-slave/hooks': `${HOOK}\n`,
    })
  })
  test('dcos', () => {
    const common = '/opt/mesosphere/etc/mesos-slave-common'
    const before = {
      [common]: 'MESOS_ISOLATION=cgroups/cpu,cgroups/mem\nMESOS_WORK_DIR=/var/lib/mesos/slave\n',
      '/opt/mesosphere/etc/mesos-slave-modules.json': '{"libraries": [{"file": "/opt/mesosphere/lib/liblogrotate.so", "modules": [{"name": "l"}]}]}',
      '/opt/mesosphere/etc/mesos-dns.json': '{\n  "zk": "zk://m:2181/mesos",\n  "IPSources": ["host", "netinfo"]\n}\n',
    }
    const files = applied('dcos', before)
    expect(files[common]).toBe(`MESOS_ISOLATION=cgroups/cpu,cgroups/mem,${ISOLATOR}\nMESOS_WORK_DIR=/var/lib/mesos/slave\nETCD_AUTHORITY=10.0.0.5:2379\nMESOS_MODULES=file:///opt/mesosphere/etc/mesos-slave-modules.json\nMESOS_HOOKS=${HOOK}\n`)
    expect(JSON.parse(files['/opt/mesosphere/etc/mesos-slave-modules.json'] ?? '')).toMatchObject({libraries: [{file: '/opt/mesosphere/lib/liblogrotate.so'}, {file: '/opt/mesosphere/lib/libmesos_network_isolator.so'}]})
    expect(JSON.parse(files['/opt/mesosphere/etc/mesos-dns.json'] ?? '')).toEqual({zk: 'zk://m:2181/mesos', IPSources: ['netinfo', 'host']})
    expect(plan('dcos', before).restart).toEqual(['systemctl restart dcos-mesos-slave', 'systemctl restart dcos-mesos-dns'])
    expect(plan('dcos', {}).edits.map(({path}) => path)).not.toContain('/opt/mesosphere/etc/mesos-dns.json')
  })
})

describe('what is there already', () => {
  test('flags are set where they are', () => {
    const files = applied('rpm', {'/etc/default/mesos-slave': `# agent\nMESOS_ISOLATION="posix/cpu,posix/mem" # mine\nMESOS_HOOKS=org_x_Hook\nMESOS_MODULES=file:///etc/mesos/mods.json\n`, '/etc/mesos/mods.json': '{"libraries": []}'})
    expect(files['/etc/default/mesos-slave']).toBe(`# agent\nMESOS_ISOLATION=posix/cpu,posix/mem,${ISOLATOR} # mine\nMESOS_HOOKS=org_x_Hook,${HOOK}\nMESOS_MODULES=file:///etc/mesos/mods.json\nETCD_AUTHORITY=10.0.0.5:2379\n`)
    expect(Object.keys(files).sort()).toEqual(['/etc/default/mesos-slave', '/etc/mesos/mods.json'])
  })
  test('a flag in both places is set in both', () => {
    const files = applied('manual', {'/etc/default/mesos-slave': 'MESOS_HOOKS=a\n', '/etc/mesos-slave/hooks': 'b\n'})
    expect(files).toMatchObject({'/etc/mesos-slave/hooks': `b,${HOOK}\n`})
    expect(files['/etc/default/mesos-slave']).toContain(`MESOS_HOOKS=a,${HOOK}\n`)
  })
  test('a value that only a shell knows is refused, unless it has ours', () => {
    expect(() => plan('rpm', {'/etc/default/mesos-slave': 'MESOS_ISOLATION=$BASE,x\n'})).toThrow(/only a shell can determine/)
    expect(applied('rpm', {'/etc/default/mesos-slave': `MESOS_ISOLATION=$BASE,${ISOLATOR}\n`})['/etc/default/mesos-slave']).toContain(`MESOS_ISOLATION=$BASE,${ISOLATOR}\n`)
  })
  test.each([
    [{'/etc/mesos-slave/modules': '{"libraries":[]}'}, /document itself/],
    [{'/etc/mesos-slave/modules': 'modules.json'}, /not a file:\/\/\/PATH/],
    [{'/etc/mesos-slave/modules_dir': '/etc/mesos/modules.d'}, /modules_dir/],
    [{'/calico/modules.json': '{'}, /cannot be edited/],
    [{'/etc/default/mesos-slave': 'A="b\n'}, /line 1 has a quote/],
  ] as [Files, RegExp][])('refused: %j', (files, message) => expect(() => plan('rpm', files)).toThrow(message))
  test('a file that cannot be read', () => {
    const denied = () => planAgent({style: 'rpm', library: undefined, plugin: undefined, settings: ONE, absolute: String}, (path) => (path === '/etc/default/mesos' ? {state: 'unreadable', why: 'permission denied', denied: true} : {state: 'missing'}))
    expect(denied).toThrow(expect.objectContaining({kind: 'not-root'}))
  })
})

describe('etcd', () => {
  const environment = (settings: Settings, before = ''): string => applied('rpm', before === '' ? {} : {'/etc/default/mesos-slave': before}, {settings})['/etc/default/mesos-slave'] ?? ''
  test('with TLS, by the names that are read', () => {
    const pem = (file: string) => ({value: {file, pem: ''}, origin: 'x'})
    expect(environment(etcd(['https://etcd:2379'], {ca: pem('ca.pem'), cert: pem('c.pem'), key: pem('k.pem')}))).toBe(
      'ETCD_AUTHORITY=etcd:2379\nETCD_SCHEME=https\nETCD_CA_CERT_FILE=/here/ca.pem\nETCD_CERT_FILE=/here/c.pem\nETCD_KEY_FILE=/here/k.pem\n',
    )
    expect(() => environment(etcd(['https://etcd:2379'], {ca: pem('inline')}))).toThrow(/needs a file/)
  })
  test('several endpoints', () => expect(environment(etcd(['http://a:2379', 'http://b:2379']))).toBe('ETCD_ENDPOINTS=http://a:2379,http://b:2379\n'))
  test('nothing old contradicts', () => {
    expect(environment(etcd(['http://a:2379', 'http://b:2379']), 'ETCD_AUTHORITY=old:4001\n')).toBe('ETCD_AUTHORITY=a:2379\nETCD_ENDPOINTS=http://a:2379,http://b:2379\n')
    expect(environment(ONE, 'ETCD_ENDPOINTS=http://old:1\n')).toBe('ETCD_ENDPOINTS=http://10.0.0.5:2379\n')
    expect(environment(ONE, 'ETCD_SCHEME=https\n')).toBe('ETCD_SCHEME=http\nETCD_AUTHORITY=10.0.0.5:2379\n')
  })
  test('a password marks the file, once', () => {
    const settings = etcd(['http://a:2379'], {username: {value: 'calico', origin: 'x'}, password: {value: 'p $"\\w', origin: 'x'}})
    const {edits} = plan('rpm', {}, {settings})
    expect(edits.map(({path, secret}) => [path, secret])).toContainEqual(['/etc/default/mesos-slave', true])
    expect(edits.filter(({secret}) => secret)).toHaveLength(1)
    expect(environment(settings)).toContain('ETCD_PASSWORD="p \\$\\"\\\\w"\n')
    expect(plan('rpm', {'/etc/default/mesos-slave': 'ETCD_USERNAME=calico\nETCD_PASSWORD="p \\$\\"\\\\w"\n'}, {settings}).edits.filter(({secret}) => secret)).toEqual([])
  })
  test('the embedded store, and control characters', () => {
    expect(() => plan('rpm', {}, {settings: {datastore: {type: 'embedded', path: {value: '/s', origin: 'x'}}, warnings: []}})).toThrow(/requires etcd/)
    expect(() => environment(etcd(['http://a:2379'], {username: {value: 'a', origin: 'x'}, password: {value: 'a\nMESOS_X=1', origin: 'x'}}))).toThrow(/control character/)
  })
})

test('idempotent, whatever the files say', () => {
  const value = fc.constantFrom('a', 'a,b', ISOLATOR, HOOK, `"x, ${ISOLATOR}"`, '')
  const line = fc.tuple(fc.constantFrom('MESOS_ISOLATION', 'MESOS_HOOKS', 'ETCD_AUTHORITY', 'ETCD_SCHEME', 'ETCD_ENDPOINTS', 'OTHER'), value).map(([name, text]) => `${name}=${text}\n`)
  const lines = fc.array(line, {maxLength: 6}).map((all) => all.join(''))
  const flags = fc.record({'/etc/mesos-slave/isolation': value, '/etc/mesos-slave/hooks': value, '/etc/default/mesos': lines, '/etc/default/mesos-slave': lines, '/opt/mesosphere/etc/mesos-slave-common': lines, '/opt/mesosphere/etc/mesos-slave': lines}, {requiredKeys: []})
  fc.assert(fc.property(fc.constantFrom<Style>('rpm', 'manual', 'dcos'), flags, fc.constantFrom(ONE, etcd(['http://a:1', 'http://b:1'])), (style, files, settings) => {
    const present: Files = {...files}
    const after = applied(style, present, {settings})
    for (const [path, text] of Object.entries(present)) {
      const others = (all: string | undefined): string[] => (all ?? '').split('\n').filter((each) => each.startsWith('OTHER'))
      expect(others(after[path])).toEqual(others(text))
    }
  }))
})
