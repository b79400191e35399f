import {mayExistFlag} from '../../../lib/cli/edit-command.js'
import {containerArgument, ContainerCommand} from '../../../lib/views/containers.js'
import {profilesArgument} from '../../../lib/views/endpoints.js'
import {locateOne} from '../../../lib/workload/locate.js'

export default class ContainerProfileAppend extends ContainerCommand {
  static override summary = 'Append profiles to the endpoint of a container.'
  static override description = 'New profiles are evaluated after the existing ones. A profile that the endpoint already has keeps its position.'
  static override examples = ['<%= config.bin %> container workload-A profile append web']
  static exitCodes = {4: 'The container or a profile does not exist, or the container has no endpoint.', 5: 'Another client keeps modifying the endpoint.'}
  static override args = {container: containerArgument(), profiles: profilesArgument({required: true})}
  static override flags = mayExistFlag

  async run(): Promise<void> {
    const {args} = await this.read(ContainerProfileAppend, (line) => this.checkProfiles('append', line.args.profiles ?? []))
    const session = await this.session()
    await this.editProfiles(await locateOne(session, this.engine, this.node, args.container), 'append', args.profiles ?? [])
  }
}
