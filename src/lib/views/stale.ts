import type {Stale} from '../workload/stale.js'
import {ownDocument, type Presentation} from '../cli/output/presentation.js'
import {shortId} from '../model/display-name.js'

/** What `endpoint gc` found. */
export const presentStale = (found: readonly Stale[]): Presentation<Stale> => ({
  rows: found,
  columns: [
    {header: 'Orchestrator ID', value: ({endpoint}) => endpoint.orchestrator, rank: 1},
    {header: 'Workload ID', value: ({endpoint}) => endpoint.workload, short: ({endpoint}) => shortId(endpoint.workload)},
    {header: 'Endpoint ID', value: ({endpoint}) => endpoint.id, short: ({endpoint}) => shortId(endpoint.id)},
    {header: 'Addresses', value: ({endpoint}) => addresses(endpoint)},
    {header: 'Since', value: ({endpoint}) => endpoint.stored.resource.metadata.creationTimestamp ?? '', wide: true},
    {header: 'Removable', value: ({removable}) => (removable ? 'yes' : 'no')},
    {header: 'Reason', value: ({reason}) => reason, prose: true},
  ],
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
