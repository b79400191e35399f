/** What commands say of the addresses of an endpoint that was removed. */
import {formatAddress} from '../net/index.js'
import type {Removal} from '../workload/removal.js'

/** A note for each address of REMOVAL: what became of it, and why. */
export function removalNotes({released, foreign, held}: Pick<Removal, 'released' | 'foreign' | 'held'>, {dryRun}: {dryRun: boolean}): string[] {
  return [
    ...released.map((address) => `${formatAddress(address)} ${dryRun ? 'would be ' : ''}released`),
    ...foreign.map((address) => `Warning: ${formatAddress(address)} was not released: it is assigned to another user.`),
    ...held.map(({address, by}) => `Warning: ${formatAddress(address)} was not released: ${by} uses it.`),
  ]
}
