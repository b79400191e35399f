/** How the state of a datastore is shown. */
import type {DatastoreStatus} from '../backup/status.js'
import {ownDocument, type Presentation} from '../cli/output/presentation.js'

interface Row {
  readonly name: string
  readonly value: string
}

export function presentStatus(status: DatastoreStatus): Presentation<Row> {
  const {counts, ...rest} = status
  const rows: Row[] = [
    {name: 'datastore', value: status.datastore},
    {name: 'state', value: status.unfinishedRestore === undefined ? status.state : `${status.state} (an unfinished restore)`},
    {name: 'cluster GUID', value: status.clusterGUID ?? ''},
    {name: 'Calico version', value: status.calicoVersion ?? ''},
    {name: 'revision', value: status.revision},
    {name: 'keys', value: String(status.keys)},
    ...[...counts].map(([name, number]) => ({name, value: String(number)})),
  ]
  return {
    rows,
    columns: [{header: 'What', value: ({name}) => name}, {header: 'Value', value: ({value}) => value}],
    name: ({name}) => name,
    document: () => ownDocument('DatastoreStatus', {...rest, counts: Object.fromEntries(counts)}),
    alignment: 'left',
  }
}
