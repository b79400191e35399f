import {Flags} from '@oclif/core'
import {filterFlags, filterOf, presentCounts, presentEndpoints, requireHost} from '../../lib/views/endpoints.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {countEndpoints, listEndpoints, sortEndpoints} from '../../lib/client/endpoints.js'

export default class EndpointShow extends ShowCommand {
  static override summary = 'Show the endpoints.'
  static override description =
    'Counts endpoints per node and orchestrator; `--detailed` and -o wide, json, yaml, plain and name list each. ' +
    'The container name (-o wide) is the one at the time when the endpoint was created.'
  static override examples = ['<%= config.bin %> endpoint show', '<%= config.bin %> endpoint show --detailed --host rack1-host1', '<%= config.bin %> endpoint show -o json']
  static exitCodes = {0: 'Success, also if there are no endpoints.', 4: 'The node given with --host does not exist.'}
  static override flags = {
    ...filterFlags,
    endpoint: Flags.string({description: 'Only the endpoint with this id, or with an id that begins with these digits (at least 4).', helpValue: 'ENDPOINT_ID'}),
    detailed: Flags.boolean({description: 'Show each endpoint.'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(EndpointShow)
    const session = await this.session()
    const found = listEndpoints(session, filterOf(flags))
    if (!flags.detailed && this.format === 'table') {
      const counts = await countEndpoints(found)
      if (counts.length === 0) await requireHost(session, flags)
      return this.present(presentCounts(counts))
    }
    const endpoints = await sortEndpoints(found)
    if (endpoints.count === 0) await requireHost(session, flags)
    await this.present(await presentEndpoints(session, endpoints))
  }
}
