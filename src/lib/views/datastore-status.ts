/** How the state of a datastore is shown. */
import type {DatastoreStatus} from '../backup/status.js'
import {ownDocument, type Presentation} from '../cli/output/presentation.js'
import type {StoreUsage} from '../datastore/datastore.js'

interface Row {
  readonly name: string
  readonly value: string
}

export function presentStatus(status: DatastoreStatus): Presentation<Row> {
  const {counts, database, ...rest} = status
  const rows: Row[] = [
    {name: 'datastore', value: status.datastore},
    {name: 'state', value: status.unfinishedRestore === undefined ? status.state : `${status.state} (an unfinished restore)`},
    {name: 'cluster GUID', value: status.clusterGUID ?? ''},
    {name: 'Calico version', value: status.calicoVersion ?? ''},
    {name: 'revision', value: status.revision},
    {name: 'keys', value: String(status.keys)},
    ...(database ? databaseRows(database) : []),
    ...[...counts].map(([name, number]) => ({name, value: String(number)})),
  ]
  return {
    rows,
    columns: [{header: 'What', value: ({name}) => name}, {header: 'Value', value: ({value}) => value}],
    name: ({name}) => name,
    document: () => ownDocument('DatastoreStatus', {...rest, ...(database && {database}), counts: Object.fromEntries(counts)}),
    alignment: 'left',
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`

function databaseRows({bytes, bytesInUse, alarms}: StoreUsage): Row[] {
  return [
    {name: 'size', value: `${megabytes(bytes)}${bytesInUse === undefined ? '' : ` (${megabytes(bytesInUse)} in use)`}`},
    ...(alarms.length === 0 ? [] : [{name: 'alarms', value: alarms.join(', ')}]),
  ]
}
