/** Who sends and who receives. */
import type {Address, Family} from '../net/index.js'
import type {NodeInfo, Workload, World} from './world.js'

export type Party =
  | {readonly type: 'workload'; readonly workload: Workload; readonly address: Address}
  | {readonly type: 'host'; readonly node: NodeInfo; readonly address: Address}
  | {readonly type: 'outside'; readonly address: Address}

/** Whose ADDRESS is: the endpoint that has it, else the node that has it, else the outside (policy-evaluation §1). */
export function partyAt(world: World, address: Address): Party {
  const [workload] = world.workloadsAt(address)
  if (workload) return {type: 'workload', workload, address}
  const node = world.nodeAt(address)
  return node ? {type: 'host', node, address} : {type: 'outside', address}
}

/** WORKLOAD by its first address of FAMILY; undefined if it has none. */
export function workloadParty(workload: Workload, family: Family): Party | undefined {
  const address = workload.addresses.find((candidate) => candidate.family === family)
  return address && {type: 'workload', workload, address}
}

/** The address by which NODE is known in FAMILY: its own; of one without any, one that its host endpoints expect. */
const hostAddress = ({addresses, more}: NodeInfo, family: Family): Address | undefined => addresses[family] ?? (Object.keys(addresses).length === 0 ? more.find((address) => address.family === family) : undefined)

/** Whether any address of NODE is known. */
export const hasAddress = (node: NodeInfo): boolean => ([4, 6] as const).some((family) => hostAddress(node, family) !== undefined)

export function hostParty(node: NodeInfo, family: Family): Party | undefined {
  const address = hostAddress(node, family)
  return address && {type: 'host', node, address}
}

export const nodeOf = (party: Party): string | undefined => (party.type === 'workload' ? party.workload.node : party.type === 'host' ? party.node.name : undefined)

/** Multicast and broadcast: not an address of one receiver. */
export const isSpecial = ({family, value}: Address): boolean => (family === 4 ? value >> 28n === 14n || value === 0xffffffffn || value === 0n : value >> 120n === 0xffn || value === 0n)

/** Whether Felix polices the interface of WORKLOAD at all. */
export const isPoliced = (world: World, {node, interfaceName}: Workload): boolean => world.settings(node).interfacePrefixes.some((prefix) => interfaceName.startsWith(prefix))
