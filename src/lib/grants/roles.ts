/** The rights that our programs need in an etcd with authentication: which keys each role reads and writes, and nothing else. All of them lie under /calico/. */
import {CALICO_PREFIX, CLUSTER_KEY} from '../client/cluster.js'
import {ENDPOINT_NAMESPACE} from '../client/endpoints.js'
import {BLOCKS_PREFIX, HANDLES_PREFIX, IPAM_CONFIG_KEY, IPAM_PREFIX, kindPrefix} from '../model/keys.js'

/** A right to a key, or to all keys that begin with it. */
export interface Grant {
  readonly permission: 'read' | 'readwrite'
  readonly key: string
  readonly prefix: boolean
}

const read = (key: string): Grant => ({permission: 'read', key, prefix: key.endsWith('/')})
const write = (key: string): Grant => ({permission: 'readwrite', key, prefix: key.endsWith('/')})

/** What the plugins share: they look whose an address is, and give endpoints addresses, profiles and the Node of their host. */
const PLUGIN: readonly Grant[] = [
  read(CLUSTER_KEY),
  read(kindPrefix('IPReservation')),
  write(kindPrefix('WorkloadEndpoint', ENDPOINT_NAMESPACE)),
  write(kindPrefix('Profile')),
  write(kindPrefix('Node')),
  write(BLOCKS_PREFIX),
  write(HANDLES_PREFIX),
  write(`${IPAM_PREFIX}host/`),
  // The default one is written with the first address.
  write(IPAM_CONFIG_KEY),
]

export const ROLES = {
  operator: {meaning: 'every command of calicoctl', grants: [write(CALICO_PREFIX)]},
  viewer: {meaning: 'every command that shows something, and `datastore save`', grants: [read(CALICO_PREFIX)]},
  driver: {meaning: 'the Docker driver (`libnetwork serve`)', grants: [...PLUGIN, write(kindPrefix('IPPool'))]},
  mesos: {
    meaning: 'the Mesos plugin (calico_mesos) and `mesos gc`',
    grants: [
      ...PLUGIN,
      read(kindPrefix('IPPool')),
      // `mesos gc` looks at the endpoints of every namespace, lest it release an address that someone has.
      read(kindPrefix('WorkloadEndpoint')),
    ],
  },
} as const satisfies Record<string, {readonly meaning: string; readonly grants: readonly Grant[]}>

export type RoleName = keyof typeof ROLES
export const ROLE_NAMES = Object.keys(ROLES) as RoleName[]

/** A role as an administrator makes it. */
export interface Role {
  readonly role: RoleName
  /** What it is called in etcd. */
  readonly name: string
  readonly meaning: string
  readonly grants: readonly Grant[]
  /** The lines that make it. */
  readonly commands: readonly string[]
}

export function roleOf(role: RoleName): Role {
  const name = `calico-${role}`
  const {meaning, grants}: {meaning: string; grants: readonly Grant[]} = ROLES[role]
  return {role, name, meaning, grants, commands: [`etcdctl role add ${name}`, ...grants.map(({permission, key, prefix}) => `etcdctl role grant-permission ${name} ${permission} ${prefix ? '--prefix=true ' : ''}${key}`)]}
}
