/** `policy explain` and `policy test` by the built command: on a real etcd, and on files without a datastore. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {backupBytes} from '../../src/lib/backup/format.js'
import type {Result} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {goldenLines} from '../lib/policy/golden.js'
import {calicoctl} from '../support/warm.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const STARS = resolve(import.meta.dirname, '../../examples/stars/policy-test.yaml')

let etcd: TestEtcd
let folder: string
beforeAll(async () => {
  etcd = await startEtcd()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-policy-'))
  await prepare()
})
afterAll(async () => {
  rmSync(folder, {recursive: true, force: true})
  await etcd.stop()
})

const run = (...args: readonly string[]): Promise<Result> => calicoctl(args, {env: {ETCD_ENDPOINTS: etcd.endpoints.join(',')}, cwd: folder})
const words = (line: string): Promise<Result> => run(...line.split(' '))
const put = (path: string, value: string): Promise<string> => etcd.ctl('put', RESOURCES + path, value)

const object = (kind: string, name: string, spec: object, metadata: object = {}): object => ({apiVersion: 'projectcalico.org/v3', kind, metadata: {name, ...metadata}, spec})
const workload = (name: string, node: string, ips: readonly string[], profiles: readonly string[], annotations: object = {}): object =>
  object('WorkloadEndpoint', `${node}-docker-${name}-e${name}`, {node, orchestrator: 'docker', workload: name, endpoint: `e${name}`, interfaceName: `cali${name}`, ipNetworks: ips.map((ip) => `${ip}/32`.replace(/(:.*)\/32/, '$1/128')), profiles}, {namespace: 'default', annotations})

/** The stars, two steps before the end: the client may not use the back end. One endpoint each, a second one of the client; and what is wrong in some way. */
async function prepare(): Promise<void> {
  const batch = [
    ...['client', 'frontend', 'backend', 'management-ui', 'twins'].map((name) => `profile add ${name}`),
    'profile management-ui rule remove inbound allow from tag management-ui',
    'profile management-ui rule add inbound allow tcp to ports 9001',
    ...['client', 'frontend', 'backend'].map((name) => `profile ${name} rule add inbound allow tcp from tag management-ui to ports 9000`),
    'profile frontend rule add inbound allow tcp from tag client to ports 9000',
    'profile backend rule add inbound allow tcp from tag frontend to ports 9000',
  ].join('\n')
  writeFileSync(join(folder, 'lines'), `${batch}\n`)
  writeFileSync(
    join(folder, 'objects.json'),
    JSON.stringify([
      ...['h1', 'h2'].map((name, index) => object('Node', name, {bgp: {ipv4Address: `10.98.0.${index + 1}/24`}, interfaces: [{name: 'eth0', addresses: [`10.98.0.${index + 1}`]}]})),
      workload('c1', 'h1', ['192.168.1.1', 'fd80::1'], ['client'], {'calicoctl/container': 'shop'}),
      workload('c2', 'h1', ['192.168.1.2'], ['client']),
      workload('f1', 'h1', ['192.168.1.3'], ['frontend']),
      workload('b1', 'h2', ['192.168.2.1', 'fd80::2'], ['backend']),
      workload('m1', 'h2', ['192.168.2.2'], ['management-ui']),
      workload('v6', 'h2', ['fd80::6'], ['client']),
      workload('dup1', 'h2', ['192.168.9.9'], ['twins']),
      workload('dup2', 'h1', ['192.168.9.9'], ['twins']),
      workload('lost', 'h2', ['192.168.2.3'], ['nowhere']),
      workload('bad', 'h2', ['192.168.2.4'], ['broken']),
      object('Profile', 'broken', {ingress: [{action: 'Allow'}]}),
    ]),
  )
  for (const line of ['batch lines', 'apply -f objects.json']) {
    const {code, stderr} = await words(line)
    if (code !== 0) throw new Error(`${line}: ${stderr}`)
  }
  await put('profiles/broken', '{"kind":"Profile","spec":{"ingress":[{"action":"Allow","protocol":"TCP","destination":{"ports":[70000]}}]}}')
}

interface Explanation {
  readonly verdict: string
  readonly reason?: string
  readonly flows?: readonly string[] | null
  readonly egress: {readonly by: object; readonly considered: readonly {readonly matched: boolean}[]} | null
  readonly ingress: {readonly by: object} | null
  readonly warnings: readonly {readonly code: string}[]
}
const explanation = async (line: string): Promise<Explanation> => JSON.parse((await words(`policy explain ${line} -o json`)).stdout) as Explanation

describe('policy explain', () => {
  test('says who decides, with the command that changes it, and does what it says', async () => {
    const {code, stdout} = await words('policy explain shop b1 tcp/9000')
    expect({code, stdout}).toEqual({
      code: 0,
      stdout: [
        'deny: tcp/9000 from endpoint ec1 of docker workload shop on h1 to endpoint eb1 of docker workload b1 on h2',
        'Sender  : allow by profile client, outbound rule 1',
        'Receiver: deny by default: no rule of its profiles matches',
        'Allow it: calicoctl profile backend rule add inbound allow tcp from tag client to ports 9000',
        'profile backend, inbound rule 1 would allow it if the source matched has(backend).',
        'profile backend, inbound rule 2 would allow it if the source matched has(management-ui).',
        'profile backend, inbound rule 3 would allow it if the source matched has(frontend).',
        'Rules in order:',
        '  sender: profile client, outbound rule 1: allow: matches',
        '  receiver: profile backend, inbound rule 1: allow: does not match',
        '  receiver: profile backend, inbound rule 2: allow: does not match',
        '  receiver: profile backend, inbound rule 3: allow: does not match',
        '',
      ].join('\n'),
    })
  })

  test('JSON has the sides as in golden/policy.jsonl', async () => {
    const {verdict, egress, ingress, warnings} = await explanation('f1 b1 tcp/9000')
    const by = {kind: 'Profile', action: 'Allow'}
    expect({verdict, egress: egress?.by, ingress: ingress?.by, matched: egress?.considered.map(({matched}) => matched), warnings}).toEqual({
      verdict: 'allow',
      egress: {...by, name: 'frontend', direction: 'egress', index: 0},
      ingress: {...by, name: 'backend', direction: 'ingress', index: 2},
      matched: [true],
      warnings: [],
    })
  })

  test.each([
    ['client backend tcp/9000 --assert deny', 0],
    ['twins backend tcp/80 --assert deny', 10],
    ['c1 b1 tcp/9000 --assert deny', 0],
    ['c1 b1 tcp/9000 --assert allow', 10],
    ['bad b1 tcp/80 --assert deny', 10],
    ['c1 b1', 0],
    ['host:h1 b1 tcp/9000', 0],
    ['any any', 0],
    ['nobody b1 tcp/80', 4],
    ['host:h9 b1 tcp/80', 4],
    ['profile:nobody b1 tcp/80', 4],
    ['tag:nobody b1 tcp/80', 4],
    ['h1-docker b1 tcp/80', 5],
    ['c1 b1 tcp/70000', 1],
    ['c1 b1 xtp/80', 1],
    ['c1 b1 47/80', 1],
    ['c1 b1 tcp/0 --sport 0 --assert deny', 0],
    ['v6 b1 icmp/8', 1],
    ['v6 c2 tcp/80', 1],
    ['192.168.1.1 fd80::2 tcp/80', 1],
    ['192.168.1.999 b1 tcp/80', 1],
    ['c1 b1 --assert allow', 1],
  ])('%s ends with %i', async (line, code) => {
    const result = await words(`policy explain ${line}`)
    expect({code: result.code, stderr: result.stderr.replace(/^Warning: .*\n/gm, '') === ''}).toEqual({code, stderr: code === 0})
  })

  test('candidates of an ambiguous word are listed', async () => {
    const {stderr} = await words('policy explain h1-docker b1 tcp/80')
    expect(stderr).toContain('h1-docker-c1-ec1')
    expect(stderr).toContain('h1-docker-f1-ef1')
  })

  test.each([
    ['bad b1 tcp/80', /profile\/broken/],
    ['dup1 b1 tcp/80', /192\.168\.9\.9: .*dup/],
    ['m1 b1 tcp', /depends on the port.*tcp\/9000/],
    ['c1 c1 tcp/80', /itself/],
    ['c1 b1 udplite', /UDPLite/],
  ])('%s is unknown, and why', async (line, reason) => {
    const {verdict, reason: told} = await explanation(line)
    expect(verdict).toBe('unknown')
    expect(told).toMatch(reason)
  })

  test('a profile that does not exist drops, with a warning', async () => {
    const {verdict, egress, warnings} = await explanation('lost b1 tcp/80')
    expect({verdict, by: egress?.by, codes: warnings.map(({code}) => code)}).toEqual({verdict: 'deny', by: {kind: 'Profile', name: 'nowhere', missing: true, direction: 'egress', action: 'Deny'}, codes: ['missing-profile']})
  })

  test('without PROTO: the flows', async () => {
    expect((await explanation('f1 b1')).flows).toEqual(['tcp/9000'])
    expect((await explanation('c1 b1')).flows).toEqual([])
    expect((await explanation('192.0.2.1 m1')).flows).toEqual(['tcp/9001'])
    expect((await explanation('m1 192.0.2.1')).flows).toEqual(['all'])
  })

  test('a group with different verdicts is mixed', async () => {
    const {verdict} = await explanation('any b1 tcp/9000')
    expect(verdict).toBe('mixed')
    expect((await words('policy explain any b1 tcp/9000 --assert allow')).code).toBe(10)
  })
})

describe('policy test', () => {
  test('the stars example is as its file says', async () => {
    expect(await run('policy', 'test', STARS)).toMatchObject({code: 0, stdout: '', stderr: '13 probes: all as expected\n'})
  })

  test('tells every mistake with its place', async () => {
    writeFileSync(join(folder, 'bad.yaml'), ['apiVersion: calicoctl/v1', 'kind: PolicyTest', 'probes:', '- c1 b1 tcp/80 allow', '- {from: c1, to: b1, proto: tcp, dport: 70000, expct: allow}', '- c1 -> nobody tcp/80', ''].join('\n'))
    const {code, stdout, stderr} = await words('policy test bad.yaml')
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    // Names that do not exist are told with the rest, in the order of the file.
    expect(stderr.match(/bad\.yaml:\d+:\d+/g)).toEqual(['bad.yaml:4:3', 'bad.yaml:5:41', 'bad.yaml:5:55', 'bad.yaml:6:3'])
    writeFileSync(join(folder, 'unknown.yaml'), ['apiVersion: calicoctl/v1', 'kind: PolicyTest', 'probes:', '- c1 -> nobody tcp/80', '- nothing -> b1 tcp/80', ''].join('\n'))
    const unknown = await words('policy test unknown.yaml')
    expect(unknown.code).toBe(1)
    for (const place of ['unknown.yaml:4:3', 'unknown.yaml:5:3']) expect(unknown.stderr).toContain(place)
  })

  test('junit, and by', async () => {
    writeFileSync(join(folder, 'by.yaml'), ['apiVersion: calicoctl/v1', 'kind: PolicyTest', 'probes:', '- {from: f1, to: b1, proto: tcp, dport: 9000, by: {name: backend, index: 2}}', '- {from: f1, to: b1, proto: tcp, dport: 9000, by: {name: backend, index: 1}}', ''].join('\n'))
    const {code, stdout} = await words('policy test by.yaml -o junit')
    expect(code).toBe(10)
    expect(stdout).toContain('tests="2" failures="1"')
    expect(stdout.match(/<failure /g)).toHaveLength(1)
  })

  test('files are judged as they would be stored: with the built-in tiers, and endpoints with the labels of their namespace', async () => {
    const policy = (kind: string, metadata: object, spec: object): object => ({apiVersion: 'projectcalico.org/v3', kind, metadata, spec})
    const endpoint = {node: 'n1', orchestrator: 'docker', workload: 'x', endpoint: 'eth0', ipNetworks: ['10.9.0.1/32'], interfaceName: 'calix', profiles: []}
    writeFileSync(join(folder, 'bare.json'), JSON.stringify([
      policy('Tier', {name: 'late'}, {order: 2_000_000}),
      policy('GlobalNetworkPolicy', {name: 'late.open'}, {tier: 'late', selector: 'all()', types: ['Ingress'], ingress: [{action: 'Allow', source: {}, destination: {}}]}),
      policy('NetworkPolicy', {name: 'shut', namespace: 'default'}, {tier: 'default', selector: 'all()', types: ['Ingress'], ingress: [{action: 'Deny', protocol: 'TCP', source: {}, destination: {}}]}),
      policy('WorkloadEndpoint', {name: 'n1-docker-x-eth0', namespace: 'default'}, endpoint),
    ]))
    writeFileSync(join(folder, 'bare.yaml'), ['apiVersion: calicoctl/v1', 'kind: PolicyTest', 'probes:', '- {from: {ip: 192.0.2.9}, to: {ip: 10.9.0.1}, proto: tcp, dport: 80, expect: deny, by: {kind: NetworkPolicy, name: shut, index: 0}}', ''].join('\n'))
    expect(await words('policy test bare.yaml -f bare.json')).toMatchObject({code: 0, stderr: '1 probe: all as expected\n'})
  })

  test('by: kinds in any case and in the words of messages; both sides of a mismatch are in the same words', async () => {
    const probes = [
      '- {from: f1, to: b1, proto: tcp, dport: 9000, by: {kind: profile, name: backend, index: 2, direction: inbound, action: allow}}',
      '- {from: c1, to: b1, proto: tcp, dport: 9000, by: {kind: no rule matches}}',
      '- {from: f1, to: b1, proto: tcp, dport: 9000, expect: allow, by: {kind: profile, name: backend, index: 1}}',
    ]
    writeFileSync(join(folder, 'by2.yaml'), ['apiVersion: calicoctl/v1', 'kind: PolicyTest', 'probes:', ...probes, ''].join('\n'))
    expect(await words('policy test by2.yaml')).toMatchObject({
      code: 10,
      stdout: 'by2.yaml:6:3: f1 -> b1 tcp/9000: expected allow by profile backend, rule 2, but it is allow; sender: allow by profile frontend, outbound rule 1; receiver: allow by profile backend, inbound rule 3\n',
      stderr: 'Error: 1 of 3 probes is not as expected.\n',
    })
  })

  test('folders are read as by validate: folders in them with -R only, and files without objects are refused', async () => {
    mkdirSync(join(folder, 'nest/sub'), {recursive: true})
    const profile = (name: string): string => JSON.stringify(object('Profile', name, {}))
    writeFileSync(join(folder, 'nest/a.json'), profile('a'))
    writeFileSync(join(folder, 'nest/sub/b.json'), JSON.stringify(object('Profile', 'b', {ingress: [{action: 'Allow', source: {}, destination: {}}]})))
    writeFileSync(join(folder, 'nest/c.json'), JSON.stringify(workload('w', 'h1', ['10.9.0.1'], ['b'])))
    writeFileSync(join(folder, 'nest.yaml'), ['apiVersion: calicoctl/v1', 'kind: PolicyTest', 'probes:', '- {from: 192.0.2.9, to: 10.9.0.1, proto: tcp, dport: 80, expect: allow}', ''].join('\n'))
    for (const recursive of [[], ['-R']]) {
      expect((await run('validate', '-f', 'nest', ...recursive)).stdout).toBe(`${2 + recursive.length} objects in ${2 + recursive.length} files are valid.\n`)
      expect((await run('policy', 'test', 'nest.yaml', '-f', 'nest', ...recursive)).code).toBe(recursive.length > 0 ? 0 : 10)
    }
    writeFileSync(join(folder, 'nest/none.yaml'), '')
    for (const line of ['validate -f nest', 'policy test nest.yaml -R -f nest']) expect(await words(line)).toMatchObject({code: 1, stderr: expect.stringContaining('nest/none.yaml') as unknown})
    expect((await words('policy test nest.yaml -R -f nest --skip-empty')).code).toBe(0)
  })

  test.each(['h10', 'h48', 'h52', 'h67', 'h72', 'h80'])('recorded verdicts from a datastore save, without a datastore: %s', async (id) => {
    const line = goldenLines().find((candidate) => candidate.id.startsWith(id))
    if (line === undefined) throw new Error(id)
    const entries = Object.entries(line.objects).map(([key, value]) => ({key, value})).sort((a, b) => (a.key < b.key ? -1 : 1))
    // eslint-disable-next-line @typescript-eslint/require-await -- pages come one after another
    const pages = async function* (): AsyncGenerator<typeof entries> {
      yield entries
    }
    const bytes: Uint8Array[] = []
    for await (const part of backupBytes({clusterGUID: undefined, revision: '1', savedAt: '2026-11-28T00:00:00Z'}, pages())) bytes.push(part)
    writeFileSync(join(folder, 'save.gz'), Buffer.concat(bytes))
    const probes = line.probes.map(({from, to, proto, dport, sport, icmpType, icmpCode, ipVersion, verdict}) => ({from, to, proto, dport, sport, icmpType, icmpCode, ipVersion, expect: verdict}))
    writeFileSync(join(folder, 'golden.json'), JSON.stringify({apiVersion: 'calicoctl/v1', kind: 'PolicyTest', probes}))
    const {code, stdout} = await calicoctl(['policy', 'test', 'golden.json', '-f', 'save.gz', '-o', 'json'], {cwd: folder})
    const results = (JSON.parse(stdout) as {probes: readonly Record<string, unknown>[]}).probes.map(({verdict, egress, ingress, forward}) => ({verdict, egress, ingress, forward}))
    expect(results).toEqual(line.probes.map(({verdict, egress, ingress, forward = []}) => ({verdict, egress, ingress, forward})))
    expect(code).toBe(0)
  })
})

describe('policy matrix', () => {
  test('pairs of groups with what passes, as a table and as CSV', async () => {
    const {code, stdout, stderr} = await words('policy matrix --protocol tcp --to frontend')
    expect({code, stdout}).toEqual({
      code: 0,
      stdout: [
        '+-------------------+--------------+----------+',
        '| From              | To           | Flows    |',
        '+-------------------+--------------+----------+',
        '| client#1 (1)      | frontend (1) | tcp/9000 |',
        '| client#2 (1)      | frontend (1) | tcp/9000 |',
        '| management-ui (1) | frontend (1) | tcp/9000 |',
        '+-------------------+--------------+----------+',
        '',
      ].join('\n'),
    })
    expect(stderr).toMatch(/^Warning: the traffic of broken \(1\) cannot be determined: Felix cannot read profile\/broken /m)
    expect((await words('policy matrix --from m1 --to b1 -o csv')).stdout).toBe('from,to,flows\nmanagement-ui,backend,tcp/9000\n')
    expect((await words('policy matrix --from m1 --to b1 -o name')).stdout).toBe('management-ui:backend\n')
    expect((await words('policy matrix --from m1 --to b1 -o plain')).stdout).toBe('management-ui (1)\tbackend (1)\ttcp/9000\tprofile management-ui, outbound rule 1,profile backend, inbound rule 2\n')
  })

  test('JSON has the groups, and the cells by their ids with the rules', async () => {
    const {groups, cells} = JSON.parse((await words('policy matrix -o json')).stdout) as {groups: readonly {id: string; name: string; endpoints: readonly string[]}[]; cells: readonly {from: string; to: string; flows: readonly string[]; by: readonly object[]}[]}
    const id = (endpoint: string): string | undefined => groups.find(({endpoints}) => endpoints.includes(endpoint))?.id
    expect(groups.find(({id: own}) => own === id('h1-docker-f1-ef1'))).toEqual({
      id: 'g6',
      type: 'workloads',
      name: 'frontend',
      labels: {'frontend': '', 'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'docker'},
      profiles: ['frontend'],
      node: null,
      endpoints: ['h1-docker-f1-ef1'],
    })
    const by = {kind: 'Profile', action: 'Allow'}
    expect(cells.filter(({from, to}) => from === id('h1-docker-f1-ef1') && to === id('h2-docker-b1-eb1'))).toEqual([
      {from: 'g6', to: id('h2-docker-b1-eb1'), flows: ['tcp/9000'], by: [{...by, name: 'frontend', direction: 'egress', index: 0}, {...by, name: 'backend', direction: 'ingress', index: 2}]},
    ])
    expect(cells.filter(({from, to}) => from === id('h1-docker-c1-ec1') && to === id('h2-docker-b1-eb1'))).toEqual([])
    expect(cells.filter(({flows}) => flows.length === 0)).toEqual([])
  })

  test.each([
    ['--from nobody', 4],
    ['--to h1-docker', 5],
    ['--protocol xtp', 1],
    ['--protocol 256', 1],
    ['-o xml', 1],
  ])('%s ends with %i', async (options, code) => {
    expect(await words(`policy matrix ${options}`)).toMatchObject({code, stdout: ''})
  })
})
