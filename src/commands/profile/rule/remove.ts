import {profileArgument} from '../../../lib/cli/arguments.js'
import {EditCommand, ifExistsFlag} from '../../../lib/cli/edit-command.js'
import {directionArgument, meantProfile, positionFlag, positionOf, positionProblems, ruleOf, ruleProblems} from '../../../lib/views/profiles.js'
import {editProfile} from '../../../lib/client/profiles.js'
import {removeRule, removeRuleAt} from '../../../lib/rules/edit.js'

export default class ProfileRuleRemove extends EditCommand {
  static override summary = 'Remove a rule from a profile.'
  static override description = 'Give the rule as printed by "rule show", or its position; only the position for a rule that begins with "log" or "v3". All words must be the same; ports must be in the same order.'
  static override examples = [
    '<%= config.bin %> profile web rule remove inbound allow from tag web',
    '<%= config.bin %> profile web rule remove outbound --at=1',
  ]
  static exitCodes = {4: 'Neither a profile nor a Calico Docker network of this host has that name, or the rule does not exist.'}
  static override args = {profile: profileArgument(), direction: directionArgument()}
  static override flags = {...ifExistsFlag, at: positionFlag('The position of the rule, counted from 1, instead of the rule itself.')}
  static override strict = false

  async run(): Promise<void> {
    const {args, flags, raw} = await this.read(ProfileRuleRemove, (line) => {
      const byNumber = line.flags.at !== undefined
      for (const problem of byNumber ? positionProblems(line.flags.at) : ruleProblems(line.raw)) this.problem(problem)
    })
    const {direction} = args
    const at = positionOf(flags.at)
    const remove = at === undefined ? removeRule(direction, ruleOf(raw)) : removeRuleAt(direction, at)
    const session = await this.session()
    const {name: profile, ifMissing} = await meantProfile(session, args.profile, (text) => this.note(text))
    const {change, result} = await editProfile(session, profile, remove, {ifMissing, removes: true})
    await this.report([change], {detail: `${direction} rule ${result.at} removed`})
  }
}
