/** src/lib/host/network-namespace.ts on the simulated hosts. */
import {CalicoError} from '../../../src/lib/errors.js'
import type {NetworkNamespace} from '../../../src/lib/host/network-namespace.js'
import {host} from './host.js'

const namespace = (identity: string): NetworkNamespace => ({identity, descriptor: -1, close: () => undefined}) as unknown as NetworkNamespace

export function openNamespaceOfProcess(pid: number): NetworkNamespace {
  const identity = host.namespaces.get(pid)
  if (identity === undefined) throw new CalicoError('failed', `There is no process ${pid}`)
  return namespace(identity)
}

export const openNamespaceAt = (path: string): NetworkNamespace => namespace(path)

export function* namespacesOfProcesses(): Generator<NetworkNamespace> {
  for (const identity of host.namespaces.values()) yield namespace(identity)
}

export const isNamespace = (): boolean => false

export const namespaceIdentity = (path: string): string | undefined => host.namespaces.get(Number(/^\/proc\/(\d+)\//.exec(path)?.[1]))
