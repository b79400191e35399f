/**
 * Docker's endless question for an IPv6 pool. For a network that exists on one host alone it asks again, and without a pause, as long as the pool that it is
 * given overlaps an IPv6 name server of the host (/etc/resolv.conf); `::/0`, which stands for any Calico pool, overlaps each. It exempts `0.0.0.0/0` only.
 */
import {CalicoError} from '../errors.js'

/** People do not make so many networks in so short a time. */
const MOST = 50
const WITHIN_MS = 2_000

/** A check to be made of each request for any IPv6 pool. @throws CalicoError `refused` if they come as they do from an Engine that will not end */
export function newRepeatCheck(now: () => number = () => performance.now()): () => void {
  let times: number[] = []
  return () => {
    const time = now()
    times = [...times.filter((each) => time - each < WITHIN_MS), time]
    if (times.length <= MOST) return
    times = []
    throw new CalicoError('refused', 'Docker rejects every IPv6 pool for this network and keeps requesting another one, as it does on hosts with an IPv6 name server', {
      hint: 'Give the pool: docker network create --ipv6 --subnet CIDR',
    })
  }
}
