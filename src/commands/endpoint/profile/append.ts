import {mayExistFlag} from '../../../lib/cli/edit-command.js'
import {EndpointProfileCommand} from '../../../lib/views/endpoint-profile-command.js'
import {endpointArgument, filterFlags, filterOf, findNamed, profilesArgument} from '../../../lib/views/endpoints.js'

export default class EndpointProfileAppend extends EndpointProfileCommand {
  static override summary = 'Append profiles to an endpoint.'
  static override description = 'New profiles are evaluated after the existing ones. A profile that the endpoint already has keeps its position.'
  static override examples = ['<%= config.bin %> endpoint 192.168.0.1 profile append web']
  static exitCodes = {4: 'There is no such endpoint or profile.', 5: 'Several endpoints match, or another client keeps modifying the endpoint.'}
  static override args = {endpoint_id: endpointArgument(), profiles: profilesArgument({required: true})}
  static override flags = {...filterFlags, ...mayExistFlag}

  async run(): Promise<void> {
    const {args, flags} = await this.read(EndpointProfileAppend, (line) => this.checkProfiles('append', line.args.profiles ?? []))
    const endpoint = await findNamed(await this.session(), args.endpoint_id, filterOf(flags))
    await this.editProfiles(endpoint, 'append', args.profiles ?? [])
  }
}
