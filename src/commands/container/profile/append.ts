import {containerArgument, ContainerCommand} from '../../../lib/views/containers.js'
import {profilesArgument} from '../../../lib/views/endpoints.js'
import {locateOne} from '../../../lib/workload/locate.js'

export default class ContainerProfileAppend extends ContainerCommand {
  static override summary = 'Append profiles to the endpoint of a container.'
  static override description = 'They are evaluated after those that it has. One that it has already stays where it is.'
  static override examples = ['<%= config.bin %> container workload-A profile append web']
  static exitCodes = {4: 'There is no such container or profile, or the container has no endpoint.', 5: 'Somebody else keeps changing the endpoint.'}
  static override args = {container: containerArgument(), profiles: profilesArgument({required: true})}

  async run(): Promise<void> {
    const {args} = await this.read(ContainerProfileAppend, (line) => this.checkProfiles('append', line.args.profiles ?? []))
    const session = await this.session()
    await this.editProfiles(await locateOne(session, this.engine, this.node, args.container), 'append', args.profiles ?? [])
  }
}
