/** What `pool move` says of the endpoints that still have addresses of the old pool. */
import type {PoolMove, Straggler} from '../client/pool-move.js'
import {quoted} from '../cli/grammar/problem.js'
import {type Cidr, formatCidr, networkOf} from '../net/index.js'

/** Docker's ids of networks. */
const NETWORK_ID = /^[0-9a-f]{12,64}$/

/** What gives an endpoint an address of TARGET, by orchestrator: a command line for its node. */
const RECONNECT: Readonly<Record<string, (endpoint: Straggler, target: Cidr) => string>> = {
  docker({workload = 'CONTAINER', profiles}, target) {
    const lines = [['container', 'remove', workload], ['container', 'add', workload, formatCidr(networkOf(target))], ...(profiles.length === 0 ? [] : [['container', workload, 'profile', 'append', ...profiles]])]
    return lines.map((words) => `calicoctl ${quoted(words)}`).join(' && ')
  },
  libnetwork({workload = 'CONTAINER', network = ''}) {
    const words = [NETWORK_ID.test(network) ? network.slice(0, 12) : 'NETWORK', workload]
    return ['disconnect', 'connect'].map((verb) => `docker network ${verb} ${quoted(words)}`).join(' && ')
  },
}

/** LEFT by node, each with the line that reconnects it; then OTHERS. */
export function leftLines({left, others}: Pick<PoolMove, 'left' | 'others'>, target: Cidr): string[] {
  const nodes = [...new Set(left.map(({node}) => node))]
  return [
    ...nodes.flatMap((node) => [`On ${node}:`, ...left.filter((each) => each.node === node).map((endpoint) => `  ${endpoint.address}: ${reconnection(endpoint, target)}`)]),
    ...(others.length === 0 ? [] : ['Addresses without an endpoint:', ...others.map((line) => `  ${line}`)]),
  ]
}

function reconnection(endpoint: Straggler, target: Cidr): string {
  const {orchestrator, workload = ''} = endpoint
  const line = Object.hasOwn(RECONNECT, orchestrator) ? RECONNECT[orchestrator] : undefined
  return line ? line(endpoint, target) : `restart the ${orchestrator} workload ${workload}`
}
