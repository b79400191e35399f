import {Flags} from '@oclif/core'
import {checked} from '../lib/cli/base-command.js'
import {ShowCommand} from '../lib/cli/show-command.js'
import {CalicoError} from '../lib/errors.js'
import {LEVELS, reaches} from '../lib/lint/codes.js'
import {lintStore} from '../lib/lint/read.js'
import {countText, presentFindings, readCode} from '../lib/views/lint.js'

export default class Lint extends ShowCommand {
  static override summary = 'Check all that is stored: what Felix makes of it, and what cannot be meant.'
  static override description = [
    'Reads the whole store and changes nothing. An error opens or closes more than the objects say, or stops a node; a warning is something that is not what it seems: a rule that can match nothing, a tag that nobody has, pools that overlap; an info does no harm.',
    'Each finding has a code, which stays the same from version to version; `calicoctl lint codes CODE` tells what it is and how to mend it. Addresses and blocks are checked by `calicoctl ipam check`.',
  ].join('\n')
  static override examples = ['<%= config.bin %> lint', '<%= config.bin %> lint --level info --ignore unknown-field --ignore identity', '<%= config.bin %> lint -o json', '<%= config.bin %> lint codes tag-lost']
  static exitCodes = {10: 'There are findings of the level of --level or above.'}
  static override flags = {
    level: Flags.option({options: LEVELS})({description: 'The least level that is shown and counts: error, warning (the default) or info.', helpValue: 'LEVEL', default: 'warning'}),
    ignore: Flags.custom<ReturnType<typeof readCode>>({parse: checked(readCode)})({description: 'Leave out the findings of a code; may be given several times.', helpValue: 'CODE', multiple: true}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(Lint)
    const {level, ignore = []} = flags
    const lint = await lintStore(await this.session())
    const all = lint.finish().filter(({code}) => !ignore.includes(code))
    const shown = all.filter((finding) => reaches(finding.level, level))
    await this.present(presentFindings(shown, lint.count()))
    const below = all.length - shown.length
    this.note(`Looked at ${lint.count()} objects.${below === 0 ? '' : ` ${countText(all.filter((finding) => !reaches(finding.level, level)))} ${below === 1 ? 'is' : 'are'} not shown: --level info`}`)
    if (shown.length > 0) throw new CalicoError('problems', `${countText(shown)} ${shown.length === 1 ? 'was' : 'were'} found`, {hint: 'What a code means and how to mend it: calicoctl lint codes CODE'})
  }

  /** A large store takes its time; each answer of it has the usual one. */
  protected override sessionOptions(): {perRequest: true} {
    return {perRequest: true}
  }
}
