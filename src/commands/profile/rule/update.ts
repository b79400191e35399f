import {profileArgument} from '../../../lib/cli/arguments.js'
import {EditCommand} from '../../../lib/cli/edit-command.js'
import {meantProfile} from '../../../lib/views/profiles.js'
import {nearest} from '../../../lib/cli/suggest.js'
import {editProfile} from '../../../lib/client/profiles.js'
import {CalicoError} from '../../../lib/errors.js'
import {parseJson} from '../../../lib/json/json.js'
import {replaceRules} from '../../../lib/rules/edit.js'
import {readRulesDocument} from '../../../lib/rules/v020-json.js'

export default class ProfileRuleUpdate extends EditCommand {
  static override summary = 'Replace the rules of a profile with JSON from stdin.'
  static override description = 'The input has the form that "rule json" prints. All of it is validated before anything is changed.'
  static override examples = ['<%= config.bin %> profile web rule update < rules.json']
  static exitCodes = {4: 'Neither a profile nor a Calico Docker network of this host has that name.'}
  static override args = {profile: profileArgument()}

  async run(): Promise<void> {
    const {args} = await this.read(ProfileRuleUpdate)
    const document = parseJson(await this.stdinText('rules as JSON'))
    const session = await this.session()
    const {name: profile, ifMissing} = await meantProfile(session, args.profile, (text) => this.note(text))
    const read = readRulesDocument(document, profile, nearest)
    if (!read.ok) throw new CalicoError('invalid', 'These rules are not valid; nothing was changed', {details: read.problems})
    const {change} = await editProfile(session, profile, (stored) => ({profile: replaceRules(stored, read.rules)}), {ifMissing})
    await this.report([change], {done: `Successfully updated rules on profile ${profile}`, detail: 'rules replaced'})
  }
}
