/** src/lib/docker/networks.ts: the Engine of the node whose driver is being made. */
import type {DockerNetworks} from '../../../src/lib/docker/networks.js'

let present: DockerNetworks | undefined

export const useDocker = (docker: DockerNetworks): void => void (present = docker)

export function dockerNetworks(): DockerNetworks {
  if (!present) throw new TypeError('the world has not said which Engine is meant')
  return present
}
