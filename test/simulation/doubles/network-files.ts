/** src/lib/libnetwork/network-files.ts in memory. */
import type {NetworkFiles, RememberedNetwork} from '../../../src/lib/libnetwork/network-files.js'
import {host} from './host.js'

export const NETWORKS_FOLDER = 'networks'

export function networkFiles(folder: string): NetworkFiles {
  const files = (host.files.get(folder) ?? new Map()) as Map<string, RememberedNetwork>
  host.files.set(folder, files)
  return {
    read: (id) => files.get(id),
    write: (network) => Promise.resolve(void files.set(network.request.NetworkID, network)),
    remove: (id) => void files.delete(id),
    ids: () => [...files.keys()],
  }
}
