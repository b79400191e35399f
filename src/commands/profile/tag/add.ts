import {profileArgument} from '../../../lib/cli/arguments.js'
import {EditCommand, mayExistFlag} from '../../../lib/cli/edit-command.js'
import {meantProfile, tagArgument} from '../../../lib/views/profiles.js'
import {editProfile} from '../../../lib/client/profiles.js'
import {addTag} from '../../../lib/rules/edit.js'

export default class ProfileTagAdd extends EditCommand {
  static override summary = 'Add a tag to a profile.'
  static override description = 'The endpoints of the profile then match rules with this tag.'
  static override examples = ['<%= config.bin %> profile web tag add frontend']
  static exitCodes = {4: 'Neither a profile nor a Calico Docker network of this host has that name.'}
  static override args = {profile: profileArgument(), tag: tagArgument()}
  static override flags = mayExistFlag

  async run(): Promise<void> {
    const {args} = await this.read(ProfileTagAdd)
    const session = await this.session()
    const {name: profile, ifMissing} = await meantProfile(session, args.profile, (text) => this.note(text))
    const {change} = await editProfile(session, profile, (stored) => ({profile: addTag(stored, args.tag)}), {ifMissing})
    await this.report([change], {done: change.action === 'unchanged' ? undefined : `Tag ${args.tag} added to profile ${profile}`, detail: `tag ${args.tag} added`})
  }
}
