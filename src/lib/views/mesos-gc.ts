/** How `mesos gc` shows what it found. */
import type {Gone} from '../mesos/agent/gone.js'
import {ownDocument, type Presentation, shortNetworks} from '../cli/output/presentation.js'
import {shortId} from '../model/display-name.js'

const MINUTE_MS = 60_000

/** How long ago TIME was, for people: `3d 4h`, `2h 5m`, `12m`; '' if it is no time. */
export function ageText(time: string | undefined, now: number): string {
  const minutes = Math.floor((now - Date.parse(time ?? '')) / MINUTE_MS)
  if (!Number.isFinite(minutes)) return ''
  if (minutes < 1) return '< 1m'
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24]
  if (days > 0) return `${days}d ${hours}h`
  return hours > 0 ? `${hours}h ${minutes % 60}m` : `${minutes}m`
}

export const presentGone = (found: readonly Gone[], now: number): Presentation<Gone> => ({
  rows: found,
  columns: [
    {header: 'Container ID', value: ({endpoint}) => endpoint.workload, short: ({endpoint}) => shortId(firstGroup(endpoint.workload))},
    {header: 'Endpoint ID', value: ({endpoint}) => endpoint.id, wide: true},
    {header: 'Addresses', value: ({endpoint}) => addresses(endpoint), short: ({endpoint}) => shortNetworks(addresses(endpoint))},
    {header: 'Age', value: ({endpoint}) => ageText(created(endpoint), now), rank: 1},
    {header: 'Since', value: ({endpoint}) => created(endpoint) ?? '', wide: true},
    {header: 'Reason', value: ({reason}) => reason, prose: true},
  ],
  name: ({endpoint}) => endpoint.id,
  ...(found.length === 0 && {text: () => []}),
  document: (rows) =>
    ownDocument('StaleEndpointList', {
      items: rows.map(({endpoint, reason}) => ({
        host: endpoint.host,
        orchestrator: endpoint.orchestrator,
        workload: endpoint.workload,
        endpoint: endpoint.id,
        addresses: addresses(endpoint),
        creationTimestamp: created(endpoint),
        removable: true,
        reason,
      })),
    }),
})

/** The first digits of ID, if it is a UUID, as those of Mesos containers are. */
const firstGroup = (id: string): string => /^([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(id)?.[1] ?? id

const addresses = ({stored}: Gone['endpoint']): readonly string[] => stored.resource.spec.ipNetworks ?? []
const created = ({stored}: Gone['endpoint']): string | undefined => stored.resource.metadata.creationTimestamp
