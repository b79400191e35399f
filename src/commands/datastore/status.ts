import {datastoreStatus} from '../../lib/backup/status.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {presentStatus} from '../../lib/views/datastore-status.js'

export default class DatastoreStatus extends ShowCommand {
  static override summary = 'Show the state and contents of the datastore.'
  static override description = 'Shows the cluster, whether the datastore is ready or locked, its revision, and the number of keys of each kind.'
  static override examples = ['<%= config.bin %> datastore status', '<%= config.bin %> datastore status -o json']

  async run(): Promise<void> {
    await this.read(DatastoreStatus)
    await this.present(presentStatus(await datastoreStatus(await this.session())))
  }
}
