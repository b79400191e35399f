/** The recorded verdicts of Calico's own code (golden/README, `policy.jsonl`), and how they are asked of ours. */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parseAddress} from '../../../src/lib/net/index.js'
import type {ForwardVerdict, SideVerdict, Verdict} from '../../../src/lib/policy/by.js'
import {ICMP_OF, type Packet} from '../../../src/lib/policy/flow-set/flow-set.js'
import {loadWorld} from '../../../src/lib/policy/load.js'
import {protocolNumber} from '../../../src/lib/policy/packets.js'
import {hostParty, type Party, partyAt, workloadParty} from '../../../src/lib/policy/parties.js'
import type {World} from '../../../src/lib/policy/world.js'

export interface GoldenParty {
  readonly endpoint?: string
  readonly ip?: string
  readonly host?: string
}

export interface GoldenProbe {
  readonly from: GoldenParty
  readonly to: GoldenParty
  readonly proto: string | number
  readonly dport?: number
  readonly sport?: number
  readonly icmpType?: number
  readonly icmpCode?: number
  readonly ipVersion?: 4 | 6
  readonly verdict: Verdict
  readonly egress: SideVerdict | null
  readonly ingress: SideVerdict | null
  readonly forward?: readonly ForwardVerdict[]
  readonly quirk?: string
  readonly asWritten?: {readonly verdict: Verdict; readonly egress: SideVerdict | null; readonly ingress: SideVerdict | null; readonly forward?: readonly ForwardVerdict[]}
}

export interface GoldenLine {
  readonly id: string
  readonly note: string
  readonly objects: Readonly<Record<string, string>>
  readonly probes: readonly GoldenProbe[]
}

export const goldenLines = (): GoldenLine[] =>
  readFileSync(join(import.meta.dirname, '../../fixtures/golden/policy.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as GoldenLine)

export const worldOf = (line: GoldenLine): World => loadWorld(Object.entries(line.objects).map(([key, value]) => ({key, value})))

export function partyOf(world: World, {endpoint, ip, host}: GoldenParty, family: 4 | 6): Party {
  const address = ip === undefined ? undefined : parseAddress(ip)
  let party: Party | undefined
  if (endpoint !== undefined) {
    const workload = [...world.workloads.values()].find(({name}) => name === endpoint)
    if (workload) party = address ? {type: 'workload', workload, address} : workloadParty(workload, family)
  } else if (host !== undefined) {
    const node = world.nodes.get(host)
    if (node) party = hostParty(node, family)
  } else if (address) party = partyAt(world, address)
  if (party === undefined) throw new Error(`no such party: ${JSON.stringify({endpoint, ip, host})}`)
  return party
}

export function packetOf({proto, dport, sport, icmpType, icmpCode, ipVersion = 4}: GoldenProbe): Packet {
  const protocol = typeof proto === 'number' ? proto : (protocolNumber(proto) ?? ICMP_OF[4])
  return {
    family: ipVersion,
    protocol,
    ...(dport === undefined ? {} : {dport}),
    ...(sport === undefined ? {} : {sport}),
    ...(icmpType === undefined ? {} : {icmpType}),
    ...(icmpCode === undefined ? {} : {icmpCode}),
  }
}
