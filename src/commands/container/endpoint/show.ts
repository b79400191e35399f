import {containerArgument} from '../../../lib/views/containers.js'
import {presentEndpoints} from '../../../lib/views/endpoints.js'
import {requireKnownNode} from '../../../lib/views/known-node.js'
import {nodeFlag, ownNode} from '../../../lib/views/node-option.js'
import {ShowCommand} from '../../../lib/cli/show-command.js'
import {dockerEngine, engineTimeLimitMs} from '../../../lib/docker/engine.js'
import {elsewhereHint} from '../../../lib/workload/elsewhere.js'
import {elsewhereText, locate} from '../../../lib/workload/locate.js'
import {sortEndpoints} from '../../../lib/client/endpoints.js'

export default class ContainerEndpointShow extends ShowCommand {
  static override summary = 'Show the endpoint of a container.'
  static override description = 'The container does not have to be running. For a container in a Calico Docker network, its endpoint in that network is shown.'
  static override examples = ['<%= config.bin %> container workload-A endpoint show', '<%= config.bin %> container workload-A endpoint show -o json']
  static exitCodes = {0: 'Success, also if the container has no endpoint.', 4: 'There is no such container, or no such node.', 8: '--node or a variable names a node that is not this host\'s (see /var/lib/calico/nodename).'}
  static override args = {container: containerArgument()}
  static override flags = {node: nodeFlag()}

  async run(): Promise<void> {
    const {args, flags} = await this.read(ContainerEndpointShow)
    const node = ownNode(flags.node)
    const session = await this.session()
    if (flags.node !== undefined) await requireKnownNode(session, flags.node)
    const {endpoints, elsewhere} = await locate(session, dockerEngine({note: (text) => this.note(text), timeLimitMs: engineTimeLimitMs(this.globals.timeout)}), node, args.container)
    await this.present(await presentEndpoints(session, await sortEndpoints(endpoints)))
    for (const endpoint of elsewhere) this.note(`Warning: nothing was found on node ${node}. ${elsewhereText(endpoint)} ${elsewhereHint(endpoint)}`)
  }
}
