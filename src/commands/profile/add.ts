import {EditCommand} from '../../lib/cli/edit-command.js'
import {newProfileArgument} from '../../lib/views/profiles.js'
import {addProfile} from '../../lib/client/profiles.js'

export default class ProfileAdd extends EditCommand {
  static override summary = 'Add a profile.'
  static override description = 'The new profile lets its own endpoints in (those with its tag) and everything out. A profile that exists is left as it is.'
  static override examples = ['<%= config.bin %> profile add web']
  static exitCodes = {5: 'The name belongs to a profile of another name, or somebody else keeps changing it.'}
  static override args = {profile: newProfileArgument()}

  async run(): Promise<void> {
    const {args} = await this.read(ProfileAdd)
    const change = await addProfile(await this.session(), args.profile)
    await this.tell([change], {done: change.action === 'created' ? `Created profile ${args.profile}` : `Profile ${args.profile} already exists.`})
  }
}
