import {Flags} from '@oclif/core'
import {unlockDatastore} from '../../lib/backup/lock.js'
import {HostEditCommand} from '../../lib/cli/edit-command.js'

export default class DatastoreUnlock extends HostEditCommand {
  static override summary = 'Unlock the datastore.'
  static override examples = ['<%= config.bin %> datastore unlock']
  static readonly exitCodes = {6: 'The datastore does not answer, or is not initialised.', 8: 'It is locked by a restore that is not complete.'}
  static override flags = {force: Flags.boolean({description: 'Unlock it even if it is locked by a restore that is not complete.'})}

  async run(): Promise<void> {
    const {flags} = await this.read(DatastoreUnlock)
    const session = await this.session()
    const change = await this.orInsist(() => unlockDatastore(session, flags), () => unlockDatastore(session, {force: true}))
    await this.report([change], {done: 'Datastore unlocked.'})
  }
}
