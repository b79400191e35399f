import {containerArgument, ContainerCommand} from '../../../lib/views/containers.js'
import {profilesArgument} from '../../../lib/views/endpoints.js'
import {locateOne} from '../../../lib/workload/locate.js'

export default class ContainerProfileSet extends ContainerCommand {
  static override summary = 'Set the profiles of the endpoint of a container.'
  static override description = 'With no names, all profiles are removed and all traffic is dropped.'
  static override examples = ['<%= config.bin %> container workload-A profile set web client', '<%= config.bin %> container workload-A profile set']
  static exitCodes = {4: 'The container or a profile does not exist, or the container has no endpoint.', 5: 'Another client keeps modifying the endpoint.'}
  static override args = {container: containerArgument(), profiles: profilesArgument({required: false})}

  async run(): Promise<void> {
    const {args} = await this.read(ContainerProfileSet, (line) => this.checkProfiles('set', line.args.profiles ?? []))
    const session = await this.session()
    await this.editProfiles(await locateOne(session, this.engine, this.node, args.container), 'set', args.profiles ?? [])
  }
}
