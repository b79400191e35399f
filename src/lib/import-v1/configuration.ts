/** The settings of Felix and BGP, and BGP peers, by the functions of `config`, `bgp` and `node bgp` (cli-v0.20 §2.1, §4.7, §4.11; datamodel-v3 §3.5, §3.6). */
import {BGP, withGlobalBgp} from '../client/bgp-configuration.js'
import {newPeer, type PeerScope} from '../client/bgp-peers.js'
import {type Configuration, type ConfigSection, configurationPlace, findSetting, newConfiguration, withoutFilledLevel} from '../client/configuration.js'
import {FELIX} from '../client/felix-configuration.js'
import {prepareChange} from '../client/resources.js'
import {bgpPeerName} from '../model/names.js'
import {formatAddress, parseAddress, parseLenientAsNumber, peerAddressProblem} from '../net/index.js'
import {addResource, attempt, type Gathered, lose, loseUnknown, pass, takeObject} from './gather.js'
import {OLD_ROOT} from './old-store.js'

/** A configuration object that is made key by key. */
interface Growing {
  object: Configuration
  readonly kind: ConfigSection['kind']
  readonly from: string[]
}

const grow = (section: ConfigSection, node?: string): Growing => ({object: newConfiguration(configurationPlace(section, node)), kind: section.kind, from: []})

/** Makes CHANGE, which KEY stands for, if what comes of it would be accepted; else KEY is lost. */
function change(gathered: Gathered, growing: Growing, key: string, edit: (object: Configuration) => Configuration): void {
  const {kind, object: {metadata}} = growing
  attempt(gathered, key, () => {
    const next = edit(growing.object)
    prepareChange<Configuration>({kind, name: metadata.name}, undefined, next, {}, withoutFilledLevel)
    growing.object = next
    growing.from.push(key)
  })
}

function store(gathered: Gathered, section: ConfigSection, {object, from}: Growing): void {
  if (from.length > 0) addResource<Configuration>(gathered, {kind: section.kind, name: object.metadata.name}, object, from, {finish: withoutFilledLevel})
}

/** What v0.20 itself wrote at every start of a node, and is so with today's Calico, too, without being stored. */
const DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  InterfacePrefix: ['cali'],
  LogSeverityFile: ['none'],
  LogFilePath: ['none'],
  ReportingIntervalSecs: ['0'],
  // Felix goes by the pools today.
  IpInIpEnabled: ['true', 'false'],
  DefaultEndpointToHostAction: ['RETURN'],
}

/** What was a setting of the store itself, or only a mark in it. */
const MARKS: Readonly<Record<string, string>> = {
  ClusterGUID: 'the new datastore has its own cluster GUID',
  marker: 'it only recorded that the host had been set up',
}

function felixParameters(gathered: Gathered, folder: string, growing: Growing, passOver: readonly string[] = []): void {
  for (const name of gathered.source.names(folder)) {
    const key = `${folder}/${name}`
    if (passOver.includes(name) || !gathered.source.has(key)) continue
    const value = gathered.source.take(key) ?? ''
    if (MARKS[name] !== undefined) pass(gathered, key, MARKS[name])
    else if (Object.hasOwn(DEFAULTS, name) && DEFAULTS[name]?.includes(value)) pass(gathered, key, 'it is the default of current Calico versions')
    else change(gathered, growing, key, (object) => findSetting(FELIX, name === 'LogSeverityScreen' ? 'loglevel' : name, {value, force: true}).write(object, value))
  }
}

/** Felix's settings for all hosts. */
export function convertFelix(gathered: Gathered): void {
  const growing = grow(FELIX)
  felixParameters(gathered, `${OLD_ROOT}/v1/config`, growing)
  store(gathered, FELIX, growing)
  const ready = `${OLD_ROOT}/v1/Ready`
  const value = gathered.source.take(ready)
  if (value !== undefined) pass(gathered, ready, value === 'true' ? 'the new datastore is ready when it is initialised' : 'the old datastore was marked as not ready; the new one is ready when it is initialised')
}

/** Felix's settings for HOST, whose stored name is NODE. PASS_OVER: those that something else takes. */
export function convertHostFelix(gathered: Gathered, host: string, node: string, passOver: readonly string[]): void {
  const growing = grow(FELIX, node)
  felixParameters(gathered, `${OLD_ROOT}/v1/host/${host}/config`, growing, passOver)
  store(gathered, FELIX, growing)
}

const GLOBAL = `${OLD_ROOT}/bgp/v1/global`

/** BGP's settings and peers for all hosts. */
export function convertGlobalBgp(gathered: Gathered): void {
  const growing = grow(BGP)
  const as = gathered.source.take(`${GLOBAL}/as_num`)
  if (as !== undefined) {
    const asNumber = parseLenientAsNumber(as)
    if (asNumber === undefined) lose(gathered, `${GLOBAL}/as_num`, `${JSON.stringify(as)} is not an AS number`)
    else change(gathered, growing, `${GLOBAL}/as_num`, (object) => withGlobalBgp(object, {asNumber}))
  }
  const meshKey = `${GLOBAL}/node_mesh`
  const mesh = takeObject(gathered, meshKey)
  if (mesh && typeof mesh.enabled !== 'boolean') lose(gathered, meshKey, '"enabled" is neither true nor false')
  else if (mesh) change(gathered, growing, meshKey, (object) => withGlobalBgp(object, {nodeToNodeMeshEnabled: mesh.enabled === true}))
  bgpParameters(gathered, GLOBAL, growing)
  store(gathered, BGP, growing)
  convertPeers(gathered, GLOBAL, {type: 'global'})
}

/** BGP's settings and peers for HOST, whose stored name is NODE. */
export function convertHostBgp(gathered: Gathered, host: string, node: string): void {
  const folder = `${OLD_ROOT}/bgp/v1/host/${host}`
  const growing = grow(BGP, node)
  bgpParameters(gathered, folder, growing)
  store(gathered, BGP, growing)
  convertPeers(gathered, folder, {type: 'node', node})
}

/** What `config bgp` writes: whatever is left directly in FOLDER. */
function bgpParameters(gathered: Gathered, folder: string, growing: Growing): void {
  for (const name of gathered.source.names(folder)) {
    const key = `${folder}/${name}`
    if (!gathered.source.isLeft(key)) continue
    const value = gathered.source.take(key) ?? ''
    change(gathered, growing, key, (object) => findSetting(BGP, name, {value, force: true}).write(object, value))
  }
}

function convertPeers(gathered: Gathered, folder: string, scope: PeerScope): void {
  for (const version of ['peer_v4', 'peer_v6']) {
    for (const name of gathered.source.names(`${folder}/${version}`)) {
      const key = `${folder}/${version}/${name}`
      const peer = takeObject(gathered, key)
      if (!peer) continue
      const address = typeof peer.ip === 'string' ? parseAddress(peer.ip) : undefined
      const asNumber = typeof peer.as_num === 'string' || typeof peer.as_num === 'number' ? parseLenientAsNumber(String(peer.as_num)) : undefined
      const problem = address === undefined ? '"ip" is not an address' : (peerAddressProblem(address) ?? (asNumber === undefined ? '"as_num" is not an AS number' : undefined))
      if (!address || asNumber === undefined || problem !== undefined) {
        lose(gathered, key, problem ?? '')
        continue
      }
      const stored = bgpPeerName(address, scope.type === 'node' ? scope.node : undefined)
      const shown = scope.type === 'node' ? `${formatAddress(address)} of node ${scope.node}` : formatAddress(address)
      if (addResource(gathered, {kind: 'BGPPeer', name: stored}, newPeer(stored, scope, address, asNumber), [key], {name: shown})) loseUnknown(gathered, key, peer, ['ip', 'as_num'])
    }
  }
}
