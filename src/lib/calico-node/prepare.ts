/** Everything before the container: datastore and host are checked first, then prepared (cli-v0.20 §4.3.1, calico-node.md §4). */
import {checkWritable} from '../client/cluster.js'
import {read, type ResourceChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {makeFolder} from '../files/folder.js'
import {type PreparationStep, prepareHost} from '../host/preparation.js'
import type {Node} from '../model/types.js'
import type {Settings} from '../settings/types.js'
import {type Asking, resolveAddresses} from './addresses.js'
import {type ContainerPlan, planContainer} from './container.js'
import {addDefaultPools} from './default-pools.js'
import {addressOfNode, checkNode, type WantedNode, writeNode} from './node-object.js'
import type {NodeOptions} from './options.js'

export interface NodeRequest {
  /** The stored name. */
  readonly node: string
  readonly options: NodeOptions
  readonly settings: Settings
  /** The name is this host's: its nodename file says so, or the user. */
  readonly ownName: boolean
  /** calicoctl itself runs in a container that may not change the host (CALICO_CTL_CONTAINER). */
  readonly inContainer: boolean
  /** Whether this kernel has IPv6. */
  readonly hasIpv6: boolean
}

export interface Prepared {
  readonly plan: ContainerPlan
  readonly wanted: WantedNode
}

/** The settings of etcd. @throws CalicoError `invalid` for the embedded store, which calico-node cannot read */
function etcdOf({datastore}: Settings) {
  if (datastore.type === 'etcd') return datastore
  throw new CalicoError('invalid', `calico-node cannot read the embedded datastore (${datastore.path.origin})`, {hint: 'Give the endpoints of etcd with ETCD_ENDPOINTS or --datastore.'})
}

/** The container of REQUEST, without a look at the datastore. STORED is the address that the node has had until now. */
export async function planNode({node, options, settings, ownName}: Omit<NodeRequest, 'inContainer' | 'hasIpv6'>, stored: Parameters<typeof resolveAddresses>[1], asking: Asking): Promise<Prepared> {
  const etcd = etcdOf(settings)
  const {ip, ip6, isLocal} = await resolveAddresses(options, stored, asking)
  return {
    plan: planContainer({node, options, etcd, ip: ip?.variables, ip6: ip6?.variables}),
    wanted: {name: node, ipv4: ip?.address, ipv6: ip6?.address, asNumber: options.asNumber, networking: options.networking, isLocal, ownName},
  }
}

/**
 * Checks that the datastore is Calico's and writable and lets the node have its name and addresses; nothing is changed.
 * @throws CalicoError of each of these checks
 */
export async function checkAndPlan(session: Session, request: NodeRequest, asking: Asking): Promise<Prepared> {
  etcdOf(request.settings)
  checkWritable(session, (await read(session, [])).cluster)
  const prepared = await planNode(request, await addressOfNode(session, request.node), asking)
  await checkNode(session, prepared.wanted)
  return prepared
}

/** Prepares the host; a dry run tells what would be done. */
export async function prepareThisHost({inContainer, options}: NodeRequest, {dryRun}: {dryRun: boolean}): Promise<PreparationStep[]> {
  const steps = inContainer ? [] : await prepareHost({dryRun})
  if (!dryRun) for (const folder of [options.logDirectory, '/var/run/calico', '/var/lib/calico']) makeFolder(folder)
  return steps
}

/** Writes the Node and, where wanted, the default pools of a cluster without any. */
export async function writeObjects(session: Session, {options, hasIpv6}: NodeRequest, wanted: WantedNode): Promise<{readonly node: ResourceChange<Node>; readonly pools: readonly ResourceChange[]}> {
  const node = await writeNode(session, wanted)
  const taken = [wanted.ipv4, wanted.ipv6].flatMap((each) => each?.address ?? [])
  return {node, pools: options.defaultPools ? await addDefaultPools(session, hasIpv6 ? [4, 6] : [4], taken) : []}
}
