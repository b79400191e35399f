import {lockDatastore} from '../../lib/backup/lock.js'
import {HostEditCommand} from '../../lib/cli/edit-command.js'

export default class DatastoreLock extends HostEditCommand {
  static override summary = 'Lock the datastore.'
  static override description = 'While it is locked, Calico\'s components wait and commands that change something are refused, until `calicoctl datastore unlock`. An uninitialised datastore is initialised first.'
  static override examples = ['<%= config.bin %> datastore lock']

  async run(): Promise<void> {
    await this.read(DatastoreLock)
    await this.report([await lockDatastore(await this.session())], {done: 'Datastore locked.'})
  }
}
