import {containerArgument} from '../../../lib/cli/containers.js'
import {presentEndpointProfiles} from '../../../lib/cli/endpoints.js'
import {chosenNode, nodeFlag} from '../../../lib/cli/node-option.js'
import {ShowCommand} from '../../../lib/cli/show-command.js'
import {dockerEngine} from '../../../lib/docker/engine.js'
import {locateOne} from '../../../lib/workload/locate.js'

export default class ContainerProfileShow extends ShowCommand {
  static override summary = 'Show the profiles of the endpoint of a container.'
  static override description = 'By name. The order in which they are evaluated is that of container endpoint show, and of -o json here.'
  static override examples = ['<%= config.bin %> container workload-A profile show']
  static exitCodes = {4: 'There is no such container, or it has no endpoint.'}
  static override args = {container: containerArgument()}
  static override flags = {node: nodeFlag()}

  async run(): Promise<void> {
    const {args, flags} = await this.read(ContainerProfileShow)
    const node = chosenNode(flags.node, (text) => this.note(text))
    const session = await this.session()
    await this.present(await presentEndpointProfiles(session, await locateOne(session, dockerEngine({tell: (text) => this.note(text)}), node, args.container)))
  }
}
