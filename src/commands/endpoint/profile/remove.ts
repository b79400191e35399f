import {ifExistsFlag} from '../../../lib/cli/edit-command.js'
import {EndpointProfileCommand} from '../../../lib/views/endpoint-profile-command.js'
import {endpointArgument, filterFlags, filterOf, findNamed, profilesArgument} from '../../../lib/views/endpoints.js'

export default class EndpointProfileRemove extends EndpointProfileCommand {
  static override summary = 'Remove profiles from an endpoint.'
  static override description = 'Without any profile, all traffic of the endpoint is dropped.'
  static override examples = ['<%= config.bin %> endpoint 192.168.0.1 profile remove web']
  static exitCodes = {4: 'There is no such endpoint or profile.', 5: 'Several endpoints match, or another client keeps modifying the endpoint.'}
  static override args = {endpoint_id: endpointArgument(), profiles: profilesArgument({required: true})}
  static override flags = {...filterFlags, ...ifExistsFlag}

  async run(): Promise<void> {
    const {args, flags} = await this.read(EndpointProfileRemove, (line) => this.checkProfiles('remove', line.args.profiles ?? []))
    const endpoint = await findNamed(await this.session(), args.endpoint_id, filterOf(flags))
    await this.editProfiles(endpoint, 'remove', args.profiles ?? [], {ifExists: flags['if-exists']})
  }
}
