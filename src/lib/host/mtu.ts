import {readTextFile} from '../files/read.js'

/** Where Felix keeps the MTU that it found to be right for this host's workloads. */
const MTU_FILE = '/var/lib/calico/mtu'
const SMALLEST_IPV6 = 1280

/** The MTU for a new pair of interfaces: what calico/node on this host says; undefined (the kernel's default) if it says nothing. */
export function workloadMtu(file = MTU_FILE): number | undefined {
  try {
    const mtu = Number(readTextFile(file, {largest: 100}).trim())
    return Number.isInteger(mtu) && mtu >= SMALLEST_IPV6 && mtu <= 65_535 ? mtu : undefined
  } catch {
    return undefined
  }
}
