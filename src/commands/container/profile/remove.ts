import {ifExistsFlag} from '../../../lib/cli/edit-command.js'
import {containerArgument, ContainerCommand} from '../../../lib/views/containers.js'
import {profilesArgument} from '../../../lib/views/endpoints.js'
import {locateOne} from '../../../lib/workload/locate.js'

export default class ContainerProfileRemove extends ContainerCommand {
  static override summary = 'Remove profiles from the endpoint of a container.'
  static override description = 'Without any profile, all traffic of the container is dropped.'
  static override examples = ['<%= config.bin %> container workload-A profile remove web']
  static exitCodes = {4: 'The container or a profile does not exist, or the container has no endpoint.', 5: 'Another client keeps modifying the endpoint.'}
  static override args = {container: containerArgument(), profiles: profilesArgument({required: true})}
  static override flags = ifExistsFlag

  async run(): Promise<void> {
    const {args, flags} = await this.read(ContainerProfileRemove, (line) => this.checkProfiles('remove', line.args.profiles ?? []))
    const session = await this.session()
    await this.editProfiles(await locateOne(session, this.engine, this.node, args.container), 'remove', args.profiles ?? [], {ifExists: flags['if-exists']})
  }
}
