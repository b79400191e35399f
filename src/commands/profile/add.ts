import {EditCommand, mayExistFlag} from '../../lib/cli/edit-command.js'
import {newProfileArgument} from '../../lib/views/profiles.js'
import {addProfile} from '../../lib/client/profiles.js'

export default class ProfileAdd extends EditCommand {
  static override summary = 'Add a profile.'
  static override description = 'The new profile allows inbound traffic from endpoints of the same profile (those with its tag), and all outbound traffic. An existing profile is not changed.'
  static override examples = ['<%= config.bin %> profile add web']
  static exitCodes = {5: 'Another profile is stored under the converted name, or another client keeps modifying it.'}
  static override args = {profile: newProfileArgument()}
  static override flags = mayExistFlag

  async run(): Promise<void> {
    const {args} = await this.read(ProfileAdd)
    const change = await addProfile(await this.session(), args.profile)
    await this.report([change], {done: change.action === 'created' ? `Created profile ${args.profile}` : `Profile ${args.profile} already exists.`})
  }
}
