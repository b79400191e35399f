import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {parse} from 'yaml'
import {findTarget, presentIpamObjects, presentKinds, presentResources} from '../../../src/lib/views/get.js'
import {readPath, readRevision, readSelector, valueAt} from '../../../src/lib/views/get-selection.js'
import {IPAM_COLUMNS, resourceColumns} from '../../../src/lib/views/kind-columns.js'
import {OUTPUT_FORMATS, type OutputFormat, type Presentation} from '../../../src/lib/cli/output/presentation.js'
import {render} from '../../../src/lib/cli/output/render.js'
import {countKinds} from '../../../src/lib/client/inventory.js'
import {IPAM_KINDS, type IpamKind} from '../../../src/lib/client/ipam-objects.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {KINDS} from '../../../src/lib/model/kinds.js'
import {convertName} from '../../../src/lib/model/names.js'
import {KIND_NAMES, type KindName} from '../../../src/lib/model/resource.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const SEQUENCE = '1782326400123456791'

let store: FaultyStore
let session: Session
let warnings: string[]

beforeEach(async () => {
  store = await faultyStore()
  warnings = []
  session = newSession(store, {warn: (message) => warnings.push(message)})
  await put(`${RESOURCES}clusterinformations/default`, {metadata: {name: 'default'}, spec: {clusterGUID: 'g', datastoreReady: true}})
})
afterEach(() => store.close())

const put = (key: string, value: unknown) => store.transact({then: [{put: key, value: typeof value === 'string' ? value : JSON.stringify(value)}]})

const object = (kind: KindName, name: string, spec: object, metadata: object = {}) =>
  put(`${RESOURCES}${KINDS[kind].plural}/${name}`, {kind, apiVersion: 'projectcalico.org/v3', metadata: {name: name.split('/').at(-1), ...metadata}, spec})

async function text<Row>(presentation: Presentation<Row> | Promise<Presentation<Row>>, format: OutputFormat): Promise<string> {
  let all = ''
  for await (const piece of render(await presentation, format, {warn: () => undefined})) all += piece
  return all
}

const resources = (kind: KindName, name?: string, namespace: string | undefined = 'default') => presentResources(session, KINDS[kind], {names: name === undefined ? [] : [name], namespace})

describe('what a word means', () => {
  test.each([
    ['profile', 'Profile'],
    ['Profiles', 'Profile'],
    ['wep', 'WorkloadEndpoint'],
    ['pool', 'IPPool'],
    ['BGPCONFIG', 'BGPConfiguration'],
  ])('%s', (word, kind) => {
    expect(findTarget(word)).toMatchObject({type: 'resource', info: {kind}})
  })

  test.each<[string, IpamKind]>([
    ['block', 'block'],
    ['blockaffinities', 'affinity'],
    ['Handles', 'handle'],
    ['ipamconfig', 'ipamconfig'],
  ])('%s', (word, kind) => {
    expect(findTarget(word)).toEqual({type: 'ipam', kind})
  })

  test.each([
    ['poool', 'Did you mean pool?'],
    ['networkpolicyy', 'Did you mean networkpolicy?'],
    ['xyzzy', 'not a kind'],
    ['constructor', 'not a kind'],
  ])('%s is refused with all kinds named', (word, expected) => {
    let error: unknown
    try {
      findTarget(word)
    } catch (caught) {
      error = caught
    }
    if (!(error instanceof CalicoError)) throw new Error('not refused')
    expect(error.kind).toBe('invalid')
    expect(`${error.message} ${error.hint ?? ''}`).toContain(expected)
    for (const kind of KIND_NAMES) expect(error.hint).toContain(kind.toLowerCase())
  })
})

describe('every kind', () => {
  test.each(KIND_NAMES)('%s: an empty object is shown in every format', async (kind) => {
    const name = KINDS[kind].namespaced ? 'default/x' : kind === 'ClusterInformation' ? 'default' : 'x'
    await object(kind, name, {})
    for (const format of OUTPUT_FORMATS) expect(await text(resources(kind), format)).toContain(format === 'table' && kind === 'WorkloadEndpoint' ? 'WORKLOAD' : (name.split('/').at(-1) ?? ''))
    expect(warnings).toEqual([])
  })

  test.each(KIND_NAMES)('%s: headers are distinct', (kind) => {
    const headers = resourceColumns(kind).map(({header}) => header)
    expect(new Set(headers).size).toBe(headers.length)
  })
})

describe('documents', () => {
  test('one object is the v3 object, its revision in digits where Go shows it', async () => {
    await object('Profile', 'web', {labelsToApply: {web: ''}}, {uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', annotations: {a: 'b'}})
    const shown = JSON.parse(await text(resources('Profile', 'web'), 'json')) as {metadata: object}
    expect(shown).toEqual({
      kind: 'Profile',
      apiVersion: 'projectcalico.org/v3',
      metadata: {name: 'web', uid: 'u', resourceVersion: '3', creationTimestamp: '2026-01-01T00:00:00Z', annotations: {a: 'b'}},
      spec: {labelsToApply: {web: ''}},
    })
    expect(Object.keys(shown.metadata)).toEqual(['name', 'uid', 'resourceVersion', 'creationTimestamp', 'annotations'])
  })

  test('a list is Go\'s list, with the revision of the store', async () => {
    await object('Profile', 'a', {})
    await object('Profile', 'b', {})
    expect(JSON.parse(await text(resources('Profile'), 'json'))).toMatchObject({
      kind: 'ProfileList',
      apiVersion: 'projectcalico.org/v3',
      metadata: {resourceVersion: '4'},
      items: [{metadata: {name: 'a', resourceVersion: '3'}}, {metadata: {name: 'b', resourceVersion: '4'}}],
    })
  })

  test('an empty list is a list', async () => {
    expect(JSON.parse(await text(resources('Profile'), 'json'))).toMatchObject({kind: 'ProfileList', items: []})
  })

  test.each(['1.1', '1.2'] as const)('YAML reads as the same object by the rules of YAML %s', async (version) => {
    await object('Profile', 'x', {labelsToApply: {on: 'no', n: '1_000', octal: '0o7', dotted: '1.10', time: '12:30:45'}}, {creationTimestamp: '2026-01-01T00:00:00Z'})
    expect(parse(await text(resources('Profile', 'x'), 'yaml'), {version})).toEqual(JSON.parse(await text(resources('Profile', 'x'), 'json')))
  })

  test('unknown fields of a newer Calico are shown', async () => {
    await object('Tier', 'x', {order: 1, newer: {deep: [1]}})
    expect(JSON.parse(await text(resources('Tier', 'x'), 'json'))).toMatchObject({spec: {newer: {deep: [1]}}})
  })
})

describe('names', () => {
  test('a profile is found and shown by the name that the user typed', async () => {
    const stored = convertName('Web_1')
    await object('Profile', stored, {}, {annotations: {'calicoctl/name': 'Web_1'}})
    expect(await text(resources('Profile', 'Web_1'), 'name')).toBe('Web_1\n')
    expect(await text(resources('Profile', stored), 'plain')).toBe(`Web_1\t\t${stored}\n`)
  })

  test('an annotation that claims another object\'s name is not believed, and told', async () => {
    await object('Profile', 'evil', {}, {annotations: {'calicoctl/name': 'web'}})
    expect(await text(resources('Profile'), 'name')).toBe('evil\n')
    expect(warnings).toEqual([expect.stringContaining("'web'")])
  })

  test('a node is found in any case', async () => {
    await object('Node', 'host-1', {bgp: {ipv4Address: '10.0.0.1/24'}})
    expect(await text(resources('Node', 'Host-1'), 'plain')).toBe('host-1\t(default)\t10.0.0.1/24\t\n')
  })

  test.each([
    ['Profile', 'nope'],
    ['WorkloadEndpoint', 'nope'],
  ] as const)('a %s that there is not', async (kind, name) => {
    await expect(resources(kind, name)).rejects.toMatchObject({kind: 'not-found', message: expect.stringContaining('nope')})
  })

  test('one object that cannot be read is an error; in a list it is told and passed over', async () => {
    await put(`${RESOURCES}profiles/broken`, '{"spec"')
    await object('Profile', 'whole', {})
    await expect(resources('Profile', 'broken')).rejects.toMatchObject({kind: 'invalid'})
    expect(await text(resources('Profile'), 'name')).toBe('whole\n')
    expect(warnings).toEqual([expect.stringContaining('profiles/broken')])
  })
})

describe('namespaces of workload endpoints', () => {
  beforeEach(async () => {
    const spec = (workload: string) => ({orchestrator: 'libnetwork', workload, node: 'host-1', ipNetworks: ['10.0.0.1/32'], interfaceName: 'cali1'})
    await object('WorkloadEndpoint', 'default/one', spec('w1'), {namespace: 'default'})
    await object('WorkloadEndpoint', 'default2/two', spec('w2'), {namespace: 'default2'})
  })

  test('one, by default', async () => {
    expect(await text(resources('WorkloadEndpoint'), 'name')).toBe('one\n')
    expect(await text(resources('WorkloadEndpoint', undefined, 'default2'), 'name')).toBe('two\n')
  })

  test('all, with a column for the namespace', async () => {
    const all = () => presentResources(session, KINDS.WorkloadEndpoint, {names: [], namespace: undefined})
    expect(await text(all(), 'name')).toBe('one\ntwo\n')
    expect(await text(all(), 'table')).toContain('| NAMESPACE |')
    expect((await text(all(), 'plain')).split('\n')[1]).toMatch(/^default2\ttwo\tw2\thost-1\t/)
  })

  test('one object in its namespace', async () => {
    expect(await text(resources('WorkloadEndpoint', 'two', 'default2'), 'json')).toContain('"namespace": "default2"')
    await expect(resources('WorkloadEndpoint', 'two')).rejects.toMatchObject({kind: 'not-found'})
  })
})

describe('IPAM', () => {
  beforeEach(async () => {
    await put('/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-30', `{"cidr":"10.0.0.0/30","affinity":"host:host-1","allocations":[0,null,null,1],"unallocated":[1,2],"attributes":[],"sequenceNumber":${SEQUENCE}}`)
    await put('/calico/ipam/v2/assignment/ipv6/block/fd00::-122', '{"cidr":"fd00::/122","affinity":null,"allocations":[],"unallocated":[]}')
    await put('/calico/ipam/v2/host/host-1/ipv4/block/10.0.0.0-30', '{"state":"pending","deleted":false}')
    await put('/calico/ipam/v2/virtual/load-balancer/ipv4/block/10.0.1.0-30', '')
    await put('/calico/ipam/v2/handle/docker.abc', '{"block":{"10.0.0.0/30":2,"10.0.1.0/30":1},"deleted":false}')
    await put('/calico/ipam/v2/config', '{"auto_allocate_blocks":true}')
  })

  test.each<[IpamKind, string]>([
    ['block', `10.0.0.0/30\thost:host-1\t2\t2\t${SEQUENCE}\nfd00::/122\t\t0\t0\t\n`],
    ['affinity', 'host-1\t10.0.0.0/30\tpending\nvirtual:load-balancer\t10.0.1.0/30\tconfirmed\n'],
    ['handle', 'docker.abc\t10.0.0.0/30,10.0.1.0/30\t3\n'],
    ['ipamconfig', 'default\tfalse\ttrue\t-\n'],
  ])('%s', async (kind, expected) => {
    expect(await text(presentIpamObjects(session, kind, undefined), 'plain')).toBe(expected)
  })

  test.each<[IpamKind, string]>([
    ['block', '10.0.0.0/30'],
    ['block', 'fd00::/122'],
    ['affinity', 'host-1/10.0.0.0/30'],
    ['affinity', 'virtual:load-balancer/10.0.1.0/30'],
    ['handle', 'docker.abc'],
    ['ipamconfig', 'default'],
  ])('%s %s is found by the name that -o name prints', async (kind, name) => {
    expect((await text(presentIpamObjects(session, kind, undefined), 'name')).split('\n')).toContain(name)
    const document = JSON.parse(await text(presentIpamObjects(session, kind, name), 'json')) as object
    expect(document).toMatchObject({apiVersion: 'calicoctl/v1', kind: IPAM_KINDS[kind].kind, metadata: {name, resourceVersion: expect.stringMatching(/^\d+$/)}})
  })

  test('numbers of 64 bits stay exact', async () => {
    expect(await text(presentIpamObjects(session, 'block', '10.0.0.0/30'), 'json')).toContain(`"sequenceNumber": ${SEQUENCE}`)
    expect(await text(presentIpamObjects(session, 'block', '10.0.0.0/30'), 'yaml')).toContain(`sequenceNumber: ${SEQUENCE}`)
  })

  test.each<[IpamKind, string]>([
    ['block', '10.9.0.0/30'],
    ['block', 'nonsense'],
    ['affinity', 'host-1'],
    ['affinity', '/10.0.0.0/30'],
    ['handle', ''],
    ['ipamconfig', 'other'],
  ])('%s %j is not found', async (kind, name) => {
    await expect(presentIpamObjects(session, kind, name)).rejects.toMatchObject({kind: 'not-found'})
  })

  test('what cannot be read is told and passed over', async () => {
    await put('/calico/ipam/v2/assignment/ipv4/block/10.0.0.4-30', '[]')
    await put('/calico/ipam/v2/assignment/ipv4/block/nonsense', '{}')
    expect((await text(presentIpamObjects(session, 'block', undefined), 'name')).split('\n')).toHaveLength(3)
    expect(warnings).toHaveLength(2)
  })

  test('every kind has columns with distinct headers', () => {
    for (const kind of Object.keys(IPAM_KINDS) as IpamKind[]) expect(new Set(IPAM_COLUMNS[kind].map(({header}) => header)).size).toBe(IPAM_COLUMNS[kind].length)
  })
})

test('kinds: every plural in the store with its count, unsupported ones marked', async () => {
  await object('Profile', 'a', {})
  await object('Profile', 'b', {})
  await object('WorkloadEndpoint', 'default/x', {})
  await put(`${RESOURCES}livemigrations/default/x`, {})
  await put(`${RESOURCES}futurethings/x`, 'not even JSON')
  const kinds = async () => presentKinds(await countKinds(session))
  expect(await text(kinds(), 'plain')).toBe(
    'ClusterInformation\tclusterinformations\t1\t\nfuturethings\tfuturethings\t1\tunsupported\n' +
      'livemigrations\tlivemigrations\t1\tunsupported\nProfile\tprofiles\t2\t\nWorkloadEndpoint\tworkloadendpoints\t1\t\n',
  )
  expect(JSON.parse(await text(kinds(), 'json'))).toMatchObject({items: expect.arrayContaining([{plural: 'futurethings', count: 1, supported: false}])})
})

test('names and documents of a large list are written page by page, not gathered', async () => {
  const count = 2500
  for (let at = 0; at < count; at += 100) {
    await store.transact({
      then: Array.from({length: 100}, (_, i) => {
        const name = `p${String(at + i).padStart(5, '0')}`
        return {put: `${RESOURCES}profiles/${name}`, value: `{"metadata":{"name":"${name}"},"spec":{}}`}
      }),
    })
  }
  const pages: number[] = []
  const list = store.list.bind(store)
  let written = 0
  Object.assign(store, {
    async *list(...args: Parameters<typeof list>) {
      for await (const page of list(...args)) {
        pages.push(written)
        yield page
      }
    },
  })
  for await (const _ of render(await resources('Profile'), 'name', {warn: () => undefined})) written++
  expect(written).toBe(count)
  expect(pages).toEqual([0, 1000, 2000])
  pages.length = 0
  for (const format of ['json', 'yaml'] as const) {
    written = 0
    for await (const piece of render(await resources('Profile'), format, {warn: () => undefined})) written += piece.length
    expect(pages.splice(0).map((before) => before > 0)).toEqual([false, true, true])
  }
})

describe('which objects, and in which order', () => {
  const of = (wanted: Partial<Parameters<typeof presentResources>[2]>, kind: KindName = 'HostEndpoint') => presentResources(session, KINDS[kind], {names: [], namespace: 'default', ...wanted})

  beforeEach(async () => {
    await object('HostEndpoint', 'a', {node: 'n2'}, {labels: {role: 'db', 'a.b/c': '2'}, uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z'})
    await object('HostEndpoint', 'b', {node: 'n1'}, {labels: {role: 'web', 'a.b/c': '1'}})
    await object('HostEndpoint', 'c', {})
  })

  test('several names, in the order given, repeats repeated; what is missing is told after the others', async () => {
    const found = await of({names: ['b', 'x', 'a', 'b', 'y']})
    expect(await text(found, 'name')).toBe('b\na\nb\n')
    expect(JSON.parse(await text(found, 'json'))).toMatchObject([{metadata: {name: 'b'}}, {metadata: {name: 'a'}}, {metadata: {name: 'b'}}])
    expect(found.missing).toMatchObject({kind: 'not-found', details: ['hostendpoint/x', 'hostendpoint/y']})
    await expect(of({names: ['x', 'y']})).rejects.toMatchObject({kind: 'not-found'})
  })

  test('a selector is over labels', async () => {
    expect(await text(of({selector: readSelector("role == 'db'")}), 'name')).toBe('a\n')
    expect(await text(of({selector: readSelector('!has(role)')}), 'name')).toBe('c\n')
    expect(() => readSelector('role ==')).toThrow('--selector')
  })

  test('sorted by a field, also by a label whose key has dots; what lacks it comes last', async () => {
    expect(await text(of({sortBy: readPath('spec.node')}), 'name')).toBe('b\na\nc\n')
    expect(await text(of({sortBy: readPath('.metadata.labels.a.b/c')}), 'name')).toBe('b\na\nc\n')
    expect(warnings).toEqual([])
    expect(await text(of({sortBy: readPath('spec.bogus')}), 'name')).toBe('a\nb\nc\n')
    expect(warnings).toEqual(['No object has the field spec.bogus of --sort-by.'])
    expect(() => readPath('a..b')).toThrow('--sort-by')
  })

  test('numbers are sorted as numbers', async () => {
    for (const [name, order] of [['t1', 1000], ['t2', 9], ['t3', 99.5]] as const) await object('Tier', name, {order})
    expect(await text(of({sortBy: readPath('spec.order')}, 'Tier'), 'name')).toBe('t2\nt3\nt1\n')
  })

  test('the past: an object as it was, one that is gone, and no future', async () => {
    const {revision} = await session.store.get('x')
    await object('HostEndpoint', 'b', {node: 'n9'})
    await store.transact({then: [{delete: `${RESOURCES}hostendpoints/a`}]})
    await object('HostEndpoint', 'd', {})
    expect(await text(of({at: revision}), 'name')).toBe('a\nb\nc\n')
    expect(JSON.parse(await text(of({at: revision, names: ['b']}), 'json'))).toMatchObject({spec: {node: 'n1'}})
    await expect(of({at: revision, names: ['d']})).rejects.toThrow(`There is no hostendpoint/d at revision ${revision}.`)
    await expect(of({at: revision + 100n})).rejects.toThrow('does not exist yet')
    expect(() => readRevision('0')).toThrow('--at')
    expect(() => readRevision('1e3')).toThrow('--at')
  })

  test('export leaves out what belongs to this store, and keeps the namespace', async () => {
    const exported = JSON.parse(await text(of({names: ['a'], export: true}), 'json')) as {metadata: object}
    expect(exported.metadata).toEqual({name: 'a', labels: {role: 'db', 'a.b/c': '2'}})
    await object('NetworkSet', 'default/s', {}, {namespace: 'default', uid: 'u'})
    const list = JSON.parse(await text(of({export: true}, 'NetworkSet'), 'json')) as {metadata: object; items: {metadata: object}[]}
    expect(list.metadata).toEqual({})
    expect(list.items.map(({metadata}) => metadata)).toEqual([{name: 's', namespace: 'default'}])
  })
})

test.each([
  ['a.b', {a: {b: 1}}, 1],
  ['a.b.c', {a: {'b.c': 2}}, 2],
  ['l.0', {l: ['x']}, 'x'],
  ['a.constructor', {a: {}}, undefined],
  ['a.b', {a: 1}, undefined],
])('%s in %j is %j', (path, value, expected) => {
  expect(valueAt(value, readPath(path))).toBe(expected)
})
