import {profileArgument} from '../../../lib/cli/arguments.js'
import {meantProfile, presentRules} from '../../../lib/views/profiles.js'
import {ShowCommand} from '../../../lib/cli/show-command.js'
import {getProfile} from '../../../lib/client/profiles.js'
import {rulesOf} from '../../../lib/rules/edit.js'

export default class ProfileRuleShow extends ShowCommand {
  static override summary = 'Show the rules of a profile.'
  static override description = 'Rules are printed in the form that "rule add" and "rule remove" accept, or as "v3 {…}" if that form cannot express them.'
  static override examples = ['<%= config.bin %> profile web rule show', '<%= config.bin %> profile web rule show -o yaml']
  static exitCodes = {4: 'There is no such profile.'}
  static override args = {profile: profileArgument()}

  async run(): Promise<void> {
    const {args} = await this.read(ProfileRuleShow)
    const session = await this.session()
    const {name: profile} = await meantProfile(session, args.profile, (text) => this.note(text))
    const {resource} = await getProfile(session, profile)
    await this.present(presentRules(profile, rulesOf(resource)))
  }
}
