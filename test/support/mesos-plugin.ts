/** The Mesos plugin on an etcd of the suite's own: its requests as net-modules makes them, and what is stored after them. */
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, beforeEach, expect} from '@jest/globals'
import {listEndpoints} from '../../src/lib/client/endpoints.js'
import {nodeNameInputs, resolveNodeName} from '../../src/lib/client/node-name.js'
import {listResources} from '../../src/lib/client/resources.js'
import {newSession, type Session} from '../../src/lib/client/session.js'
import type {Datastore} from '../../src/lib/datastore/datastore.js'
import {openDatastore} from '../../src/lib/datastore/open.js'
import {type AddressRecord, lookUpAddress} from '../../src/lib/ipam/lookup.js'
import type {Profile, WorkloadEndpoint} from '../../src/lib/model/types.js'
import {parseAddress} from '../../src/lib/net/index.js'
import {startEtcd, type TestEtcd} from './etcd.js'
import {allAssigned, createObject, unsound} from './ipam.js'
import {plugin, type PluginOptions, type PluginResult} from './net-modules.js'

/** As the plugin names this host: calico/node's own file goes before the environment. */
export const NODE = resolveNodeName({...nodeNameInputs(), env: {CALICO_NODENAME: `mesos-${process.pid}`}}, {fileFirst: true}).name
export const HOSTNAME = 'slave-H3A-1'
const PREFIX = '/calico/'

export const SUCCESS = {code: 0, stdout: '{"error":null}', stderr: ''}
export const failure = (error: string) => ({code: 1, stdout: JSON.stringify({error}), stderr: ''})
export const parsed = ({stdout}: PluginResult): {error: string | null; ipv4: string[]; ipv6: string[]} => JSON.parse(stdout) as never

type Environment = Readonly<Record<string, string | undefined>>

export interface MesosPlugin {
  readonly etcd: TestEtcd
  readonly store: Datastore
  readonly session: Session
  /** A folder of the suite's own. */
  readonly folder: string
  /** For the plugin and the command: the suite's etcd, and ENV. */
  readonly options: (env?: Environment) => PluginOptions
  readonly pool: (cidr?: string, name?: string, spec?: object) => Promise<void>
  readonly call: (command: string, args: object, env?: Environment) => Promise<PluginResult>
  readonly allocation: (uid: string, args?: object, env?: Environment) => Promise<PluginResult>
  readonly reservation: (uid: string, ...addresses: string[]) => Promise<PluginResult>
  /** The IPv4 addresses of an allocation. @throws Error if it fails */
  readonly allocated: (uid: string, args?: object) => Promise<string[]>
  readonly endpoints: () => Promise<WorkloadEndpoint[]>
  readonly endpointOf: (container: string) => Promise<WorkloadEndpoint>
  readonly profiles: () => Promise<Map<string, Profile>>
  readonly assignmentOf: (text: string) => Promise<AddressRecord['assignment']>
  /** Nothing in the store contradicts itself, and no address is assigned. */
  readonly expectNothingLeft: () => Promise<void>
}

/** Starts an etcd for the suite, which each test finds empty. */
export function mesosPlugin(): MesosPlugin {
  let etcd: TestEtcd
  let store: Datastore
  let session: Session
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'calico-mesos-'))
    etcd = await startEtcd()
    store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin: 'the test'}}}, {perRequest: true})
  })
  afterAll(async () => {
    store.close()
    await etcd.stop()
    rmSync(folder, {recursive: true, force: true})
  })
  beforeEach(async () => {
    await etcd.ctl('del', '--prefix', PREFIX)
    session = newSession(store, {warn: () => undefined})
  })

  const options: MesosPlugin['options'] = (env = {}) => ({env: {ETCD_ENDPOINTS: etcd.endpoints.join(','), CALICO_NODENAME: NODE, ...env}})
  const call: MesosPlugin['call'] = (command, args, env) => plugin({command, args}, options(env))
  const allocation: MesosPlugin['allocation'] = (uid, args = {}, env) => call('allocate', {hostname: HOSTNAME, num_ipv4: 1, num_ipv6: 0, uid, ...args}, env)

  async function endpoints(): Promise<WorkloadEndpoint[]> {
    const found: WorkloadEndpoint[] = []
    for await (const {stored} of listEndpoints(session, {})) found.push(stored.resource)
    return found
  }

  return {
    get etcd() {
      return etcd
    },
    get store() {
      return store
    },
    get session() {
      return session
    },
    get folder() {
      return folder
    },
    options,
    pool: (cidr = '192.168.0.0/16', name = 'pool', spec = {}) => createObject(session, 'IPPool', name, {cidr, ...spec}),
    call,
    allocation,
    reservation: (uid, ...addresses) => call('reserve', {hostname: HOSTNAME, ipv4_addrs: addresses, uid}),
    async allocated(uid, args = {}) {
      const result = await allocation(uid, args)
      if (result.code !== 0) throw new Error(result.stdout)
      return parsed(result).ipv4
    },
    endpoints,
    async endpointOf(container) {
      const [found, ...more] = (await endpoints()).filter(({spec}) => spec.workload === container)
      if (!found || more.length > 0) throw new Error(`${container} has ${more.length + (found ? 1 : 0)} endpoints`)
      return found
    },
    async profiles() {
      const found = new Map<string, Profile>()
      for await (const {resource} of listResources<Profile>(session, 'Profile')) found.set(resource.metadata.name, resource)
      return found
    },
    async assignmentOf(text) {
      const address = parseAddress(text)
      return address && (await lookUpAddress(session, address)).assignment
    },
    async expectNothingLeft() {
      expect(await endpoints()).toEqual([])
      expect(await allAssigned(store)).toEqual([])
      expect(await unsound(store)).toEqual([])
    },
  }
}
