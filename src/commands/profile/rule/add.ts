import {profileArgument} from '../../../lib/cli/arguments.js'
import {EditCommand, mayExistFlag} from '../../../lib/cli/edit-command.js'
import {directionArgument, meantProfile, positionFlag, positionOf, positionProblems, ruleOf, ruleProblems} from '../../../lib/views/profiles.js'
import {editProfile} from '../../../lib/client/profiles.js'
import type {Session} from '../../../lib/client/session.js'
import type {Rule} from '../../../lib/model/types.js'
import {addRule, type Direction, rulesOf} from '../../../lib/rules/edit.js'
import {ruleText} from '../../../lib/rules/show.js'

export default class ProfileRuleAdd extends EditCommand {
  static override summary = 'Add a rule to a profile.'
  static override description =
    'The rule is added at the end of the list, or at the position of --at. The first rule that matches decides. An existing rule is not added again. If the profile of a Calico Docker network of this host is missing, it is created with the default rules.'
  static override examples = [
    '<%= config.bin %> profile web rule add inbound allow tcp from tag client to ports 80,443',
    '<%= config.bin %> profile web rule add inbound --at=1 deny from cidr 10.9.0.0/16',
    '<%= config.bin %> profile web rule add inbound allow icmp type 8',
    '<%= config.bin %> profile web rule add outbound deny protocol sctp to not cidr 10.0.0.0/8',
    `<%= config.bin %> profile web rule add inbound allow tcp from selector "role == 'db'" to ports 5432`,
  ]
  static exitCodes = {4: 'Neither a profile nor a Calico Docker network of this host has that name.'}
  static override args = {profile: profileArgument(), direction: directionArgument()}
  static override flags = {...mayExistFlag, at: positionFlag('The position of the new rule, counted from 1.')}
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
    if (change.action !== 'unchanged' && change.after) {
      const rules = rulesOf(change.after)[args.direction]
      await this.warnOfEarlier(session, rules, args.direction, result.at)
      await this.warnOfLater(session, rules, args.direction, result.at)
    }
    await this.report([change], {
      done: change.action === 'unchanged' ? 'Rule already present, skipping.' : undefined,
      detail: `${args.direction} rule ${result.at} added`,
    })
  }

  /** Says that the new rule, number AT, decides nothing because of a rule before it. */
  private async warnOfEarlier(session: Session, rules: readonly Rule[], direction: Direction, at: number): Promise<void> {
    const rule = rules[at - 1]
    if (at < 2 || rule === undefined) return
    const {coveringRules} = await import('../../../lib/rules/covers.js')
    const earlier = coveringRules(rules.slice(0, at - 1), rule)
    const [first = 0, second] = earlier
    if (first === 0) return
    const takers = second === undefined ? `rule ${first} before it matches` : `rules ${earlier.join(', ')} before it together match`
    const texts = earlier.slice(0, 5).flatMap((number) => rules[number - 1] ?? []).map(ruleText).join('; ')
    session.warn(`the ${direction} rule ${at} never matches: ${takers} all its traffic (${texts}${earlier.length > 5 ? '; …' : ''}). To put it first, remove it and add it with --at=${first}.`)
  }

  /** Says which rules behind the new one, number AT, decide nothing any more because of it. */
  private async warnOfLater(session: Session, rules: readonly Rule[], direction: Direction, at: number): Promise<void> {
    if (at >= rules.length) return
    const {coveredBy} = await import('../../../lib/rules/covers.js')
    const later = coveredBy(rules, at)
    const [first = 0] = later
    if (first === 0) return
    const which = later.length === 1 ? `rule ${first} behind it (${rules.slice(first - 1, first).map(ruleText).join()}) never matches any more` : `${later.length} rules behind it (${later.slice(0, 5).join(', ')}${later.length > 5 ? ', …' : ''}) never match any more`
    session.warn(`because of the ${direction} rule ${at}, ${which}. To put it at the end, remove it and add it without --at.`)
  }
}
