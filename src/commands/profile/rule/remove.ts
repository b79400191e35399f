import {profileArgument} from '../../../lib/cli/arguments.js'
import {EditCommand} from '../../../lib/cli/edit-command.js'
import {directionArgument, meantProfile, positionFlag, positionOf, positionProblems, ruleOf, ruleProblems} from '../../../lib/views/profiles.js'
import {editProfile} from '../../../lib/client/profiles.js'
import {removeRule, removeRuleAt} from '../../../lib/rules/edit.js'

export default class ProfileRuleRemove extends EditCommand {
  static override summary = 'Remove a rule from a profile.'
  static override description = 'The rule is given by its words, or by its number as in "rule show". All of the words count: ports must be in the same order.'
  static override examples = [
    '<%= config.bin %> profile web rule remove inbound allow from tag web',
    '<%= config.bin %> profile web rule remove outbound --at=1',
  ]
  static exitCodes = {4: 'There is no such profile, nor a Calico Docker network of this host that is called so, or it has no such rule.'}
  static override args = {profile: profileArgument(), direction: directionArgument()}
  static override flags = {at: positionFlag('The number of the rule, counted from 1, instead of its words.')}
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
    await this.tell([change], {detail: `${direction} rule ${result.at} removed`})
  }
}
