/** The way over from v0.20: stores as it wrote them, in a real etcd with the v2 API and as dumps, against what our commands write for the same lines. */
import {spawn} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {createServer, type Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {CALICOCTL, checkBuild, type Result} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {createCertificates, type TestCertificates} from '../support/tls.js'
import {CASES, dumpOf, OTHER_CASES, OTHER_RULES, ENDPOINT_ID, fillV2, oldBlock, oldEndpoint, type OldKeys, oldNode, oldProfile, WORKLOAD} from '../support/v020-store.js'
import {calicoctl} from '../support/warm.js'

let folder: string
let number = 0
beforeAll(() => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-import-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const file = (text: string | Buffer): string => {
  const path = join(folder, `dump${number++}.json`)
  writeFileSync(path, text)
  return path
}
const newStore = (): string => join(folder, `store${number++}.json`)

/** Runs `import ARGS` into STORE, a file. */
const importInto = (store: string, ...args: string[]): Promise<Result> => calicoctl(['import', ...args], {env: {CALICO_DATASTORE: `embedded:${store}`}})
const importDump = (store: string, text: string | Buffer, ...args: string[]): Promise<Result> => importInto(store, '--from', file(text), ...args)

/** What STORE holds by key, without what differs each time: uids, times, sequence numbers. */
function contents(store: string): Record<string, unknown> {
  const {keys} = JSON.parse(readFileSync(store, 'utf8')) as {keys: [key: string, value: string, ...unknown[]][]}
  return Object.fromEntries(keys.filter(([key]) => !/clusterinformations|\/tiers\//.test(key)).map(([key, value]) => [key, withoutTimes(JSON.parse(value))]))
}

function withoutTimes(value: unknown): unknown {
  const {metadata, sequenceNumber: _, sequenceNumberForAllocation: __, affinity_claim_time: ___, ...rest} = value as Record<string, unknown>
  if (typeof metadata !== 'object' || metadata === null) return rest
  const {uid: ____, creationTimestamp: _____, ...named} = metadata as Record<string, unknown>
  return {...rest, metadata: named}
}

interface Plan {
  items: {kind: string; name: string; change: string; key: string; from: string[]}[]
  lost: {key: string; why: string}[]
  unneeded: {key: string; why: string}[]
}
const planOf = ({stdout}: Result): Plan => JSON.parse(stdout) as Plan

test.each([
  ['each of them', CASES],
  ['what they say otherwise', OTHER_CASES],
])('every command of v0.20: what is imported is what our command stores for the same line: %s', async (_, cases) => {
  const [ours, imported] = [newStore(), newStore()]
  const lines = join(folder, 'lines')
  writeFileSync(lines, cases.flatMap((each) => each.lines).join('\n'))
  const batch = await calicoctl(['batch', lines], {stdin: OTHER_RULES, env: {CALICO_DATASTORE: `embedded:${ours}`, HOSTNAME: 'rack1-host1'}, timeoutMs: 60_000})
  expect({code: batch.code, stderr: batch.code === 0 ? '' : batch.stderr}).toEqual({code: 0, stderr: ''})
  const keys = Object.assign({}, ...cases.map((each) => each.keys)) as OldKeys
  const result = await importDump(imported, dumpOf(keys), '--yes', '-o', 'json')
  expect({code: result.code, lost: planOf(result).lost}).toEqual({code: 0, lost: []})
  expect(contents(imported)).toEqual(contents(ours))
})

/** A cluster of two hosts with all that v0.20 kept. */
const CLUSTER: OldKeys = {
  ...(Object.assign({}, ...CASES.map((each) => each.keys)) as OldKeys),
  ...oldNode('Rack1-Host1', '172.17.8.101', {ip6: 'fd00::1', as: '64700', tunnel: '10.1.0.0'}),
  ...oldNode('rack1-host2', '172.17.8.102'),
  '/calico/v1/config/IpInIpEnabled': 'true',
  ...oldEndpoint('Rack1-Host1', {nets: ['192.168.10.1/32', '192.168.10.2/32'], nets6: ['fd80:24e2:f998:72d6::1/128'], profiles: ['web', 'Prof_1']}),
  ...oldEndpoint('Rack1-Host1', {workload: '-proc-1234-ns-net', id: 'aaaa0a7e5a6d11e6b1d40242ac110002', nets: ['192.168.10.3/32']}),
  ...oldEndpoint('rack1-host2', {orchestrator: 'mesos', workload: 'Task_1', id: 'bbbb0a7e5a6d11e6b1d40242ac110002', nets: ['192.168.20.5/32']}),
  ...oldBlock('192.168.10.0/26', 'Rack1-Host1', {1: 0, 2: 0, 3: 0, 9: 0}, [{handle_id: null, secondary: {}}], [5, 4]),
  ...oldBlock('10.1.0.0/26', 'Rack1-Host1', {0: 0}),
  ...oldBlock('192.168.20.0/26', 'rack1-host2', {5: 0}, [{handle_id: 'mesos-uid-1', secondary: {task: 'one'}}]),
  ...oldBlock('192.168.30.0/26', 'rack1-host2', {}),
  ...oldBlock('192.168.40.0/26', undefined, {7: 0}),
  ...oldBlock('fd80:24e2:f998:72d6::/122', 'Rack1-Host1', {1: 0}),
  '/calico/ipam/v2/handle/mesos-uid-1': '{"id": "mesos-uid-1", "block": {"192.168.20.0/26": 1}}',
}
const FOLDERS = ['/calico/v1/host/rack1-host2/workload', '/calico/ipam/v2/host/rack1-host2/ipv6/block']

describe('a real etcd with the v2 API', () => {
  let etcd: TestEtcd
  let env: Record<string, string>
  const run = (...args: string[]): Promise<Result> => calicoctl(args, {env: {...env, HOSTNAME: 'rack1-host1'}})
  const old = async (): Promise<string> => (await fetch(`${etcd.endpoints[0] ?? ''}/v2/keys/calico?recursive=true&sorted=true`)).text()
  let before: string
  beforeAll(async () => {
    etcd = await startEtcd({args: ['--enable-v2']})
    env = {ETCD_ENDPOINTS: etcd.endpoints.join(',')}
    await fillV2(etcd.endpoints[0] ?? '', CLUSTER, FOLDERS)
    before = await old()
  })
  afterAll(() => etcd.stop())
  const url = (): string => etcd.endpoints[0] ?? ''

  test('--dry-run prints the plan and writes nothing', async () => {
    const result = await run('import', '--etcd-v2', url(), '--dry-run')
    expect(result.code).toBe(0)
    expect(result.stdout).toMatch(/\| WorkloadEndpoint +\|/)
    expect(result.stderr).toMatch(/\d+ would be created, 0 unchanged/)
    expect(await etcd.ctl('get', '--prefix', '--keys-only', '/calico')).toBe('')
  })

  test('without a terminal and without --yes nothing is written', async () => {
    const result = await run('import', '--etcd-v2', url())
    expect({code: result.code, stderr: result.stderr}).toEqual({code: 8, stderr: expect.stringContaining('--yes')})
    expect(await etcd.ctl('get', '--prefix', '--keys-only', '/calico')).toBe('')
  })

  test('import: everything is there, IPAM is sound, the old store is as it was', async () => {
    // The first endpoint does not answer: the next one is asked.
    const result = await run('import', '--etcd-v2', `http://127.0.0.1:1,${url()}`, '--yes', '-o', 'json')
    expect({code: result.code, lost: planOf(result).lost}).toEqual({code: 0, lost: []})
    expect(await old()).toBe(before)
    const check = await run('ipam', 'check')
    expect(check).toMatchObject({code: 0})
    const get = async (kind: string, name: string): Promise<{metadata: Record<string, unknown>; spec: Record<string, unknown>}> => JSON.parse((await run('get', kind, name, '-o', 'json')).stdout) as never
    expect((await get('node', 'rack1-host1')).spec).toEqual({bgp: {asNumber: 64700, ipv4Address: '172.17.8.101/32', ipv6Address: 'fd00::1/128', ipv4IPIPTunnelAddr: '10.1.0.0'}})
    expect(await get('wep', `rack1--host1-docker-${WORKLOAD}-${ENDPOINT_ID}`)).toMatchObject({
      metadata: {namespace: 'default', labels: {'projectcalico.org/orchestrator': 'docker'}},
      spec: {orchestrator: 'docker', workload: WORKLOAD, node: 'rack1-host1', endpoint: ENDPOINT_ID, ipNetworks: ['192.168.10.1/32', '192.168.10.2/32', 'fd80:24e2:f998:72d6::1/128'], profiles: ['web', 'prof-1-9f7a1b5c'].map((name) => (name === 'web' ? name : (expect.stringMatching(/^prof-1-[0-9a-f]{8}$/) as unknown as string))), interfaceName: 'cali2f8c0a7e5a6', mac: 'aa:bb:cc:dd:ee:01'},
    })
    const shown = (await run('endpoint', 'show', '--detailed')).stdout
    expect(shown).toMatch(/\| rack1-host1 \| +namespace +\| +-proc-1234-ns-net/)
    expect(shown).toMatch(/\| rack1-host2 \| +mesos +\| +Task_1/)
    const info = async (address: string): Promise<unknown> => JSON.parse((await run('ipam', 'info', address, '-o', 'json')).stdout)
    expect(await info('192.168.10.1')).toMatchObject({handle: `docker.${WORKLOAD}`, attributes: {node: 'rack1-host1'}})
    expect(await info('192.168.20.5')).toMatchObject({handle: 'mesos-uid-1', attributes: {node: 'rack1-host2', type: 'mesos', task: 'one'}})
    expect(await info('10.1.0.0')).toMatchObject({handle: 'ipip-tunnel-addr-rack1-host1', attributes: {type: 'ipipTunnelAddress'}})
    // Nobody's endpoint has these: they stay assigned.
    expect(await info('192.168.10.9')).toMatchObject({attributes: {type: 'manual'}})
    expect(await info('192.168.40.7')).toMatchObject({attributes: {type: 'manual'}})
    expect((await run('bgp', 'default-node-as')).stdout.trim()).toBe('64511')
    expect((await run('config', 'felix', 'loglevel')).stdout.trim()).toBe('info')
    // The order in which v0.20 would have given free addresses.
    const block = JSON.parse(await etcd.ctl('get', '--print-value-only', '/calico/ipam/v2/assignment/ipv4/block/192.168.10.0-26')) as {unallocated: number[]}
    expect(block.unallocated.slice(-2)).toEqual([5, 4])
  })

  test('again: all is unchanged, nothing is asked and written', async () => {
    const revision = await etcd.ctl('endpoint', 'status', '-w', 'json')
    const result = await run('import', '--etcd-v2', url(), '-o', 'json')
    expect({code: result.code, changes: new Set(planOf(result).items.map(({change}) => change))}).toEqual({code: 0, changes: new Set(['unchanged'])})
    const after = await etcd.ctl('endpoint', 'status', '-w', 'json')
    const revisionOf = (text: string): unknown => (JSON.parse(text) as {Status: {header: {revision: number}}}[])[0]?.Status.header.revision
    expect(revisionOf(after)).toBe(revisionOf(revision))
  })

  test('an object that differs: 5, named, and nothing is written', async () => {
    expect((await run('profile', 'web', 'tag', 'add', 'more')).code).toBe(0)
    await run('profile', 'remove', 'rules')
    const result = await run('import', '--etcd-v2', url(), '--yes')
    expect({code: result.code, stderr: result.stderr}).toEqual({code: 5, stderr: expect.stringContaining('profile/web: its spec differs')})
    expect((await run('get', 'profile', 'rules')).code).toBe(4)
  })

  test('docs/migrate-from-v0.20.md, line by line', async () => {
    const text = readFileSync(join(import.meta.dirname, '../../docs/migrate-from-v0.20.md'), 'utf8')
    const lines = [...text.matchAll(/<!-- example: \w+ -->\n +```sh\n([^`]+)```/g)].flatMap(([, block = '']) => block.trim().split('\n').map((line) => line.trim()))
    expect(lines).toHaveLength(10)
    const store = newStore()
    for (const line of lines) {
      const {code, problems} = await typed(line.replace('http://10.0.0.1:4001', url()), {CALICO_DATASTORE: `embedded:${store}`})
      expect({line, code, problems}).toEqual({line, code: 0, problems: []})
    }
    expect(contents(store)).toEqual(expect.objectContaining({'/calico/resources/v3/projectcalico.org/profiles/web': expect.anything() as unknown}))
  })

  test('the examples of the help', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../dist/help/calicoctl.import.txt'), 'utf8').split('EXAMPLES')[1] ?? ''
    const examples = [...page.replaceAll(/\n {6,}/g, ' ').matchAll(/^\s*\$ (.*)$/gm)].map(([, line = '']) => line)
    expect(examples).toHaveLength(4)
    const dump = file(dumpOf(oldProfile('web')))
    for (const example of examples) {
      const line = example.replace(/https?:\S+/, url()).replace(/ --etcd-v2-ca \S+/, '').replace('calico.json', dump)
      expect({example, ...(await typed(line, {CALICO_DATASTORE: `embedded:${newStore()}`}))}).toEqual({example, code: 0, problems: []})
    }
  })

  test('no /calico there: 4', async () => {
    const empty = await startEtcd({args: ['--enable-v2']})
    try {
      const result = await run('import', '--etcd-v2', empty.endpoints[0] ?? '', '--dry-run')
      expect({code: result.code, stderr: result.stderr}).toEqual({code: 4, stderr: expect.stringContaining('no data of Calico v0.20')})
    } finally {
      await empty.stop()
    }
  })
})

describe('what is not an old store', () => {
  let certificates: TestCertificates
  let foreign: TestCertificates
  let secure: TestEtcd
  let plain: TestEtcd
  let server: Server
  let answer: {status: number; body: string; headers?: Record<string, string>}
  beforeAll(async () => {
    certificates = await createCertificates(folder, 'old')
    foreign = await createCertificates(folder, 'foreign')
    secure = await startEtcd({tls: {...certificates, clientAuth: true}, args: ['--enable-v2']})
    plain = await startEtcd()
    server = createServer((_, response) => {
      response.writeHead(answer.status, answer.headers ?? {})
      response.end(answer.body)
    })
    await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle))
  })
  afterAll(async () => {
    server.close()
    await secure.stop()
    await plain.stop()
  })
  const ask = async (url: string, ...args: string[]) => {
    const {code, stderr} = await importInto(newStore(), '--etcd-v2', url, '--dry-run', ...args)
    return {code, stderr}
  }
  const says = (code: number, ...texts: string[]) => ({code, stderr: expect.stringMatching(new RegExp(texts.join('[^]*'))) as unknown as string})

  test('TLS: right, without certificate, with another CA, plain', async () => {
    const {ca, client} = certificates
    const endpoint = secure.endpoints[0] ?? ''
    const tls = ['--etcd-v2-ca', ca, '--etcd-v2-cert', client.cert, '--etcd-v2-key', client.key]
    expect(await ask(endpoint, ...tls)).toEqual(says(4, 'no data of Calico v0.20'))
    expect(await ask(endpoint, '--etcd-v2-ca', ca)).toEqual(says(7, 'certificate', '--etcd-v2-cert'))
    expect(await ask(endpoint, '--etcd-v2-ca', foreign.ca, ...tls.slice(2))).toEqual(says(7, 'not signed by', '--etcd-v2-ca'))
    expect(await ask(endpoint)).toEqual(says(7, '--etcd-v2-ca'))
    expect(await ask(endpoint.replace('https', 'http'))).toEqual(says(7, 'https'))
    expect(await ask(endpoint, '--etcd-v2-ca', join(folder, 'none.pem'))).toEqual(says(1, 'none.pem'))
  })

  test('an etcd without the v2 API, other servers, nobody', async () => {
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    expect(await ask(plain.endpoints[0] ?? '')).toEqual(says(6, 'no v2 API', '--enable-v2'))
    answer = {status: 200, body: '<html><body>Welcome to nginx</body></html>'}
    expect(await ask(at)).toEqual(says(6, 'no v2 API'))
    answer = {status: 200, body: '<html>\u001b[31m', headers: {'X-Etcd-Index': '7'}}
    expect(await ask(at)).toEqual(says(1, 'is not a dump'))
    answer = {status: 401, body: '{"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials","index":0}'}
    expect(await ask(at)).toEqual(says(7, 'curl -u'))
    answer = {status: 503, body: ''}
    expect(await ask(at)).toEqual(says(6, 'not available'))
    expect(await ask('http://127.0.0.1:1')).toEqual(says(6, 'connection refused', '2379|--etcd-v2|etcdctl'))
  })

  test('lines that cannot be meant', async () => {
    expect(await importInto(newStore(), '--yes')).toMatchObject(says(1, '--etcd-v2 URL'))
    expect(await importInto(newStore(), '--from', 'x', '--etcd-v2', 'http://a:1')).toMatchObject(says(1, 'either'))
    expect(await importInto(newStore(), '--etcd-v2', 'http://a:1', '--etcd-v2-ca', 'x')).toMatchObject(says(1, 'https'))
    expect(await importInto(newStore(), '--etcd-v2', 'https://user:secret@a:1')).toMatchObject(says(1, 'user name and password'))
    expect(await importInto(newStore(), '--from', '/dev/zero')).toMatchObject(says(1, 'regular file'))
    expect(await importInto(newStore(), '--from', join(folder, 'missing'))).toMatchObject(says(1, 'no such file'))
  })
})

const leaf = (key: string, value: unknown) => ({key, value})
const tree = (key: string, nodes: unknown) => ({action: 'get', node: {key, dir: true, nodes}})

describe('dumps', () => {
  test.each<[string, string | Buffer, number, RegExp]>([
    ['empty', '', 1, /not valid JSON/],
    ['HTML', '<html></html>', 1, /not valid JSON/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 1, /not UTF-8/],
    ['a list', '[]', 1, /not a JSON object/],
    ["etcd's error", '{"errorCode":100,"message":"Key not found","cause":"/calico","index":3}', 1, /error of etcd/],
    ['no node', '{"action":"get"}', 1, /no "node"/],
    ['a node that is none', JSON.stringify(tree('/calico', [7])), 1, /not a node/],
    ['a node without key', JSON.stringify(tree('/calico', [{value: 'x'}])), 1, /no "key"/],
    ['a value of a wrong type', JSON.stringify(tree('/calico', [leaf('/calico/v1', 7)])), 1, /neither a folder/],
    ['nodes of a wrong type', JSON.stringify(tree('/calico', {})), 1, /not a list/],
    ['a folder in itself', JSON.stringify(tree('/calico', [{key: '/calico', dir: true, nodes: []}])), 1, /does not belong/],
    ['a folder in its child', JSON.stringify(tree('/calico', [{key: '/calico/v1', dir: true, nodes: [{key: '/calico', dir: true}]}])), 1, /does not belong/],
    ['a key that climbs', JSON.stringify(tree('/calico', [leaf('/calico/v1/../x', 'x')])), 1, /does not belong/],
    ['a key twice', JSON.stringify(tree('/calico', [leaf('/calico/v1', 'a'), leaf('/calico/v1', 'b')])), 1, /twice/],
    ['nested without end', `${'{"node":'.repeat(5000)}1${'}'.repeat(5000)}`, 1, /nested/],
    ['not recursive', JSON.stringify(tree('/calico', [{key: '/calico/v1', dir: true}])), 4, /recursive=true/],
    ['nothing of Calico', JSON.stringify(tree('/calico', [])), 4, /no data of Calico v0.20/],
    ['an older layout', JSON.stringify(tree('/calico', [leaf('/calico/host/h1/bird_ip', '1.2.3.4')].map(({value}) => ({key: '/calico/host', dir: true, nodes: [{key: '/calico/host/h1', value}]})))), 4, /before v0\.5/],
  ])('%s', async (_, text, code, message) => {
    const store = newStore()
    const result = await importDump(store, text, '--yes')
    expect({code: result.code, stderr: result.stderr, stdout: result.stdout}).toEqual({code, stderr: expect.stringMatching(message), stdout: ''})
    expect(() => readFileSync(store)).toThrow('ENOENT')
  })

  const HOSTILE: OldKeys = {
    ...oldProfile('good'),
    ...oldProfile('_x'),
    ...oldProfile('tagged', ['tagged', '-bad', '\u001b[31m']),
    '/calico/v1/policy/profile/broken/rules': 'not JSON \u001b[31m\n',
    '/calico/v1/policy/profile/broken/tags': '["broken"]',
    '/calico/v1/policy/profile/listed/tags': '{"a": 1}',
    '/calico/v1/policy/profile/unknown/rules': '{"id": "unknown", "inbound_rules": [{"action": "allow", "!weird": 1}], "outbound_rules": []}',
    '/calico/v1/ipam/v4/pool/nonsense': '{"cidr": "nonsense"}',
    '/calico/v1/ipam/v4/pool/10.0.0.0-28': '{"cidr": "10.0.0.0/28"}',
    '/calico/v1/ipam/v4/pool/10.1.0.0-16': '{"cidr": "10.1.0.0/16", "masquerade": "yes"}',
    '/calico/v1/ipam/v4/pool/10.2.0.0-16': '{"cidr": "10.2.0.0/16"}',
    '/calico/v1/ipam/v4/pool/10.2.1.0-24': '{"cidr": "10.2.1.0/24"}',
    '/calico/v1/policy/tier/t1/policy/p1': '{}',
    '/calico/v1/host/h1/endpoint/eth0': '{}',
    '/calico/v1/nobody/knows': 'x',
    '/calico/bgp/v1/global/peer_v4/1.2.3.4': '{"ip": "1.2.3.4", "as_num": "0"}',
    '/calico/bgp/v1/global/node_mesh': '[]',
    '/calico/bgp/v1/global/as_num': 'many',
    '/calico/bgp/v1/host/Upper/ip_addr_v4': '10.0.0.1',
    '/calico/bgp/v1/host/upper/ip_addr_v4': '10.0.0.2',
    '/calico/bgp/v1/host/with_underscore/ip_addr_v4': '10.0.0.3',
    ...oldEndpoint('with_underscore', {nets: ['10.2.0.9/32']}),
    ...oldEndpoint('h1', {nets: ['10.2.0.0/24']}),
    ...oldEndpoint('h1', {id: 'cccc0a7e5a6d11e6b1d40242ac110002', nets: ['10.2.0.7/32'], more: {state: 'inactive'}}),
    ...oldEndpoint('h1', {id: 'dddd0a7e5a6d11e6b1d40242ac110002', workload: '___', nets: ['10.2.0.8/32'], more: {profile_id: 'good', profile_ids: undefined}}),
    ...oldEndpoint('h1', {id: 'eeee0a7e5a6d11e6b1d40242ac110002', orchestrator: 'k8s', workload: 'ns.pod', nets: []}),
    ...oldBlock('10.2.0.0/26', 'with_underscore', {9: 0}),
    '/calico/ipam/v2/assignment/ipv4/block/10.2.9.0-26': '{"cidr": "10.2.9.0/26", "allocations": [7]}',
    '/calico/ipam/v2/config': '{"auto_allocate_blocks": false, "strict_affinity": false}',
  }

  test('hostile values: each is told with its key, the rest comes over, IPAM is sound', async () => {
    const store = newStore()
    const result = await importDump(store, dumpOf(HOSTILE), '--yes', '-o', 'json')
    expect(result.code).toBe(9)
    const {lost, items} = planOf(result)
    const keys = new Set(lost.map(({key}) => key.replace('/calico/', '')))
    for (const key of [
      'v1/policy/profile/_x/rules', 'v1/policy/profile/tagged/tags', 'v1/policy/profile/broken/rules', 'v1/policy/profile/listed/tags', 'v1/policy/profile/unknown/rules',
      'v1/ipam/v4/pool/nonsense', 'v1/ipam/v4/pool/10.0.0.0-28', 'v1/ipam/v4/pool/10.1.0.0-16', 'v1/ipam/v4/pool/10.2.1.0-24',
      'v1/policy/tier/t1/policy/p1', 'v1/host/h1/endpoint/eth0', 'v1/nobody/knows', 'bgp/v1/global/peer_v4/1.2.3.4', 'bgp/v1/global/node_mesh', 'bgp/v1/global/as_num',
      'bgp/v1/host/Upper', 'bgp/v1/host/upper', `v1/host/with_underscore/workload/docker/${WORKLOAD}/endpoint/${ENDPOINT_ID}`, `v1/host/h1/workload/docker/${WORKLOAD}/endpoint/${ENDPOINT_ID}`,
      `v1/host/h1/workload/docker/${WORKLOAD}/endpoint/cccc0a7e5a6d11e6b1d40242ac110002`, 'v1/host/h1/workload/k8s/ns.pod/endpoint/eeee0a7e5a6d11e6b1d40242ac110002',
      'ipam/v2/assignment/ipv4/block/10.2.9.0-26', 'ipam/v2/assignment/ipv4/block/10.2.0.0-26', 'ipam/v2/config',
    ]) expect(keys).toContain(key)
    expect(result.stderr + result.stdout).not.toContain('\u001b')
    expect(items.map(({kind, name}) => `${kind} ${name}`)).toEqual(expect.arrayContaining(['Profile good', 'Profile tagged', 'Profile listed', 'IPPool 10.2.0.0/16', 'Node h1']))
    const check = await calicoctl(['ipam', 'check'], {env: {CALICO_DATASTORE: `embedded:${store}`}})
    expect(check.code === 0 ? '' : check.stdout).toBe('')
    // The address of the endpoint that stayed behind is nobody else's.
    expect((await calicoctl(['ipam', 'info', '10.2.0.9'], {env: {CALICO_DATASTORE: `embedded:${store}`}})).stdout).not.toContain('not currently assigned')
  })

  test('from stdin, beside a file and alone; without --yes nothing is written', async () => {
    const keys = {...oldProfile('web'), ...oldNode('h1', '172.17.8.101')}
    const from = (store: string, stdin: string, ...args: string[]) => calicoctl(['import', '--from', '-', ...args], {stdin, env: {CALICO_DATASTORE: `embedded:${store}`}})
    const store = newStore()
    expect(await from(store, dumpOf(keys))).toMatchObject({code: 8, stderr: expect.stringContaining('--yes') as unknown})
    expect(() => readFileSync(store)).toThrow('ENOENT')
    expect(await from(store, dumpOf(keys, '/calico/v1'), '--from', file(dumpOf(keys, '/calico/bgp/v1')), '--yes')).toMatchObject({code: 0})
    expect(Object.keys(contents(store)).map((key) => key.split('/').at(-1)).sort()).toEqual(['default', 'default', 'h1', 'web'])
    expect(await from(store, dumpOf(keys))).toMatchObject({code: 0, stderr: expect.stringContaining('0 created, 4 unchanged') as unknown})
    expect(await from(newStore(), 'x', '--yes')).toMatchObject({code: 1, stderr: expect.stringMatching(/stdin is not a dump of etcd's v2 API[^]*Nothing was changed/) as unknown})
    expect(await from(newStore(), dumpOf(keys), '--from', '-', '--yes')).toMatchObject({code: 1, stderr: expect.stringContaining('only once') as unknown})
  })

  test('--strict: 8, and nothing is written', async () => {
    const store = newStore()
    const result = await importDump(store, dumpOf(HOSTILE), '--yes', '--strict')
    expect({code: result.code, stderr: result.stderr}).toEqual({code: 8, stderr: expect.stringMatching(/cannot be imported; nothing was changed/)})
    expect((await importDump(store, dumpOf(HOSTILE), '--dry-run', '--strict')).code).toBe(8)
    expect((await importDump(store, dumpOf(HOSTILE), '--dry-run')).code).toBe(0)
    expect(() => readFileSync(store)).toThrow('ENOENT')
    expect((await importDump(store, dumpOf(oldProfile('web')), '--yes', '--strict')).code).toBe(0)
  })

  test('a dump of /calico/v1 alone: endpoints keep their addresses; the rest is said to be missing', async () => {
    const store = newStore()
    const keys = {...CLUSTER}
    const result = await importDump(store, dumpOf(keys, '/calico/v1'), '--yes', '-o', 'json')
    expect({code: result.code, stderr: result.stderr}).toEqual({code: 0, stderr: expect.stringContaining('has no data of /calico/bgp/v1')})
    const env = {CALICO_DATASTORE: `embedded:${store}`}
    expect((await calicoctl(['ipam', 'check'], {env})).code).toBe(0)
    expect((await calicoctl(['ipam', 'info', '192.168.10.2', '-o', 'json'], {env})).stdout).toContain(`docker.${WORKLOAD}`)
    // Two dumps are one store.
    const both = await importInto(newStore(), '--from', file(dumpOf(keys, '/calico/v1')), '--from', file(dumpOf(keys, '/calico/bgp/v1')), '--from', file(dumpOf(keys, '/calico/ipam/v2')), '--yes', '-o', 'json')
    const one = await importInto(newStore(), '--from', file(dumpOf(keys)), '--yes', '-o', 'json')
    expect(planOf(both).items.map(({key}) => key)).toEqual(planOf(one).items.map(({key}) => key))
  })

  test('large: several transactions, in the order of references; the same command again finds all of it', async () => {
    const store = newStore()
    const keys: Record<string, string> = {'/calico/v1/ipam/v4/pool/10.0.0.0-8': '{"cidr": "10.0.0.0/8"}'}
    for (let at = 0; at < 150; at++) {
      Object.assign(keys, oldProfile(`p${at}`), oldEndpoint(`h${at % 5}`, {workload: at.toString(16).padStart(64, '0'), id: at.toString(16).padStart(32, '0'), nets: [`10.0.${at}.1/32`], profiles: [`p${at}`]}), oldBlock(`10.0.${at}.0/26`, `h${at % 5}`, {1: 0}))
    }
    const result = await importDump(store, dumpOf(keys), '--yes')
    expect({code: result.code, stderr: result.stderr}).toEqual({code: 0, stderr: expect.stringMatching(/in 8 transactions[^]*757 objects: 757 created/)})
    const env = {CALICO_DATASTORE: `embedded:${store}`}
    expect((await calicoctl(['ipam', 'check'], {env})).code).toBe(0)
    expect((await importDump(store, dumpOf(keys))).stderr).toContain('0 created, 757 unchanged')
  })
})

/** Types LINE into a shell with calicoctl and ENV; its exit code, and the lines of stderr that tell of a problem. */
function typed(line: string, env: Record<string, string>): Promise<{code: number | null; problems: string[]}> {
  const child = spawn('bash', ['-c', `set -o pipefail; calicoctl() { ${process.execPath} ${CALICOCTL} "$@"; }; ${line}`], {cwd: folder, env: {PATH: process.env.PATH, HOME: folder, ...env}})
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  child.stdout.resume()
  return new Promise((settle) => child.on('close', (code) => settle({code, problems: said.split('\n').filter((text) => /Error|Usage/.test(text))})))
}

/** Runs `import --from DUMP` on a terminal; ANSWER is typed once the question stands there. */
function onTerminal(store: string, dump: string, answer: string): Promise<{code: number | null; screen: string}> {
  const child = spawn('script', ['-qefc', `${process.execPath} ${CALICOCTL} import --from ${dump}`, '/dev/null'], {env: {PATH: process.env.PATH, HOME: folder, TERM: 'xterm', CALICO_DATASTORE: `embedded:${store}`}})
  let screen = ''
  child.stdout.on('data', (data: Buffer) => {
    const asked = screen.includes('(y/N)')
    screen += data.toString()
    if (!asked && screen.includes('(y/N)')) child.stdin.write(answer)
  })
  return new Promise((settle) => child.on('close', (code) => settle({code, screen})))
}

test('on a terminal it asks; No changes nothing', async () => {
  const [store, dump] = [newStore(), file(dumpOf(oldProfile('web')))]
  const no = await onTerminal(store, dump, 'n\r')
  expect({code: no.code, asked: no.screen.includes('Write this object?')}).toEqual({code: 8, asked: true})
  expect(() => readFileSync(store)).toThrow('ENOENT')
  expect((await onTerminal(store, dump, 'y\r')).code).toBe(0)
  expect(Object.keys(contents(store))).toEqual([expect.stringContaining('profiles/web')])
})
