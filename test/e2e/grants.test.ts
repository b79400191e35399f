/** `config grants`: an etcd with authentication whose roles are made by the very lines that it prints, and every command in each of them. */
import {execFile} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {newSession, type Session} from '../../src/lib/client/session.js'
import {openDatastore} from '../../src/lib/datastore/open.js'
import {ForbiddenError} from '../../src/lib/datastore/errors.js'
import {type Grant, type RoleName, roleOf, ROLES} from '../../src/lib/grants/roles.js'
import {releaseAddress, requestAddress} from '../../src/lib/libnetwork/addresses.js'
import {addDockerPools, removeDockerPools} from '../../src/lib/libnetwork/docker-pools.js'
import {createEndpoint, deleteEndpoint, ensureProfile} from '../../src/lib/libnetwork/endpoints.js'
import {allocate, release, reserve} from '../../src/lib/mesos/plugin/addresses.js'
import {type Address, type Cidr, parseAddress, parseCidr} from '../../src/lib/net/index.js'
import {removeEndpoints} from '../../src/lib/workload/removal.js'
import {calicoctl, checkBuild} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {dumpOf, oldProfile} from '../support/v020-store.js'
import {placedIds, placeOf} from '../../src/lib/cli/batch/places.js'

const ROLE_NAMES = Object.keys(ROLES) as RoleName[]
const RESOURCES = '/calico/resources/v3/projectcalico.org/'

let etcd: TestEtcd
let folder: string
const asUser = (user: string) => ({ETCD_ENDPOINTS: etcd.endpoints.join(','), ETCD_USERNAME: user, ETCD_PASSWORD: 'secret', HOSTNAME: 'h1', HOME: folder})
const ctl = (...args: string[]): Promise<string> => etcd.ctl('--user', 'root:secret', ...args)

beforeAll(async () => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-grants-'))
  etcd = await startEtcd()
  const env = {ETCD_ENDPOINTS: etcd.endpoints.join(','), HOSTNAME: 'h1'}
  const made = await calicoctl(['batch', '-'], {env, stdin: PREPARED.join('\n')})
  expect({code: made.code, stderr: made.code === 0 ? '' : made.stderr}).toEqual({code: 0, stderr: ''})
  await etcd.ctl('put', `${RESOURCES}nodes/h1`, JSON.stringify({kind: 'Node', apiVersion: 'projectcalico.org/v3', metadata: {name: 'h1', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z'}, spec: {}, status: {}}))
  await etcd.ctl('put', `${RESOURCES}workloadendpoints/default/h1-docker-w-e1`, JSON.stringify(ENDPOINT))
  // The lines as an administrator types them.
  const {stdout} = await calicoctl(['config', 'grants'])
  await promisify(execFile)('bash', ['-ec', stdout], {env: {PATH: process.env.PATH, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: etcd.endpoints.join(',')}})
  for (const role of ['root', ...ROLE_NAMES]) {
    await etcd.ctl('user', 'add', `${role}:secret`)
    await etcd.ctl('user', 'grant-role', role, role === 'root' ? 'root' : `calico-${role}`)
  }
  await etcd.ctl('user', 'add', 'nobody:secret')
  await etcd.ctl('auth', 'enable')
})
afterAll(async () => {
  await etcd.stop()
  rmSync(folder, {recursive: true, force: true})
})

const ENDPOINT = {
  kind: 'WorkloadEndpoint',
  apiVersion: 'projectcalico.org/v3',
  metadata: {name: 'h1-docker-w-e1', namespace: 'default', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z'},
  spec: {orchestrator: 'docker', workload: 'w', node: 'h1', endpoint: 'e1', ipNetworks: ['10.9.0.1/32'], profiles: ['web'], interfaceName: 'cali1'},
}
const PREPARED = ['profile add web', 'profile add spare', 'pool add 10.1.0.0/16', 'pool add fd00:1::/64', 'bgp peer add 192.0.2.1 as 64513', 'node bgp peer add 192.0.2.2 as 64513 --node h1', 'bgp node-mesh on']

/** Who has the right to what a line does. ALL can be done with the rights that the plugins need for themselves. */
const ALL = 'operator viewer driver mesos'
/** The driver knows its endpoints by name. */
const LISTS_ENDPOINTS = 'operator viewer mesos'
const EDITS_ENDPOINTS = 'operator mesos'
const PLUGINS = 'operator driver mesos'
const OPERATOR = 'operator'
const SEES = 'operator viewer'

/** Lines, in an order in which each finds what it needs; {role} is the role's name, {n} its number. And the key that those without the right lack. */
const LINES: readonly (readonly [line: string, roles: string, lacks?: string])[] = [
  ['profile show', ALL],
  ['profile show --detailed', SEES, 'endpoints/'],
  ['profile web rule show', ALL],
  ['profile web rule json', ALL],
  ['profile web tag show', ALL],
  ['profile add new-{role}', PLUGINS, 'profiles/new-viewer'],
  ['profile web tag add t-{role}', PLUGINS, 'profiles/web'],
  ['profile web tag remove t-{role}', PLUGINS],
  ['profile web rule add inbound deny from tag t-{role}', PLUGINS, 'profiles/web'],
  ['profile web rule remove inbound deny from tag t-{role}', PLUGINS],
  ['profile remove new-{role} --no-check', PLUGINS],
  ['endpoint show', LISTS_ENDPOINTS, 'workloadendpoints/'],
  ['endpoint e1 profile show', LISTS_ENDPOINTS, 'workloadendpoints/'],
  ['endpoint e1 profile append spare', EDITS_ENDPOINTS, 'workloadendpoints/'],
  ['endpoint e1 profile remove spare', EDITS_ENDPOINTS],
  ['endpoint e1 profile set web spare', EDITS_ENDPOINTS, 'workloadendpoints/'],
  ['endpoint e1 profile set web', EDITS_ENDPOINTS],
  ['pool show', ALL],
  ['pool add 10.{n}.0.0/16', 'operator driver', 'ippools/'],
  ['pool set 10.{n}.0.0/16 --nat-outgoing', 'operator driver'],
  ['pool range add 10.{n}0.0.0 10.{n}0.0.255', 'operator driver', 'ippools/'],
  ['pool remove 10.{n}.0.0/16', OPERATOR],
  ['bgp peer show', SEES, 'bgppeers/'],
  ['bgp peer add 192.0.2.{n} as 64513', OPERATOR, 'bgppeers/'],
  ['bgp peer remove 192.0.2.1', OPERATOR, 'bgppeers/'],
  ['node bgp peer show --node h1', SEES, 'bgppeers/'],
  ['node bgp peer add 192.0.3.{n} as 64513 --node h1', OPERATOR, 'bgppeers/'],
  ['node bgp peer remove 192.0.2.2 --node h1', OPERATOR, 'bgppeers/'],
  ['node show', SEES, 'bgp'],
  ['bgp node-mesh', SEES, 'bgpconfigurations/default'],
  ['bgp node-mesh off', OPERATOR, 'bgpconfigurations/default'],
  ['bgp default-node-as', SEES, 'bgpconfigurations/default'],
  ['bgp default-node-as 64600', OPERATOR, 'bgpconfigurations/default'],
  ['config felix loglevel', SEES, 'felixconfigurations/default'],
  ['config felix loglevel debug', OPERATOR, 'felixconfigurations/default'],
  ['config bgp loglevel', SEES, 'bgpconfigurations/default'],
  ['config bgp loglevel debug', OPERATOR, 'bgpconfigurations/default'],
  ['config node bgp loglevel --node h1', SEES, 'bgpconfigurations/node.h1'],
  ['config node bgp loglevel debug --node h1', OPERATOR, 'bgpconfigurations/node.h1'],
  ['ipam show', ALL],
  ['ipam info 10.1.0.9', LISTS_ENDPOINTS, 'workloadendpoints/'],
  ['ipam assign 10.1.0.{n} --node h1 --handle hand.{role}', PLUGINS, '/calico/ipam/v2/'],
  ['ipam release 10.1.0.{n}', EDITS_ENDPOINTS],
  ['ipam configure --strict-affinity=true', PLUGINS, '/calico/ipam/v2/config'],
  ['ipam configure --strict-affinity=false', PLUGINS],
  ['ipam check', SEES, 'under /calico/'],
  ['get gnp', SEES, 'globalnetworkpolicies/'],
  ['get profile', ALL],
  ['datastore status', SEES, '/calico/'],
  ['datastore lock', OPERATOR, 'clusterinformations/default'],
  ['datastore unlock', OPERATOR],
  ['version', ALL],
  ['version --cluster', ALL],
  ['apply -f set-{role}.yaml', OPERATOR, 'globalnetworksets/'],
  ['replace -f set-{role}.yaml', OPERATOR],
  ['diff -f set-{role}.yaml', SEES, 'globalnetworksets/'],
  ['delete globalnetworkset set-{role}', OPERATOR],
  ['create -f set-{role}.yaml', OPERATOR, 'globalnetworksets/'],
  ['export', SEES, '/calico/resources'],
  ['label profile web by-{role}=x', PLUGINS, 'profiles/web'],
  [`patch profile spare -p '{"metadata": {"labels": {"by-{role}": "x"}}}'`, PLUGINS, 'profiles/spare'],
  ['lint', SEES, 'under /calico/'],
  ['policy explain e1 10.9.9.9 tcp/80', SEES, 'under /calico/'],
  ['policy matrix', SEES, 'under /calico/'],
  ['policy picture -o dot', SEES, 'under /calico/'],
]

const isDenied = (code: number | null): boolean => code === 7

// The operator last: afterwards there is nothing left to change for others.
test.each(ROLE_NAMES.toReversed())('%s: what belongs to the role works, all else is refused with 7 and the key', async (role) => {
  writeFileSync(join(folder, `set-${role}.yaml`), `apiVersion: projectcalico.org/v3\nkind: GlobalNetworkSet\nmetadata: {name: set-${role}}\nspec: {nets: [10.0.0.0/8]}\n`)
  const number = 21 + ROLE_NAMES.indexOf(role)
  const lines = LINES.map(([line]) => line.replaceAll('{role}', role).replaceAll('{n}', String(number)))
  const {stdout, stderr} = await calicoctl(['batch', '-', '--keep-going', '-o', 'json', '--timeout', '60s'], {env: asUser(role), stdin: lines.join('\n'), cwd: folder, timeoutMs: 90_000})
  const results = (JSON.parse(stdout || JSON.stringify({stderr})) as {lines: {exitCode: number | null; stderr: string}[]}).lines
  const faults = results.flatMap(({exitCode, stderr: said}, at) => {
    const [, roles = '', lacks] = LINES[at] ?? []
    const line = lines[at] ?? ''
    const may = roles.split(' ').includes(role)
    if (may) return isDenied(exitCode) || ![0, 10, ...(line.startsWith('diff') ? [1] : [])].includes(exitCode ?? -1) ? [`${line}: ${exitCode} ${said}`] : []
    if (lacks === undefined) return []
    return isDenied(exitCode) && said.includes(lacks.replace('new-viewer', `new-${role}`)) ? [] : [`${line}: should lack ${lacks}: ${exitCode} ${said}`]
  })
  expect(faults).toEqual([])
})

describe('processes of their own', () => {
  const run = async (user: string, ...args: string[]) => {
    const {code, stderr} = await calicoctl(args, {env: asUser(user), cwd: folder})
    return {code, stderr}
  }
  const says = (code: number, text: string) => ({code, stderr: expect.stringContaining(text) as unknown as string})

  test('save is the viewer\'s, restore and import the operator\'s', async () => {
    const dump = join(folder, 'old.json')
    writeFileSync(dump, dumpOf(oldProfile('imported')))
    expect(await run('viewer', 'datastore', 'save', 'backup.gz')).toMatchObject({code: 0})
    expect(await run('driver', 'datastore', 'save', 'other.gz')).toEqual(says(7, '/calico/'))
    expect(await run('viewer', 'datastore', 'restore', 'backup.gz', '--replace')).toEqual(says(7, 'clusterinformations/default'))
    expect(await run('viewer', 'import', '--from', dump, '--yes')).toEqual(says(7, 'profiles/imported'))
    expect(await run('operator', 'import', '--from', dump, '--yes')).toMatchObject({code: 0})
    expect(await run('operator', 'datastore', 'restore', 'backup.gz', '--replace')).toMatchObject({code: 0})
  })

  test('without any role: the first key that is read', async () => {
    expect(await run('nobody', 'profile', 'show')).toEqual(says(7, 'profiles/'))
    expect(await run('nobody', 'profile', 'add', 'x')).toEqual(says(7, 'clusterinformations/default'))
    expect(await run('nobody', 'profile', 'show')).toEqual(says(7, 'calicoctl config grants'))
  })
})

describe('the plugins', () => {
  const NETWORK = 'b2'.repeat(32)
  const cidr = (text: string): Cidr => {
    const parsed = parseCidr(text)
    if (!parsed) throw new Error(text)
    return parsed
  }
  const address = (text: string): Address => {
    const parsed = parseAddress(text)
    if (!parsed) throw new Error(text)
    return parsed
  }

  /** What the Docker driver does with the store. */
  async function drive(session: Session): Promise<void> {
    const id = 'a1'.repeat(32)
    const given = (await requestAddress(session, 'd1', {poolId: 'CalicoPoolIPv4', address: '', options: null})).Address.replace(/\/.*/, '')
    const request = {node: 'd1', endpointId: id, networkId: NETWORK, profile: 'databases', addresses: [address(given)], fromCalico: true, mac: 'EE:EE:EE:EE:EE:EE'}
    await createEndpoint(session, request)
    await deleteEndpoint(session, 'd1', id)
    await addDockerPools(session, {networkId: NETWORK, networkName: 'n', cidrs: [cidr('172.30.0.0/24')], ipip: false, natOutgoing: false})
    await removeDockerPools(session, NETWORK)
    await releaseAddress(session, 'd1', {poolId: 'CalicoPoolIPv4', address: given})
  }

  let number = 0
  /** What the Mesos plugin does with it; each time with other addresses, for one that is refused leaves some. */
  async function isolate(session: Session): Promise<void> {
    const log = (): void => undefined
    number++
    const [fixed, own] = [address(`10.1.200.${number}`), address(`10.1.201.${number}`)]
    const [uid, endpointId] = [`u${number}`, number.toString(16).padStart(64, '0')]
    const {chosen} = await allocate(session, 'm1', {uid, fixed: [], ipv4: 1, ipv6: 0}, log)
    await reserve(session, 'm1', {uid: `${uid}-fixed`, addresses: [fixed]})
    await ensureProfile(session, `default_m${number}`)
    // As the endpoint of a task is stored: with the Node, profiles and addresses in one transaction.
    const request = {node: 'm1', endpointId, networkId: NETWORK, profile: 'tasks', addresses: [own], fromCalico: true, mac: 'EE:EE:EE:EE:EE:EE'}
    await createEndpoint(session, request)
    await deleteEndpoint(session, 'm1', request.endpointId)
    await release(session, 'm1', chosen, log)
    // As `mesos gc --apply` does.
    await removeEndpoints(session, [], {handle: `${uid}-fixed`, what: 'the removal'})
  }

  const withSession = async (user: string, work: (session: Session) => Promise<void>): Promise<void> => {
    const text = (value: string) => ({value, origin: 'the test'})
    const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin: 'the test'}, username: text(user), password: text('secret')}}, {perRequest: true})
    try {
      await work(newSession(store, {warn: () => undefined}))
    } finally {
      store.close()
    }
  }

  test.each([['driver', drive], ['mesos', isolate]] as const)('%s: with its role all of it works, and without any of its rights it does not', async (role, work) => {
    await withSession(role, work)
    const {name, grants} = roleOf(role)
    const words = ({key, prefix}: Grant): string[] => (prefix ? ['--prefix=true', key] : [key])
    const unneeded: string[] = []
    for (const grant of grants) {
      await ctl('role', 'revoke-permission', name, ...words(grant))
      const error: unknown = await withSession(role, work).then(() => undefined, (problem: unknown) => problem)
      if (!(error instanceof ForbiddenError) || !error.message.includes(grant.key.replace('default/', ''))) unneeded.push(`${grant.key}: ${String(error)}`)
      await ctl('role', 'grant-permission', name, grant.permission, ...words(grant))
    }
    expect(unneeded).toEqual([])
  })
})

test('every command that only uses the store is among the lines', () => {
  const words = LINES.map(([line]) => line)
  const run = (id: string): boolean => words.some((line) => id.split(':').every((word) => line.split(' ').includes(word)))
  // What does the same to the same keys as one that is there.
  const others = ['datastore:migrate:lock', 'datastore:migrate:unlock', 'endpoint:remove', 'profile:rule:update', 'pool:move', 'ipam:split', 'policy:test']
  // A new command belongs into LINES, with the roles that have the right to what it does.
  expect(placedIds().filter((id) => placeOf(id) === 'store' && !others.includes(id) && !run(id))).toEqual([])
})

test('nothing outside /calico/, and -o json says what the lines say', async () => {
  const {stdout} = await calicoctl(['config', 'grants', '-o', 'json'])
  const {items} = JSON.parse(stdout) as {items: {role: RoleName; commands: string[]; grants: Grant[]}[]}
  expect(items.map(({role}) => role)).toEqual(ROLE_NAMES)
  expect(items.flatMap(({grants}) => grants).filter(({key}) => !key.startsWith('/calico/'))).toEqual([])
  expect((await calicoctl(['config', 'grants'])).stdout).toBe(`${items.flatMap(({commands}) => commands).join('\n')}\n`)
  expect((await calicoctl(['config', 'grants', '--role', 'viewer'])).stdout).toBe('etcdctl role add calico-viewer\netcdctl role grant-permission calico-viewer read --prefix=true /calico/\n')
  expect((await calicoctl(['config', 'grants', '--role', 'x'])).code).toBe(1)
})
