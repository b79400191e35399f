import {changedOptions, type PoolOptions, unnamed} from '../client/pools.js'
import {addPools} from '../client/pools.js'
import {objectLabel, type ResourceChange} from '../client/resources.js'
import {hostNetworks, hostOverlaps} from '../host/networks.js'
import {type Cidr, formatCidr, parseCidr} from '../net/index.js'
import type {IPPool} from '../model/types.js'
import {EditCommand} from '../cli/edit-command.js'

/** What was changed of a pool, in the words of `pool set`. */
export const poolDetail = ({before, after}: ResourceChange): string | undefined => changedOptions(before as IPPool | undefined, after as IPPool | undefined)

/** A command that adds pools. */
export abstract class PoolAddCommand extends EditCommand {
  /** Adds CIDRS with OPTIONS, and tells what existing pools are besides, and which new ones are over a network of this host. */
  protected async add(cidrs: readonly Cidr[], options: PoolOptions): Promise<void> {
    const networks = hostNetworks()
    const changes = await addPools(await this.session(), cidrs, options)
    await this.report(changes, {detail: poolDetail})
    for (const {before, after, name} of changes) if (before && after) this.reportUnnamed(name, after, options)
    const created = changes.filter(({action}) => action === 'created').flatMap(({name}) => parseCidr(name) ?? [])
    for (const {pool, network, interfaceName} of hostOverlaps(created, await networks)) {
      this.note(`Warning: the pool ${formatCidr(pool)} overlaps ${formatCidr(network)}, the network of ${interfaceName} on this host: workloads can be assigned addresses that are in use there.`)
    }
  }

  private reportUnnamed(name: string, pool: IPPool, options: PoolOptions): void {
    const {words, set} = unnamed(pool, options)
    if (words.length === 0) return
    const how = set.length === 0 ? '' : ` To change that: calicoctl pool set ${name} ${set.join(' ')}`
    this.note(`${objectLabel('IPPool', name)} keeps the options that were not given: ${words.join(', ')}.${how}`)
  }
}
