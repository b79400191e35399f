import {Flags} from '@oclif/core'
import {checked} from '../lib/cli/base-command.js'
import {ShowCommand} from '../lib/cli/show-command.js'
import {CalicoError} from '../lib/errors.js'
import {LEVELS, reaches} from '../lib/lint/codes.js'
import {lintStore} from '../lib/lint/read.js'
import {inOrder} from '../lib/lint/removals.js'
import {countText, presentFindings, readCode} from '../lib/views/lint.js'

export default class Lint extends ShowCommand {
  static override summary = 'Check all stored objects for errors and likely mistakes.'
  static override description = [
    'Reads the whole datastore and changes nothing. An error means that more traffic is allowed or dropped than the objects say, or that a node stops. A warning is a likely mistake, for example a rule that cannot match, an unused tag or overlapping pools. An info is harmless.',
    'Each finding has a code, which is the same in all versions; `calicoctl lint codes CODE` explains it and how to fix it. Addresses and blocks are checked by `calicoctl ipam check`.',
  ].join('\n')
  static override examples = ['<%= config.bin %> lint', '<%= config.bin %> lint --level info --ignore unknown-field --ignore identity', '<%= config.bin %> lint -o json', '<%= config.bin %> lint codes tag-lost']
  static exitCodes = {10: 'There are findings of the level given with --level, or a higher one.'}
  static override flags = {
    level: Flags.option({options: LEVELS})({description: 'The lowest level to report: error, warning (the default) or info.', helpValue: 'LEVEL', default: 'warning'}),
    ignore: Flags.custom<ReturnType<typeof readCode>>({parse: checked(readCode)})({description: 'Ignore findings with this code. Can be repeated.', helpValue: 'CODE', multiple: true}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(Lint)
    const {level, ignore = []} = flags
    const lint = await lintStore(await this.session())
    const all = lint.finish().filter(({code}) => !ignore.includes(code))
    const shown = inOrder(all.filter((finding) => reaches(finding.level, level)))
    await this.present(presentFindings(shown, lint.count()))
    const below = all.length - shown.length
    this.note(`Checked ${lint.count()} objects.${below === 0 ? '' : ` ${countText(all.filter((finding) => !reaches(finding.level, level)))} ${below === 1 ? 'is' : 'are'} not shown: --level info`}`)
    if (shown.length > 0) throw new CalicoError('problems', `${countText(shown)} ${shown.length === 1 ? 'was' : 'were'} found`, {hint: 'To see what a code means and how to fix it: calicoctl lint codes CODE'})
  }

  /** A large store takes its time; each answer of it has the usual one. */
  protected override sessionOptions(): {perRequest: true} {
    return {perRequest: true}
  }
}
