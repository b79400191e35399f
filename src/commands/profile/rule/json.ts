import {profileArgument} from '../../../lib/cli/arguments.js'
import {indentedJson} from '../../../lib/cli/output/render.js'
import {meantProfile, presentRulesDocument} from '../../../lib/views/profiles.js'
import {ShowCommand} from '../../../lib/cli/show-command.js'
import {getProfile} from '../../../lib/client/profiles.js'
import {rulesOf} from '../../../lib/rules/edit.js'

export default class ProfileRuleJson extends ShowCommand {
  static override summary = 'Print the rules of a profile as JSON.'
  static override description = 'The document uses the keys of v0.20, and {"v3": …} for rules that they cannot express. "rule update" accepts it as input.'
  static override examples = ['<%= config.bin %> profile web rule json', '<%= config.bin %> profile web rule json > rules.json']
  static exitCodes = {4: 'There is no such profile.'}
  static override args = {profile: profileArgument()}

  async run(): Promise<void> {
    const {args} = await this.read(ProfileRuleJson)
    const session = await this.session()
    const {name: profile} = await meantProfile(session, args.profile, (text) => this.note(text))
    const {resource} = await getProfile(session, profile)
    await this.present(presentRulesDocument(profile, rulesOf(resource), indentedJson))
  }
}
