import {Flags} from '@oclif/core'
import {HostEditCommand} from '../../lib/cli/edit-command.js'
import {presentGone} from '../../lib/views/mesos-gc.js'
import {ownNode} from '../../lib/views/node-option.js'
import {removalNotes} from '../../lib/views/removal-notes.js'
import {chosenFormat, outputFlags} from '../../lib/cli/show-command.js'
import {CalicoError} from '../../lib/errors.js'
import {requireNetworkAdministrator} from '../../lib/host/privileges.js'
import {findGone, removeGone} from '../../lib/mesos/agent/gone.js'

export default class MesosGc extends HostEditCommand {
  static override summary = 'Find endpoints of deleted Mesos containers of this host; --apply removes them.'
  static override description =
    'A restarted agent does not clean up after its earlier containers, so their endpoints and addresses are left over. A container counts as deleted if its interface is missing on this host, or leads to a network namespace without processes (which only root can detect). Each endpoint is checked again before it is removed.'
  static override examples = ['<%= config.bin %> mesos gc', '<%= config.bin %> mesos gc -o json', '<%= config.bin %> mesos gc --apply']
  static exitCodes = {0: 'Nothing was found, or everything was removed (--apply).', 2: '--apply must be run as root.', 8: 'A variable names a node that is not this host\'s, or the datastore is locked.', 10: 'Leftover endpoints were found (without --apply), or could not be removed.'}
  static override flags = {...outputFlags, apply: Flags.boolean({description: 'Remove the endpoints, and release their addresses.'})}

  async run(): Promise<void> {
    const {flags} = await this.read(MesosGc)
    if (flags.apply && !this.dryRun) requireNetworkAdministrator('calicoctl mesos gc --apply')
    // Those of other hosts have their interfaces elsewhere.
    const node = ownNode(undefined)
    const session = await this.session()
    const found = await findGone(session, node)
    await this.presentAs(presentGone(found, Date.now()), chosenFormat(flags))
    let left = found.length
    for (const gone of flags.apply ? found : []) {
      const removal = await removeGone(session, gone)
      // It is no more what it was found to be: another client has removed it, or connected it again.
      left--
      if (!removal) continue
      await this.report(removal.changes)
      for (const note of removalNotes(removal, {dryRun: this.dryRun})) this.note(note)
    }
    if (left > 0) throw new CalicoError('problems', `${left === 1 ? 'The container of 1 endpoint is' : `The containers of ${left} endpoints are`} gone`, flags.apply ? {} : {hint: 'To remove these endpoints: calicoctl mesos gc --apply'})
  }
}
