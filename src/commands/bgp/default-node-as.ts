import {Args} from '@oclif/core'
import {BGP_DEFAULTS, readGlobalBgp, setDefaultAs} from '../../lib/client/bgp-configuration.js'
import {checked} from '../../lib/cli/base-command.js'
import {readAsNumber} from '../../lib/views/peer-arguments.js'
import {SettingCommand} from '../../lib/views/setting-command.js'

export default class BgpDefaultNodeAs extends SettingCommand {
  static override summary = 'Show or set the default AS number, for nodes without their own.'
  static override description = `Without a number, shows the current one; it is ${BGP_DEFAULTS.asNumber} if none is set.`
  static override examples = ['<%= config.bin %> bgp default-node-as', '<%= config.bin %> bgp default-node-as 64513']
  static override args = {
    // An empty word asks for the number, as in v0.20; oclif would take undefined for a word that no one has read.
    as_num: Args.custom<number | 'show'>({
      ignoreStdin: true,
      description: 'The AS number, as a number (64512) or in dotted form (1.10).',
      parse: checked((text) => (text === '' ? 'show' : readAsNumber(text))),
    })(),
  }

  async run(): Promise<void> {
    const {args} = await this.read(BgpDefaultNodeAs)
    const session = await this.session()
    if (args.as_num === undefined || args.as_num === 'show') {
      const {asNumber} = await readGlobalBgp(session)
      const value = asNumber ?? BGP_DEFAULTS.asNumber
      await this.showSetting({name: 'default-node-as', value, configured: asNumber !== undefined, text: String(value)})
      return
    }
    const {change, effective} = await setDefaultAs(session, args.as_num)
    await this.report([change], {detail: `AS number ${effective ? `${change.before?.spec.asNumber ?? BGP_DEFAULTS.asNumber} → ` : ''}${args.as_num}`})
    if (effective && !this.dryRun) this.note('The BGP sessions of nodes without their own AS number will be restarted.')
  }
}
