import {endpointArgument, filterFlags, filterOf, findNamed, presentEndpointProfiles} from '../../../lib/views/endpoints.js'
import {ShowCommand} from '../../../lib/cli/show-command.js'

export default class EndpointProfileShow extends ShowCommand {
  static override summary = 'Show the profiles of an endpoint.'
  static override description = 'The table is in alphabetical order. For the order of evaluation, use `-o json`.'
  static override examples = ['<%= config.bin %> endpoint 192.168.0.1 profile show']
  static exitCodes = {4: 'There is no such endpoint.', 5: 'Several endpoints match.'}
  static override args = {endpoint_id: endpointArgument()}
  static override flags = filterFlags

  async run(): Promise<void> {
    const {args, flags} = await this.read(EndpointProfileShow)
    const session = await this.session()
    await this.present(await presentEndpointProfiles(session, await findNamed(session, args.endpoint_id, filterOf(flags))))
  }
}
