import type {Stale} from '../workload/stale.js'
import {type Column, ownDocument, type Presentation, shortNetworks} from '../cli/output/presentation.js'
import {containerName} from './endpoints.js'
import {shortId} from '../model/display-name.js'

const CONTAINER: Column<Stale> = {header: 'Container', value: ({endpoint}) => containerName(endpoint.stored.resource.metadata.annotations)}
const COLUMNS: readonly Column<Stale>[] = [
  {header: 'Orchestrator ID', value: ({endpoint}) => endpoint.orchestrator, rank: 3},
  {header: 'Workload ID', value: ({endpoint}) => endpoint.workload, short: ({endpoint}) => shortId(endpoint.workload), rank: 1},
  {header: 'Endpoint ID', value: ({endpoint}) => endpoint.id, short: ({endpoint}) => shortId(endpoint.id), rank: 2},
  {header: 'Addresses', value: ({endpoint}) => addresses(endpoint), short: ({endpoint}) => shortNetworks(addresses(endpoint))},
  {header: 'Since', value: ({endpoint}) => endpoint.stored.resource.metadata.creationTimestamp ?? '', wide: true},
  {header: 'Removable', value: ({removable}) => (removable ? 'yes' : 'no')},
  {header: 'Reason', value: ({reason}) => reason, prose: true},
]

/** What `endpoint gc` found. On a terminal, a container is first shown by its name. */
export const presentStale = (found: readonly Stale[]): Presentation<Stale> => ({
  rows: found,
  columns: [...COLUMNS, {...CONTAINER, wide: true}],
  terminal: [CONTAINER, ...COLUMNS.filter(({wide}) => !wide)],
  name: ({endpoint}) => endpoint.id,
  document: (rows) =>
    ownDocument('StaleEndpointList', {
      items: rows.map(({endpoint, reason, removable}) => ({
        host: endpoint.host,
        orchestrator: endpoint.orchestrator,
        workload: endpoint.workload,
        endpoint: endpoint.id,
        addresses: addresses(endpoint),
        creationTimestamp: endpoint.stored.resource.metadata.creationTimestamp,
        removable,
        reason,
      })),
    }),
})

const addresses = ({stored}: Stale['endpoint']): readonly string[] => stored.resource.spec.ipNetworks ?? []
