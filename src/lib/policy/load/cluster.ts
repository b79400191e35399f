/** What holds for the whole cluster: Felix's settings, pools, and whether the datastore is ready. */
import {RAW_PREFIX} from '../../model/hazards.js'
import {asRecord, ownField} from '../../model/schema/codec.js'
import {networkOf, parseCidr} from '../../net/index.js'
import type {Configuration} from '../settings.js'
import type {Pool} from '../world.js'
import type {Raw, StoredObjects} from './stored.js'

/** The FelixConfigurations, also those that Felix cannot read. */
export function loadConfigurations(stored: StoredObjects): Configuration[] {
  return stored.of('FelixConfiguration').map((raw) => configuration(stored, raw))
}

function configuration(stored: StoredObjects, raw: Raw): Configuration {
  const object = stored.read<Record<string, unknown>>(raw)
  if (typeof object === 'string') {
    stored.note(raw, 'unreadable', object)
    return {name: raw.name, parameters: new Map(), problem: object}
  }
  const {spec} = object
  const parameters = new Map(Object.entries(spec).map(([name, value]) => [name.toLowerCase(), value]))
  for (const [key, value] of Object.entries(object.metadata.annotations ?? {})) {
    if (key.toLowerCase().startsWith(RAW_PREFIX)) parameters.set(key.slice(RAW_PREFIX.length).toLowerCase(), value)
  }
  return {name: raw.name, parameters, ...(typeof spec.nodeSelector === 'string' ? {nodeSelector: spec.nodeSelector} : {})}
}

/** The pools: what Felix reads of them needs no valid object. */
export function loadPools(stored: StoredObjects): Pool[] {
  return stored.of('IPPool').flatMap((raw) => pool(stored, raw))
}

function pool(stored: StoredObjects, raw: Raw): Pool[] {
  const spec = asRecord(ownField(asRecord(stored.parsed(raw)) ?? {}, 'spec')) ?? {}
  const text = ownField(spec, 'cidr')
  const cidr = typeof text === 'string' ? parseCidr(text) : undefined
  if (cidr === undefined) return []
  const mode = (name: string): string => {
    const value = ownField(spec, name)
    return typeof value === 'string' && value !== 'Never' ? value : ''
  }
  const tunnels = [{type: 'IPIP', mode: mode('ipipMode')}, {type: 'VXLAN', mode: mode('vxlanMode')}] as const
  const tunnel = tunnels.find((one) => one.mode !== '')
  return [{cidr: networkOf(cidr), natOutgoing: ownField(spec, 'natOutgoing') === true, ...(tunnel ? {tunnel: {type: tunnel.type, crossSubnetOnly: tunnel.mode === 'CrossSubnet'}} : {})}]
}

/** Why Felix does not follow the store on any node (felix-behaviour §2). Where there is no ClusterInformation, the objects need not be a whole store. */
export function whyHalted(stored: StoredObjects): string | undefined {
  const raw = stored.get('ClusterInformation', 'default')
  if (raw === undefined) return undefined
  const object = stored.read<{datastoreReady?: boolean}>(raw)
  if (typeof object === 'string') return `Felix cannot read clusterinformation/default (${object})`
  return object.spec.datastoreReady === true ? undefined : 'the datastore is locked: datastoreReady of clusterinformation/default is not true'
}
