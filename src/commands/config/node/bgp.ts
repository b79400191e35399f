import {NODE_BGP} from '../../../lib/client/bgp-configuration.js'
import {configArguments, ConfigCommand, configFlags} from '../../../lib/views/config-command.js'
import {requireKnownNode} from '../../../lib/views/known-node.js'
import {chosenNode, nodeFlag} from '../../../lib/views/node-option.js'

export default class ConfigNodeBgp extends ConfigCommand {
  static override summary = 'Show, set or remove a setting of BGP for one node.'
  static override description = 'The setting is loglevel: none, debug or info. Without it, the global setting (config bgp) applies.'
  static override examples = ['<%= config.bin %> config node bgp loglevel debug', '<%= config.bin %> config node bgp loglevel --remove --node rack3-host1']
  static exitCodes = {4: 'The node given with --node does not exist.'}
  static override args = configArguments
  static override flags = {...configFlags, node: nodeFlag()}

  async run(): Promise<void> {
    const {args, flags} = await this.read(ConfigNodeBgp)
    const node = chosenNode(flags.node, (text) => this.note(text))
    if (flags.node !== undefined) await requireKnownNode(await this.session(), flags.node)
    await this.configure(NODE_BGP, {name: args.name, value: args.value, remove: flags.remove, force: flags.force}, node)
  }
}
