/** src/lib/host/container-network.ts on the simulated hosts. */
import type {ContainerNetwork} from '../../../src/lib/host/container-network.js'
import type {NetworkNamespace} from '../../../src/lib/host/network-namespace.js'
import {host, takesTime} from './host.js'
import {createVethOnHost} from './interfaces.js'

export async function connectContainer({namespace, host: outer, container, mtu}: ContainerNetwork): Promise<void> {
  const pair = host.pairs.get(outer.name)
  if (pair?.namespace !== namespace.identity) await createVethOnHost(outer.name, container, mtu, namespace.identity)
  await takesTime()
}

export async function connectionState({identity}: NetworkNamespace, name: string): Promise<'complete' | 'half' | 'absent'> {
  await takesTime()
  const pair = host.pairs.get(name)
  return pair === undefined ? 'absent' : pair.namespace === identity ? 'complete' : 'half'
}
