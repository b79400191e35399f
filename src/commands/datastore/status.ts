import {datastoreStatus} from '../../lib/backup/status.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {presentStatus} from '../../lib/views/datastore-status.js'

export default class DatastoreStatus extends ShowCommand {
  static override summary = 'Show the state and contents of the datastore.'
  static override description = 'Shows the cluster, whether the datastore is ready or locked, its revision, the number of keys of each kind, and the size of its database; for etcd also how much of that is in use, and its alarms.'
  static override examples = ['<%= config.bin %> datastore status', '<%= config.bin %> datastore status -o json']

  async run(): Promise<void> {
    await this.read(DatastoreStatus)
    const session = await this.session()
    const status = await datastoreStatus(session)
    await this.present(presentStatus(status))
    const alarms = status.database?.alarms ?? []
    if (alarms.length > 0) session.warn(`The datastore has an alarm: ${alarms.join(', ')}.${alarms.includes('NOSPACE') ? ' It is full and refuses writes until space is freed and the alarm is disarmed: etcdctl compact REVISION, etcdctl defrag, etcdctl alarm disarm' : ''}`)
  }
}
