import {profileArgument} from '../../../lib/cli/arguments.js'
import {EditCommand, ifExistsFlag} from '../../../lib/cli/edit-command.js'
import {meantProfile, tagArgument} from '../../../lib/views/profiles.js'
import {editProfile} from '../../../lib/client/profiles.js'
import {CalicoError} from '../../../lib/errors.js'
import {removeTag} from '../../../lib/rules/edit.js'

export default class ProfileTagRemove extends EditCommand {
  static override summary = 'Remove a tag from a profile.'
  static override description = 'The endpoints of the profile no longer match rules with this tag, unless another of their profiles has it.'
  static override examples = ['<%= config.bin %> profile web tag remove frontend']
  static exitCodes = {4: 'Neither a profile nor a Calico Docker network of this host has that name, or the profile does not have the tag.'}
  static override args = {profile: profileArgument(), tag: tagArgument()}
  static override flags = ifExistsFlag

  async run(): Promise<void> {
    const {args} = await this.read(ProfileTagRemove)
    const session = await this.session()
    const {name: profile, ifMissing} = await meantProfile(session, args.profile, (text) => this.note(text))
    const {change} = await editProfile(session, profile, (stored) => {
      const edited = removeTag(stored, args.tag)
      if (edited === undefined) throw new CalicoError('not-found', `Tag ${args.tag} is not on profile ${profile}`, {hint: `To see its tags: calicoctl profile ${profile} tag show`})
      return {profile: edited}
    }, {ifMissing, removes: true})
    await this.report([change], {done: `Tag ${args.tag} removed from profile ${profile}`, detail: `tag ${args.tag} removed`})
  }
}
