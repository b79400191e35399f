import {BGP} from '../../lib/client/bgp-configuration.js'
import {configArguments, ConfigCommand, configFlags} from '../../lib/views/config-command.js'

export default class ConfigBgp extends ConfigCommand {
  static override summary = 'Show, set or remove a setting of BGP for all nodes.'
  static override description = 'The setting is loglevel: none, debug or info. A per-node level (config node bgp) overrides it.'
  static override examples = ['<%= config.bin %> config bgp loglevel', '<%= config.bin %> config bgp loglevel debug', '<%= config.bin %> config bgp loglevel --remove']
  static override args = configArguments
  static override flags = configFlags

  async run(): Promise<void> {
    const {args, flags} = await this.read(ConfigBgp)
    await this.configure(BGP, {name: args.name, value: args.value, remove: flags.remove, force: flags.force})
  }
}
