/** Small stores, and what both evaluators say about one flow in them, as one line of text. */
import {isDeepStrictEqual} from 'node:util'
import {parseAddress} from '../../../src/lib/net/index.js'
import {divide} from '../../../src/lib/policy/between.js'
import type {By, ForwardVerdict, SideVerdict} from '../../../src/lib/policy/by.js'
import {evaluateFlow, type TracedSide} from '../../../src/lib/policy/evaluate.js'
import {hasPacket, type Packet} from '../../../src/lib/policy/flow-set/flow-set.js'
import {judge, type Judgement} from '../../../src/lib/policy/judge.js'
import {type Entry, loadWorld} from '../../../src/lib/policy/load.js'
import {type Party, partyAt} from '../../../src/lib/policy/parties.js'
import {parseTraffic} from '../../../src/lib/policy/probe.js'
import type {World} from '../../../src/lib/policy/world.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'

/** A stored object, of which METADATA and SPEC are given; its kind's plural and its name are KEY's. */
export function object(kind: string, key: string, spec: object, metadata: object = {}): Entry {
  const [, namespace, name = ''] = /^[^/]+\/(?:([^/]+)\/)?([^/]+)$/.exec(key) ?? []
  const own = {name, ...(namespace === undefined ? {} : {namespace}), uid: '23df7bce-00f2-4dd7-a79c-a271a36dc84f', creationTimestamp: '2026-11-21T10:04:21Z', ...metadata}
  return {key: RESOURCES + key, value: {kind, apiVersion: 'projectcalico.org/v3', metadata: own, spec}}
}

/** The value of KEY as it is in the datastore. */
export const raw = (key: string, value: string): Entry => ({key: RESOURCES + key, value})

export const ANY = [{action: 'Allow', source: {}, destination: {}}]

export const node = (name: string, v4: string, v6?: string, spec: object = {}): Entry => object('Node', `nodes/${name}`, {bgp: {ipv4Address: `${v4}/24`, ...(v6 === undefined ? {} : {ipv6Address: `${v6}/64`})}, ...spec})

interface WorkloadOptions {
  readonly spec?: object
  readonly labels?: Readonly<Record<string, string>>
  readonly namespace?: string
}

/** The endpoint NAME of docker on NODE; open to everything unless SPEC says otherwise. */
export function workload(name: string, on: string, addresses: string | readonly string[], {spec = {}, labels = {}, namespace = 'default'}: WorkloadOptions = {}): Entry {
  return object(
    'WorkloadEndpoint',
    `workloadendpoints/${namespace}/${on}-docker-${name}-eth0`,
    {node: on, orchestrator: 'docker', workload: name, endpoint: 'eth0', ipNetworks: [addresses].flat(), profiles: ['projectcalico-default-allow'], interfaceName: `cali${name}`, mac: '02:00:00:00:00:01', ...spec},
    {labels: {'projectcalico.org/namespace': namespace, 'projectcalico.org/orchestrator': 'docker', ...labels}},
  )
}

export const hostEndpoint = (name: string, spec: object, labels: Readonly<Record<string, string>> = {}): Entry => object('HostEndpoint', `hostendpoints/${name}`, spec, {labels})
export const policy = (name: string, spec: object): Entry => object('GlobalNetworkPolicy', `globalnetworkpolicies/${name}`, {types: ['Ingress'], ...spec})
export const namespaced = (namespace: string, name: string, spec: object): Entry => object('NetworkPolicy', `networkpolicies/${namespace}/${name}`, {types: ['Ingress'], ...spec})
export const profile = (name: string, spec: object): Entry => object('Profile', `profiles/${name}`, spec)
export const tier = (name: string, spec: object): Entry => object('Tier', `tiers/${name}`, spec)
export const set = (name: string, nets: readonly string[], labels: Readonly<Record<string, string>>): Entry => object('GlobalNetworkSet', `globalnetworksets/${name}`, {nets}, {labels})
export const settings = (spec: object, name = 'default'): Entry => object('FelixConfiguration', `felixconfigurations/${name}`, spec)
export const allow = (criteria: object = {}): object => ({action: 'Allow', source: {}, destination: {}, ...criteria})
export const deny = (criteria: object = {}): object => ({action: 'Deny', source: {}, destination: {}, ...criteria})

const partyOf = (world: World, text: string): Party => {
  const address = parseAddress(text)
  if (address === undefined) throw new TypeError(`not an address: ${text}`)
  return partyAt(world, address)
}

/** FLOW, as `tcp/80`; with a source port that no rule of the tests asks for, unless `from N` follows. */
function packetOf(flow: string, family: 4 | 6): Packet {
  const [traffic = '', sport = '40000'] = flow.split(' from ')
  const {icmpType, icmpCode, ...rest} = parseTraffic(traffic)
  return {family, ...rest, ...([6, 17, 132].includes(rest.protocol) ? {sport: Number(sport)} : {}), ...(icmpType === undefined ? {} : {icmpType, icmpCode: icmpCode ?? 0})}
}

const by = ({kind, namespace, name, missing, index, action}: By): string => `${action} ${kind}${name === undefined ? '' : ` ${namespace === undefined ? '' : `${namespace}/`}${name}`}${index === undefined ? '' : ` ${index}`}${missing ? ' (missing)' : ''}`

const side = (decided: SideVerdict | null): string => (decided === null ? '-' : [decided.hostEndpoint, ...(decided.passed ?? []).map(by), by(decided.by)].filter((part) => part !== undefined).join(', '))

const onTheWay = (decided: ForwardVerdict): string => `${decided.host} ${side(decided)}`

const bare = (decided: TracedSide | SideVerdict | null): SideVerdict | null => {
  if (decided === null) return null
  const {considered: _, ...rest} = decided as TracedSide
  return rest
}

export interface Decided {
  readonly verdict: string
  readonly out: string
  readonly in: string
  /** Host endpoints on the way. */
  readonly way?: readonly string[]
}

/** What becomes of FLOW from the address FROM to TO in STORE. @throws Error if the two evaluators do not agree */
export function decided(store: readonly Entry[], from: string, to: string, flow: string): Decided {
  const world = loadWorld(store)
  const [sender, receiver] = [partyOf(world, from), partyOf(world, to)]
  const packet = packetOf(flow, sender.address.family)
  const {verdict, egress, ingress, forward} = evaluateFlow(world, sender, receiver, packet)
  const one = {verdict, egress: bare(egress), ingress: bare(ingress), forward}
  const all = divide(world, sender, receiver).filter(({flows}) => hasPacket(flows, packet)).map(({flows: _, ...rest}) => rest)
  if (!isDeepStrictEqual(all, [one])) throw new Error(`the evaluators do not agree: ${JSON.stringify([one, all])}`)
  return {verdict, out: side(egress), in: side(ingress), ...(forward.length === 0 ? {} : {way: forward.map(onTheWay)})}
}

/** What a user is told about FLOW. */
export function judged(store: readonly Entry[], from: string, to: string, flow: string): Judgement {
  const world = loadWorld(store)
  const [sender, receiver] = [partyOf(world, from), partyOf(world, to)]
  return judge(world, sender, receiver, packetOf(flow, sender.address.family))
}
