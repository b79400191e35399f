import {EndpointProfileCommand} from '../../../lib/views/endpoint-profile-command.js'
import {endpointArgument, filterFlags, filterOf, findNamed, profilesArgument} from '../../../lib/views/endpoints.js'

export default class EndpointProfileSet extends EndpointProfileCommand {
  static override summary = 'Set the profiles of an endpoint.'
  static override description = 'With no names, all profiles are removed and all traffic is dropped.'
  static override examples = ['<%= config.bin %> endpoint 192.168.0.1 profile set web client', '<%= config.bin %> endpoint 192.168.0.1 profile set']
  static exitCodes = {4: 'There is no such endpoint or profile.', 5: 'Several endpoints match, or another client keeps modifying the endpoint.'}
  static override args = {endpoint_id: endpointArgument(), profiles: profilesArgument({required: false})}
  static override flags = filterFlags

  async run(): Promise<void> {
    const {args, flags} = await this.read(EndpointProfileSet, (line) => this.checkProfiles('set', line.args.profiles ?? []))
    const endpoint = await findNamed(await this.session(), args.endpoint_id, filterOf(flags))
    await this.editProfiles(endpoint, 'set', args.profiles ?? [])
  }
}
