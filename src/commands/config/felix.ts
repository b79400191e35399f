import {FELIX} from '../../lib/client/felix-configuration.js'
import {configArguments, ConfigCommand, configFlags} from '../../lib/views/config-command.js'

export default class ConfigFelix extends ConfigCommand {
  static override summary = 'Show, set or remove a setting of Felix for all nodes.'
  static override description = 'The setting is loglevel: none, debug, info, warning, error or critical. With --force, any other name is stored unchecked, as a raw Felix parameter.'
  static override examples = ['<%= config.bin %> config felix loglevel', '<%= config.bin %> config felix loglevel warning', '<%= config.bin %> config felix loglevel --remove']
  static override args = configArguments
  static override flags = configFlags

  async run(): Promise<void> {
    const {args, flags} = await this.read(ConfigFelix)
    await this.configure(FELIX, {name: args.name, value: args.value, remove: flags.remove, force: flags.force})
  }
}
