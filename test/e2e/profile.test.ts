/** The profile commands by the built command, on a real etcd: what they print, their exit codes, and what is stored. */
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import type {Result} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {calicoctl} from '../support/warm.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const DEFAULT_RULES = 'Inbound rules:\n   1 allow from tag web\nOutbound rules:\n   1 allow\n'

const CLUSTER = 'clusterinformations/default'

let etcd: TestEtcd
let cluster: string
beforeAll(async () => {
  etcd = await startEtcd()
  await given('profile add web')
  cluster = await text(CLUSTER)
})
afterAll(() => etcd.stop())

const empty = (): Promise<string> => etcd.ctl('del', '--prefix', '/')
/** Every test has a Calico datastore without profiles and endpoints. */
beforeEach(async () => {
  await empty()
  await put(CLUSTER, cluster)
})

const environment = (): Record<string, string> => ({ETCD_ENDPOINTS: etcd.endpoints.join(',')})

/** Runs LINE, words separated by blanks; `~` stands for a blank in a word. */
const run = (line: string, stdin?: string): Promise<Result> =>
  calicoctl(line.split(' ').map((word) => word.replaceAll('~', ' ')), {env: environment(), ...(stdin === undefined ? {} : {stdin})})

/** Runs lines that must succeed. */
async function given(...lines: string[]): Promise<void> {
  for (const line of lines) {
    const {code, stderr} = await run(line)
    if (code !== 0) throw new Error(`${line}: ${stderr}`)
  }
}

const text = async (path: string): Promise<string> => (await etcd.ctl('get', RESOURCES + path, '--print-value-only')).trimEnd()

interface StoredProfile {
  readonly metadata: {readonly annotations?: object}
  readonly spec: {readonly ingress?: unknown; readonly egress?: unknown; readonly labelsToApply?: unknown}
}
const stored = async (name: string): Promise<StoredProfile> => JSON.parse(await text(`profiles/${name}`)) as StoredProfile

async function revision(): Promise<number> {
  return (JSON.parse(await etcd.ctl('get', 'nothing', '-w', 'json')) as {header: {revision: number}}).header.revision
}

const put = (path: string, value: unknown): Promise<string> => etcd.ctl('put', RESOURCES + path, typeof value === 'string' ? value : JSON.stringify(value))

async function putProfile(name: string, spec: object, metadata: object = {}): Promise<void> {
  const identity = {name, uid: '6a9e6cc5-0e0e-4bd1-a6cf-a1a4ac5cba0c', creationTimestamp: '2026-11-21T09:00:00Z'}
  await put(`profiles/${name}`, {kind: 'Profile', apiVersion: 'projectcalico.org/v3', metadata: {...identity, ...metadata}, spec})
}

const putWorkload = (node: string, workload: string, profiles: string[]): Promise<string> =>
  put(`workloadendpoints/default/${node}-docker-${workload}-eth0`, {
    kind: 'WorkloadEndpoint',
    apiVersion: 'projectcalico.org/v3',
    metadata: {name: `${node}-docker-${workload}-eth0`, namespace: 'default', uid: '3', creationTimestamp: '2026-11-21T09:00:00Z'},
    spec: {orchestrator: 'docker', workload, node, endpoint: 'eth0', ipNetworks: ['10.0.0.1/32'], profiles, interfaceName: 'cali1'},
  })

test('the three profiles of an application, from nothing', async () => {
  await empty()
  const lines: [string, string][] = [
    ['profile add management-ui', 'Created profile management-ui\n'],
    ['profile add client', 'Created profile client\n'],
    ['profile add backend', 'Created profile backend\n'],
    ['profile management-ui rule remove inbound allow from tag management-ui', ''],
    ['profile management-ui rule add inbound allow tcp to ports 9001', ''],
    ['profile client rule add inbound allow tcp from tag management-ui to ports 9000', ''],
    ['profile backend rule show', 'Inbound rules:\n   1 allow from tag backend\nOutbound rules:\n   1 allow\n'],
    [
      'profile client rule show',
      'Inbound rules:\n   1 allow from tag client\n   2 allow tcp from tag management-ui to ports 9000\nOutbound rules:\n   1 allow\n',
    ],
    [
      'profile show --detailed',
      [
        '+---------------+------+-----------------+-------------+-------------+-------+',
        '|      Name     | Host | Orchestrator ID | Workload ID | Endpoint ID | State |',
        '+---------------+------+-----------------+-------------+-------------+-------+',
        '|    backend    | None |       None      |     None    |     None    |  None |',
        '|     client    | None |       None      |     None    |     None    |  None |',
        '| management-ui | None |       None      |     None    |     None    |  None |',
        '+---------------+------+-----------------+-------------+-------------+-------+\n',
      ].join('\n'),
    ],
  ]
  for (const [line, stdout] of lines) expect({line, ...(await run(line))}).toMatchObject({line, code: 0, stdout})
  expect(await stored('management-ui')).toEqual({
    kind: 'Profile',
    apiVersion: 'projectcalico.org/v3',
    metadata: {name: 'management-ui', uid: expect.any(String), creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)},
    spec: {
      ingress: [{action: 'Allow', protocol: 'TCP', source: {}, destination: {ports: [9001]}}],
      egress: [{action: 'Allow', source: {}, destination: {}}],
      labelsToApply: {'management-ui': ''},
    },
  })
})

describe('profile add and remove', () => {
  test('what is already so is left alone, exit 0', async () => {
    await given('profile add web')
    const before = await revision()
    expect(await run('profile add web')).toMatchObject({code: 0, stdout: 'Profile web already exists.\n', stderr: ''})
    expect(await run('profile remove db')).toMatchObject({code: 0, stdout: 'Profile db not found.\n'})
    expect(await revision()).toBe(before)
    expect(await run('profile remove web')).toMatchObject({code: 0, stdout: 'Deleted profile web\n', stderr: ''})
    expect(await text('profiles/web')).toBe('')
  })

  test('a name that Calico does not allow is shown as it was typed, everywhere', async () => {
    await given('profile add My_Prof', 'profile My_Prof rule add inbound allow from tag Other_1')
    expect(await stored('my-prof-96ecce37')).toMatchObject({metadata: {annotations: {'calicoctl/name': 'My_Prof'}}, spec: {labelsToApply: {My_Prof: ''}}})
    expect((await run('profile My_Prof rule show')).stdout).toContain('   1 allow from tag My_Prof\n   2 allow from tag Other_1\n')
    expect((await run('profile show -o name')).stdout).toBe('My_Prof\n')
    expect(JSON.parse((await run('profile My_Prof rule json')).stdout)).toMatchObject({id: 'My_Prof'})
    expect(await run('profile add my-prof-96ecce37')).toMatchObject({code: 5, stdout: '', stderr: expect.stringContaining('My_Prof')})
    expect(await run('profile remove My_Prof')).toMatchObject({code: 0, stdout: 'Deleted profile My_Prof\n'})
  })

  test.each(['_x', 'x-', 'b@d', 'a'.repeat(64), '.'])('%s cannot be added', async (name) => {
    expect(await run(`profile add ${name}`)).toMatchObject({code: 1, stdout: '', stderr: expect.not.stringContaining('Usage:')})
    expect(await etcd.ctl('get', '--prefix', `${RESOURCES}profiles/`)).toBe('')
  })

  test('the profile that Calico provides is not ours to change', async () => {
    for (const line of ['profile add NAME', 'profile remove NAME --no-check', 'profile NAME tag add x', 'profile NAME rule remove inbound --at=1']) {
      expect((await run(line.replace('NAME', 'projectcalico-default-allow'))).code).toBe(8)
    }
  })

  test('an annotation that claims another name is not believed', async () => {
    await putProfile('web', {}, {annotations: {'calicoctl/name': 'database'}})
    expect(await run('profile show -o name')).toMatchObject({code: 0, stdout: 'web\n', stderr: expect.stringContaining('database')})
  })
})

describe('a profile in use', () => {
  test.each([
    ['a workload endpoint', () => putWorkload('h1', 'a', ['db', 'web']), 'endpoint eth0 of docker workload a on h1', '(calicoctl endpoint ENDPOINT profile remove web)'],
    [
      'a host endpoint',
      () => put('hostendpoints/h1-eth0', {kind: 'HostEndpoint', apiVersion: 'projectcalico.org/v3', metadata: {name: 'h1-eth0'}, spec: {node: 'h1', interfaceName: 'eth0', profiles: ['web']}}),
      'host endpoint h1-eth0 on h1',
      '(calicoctl edit hostendpoint h1-eth0)',
    ],
  ])('by %s is kept, unless --no-check is given', async (_, use, label, command) => {
    await given('profile add web')
    await use()
    const {code, stdout, stderr} = await run('profile remove web')
    expect({code, stdout}).toEqual({code: 8, stdout: ''})
    expect(stderr).toContain('profile in use by endpoint(s)')
    expect(stderr).toContain(label)
    expect(stderr).toContain(command)
    expect(stderr).toContain('--no-check')
    expect(await run('profile remove web --dry-run')).toMatchObject({code: 8})
    expect(await text('profiles/web')).not.toBe('')
    expect(await run('profile remove --no-check web')).toMatchObject({code: 0, stdout: 'Deleted profile web\n'})
  })

  test('another profile that merely begins alike is not', async () => {
    await given('profile add web')
    await putWorkload('h1', 'a', ['web2'])
    expect((await run('profile remove web')).code).toBe(0)
  })

  test('show --detailed has a row for each endpoint', async () => {
    await given('profile add web', 'profile add db', 'profile add My_Prof')
    await putWorkload('h2', 'b', ['web', 'db'])
    await putWorkload('h1', 'a', ['web', 'my-prof-96ecce37', 'gone'])
    const {stdout} = await run('profile show --detailed -o plain')
    expect(stdout).toBe('My_Prof\th1\tdocker\ta\teth0\tactive\ndb\th2\tdocker\tb\teth0\tactive\nweb\th1\tdocker\ta\teth0\tactive\nweb\th2\tdocker\tb\teth0\tactive\n')
    expect(JSON.parse((await run('profile show --det -o json')).stdout)).toMatchObject({
      apiVersion: 'calicoctl/v1',
      items: [{profile: 'My_Prof'}, {profile: 'db'}, {profile: 'web', endpoints: [{host: 'h1', orchestrator: 'docker', workload: 'a', endpoint: 'eth0', state: 'active'}, {host: 'h2'}]}],
    })
  })
})

describe('tags', () => {
  test('are added, shown and removed', async () => {
    await given('profile add web')
    expect(await run('profile web tag add front_end')).toMatchObject({code: 0, stdout: 'Tag front_end added to profile web\n', stderr: ''})
    expect(await run('profile web tag add front_end')).toMatchObject({code: 0, stdout: '', stderr: 'profile/web unchanged\n'})
    expect(await run('profile web tag show')).toMatchObject({code: 0, stdout: 'front_end\nweb\n', stderr: ''})
    expect(JSON.parse((await run('profile web tag show --json')).stdout)).toEqual({apiVersion: 'calicoctl/v1', kind: 'TagList', profile: 'web', tags: ['front_end', 'web'], items: ['front_end', 'web']})
    expect(await run('profile web tag remove front_end')).toMatchObject({code: 0, stdout: 'Tag front_end removed from profile web\n'})
    expect(await run('profile web tag remove front_end')).toMatchObject({code: 4, stdout: '', stderr: 'Error: Tag front_end is not on profile web.\nTo see its tags: calicoctl profile web tag show\n'})
    await given('profile web tag remove web')
    expect(await run('profile web tag show')).toMatchObject({code: 0, stdout: ''})
    expect((await stored('web')).spec.labelsToApply ?? {}).toEqual({})
  })

  test('a label with a value is not a tag and is not lost', async () => {
    await putProfile('web', {labelsToApply: {role: 'db'}})
    expect(await run('profile web tag show')).toMatchObject({code: 0, stdout: ''})
    expect((await run('profile web tag add role')).code).toBe(5)
    await given('profile web tag add x')
    expect((await stored('web')).spec.labelsToApply).toEqual({role: 'db', x: ''})
  })
})

describe('rules', () => {
  beforeEach(() => given('profile add web'))

  test('go to the end or to --at, wherever that stands, and come out by words or number', async () => {
    await given(
      'profile web rule add inbound deny tcp to ports 22,1000:2000',
      'profile --at=1 web rule add inbound deny from cidr 10.1.2.3/8',
      'profile web rule add inbound --at 4 allow icmp type 8 code 0 from tag a to tag b cidr 1.2.3.4',
      'profile web rule add outbound allow not protocol udp from not tag x to selector role~==~"db"',
    )
    expect((await run('profile web rule show')).stdout).toBe(
      [
        'Inbound rules:',
        '   1 deny from cidr 10.0.0.0/8',
        '   2 allow from tag web',
        '   3 deny tcp to ports 22,1000:2000',
        '   4 allow icmp type 8 code 0 from tag a to tag b cidr 1.2.3.4/32',
        'Outbound rules:',
        '   1 allow',
        `   2 allow not protocol udp from not tag x to selector 'role == "db"'`,
        '',
      ].join('\n'),
    )
    expect(await run('profile web rule remove inbound --at=2')).toMatchObject({code: 0, stdout: '', stderr: 'profile/web updated (inbound rule 2 removed)\n'})
    await given('profile web rule remove inbound deny from cidr 10.0.0.0/8', 'profile web rule remove outbound allow')
    expect((await stored('web')).spec).toMatchObject({ingress: [{action: 'Deny', protocol: 'TCP', destination: {ports: [22, '1000:2000']}}, {protocol: 'ICMP'}], egress: [{notProtocol: 'UDP'}]})
  })

  test('an equal rule is not added again', async () => {
    expect(await run('profile web rule add inbound allow from tag web')).toMatchObject({code: 0, stdout: 'Rule already present, skipping.\n', stderr: ''})
    expect(await run('profile web rule add inbound --at=9 allow from tag web')).toMatchObject({code: 0, stdout: 'Rule already present, skipping.\n'})
  })

  test('words may stand twice', async () => {
    await given('profile web rule add inbound allow tcp from ports 80 tag web to ports 80 tag web', 'profile add inbound', 'profile inbound rule remove inbound allow from tag inbound')
    expect((await run('profile web rule show')).stdout).toContain('   2 allow tcp from ports 80 tag web to ports 80 tag web\n')
  })

  test.each([
    ['profile web rule add inbound --at=3 deny', 1, 'Position 3 is out of range: the valid inbound positions in profile web are 1 to 2.'],
    ['profile web rule add inbound --at=0 deny', 1, 'Position 0 is out of range'],
    ['profile web rule add inbound --at=-1 deny', 1, 'Position -1 is out of range'],
    ['profile web rule add inbound --at=x deny', 1, "--at: 'x' is not a number"],
    ['profile web rule remove inbound --at=2', 1, 'Position 2 is out of range'],
    ['profile web rule remove inbound deny', 4, 'Rule not found.'],
    ['profile db rule add inbound deny', 4, 'Profile db not found.'],
    ['profile db rule remove inbound deny', 4, 'Profile db not found.'],
    ['profile db rule show', 4, 'Profile db not found.'],
    ['profile db rule json', 4, 'Profile db not found.'],
    ['profile db tag show', 4, 'Profile db not found.'],
    ['profile db tag add x', 4, 'Profile db not found.'],
    ['profile db tag remove x', 4, 'Profile db not found.'],
    ['profile projectcalico-default-allow rule show', 4, 'Calico provides this profile itself'],
  ])('%s: exit %d, nothing written', async (line, exit, message) => {
    const before = await revision()
    const {code, stdout, stderr} = await run(line)
    expect({code, stdout}).toEqual({code: exit, stdout: ''})
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('Usage:')
    expect(await revision()).toBe(before)
  })

  test.each([
    ['profile web rule add inbound accept', 'accept'],
    ['profile web rule add inbound allow 6', 'protocol 6'],
    ['profile web rule add inbound allow tcp from tag a ports 80', '"ports" comes first'],
    ['profile web rule remove inbound', ''],
    ['profile web rule remove inbound --at=1 allow', ''],
  ])('%s is a usage error', async (line, message) => {
    const {code, stdout, stderr} = await run(line)
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    expect(stderr).toMatch(/^Usage:/)
    expect(stderr).toContain(message)
  })

  test('two scripts at once lose nothing, and each keeps its order', async () => {
    const script = async (tag: string): Promise<void> => {
      for (let port = 1; port <= 6; port++) await given(`profile web rule add inbound allow tcp from tag ${tag} to ports ${port}`)
    }
    await Promise.all([script('a'), script('b')])
    const {stdout} = await run('profile web rule show')
    for (const tag of ['a', 'b']) {
      expect([...stdout.matchAll(new RegExp(`from tag ${tag} to ports (\\d)`, 'g'))].map(([, port]) => port)).toEqual(['1', '2', '3', '4', '5', '6'])
    }
  })

  test('all wrong values of a line are told, before the datastore is asked', async () => {
    const {code, stderr} = await calicoctl('profile b@d rule add inbound --at=z allow tcp from tag _ cidr 10.0.0.0/33 to ports 0,x'.split(' '), {env: {ETCD_ENDPOINTS: 'http://127.0.0.1:1'}})
    expect(code).toBe(1)
    for (const part of ['b@d', "'z'", '"_"', '10.0.0.0/33', 'port 0', '"x"']) expect(stderr).toContain(part)
  })
})

describe('what others wrote', () => {
  const upgraded = {action: 'Allow', source: {selector: "web == ''"}, destination: {}}
  const special = {action: 'Allow', ipVersion: 4, source: {nets: ['10.0.0.0/8', '11.0.0.0/8']}, destination: {}, metadata: {annotations: {why: 'because'}}}

  beforeEach(() => putProfile('web', {ingress: [upgraded, special], later: {than: 'us'}}, {labels: {a: 'b'}}))

  test('is shown, counts as equal, and is not rewritten', async () => {
    expect((await run('profile web rule show')).stdout).toBe(`Inbound rules:\n   1 allow from tag web\n   2 v3 ${JSON.stringify(special)}\nOutbound rules:\n`)
    expect((await run('profile web rule add inbound allow from tag web')).stdout).toBe('Rule already present, skipping.\n')
    await given('profile web rule add outbound deny')
    expect(await stored('web')).toMatchObject({metadata: {labels: {a: 'b'}}, spec: {ingress: [upgraded, special], egress: [{action: 'Deny'}], later: {than: 'us'}}})
    await given('profile web rule remove inbound allow from tag web')
    expect((await stored('web')).spec.ingress).toEqual([special])
  })

  test('goes through rule json and rule update unchanged', async () => {
    const {stdout} = await run('profile web rule json')
    expect(stdout.endsWith('}\n\n')).toBe(true)
    expect(JSON.parse(stdout)).toEqual({id: 'web', inbound_rules: [{action: 'allow', src_tag: 'web'}, {v3: special}], outbound_rules: []})
    const before = await revision()
    expect(await run('profile web rule update', stdout)).toMatchObject({code: 0, stdout: 'Successfully updated rules on profile web\n', stderr: ''})
    expect(await revision()).toBe(before)
  })

  test('cannot put a line of its own on the terminal', async () => {
    await putProfile('web', {ingress: [{action: 'Deny', source: {selector: "a == 'x\u001b[2J\n   9 allow'"}}]})
    const {stdout} = await run('profile web rule show')
    expect(stdout.split('\n')).toHaveLength(4)
    expect(stdout).not.toContain('\u001b')
  })

  test('a value that cannot be read is told and left alone', async () => {
    await put('profiles/broken', '{"kind":"Profile","spec":{"ingress":7}}')
    expect(await run('profile show -o name')).toMatchObject({code: 0, stdout: 'web\n', stderr: expect.stringContaining('profiles/broken')})
    expect((await run('profile broken tag add x')).code).toBe(1)
    expect((await run('profile add broken')).code).toBe(1)
    expect(await text('profiles/broken')).toBe('{"kind":"Profile","spec":{"ingress":7}}')
  })
})

describe('rule update', () => {
  beforeEach(() => given('profile add web'))
  const update = (document: unknown): Promise<Result> => run('profile web rule update', typeof document === 'string' ? document : JSON.stringify(document))

  test('a rule that Felix enforces matches more traffic than the rule says is taken, with a warning, once', async () => {
    const nets = ['10.0.0.0/24', '10.0.1.0/24']
    const document = {inbound_rules: [{v3: {action: 'Allow', protocol: 'TCP', source: {nets}, destination: {nets, ports: ['http', 81]}}}], outbound_rules: []}
    const {code, stderr} = await update(document)
    expect(code).toBe(0)
    expect(stderr).toMatch(/Warning: profile\/web: spec\.ingress\[0\]:? .*destination\.nets is not checked.*matches more traffic than the rule says/)
    expect((await run('profile web tag add other')).stderr).not.toContain('wider')
  })

  test('replaces both lists', async () => {
    const {code, stdout, stderr} = await update({
      inbound_rules: [{action: 'next-tier', protocol: 'tcp', dst_ports: ['80', '90:100']}],
      outbound_rules: [{action: 'deny', dst_net: '10.1.2.3/8'}, {v3: {action: 'Log'}}],
    })
    expect({code, stdout, stderr}).toEqual({code: 0, stdout: 'Successfully updated rules on profile web\n', stderr: ''})
    expect((await run('profile web rule show')).stdout).toBe('Inbound rules:\n   1 next-tier tcp to ports 80,90:100\nOutbound rules:\n   1 deny to cidr 10.0.0.0/8\n   2 log\n')
    expect((await stored('web')).spec.labelsToApply).toEqual({web: ''})
  })

  test.each([
    ['no JSON', '{', ['JSON']],
    ['nothing', '', ['JSON']],
    ['a key twice', '{"id":"web","id":"web","inbound_rules":[],"outbound_rules":[]}', ['"id"', 'twice']],
    ['another id', {id: 'db', inbound_rules: [], outbound_rules: []}, ['"db"', '"web"']],
    ['a missing list', {id: 'web', inbound_rules: []}, ['"outbound_rules" is missing']],
    ['unknown keys', {inbound_rules: [{action: 'allow', src_tags: 'a'}], outbound_rules: [{actoin: 'allow'}]}, ['"src_tags"; did you mean "src_tag"?', '"actoin"; did you mean "action"?', '"action" is missing']],
    ['an unknown field of a v3 rule', {inbound_rules: [{v3: {action: 'Allow', source: {tag: 'web'}}}], outbound_rules: []}, ['unknown field source.tag']],
    ['a v3 rule over which Felix stops', {inbound_rules: [{v3: {action: 'Allow', protocol: 'TCP', notProtocol: 'UDP'}}], outbound_rules: []}, ['notProtocol', 'Felix stops']],
    ['another', {inbound_rules: [], outbound_rules: [{v3: {action: 'Deny', protocol: 1, notICMP: {type: 8}}}]}, ['notICMP', 'Felix stops']],
    ['a v3 rule that would open everything', {inbound_rules: [{v3: {action: 'Allow', source: {nets: []}}}], outbound_rules: []}, ['source.nets']],
  ])('refuses %s and writes nothing', async (_, document, messages) => {
    const before = await revision()
    const {code, stdout, stderr} = await update(document)
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    for (const message of messages) expect(stderr).toContain(message)
    expect(await revision()).toBe(before)
    expect((await run('profile web rule show')).stdout).toBe(DEFAULT_RULES)
  })

  test('of an unknown profile', async () => {
    expect(await run('profile db rule update', '{"inbound_rules":[],"outbound_rules":[]}')).toMatchObject({code: 4, stdout: '', stderr: expect.stringContaining('Profile db not found.')})
  })
})

describe('a dry run prints the difference and writes nothing', () => {
  test.each([
    ['profile add db', '+kind: Profile'],
    ['profile remove web', '-kind: Profile'],
    ['profile web tag add x', '+    x: ""'],
    ['profile web tag remove web', '-    web: ""'],
    ['profile web rule add inbound deny', '+    - action: Deny'],
    ['profile web rule remove inbound --at=1', '-    - action: Allow'],
    ['profile web rule update', '-    - action: Allow'],
  ])('%s', async (line, difference) => {
    await given('profile add web')
    const before = await revision()
    const {code, stdout, stderr} = await run(`${line} --dry-run`, '{"inbound_rules":[],"outbound_rules":[]}')
    expect(code).toBe(0)
    expect(stdout).toContain(difference)
    expect(stderr).toContain('would be')
    expect(await revision()).toBe(before)
  })
})

describe('formats', () => {
  beforeEach(() => given('profile add web'))

  test.each([
    ['profile show', '+------+\n| Name |\n+------+\n| web  |\n+------+\n'],
    ['profile show -o name', 'web\n'],
    ['profile show -o plain', 'web\tweb\t1\t1\n'],
    ['profile web tag show -o name', 'web\n'],
    ['profile web rule show -o name', 'inbound/1\noutbound/1\n'],
    ['profile web rule show -o plain', 'inbound\t1\tallow from tag web\noutbound\t1\tallow\n'],
    ['profile web rule json -o yaml', 'id: web\ninbound_rules:\n  - action: allow\n    src_tag: web\noutbound_rules:\n  - action: allow\n'],
  ])('%s', async (line, stdout) => expect(await run(line)).toMatchObject({code: 0, stdout, stderr: ''}))

  test('profile show as JSON has the objects with their revisions', async () => {
    const list = JSON.parse((await run('profile show -o json')).stdout) as {items: {metadata: object}[]}
    expect(list).toMatchObject({kind: 'ProfileList', apiVersion: 'projectcalico.org/v3', items: [{kind: 'Profile', metadata: {name: 'web', resourceVersion: expect.stringMatching(/^\d+$/)}}]})
    expect(await text('profiles/web')).not.toContain('resourceVersion')
  })

  test('profile web rule show as JSON has the rules as Calico has them', async () => {
    expect(JSON.parse((await run('profile web rule show --json')).stdout)).toEqual({
      apiVersion: 'calicoctl/v1',
      kind: 'RuleList',
      profile: 'web',
      inbound: [{action: 'Allow', source: {selector: 'has(web)'}, destination: {}}],
      outbound: [{action: 'Allow', source: {}, destination: {}}],
      items: [
        {direction: 'inbound', number: 1, rule: {action: 'Allow', source: {selector: 'has(web)'}, destination: {}}},
        {direction: 'outbound', number: 1, rule: {action: 'Allow', source: {}, destination: {}}},
      ],
    })
  })
})

test('an empty datastore has no profiles, and is not initialised by looking', async () => {
  await empty()
  expect(await run('profile show')).toMatchObject({code: 0, stdout: '+------+\n| Name |\n+------+\n+------+\n', stderr: expect.stringContaining('Warning')})
  expect(await etcd.ctl('get', '--prefix', '/', '--keys-only')).toBe('')
})

test('-q mutes notes, but not that the store is empty, or was initialised just now', async () => {
  await empty()
  expect(await run('-q profile show')).toMatchObject({code: 0, stderr: expect.stringMatching(/^Warning: This datastore contains no Calico data yet \(etcd at .*\)\.\n$/) as unknown})
  expect(await run('-q profile add web')).toMatchObject({code: 0, stdout: '', stderr: expect.stringMatching(/^Warning: Initialising this datastore for Calico \(.*\)\.\n$/) as unknown})
  expect(await run('-q profile add db')).toMatchObject({code: 0, stderr: ''})
})

test('a missing profile: what would make it is a hint where something is to be added, not where one looks or removes', async () => {
  for (const line of ['profile nosuch rule add inbound allow', 'profile nosuch tag add x']) expect((await run(line)).stderr).toContain('To create it: calicoctl profile add nosuch')
  for (const line of ['profile nosuch rule remove inbound allow', 'profile nosuch tag remove x', 'profile nosuch rule show', 'profile nosuch tag show']) {
    expect(await run(line)).toMatchObject({code: 4, stderr: expect.stringContaining('To see the profiles: calicoctl profile show') as unknown})
  }
})

test('-- ends the options: names that begin with a dash are names', async () => {
  expect(await run('profile remove -- -web')).toMatchObject({code: 0, stdout: expect.stringContaining('-web') as unknown, stderr: expect.not.stringContaining('Usage:') as unknown})
  expect(await run('profile -- -web rule show')).toMatchObject({code: 4, stderr: expect.stringContaining('-web') as unknown})
})
