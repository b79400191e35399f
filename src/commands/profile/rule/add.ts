import {profileArgument} from '../../../lib/cli/arguments.js'
import {EditCommand} from '../../../lib/cli/edit-command.js'
import {directionArgument, meantProfile, positionFlag, positionOf, positionProblems, ruleOf, ruleProblems} from '../../../lib/views/profiles.js'
import {editProfile} from '../../../lib/client/profiles.js'
import {addRule} from '../../../lib/rules/edit.js'

export default class ProfileRuleAdd extends EditCommand {
  static override summary = 'Add a rule to a profile.'
  static override description =
    'The rule goes to the end of the list, or to --at. The first rule that matches decides. A rule that is there already is not added again. The profile of a Calico Docker network of this host is created, with the stock rules, where it is missing.'
  static override examples = [
    '<%= config.bin %> profile web rule add inbound allow tcp from tag client to ports 80,443',
    '<%= config.bin %> profile web rule add inbound --at=1 deny from cidr 10.9.0.0/16',
    '<%= config.bin %> profile web rule add inbound allow icmp type 8',
    '<%= config.bin %> profile web rule add outbound deny protocol sctp to not cidr 10.0.0.0/8',
    `<%= config.bin %> profile web rule add inbound allow tcp from selector "role == 'db'" to ports 5432`,
  ]
  static exitCodes = {4: 'There is no such profile, nor a Calico Docker network of this host that is called so.'}
  static override args = {profile: profileArgument(), direction: directionArgument()}
  static override flags = {at: positionFlag('The number that the rule is to have, counted from 1.')}
  static override strict = false

  async run(): Promise<void> {
    const {args, flags, raw} = await this.read(ProfileRuleAdd, (line) => {
      for (const problem of [...positionProblems(line.flags.at), ...ruleProblems(line.raw)]) this.problem(problem)
    })
    const rule = ruleOf(raw)
    const at = positionOf(flags.at)
    const session = await this.session()
    const {name: profile, ifMissing} = await meantProfile(session, args.profile, (text) => this.note(text))
    const {change, result} = await editProfile(session, profile, addRule(args.direction, rule, at), {ifMissing})
    await this.tell([change], {
      done: change.action === 'unchanged' ? 'Rule already present, skipping.' : undefined,
      detail: `${args.direction} rule ${result.at} added`,
    })
  }
}
