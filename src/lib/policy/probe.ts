/** `tcp/9000`, `icmp/8/0`, `47`: the flow of a command line or a file, and parties by the words of users. Pure. */
import {CalicoError} from '../errors.js'
import {shortId} from '../model/display-name.js'
import {convertName, convertProfileName} from '../model/names.js'
import {type Family, formatAddress, parseAddress} from '../net/index.js'
import {hostOf, type PartyOf, workloadOf} from './between.js'
import type {Packet} from './flow-set/flow-set.js'
import {ICMP_OF, MAX_ICMP, MAX_PORT} from './flow-set/flow-set.js'
import {type Group, outsideGroups, workloadGroups} from './groups.js'
import {hasPorts, protocolName, protocolNumber} from './packets.js'
import {hasAddress, partyAt} from './parties.js'
import type {Workload, World} from './world.js'

/** What is asked of a flow, without its ends. */
export interface Traffic {
  readonly protocol: number
  readonly dport?: number
  readonly sport?: number
  readonly icmpType?: number
  readonly icmpCode?: number
}

const number = (text: string, most: number, what: string, least = 0): number => {
  if (!/^\d{1,6}$/.test(text) || Number(text) > most || Number(text) < least) throw new CalicoError('invalid', `'${text}' is not a valid ${what}: give ${least} to ${most}`)
  return Number(text)
}

/** TEXT, `PROTO[/PORT]` or `icmp/TYPE[/CODE]`. No rule can name port 0, but packets can have it, and what is allowed is printed with it (`tcp/0:79`). @throws CalicoError `invalid` */
export function parseTraffic(text: string): Traffic {
  const [name = '', ...numbers] = text.split('/')
  const protocol = protocolOf(name)
  if (isIcmp(protocol)) {
    if (numbers.length > 2) throw new CalicoError('invalid', `'${text}': give ${name}, ${name}/TYPE or ${name}/TYPE/CODE`)
    const [type, code] = numbers
    if (type === undefined) return {protocol}
    return {protocol, icmpType: number(type, MAX_ICMP, 'ICMP type'), ...(code === undefined ? {} : {icmpCode: number(code, MAX_ICMP, 'ICMP code')})}
  }
  const [port] = numbers
  if (port === undefined) return {protocol}
  if (!hasPorts(protocol)) throw new CalicoError('invalid', `'${text}': protocol ${name} has no ports`)
  if (numbers.length > 1) throw new CalicoError('invalid', `'${text}': give ${name}/PORT`)
  return {protocol, dport: number(port, MAX_PORT, 'port')}
}

/** The protocol called TEXT. @throws CalicoError `invalid` */
export function protocolOf(text: string): number {
  if (/^\d+$/.test(text)) return number(text, 255, 'protocol number', 1)
  const known = protocolNumber(text)
  if (known === undefined) throw new CalicoError('invalid', `'${text}' is not a protocol: give tcp, udp, sctp, icmp, icmpv6, udplite or a number from 1 to 255`)
  return known
}

const isIcmp = (protocol: number): boolean => protocol === ICMP_OF[4] || protocol === ICMP_OF[6]

/** TRAFFIC as it is written. */
export function trafficText({protocol, dport, sport, icmpType, icmpCode}: Traffic): string {
  const numbers = [dport, icmpType, icmpCode].filter((value) => value !== undefined)
  return [protocolName(protocol), ...numbers].join('/') + (sport === undefined ? '' : ` from port ${sport}`)
}

/** One sender or receiver; of a group, one that stands for all. */
export interface Member {
  /** For people. */
  readonly label: string
  /** As `from` and `to` of golden/policy.jsonl. */
  readonly json: object
  readonly party: PartyOf
  /** Of how many endpoints: 1 for a single one, 0 for the outside. */
  readonly endpoints: number
  /** Another one of the group, where there is one. */
  readonly other?: PartyOf
}

/** What a word of the user's stands for. */
export interface Selection {
  readonly label: string
  readonly json: object
  /** A single one, whatever it was called by; undefined if it stands for a group (profile, tag, any). */
  readonly single: boolean
  readonly members: readonly Member[]
}

const workloadText = ({shownWorkload, container, node, orchestrator, endpoint}: Workload): string => `endpoint ${endpoint.slice(0, 12)} of ${orchestrator} workload ${shortId(container ?? shownWorkload).slice(0, 40)} on ${node}`

const memberOf = (workload: Workload): Member => ({label: workloadText(workload), json: {endpoint: workload.name}, party: workloadOf(workload), endpoints: 1})

function groupMember(group: Group): Member {
  const [first] = group.workloads
  if (group.workloads.length === 1 && first) return memberOf(first)
  const outside = group.type === 'outside'
  const sample = group.party(4) ?? group.party(6)
  return {
    label: outside ? (group.networks.length > 0 ? `outside, ${group.name}` : 'outside, anywhere else') : `${group.workloads.length} endpoints of ${group.profiles.length > 0 ? `profile ${group.profiles.join(', ')}` : 'no profile'}, such as ${first ? workloadText(first) : group.name}`,
    json: outside ? {ip: sample ? formatAddress(sample.address) : ''} : {endpoint: first?.name ?? ''},
    party: group.party,
    endpoints: group.workloads.length,
    ...(group.other ? {other: group.other} : {}),
  }
}

const several = (word: string, what: string, found: readonly Workload[]): CalicoError =>
  new CalicoError('conflict', `'${word}' is ambiguous: it matches ${found.length} ${what}:`, {details: found.slice(0, 20).map((workload) => `${workload.name} (${workloadText(workload)})`), hint: 'Give the name of the endpoint, which is the first word of these lines.'})

/** Who WORD is: host:NODE, profile:NAME, tag:NAME, any, an address, or the first of endpoint, container, workload and profile that there is. @throws CalicoError `not-found`, `conflict`, `invalid` */
export function findParty(world: World, word: string): Selection {
  if (word === 'any') return group(world, 'any', {any: true}, [...world.workloads.values()], outsideGroups(world))
  const [, kind, name = ''] = /^(host|profile|tag):(.*)$/s.exec(word) ?? []
  if (kind === 'host') return hostNamed(world, name)
  if (kind === 'profile') return profileNamed(world, name) ?? fail(`There is no profile '${name}', and no endpoint refers to it`)
  if (kind === 'tag') {
    const tagged = [...world.workloads.values()].filter(({labels}) => labels.map.has(name))
    if (tagged.length === 0) fail(`No endpoint has the tag '${name}'`)
    return group(world, `tag ${name}`, {tag: name}, tagged)
  }
  const address = parseAddress(word)
  if (address) {
    const party = partyAt(world, address)
    const label = party.type === 'workload' ? workloadText(party.workload) : party.type === 'host' ? `host ${party.node.name}` : word
    const json = {ip: formatAddress(address)}
    return {label, json, single: true, members: [{label, json, party: (family) => (family === address.family ? party : undefined), endpoints: party.type === 'workload' ? 1 : 0}]}
  }
  if (/^[0-9.]+$|^[0-9a-fA-F]*:[0-9a-fA-F:.]*$/.test(word) && (word.includes(':') || word.split('.').length === 4)) throw new CalicoError('invalid', `'${word}' is not an IP address`)
  return named(world, word)
}

function fail(message: string): never {
  throw new CalicoError('not-found', message, {hint: 'To list endpoints and profiles: calicoctl endpoint show --detailed, calicoctl profile show'})
}

function hostNamed(world: World, name: string): Selection {
  const node = world.nodes.get(name.toLowerCase())
  if (node === undefined) throw new CalicoError('not-found', `There is no node '${name}'`, {hint: 'To list the nodes: calicoctl node show'})
  if (!hasAddress(node)) throw new CalicoError('not-found', `The node ${node.name} has no address in the datastore`)
  const json = {host: node.name}
  return {label: `host ${node.name}`, json, single: true, members: [{label: `host ${node.name}`, json, party: hostOf(node), endpoints: 0}]}
}

function profileNamed(world: World, word: string): Selection | undefined {
  const names = [word, convertProfileName(word)]
  const stored = names.find((name) => world.profileNames.includes(name)) ?? names.find((name) => [...world.workloads.values()].some(({profiles}) => profiles.includes(name)))
  if (stored === undefined) return undefined
  const own = [...world.workloads.values()].filter(({profiles}) => profiles.includes(stored))
  if (own.length === 0) fail(`No endpoint has the profile '${word}'`)
  return group(world, `profile ${word}`, {profile: stored}, own)
}

function group(world: World, label: string, json: object, workloads: readonly Workload[], more: readonly Group[] = []): Selection {
  const groups = [...workloadGroups(world, workloads), ...more]
  return {label, json, single: false, members: groups.map(groupMember)}
}

function named(world: World, word: string): Selection {
  const all = [...world.workloads.values()]
  const converted = convertName(word)
  const single = (workload: Workload): Selection => ({label: workloadText(workload), json: {endpoint: workload.name}, single: true, members: [memberOf(workload)]})
  const isPrefix = word.length > 1 ? all.filter(({endpoint, name}) => endpoint.startsWith(word) || name.startsWith(word)) : []
  const classes: [string, Workload[]][] = [
    ['endpoints', all.filter(({endpoint, name, namespace}) => [endpoint, name, `${namespace}/${name}`].includes(word) || endpoint === converted)],
    ['endpoints', isPrefix.length === 1 ? isPrefix : []],
    ['containers', all.filter(({container, workload}) => container === word || (/^[0-9a-f]{12,64}$/.test(word) && workload.startsWith(word)))],
    ['workloads', all.filter(({workload, shownWorkload}) => [workload, shownWorkload].includes(word) || workload === converted)],
  ]
  for (const [what, found] of classes) {
    const [first, ...others] = found
    if (first && others.length > 0) throw several(word, what, found)
    if (first) return single(first)
  }
  const profile = profileNamed(world, word)
  if (profile) return profile
  const broken = world.problems.find(({kind, name, effect}) => kind === 'WorkloadEndpoint' && name === word && effect !== 'stops')
  if (broken) throw new CalicoError('not-found', `Felix cannot use the endpoint ${word}: ${broken.message}`, {hint: `To see it: calicoctl get workloadendpoint ${word} -o yaml`})
  if (isPrefix.length > 1) throw several(word, 'endpoints', isPrefix)
  return fail(`There is no endpoint, container, workload or profile '${word}'`)
}

/** The family in which FROM and TO talk about TRAFFIC; WANTED by the user. @throws CalicoError `invalid` if there is none */
export function familyOf(from: Selection, to: Selection, protocol: number | undefined, wanted?: Family): Family {
  const bound = protocol === ICMP_OF[4] ? 4 : protocol === ICMP_OF[6] ? 6 : undefined
  if (wanted !== undefined && bound !== undefined && wanted !== bound) throw new CalicoError('invalid', `${protocolName(protocol ?? 0)} does not exist in IPv${wanted}: give ${bound === 4 ? 'icmpv6' : 'icmp'}`)
  const has = ({members}: Selection, family: Family): boolean => members.some(({party}) => party(family) !== undefined)
  const shared = ([4, 6] as const).filter((family) => has(from, family) && has(to, family))
  const asked = wanted ?? bound
  const chosen = asked === undefined ? shared[0] : shared.find((family) => family === asked)
  if (chosen !== undefined) return chosen
  if (bound !== undefined && shared.length > 0) throw new CalicoError('invalid', `${protocolName(protocol ?? 0)} is of IPv${bound}, but ${from.label} and ${to.label} have no addresses of IPv${bound} in common: give ${bound === 4 ? 'icmpv6' : 'icmp'}`)
  if (asked !== undefined && shared.length > 0) throw new CalicoError('invalid', `${from.label} and ${to.label} have no addresses of IPv${asked} in common`)
  throw new CalicoError('invalid', `${from.label} and ${to.label} have no addresses of one family in common: IPv4 and IPv6 addresses cannot communicate`)
}

/** TRAFFIC in FAMILY as a packet. */
export const packetOf = (traffic: Traffic, family: Family): Packet => ({family, ...traffic})
