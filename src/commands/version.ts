import {Flags} from '@oclif/core'
import {readCluster} from '../lib/client/cluster-version.js'
import {ownDocument} from '../lib/cli/output/presentation.js'
import {ShowCommand} from '../lib/cli/show-command.js'

export default class Version extends ShowCommand {
  static override summary = 'Show the version of calicoctl, and of the cluster.'
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --cluster']
  static override flags = {cluster: Flags.boolean({description: 'Also show the cluster of the datastore.'})}

  async run(): Promise<void> {
    const {flags} = await this.read(Version)
    const client = this.config.version
    const cluster = flags.cluster ? await readCluster(await this.session()) : undefined
    const lines = [
      {name: 'Client version', value: client},
      ...(cluster
        ? [
            {name: 'Cluster GUID', value: cluster.clusterGUID ?? ''},
            {name: 'Cluster type', value: cluster.clusterType ?? ''},
            {name: 'Calico version', value: cluster.calicoVersion ?? ''},
            {name: 'Datastore ready', value: cluster.datastoreReady === undefined ? '' : String(cluster.datastoreReady)},
          ]
        : []),
    ]
    const width = Math.max(...lines.map(({name}) => name.length)) + 2
    await this.present({
      rows: lines,
      columns: [
        {header: 'Name', value: ({name}) => name},
        {header: 'Value', value: ({value}) => value},
      ],
      name: ({value}) => value,
      document: () => ownDocument('Version', {clientVersion: client, ...(cluster ? {cluster} : {})}),
      // Without --cluster the number alone, as v0.20 printed it.
      text: () => (cluster ? lines.map(({name, value}) => `${`${name}:`.padEnd(width)}${value === '' ? '(not set)' : value}`) : [client]),
    })
  }
}
