/** How pools are shown: v0.20's tables, one per family (cli-v0.20 §4.6.4), and what else is stored in the other formats. */
import {type Pool, poolFamily, poolLabel} from '../client/pools.js'
import type {Family} from '../net/index.js'
import type {Grid, Presentation} from '../cli/output/presentation.js'
import {resourceList} from '../cli/output/presentation.js'
import {shownResource} from '../cli/output/shown.js'

/** POOLS, sorted, of FAMILIES. What a stored pool leaves out is shown as Calico reads it. */
export function presentPools(pools: readonly Pool[], families: readonly Family[]): Presentation<Pool> {
  return {
    rows: pools,
    columns: [
      {header: 'CIDR', value: poolLabel},
      {header: 'Options', value: optionsText},
      {header: 'Name', value: ({stored}) => stored.resource.metadata.name, wide: true},
      {header: 'Disabled', value: ({stored}) => (stored.resource.spec.disabled ? 'yes' : ''), wide: true},
      {header: 'Block size', value: (pool) => String(pool.stored.resource.spec.blockSize ?? (poolFamily(pool) === 4 ? 26 : 122)), wide: true},
      {header: 'IPIP', value: ({stored}) => stored.resource.spec.ipipMode ?? 'Never', wide: true},
      {header: 'VXLAN', value: ({stored}) => stored.resource.spec.vxlanMode ?? 'Never', wide: true},
      {header: 'Selector', value: ({stored}) => stored.resource.spec.nodeSelector ?? 'all()', wide: true},
    ],
    name: poolLabel,
    document: (all) => resourceList('IPPoolList', all.map(({stored}) => shownResource(stored))),
    former: true,
    text: (all, grid) => familyTables(all, families, grid),
  }
}

/** The options that make a pool as it is, as they are typed. */
function optionsText({stored}: Pool): string {
  const {ipipMode = 'Never', natOutgoing = false} = stored.resource.spec
  return [...(ipipMode === 'Never' ? [] : ['ipip']), ...(natOutgoing ? ['nat-outgoing'] : [])].join(',')
}

async function familyTables(pools: readonly Pool[], families: readonly Family[], grid: Grid): Promise<string[]> {
  const tables: (readonly string[])[] = []
  for (const family of families) tables.push(await grid([{header: `IPv${family} CIDR`, value: poolLabel}, {header: 'Options', value: optionsText}], pools.filter((pool) => poolFamily(pool) === family)))
  return tables.flat()
}
