import {profileArgument} from '../../../lib/cli/arguments.js'
import {meantProfile, presentTags} from '../../../lib/views/profiles.js'
import {ShowCommand} from '../../../lib/cli/show-command.js'
import {getProfile} from '../../../lib/client/profiles.js'
import {tagsOf} from '../../../lib/rules/edit.js'

export default class ProfileTagShow extends ShowCommand {
  static override summary = 'Show the tags of a profile.'
  static override description = 'Prints the tags that the profile gives to its endpoints, one per line.'
  static override examples = ['<%= config.bin %> profile web tag show']
  static exitCodes = {4: 'There is no such profile.'}
  static override args = {profile: profileArgument()}

  async run(): Promise<void> {
    const {args} = await this.read(ProfileTagShow)
    const session = await this.session()
    const {name: profile} = await meantProfile(session, args.profile, (text) => this.note(text))
    const {resource} = await getProfile(session, profile)
    await this.present(presentTags(profile, tagsOf(resource)))
  }
}
