/** The settings of BGP for all nodes and for one: default AS, node mesh, log level (cli-v0.20 §4.7 and §4.11, datamodel-v3 §1.9, decisions.md 21, 22). */
import {CalicoError} from '../errors.js'
import {kindPrefix} from '../model/keys.js'
import type {BGPConfiguration, BGPConfigurationSpec} from '../model/types.js'
import {configurationPlace, type ConfigSection, type ConfigSetting, editConfiguration} from './configuration.js'
import {getResource, read, type ResourceChange} from './resources.js'
import type {Session} from './session.js'

/** What is in force where nothing is configured. */
export const BGP_DEFAULTS = {asNumber: 64512, nodeToNodeMeshEnabled: true} as const

/** v0.20's levels and Calico's. confd knows no more than these; it takes every other level of Calico's for `none`. */
const LEVELS: Readonly<Record<string, string>> = {none: 'Fatal', debug: 'Debug', info: 'Info'}

const loglevel: ConfigSetting = {
  values: Object.keys(LEVELS),
  read({spec: {logSeverityScreen}}) {
    if (!logSeverityScreen) return undefined
    const word = logSeverityScreen.toLowerCase()
    return word === 'debug' || word === 'info' ? word : 'none'
  },
  write(object, value) {
    // Forced values can only be those that Calico's own validation knows, in its spelling.
    const logSeverityScreen = Object.hasOwn(LEVELS, value) ? LEVELS[value] : `${value.slice(0, 1).toUpperCase()}${value.slice(1)}`
    return logSeverityScreen === undefined || object.spec.logSeverityScreen === logSeverityScreen ? object : {...object, spec: {...object.spec, logSeverityScreen}}
  },
  remove(object) {
    const {logSeverityScreen: _, ...spec} = object.spec
    return {...object, spec}
  },
}

export const BGP: ConfigSection = {words: 'bgp', kind: 'BGPConfiguration', settings: {loglevel}, rawParameters: false}
export const NODE_BGP: ConfigSection = {...BGP, words: 'node bgp'}

type GlobalField = 'asNumber' | 'nodeToNodeMeshEnabled'

/** The global BGP settings that are stored; see BGP_DEFAULTS for what holds in place of absent ones. */
export async function readGlobalBgp(session: Session): Promise<Pick<BGPConfigurationSpec, GlobalField>> {
  const stored = await getResource<BGPConfiguration>(session, configurationPlace(BGP))
  return stored?.resource.spec ?? {}
}

export interface GlobalBgpChange {
  readonly change: ResourceChange<BGPConfiguration>
  /** Whether what is in force changed, and with it BIRD's configuration: writing a default down changes nothing. */
  readonly effective: boolean
}

/** OBJECT, the global configuration, with WANTED; the same object if it is so. */
export function withGlobalBgp(object: BGPConfiguration, wanted: Pick<BGPConfigurationSpec, GlobalField>): BGPConfiguration {
  const fields = Object.keys(wanted) as GlobalField[]
  return fields.every((field) => object.spec[field] === wanted[field]) ? object : {...object, spec: {...object.spec, ...wanted}}
}

/** Sets the AS number of the nodes that have none of their own. */
export const setDefaultAs = (session: Session, asNumber: number): Promise<GlobalBgpChange> => setGlobal(session, {asNumber})

/** Switches the full mesh of sessions between all nodes on or off. */
export const setNodeMesh = (session: Session, enabled: boolean): Promise<GlobalBgpChange> => setGlobal(session, {nodeToNodeMeshEnabled: enabled})

/**
 * Makes sure that no one loses the routes between nodes when the mesh is switched off.
 * @throws CalicoError `refused` (`--yes` overrides it) if the mesh is on, there are several nodes, and no one has a peer
 */
export async function refuseMeshOff(session: Session): Promise<void> {
  const {nodeToNodeMeshEnabled} = await readGlobalBgp(session)
  if (!(nodeToNodeMeshEnabled ?? BGP_DEFAULTS.nodeToNodeMeshEnabled)) return
  const {results: [nodes = [], peers = []]} = await read(session, [{list: kindPrefix('Node'), keysOnly: true}, {list: kindPrefix('BGPPeer'), keysOnly: true}])
  if (nodes.length < 2 || peers.length > 0) return
  throw new CalicoError('refused', `There are ${nodes.length} nodes and no BGP peers: without the mesh, no routes are exchanged between the nodes. Nothing was changed`, {
    override: '--yes',
    hint: 'Add peers first: calicoctl bgp peer add. To switch the mesh off anyway, use --yes.',
  })
}

async function setGlobal(session: Session, wanted: Pick<BGPConfigurationSpec, GlobalField>): Promise<GlobalBgpChange> {
  const fields = Object.keys(wanted) as GlobalField[]
  const change = await editConfiguration<BGPConfiguration>(session, configurationPlace(BGP), (object) => withGlobalBgp(object, wanted))
  const before: Partial<BGPConfigurationSpec> = change.before?.spec ?? {}
  return {change, effective: fields.some((field) => (before[field] ?? BGP_DEFAULTS[field]) !== wanted[field])}
}
