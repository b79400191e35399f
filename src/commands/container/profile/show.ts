import {containerArgument} from '../../../lib/views/containers.js'
import {presentEndpointProfiles} from '../../../lib/views/endpoints.js'
import {nodeFlag, ownNode} from '../../../lib/views/node-option.js'
import {ShowCommand} from '../../../lib/cli/show-command.js'
import {dockerEngine, engineTimeLimitMs} from '../../../lib/docker/engine.js'
import {locateOne} from '../../../lib/workload/locate.js'

export default class ContainerProfileShow extends ShowCommand {
  static override summary = 'Show the profiles of the endpoint of a container.'
  static override description = 'The table is in alphabetical order. For the order of evaluation, use `-o json`.'
  static override examples = ['<%= config.bin %> container workload-A profile show']
  static exitCodes = {4: 'There is no such container, or it has no endpoint.', 8: '--node or a variable names a node that is not this host\'s (see /var/lib/calico/nodename).'}
  static override args = {container: containerArgument()}
  static override flags = {node: nodeFlag()}

  async run(): Promise<void> {
    const {args, flags} = await this.read(ContainerProfileShow)
    const node = ownNode(flags.node)
    const session = await this.session()
    await this.present(await presentEndpointProfiles(session, await locateOne(session, dockerEngine({note: (text) => this.note(text), timeLimitMs: engineTimeLimitMs(this.globals.timeout)}), node, args.container)))
  }
}
