import {Flags} from '@oclif/core'
import {filterFlags, filterOf, presentCounts, presentEndpoints, requireHost} from '../../lib/views/endpoints.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {countEndpoints, type Endpoint, listEndpoints} from '../../lib/client/endpoints.js'

export default class EndpointShow extends ShowCommand {
  static override summary = 'Show the endpoints.'
  static override description =
    'How many there are of each orchestrator on each node; with --detailed, and with -o wide, json, yaml, plain or name, one by one. ' +
    'The name of a container (-o wide) is the one that it had when it got its endpoint.'
  static override examples = ['<%= config.bin %> endpoint show', '<%= config.bin %> endpoint show --detailed --host rack1-host1', '<%= config.bin %> endpoint show -o json']
  static exitCodes = {0: 'Also if there is none.', 4: 'The datastore has nothing of the node that --host names.'}
  static override flags = {
    ...filterFlags,
    endpoint: Flags.string({description: 'Only the endpoint with this id.', helpValue: 'ENDPOINT_ID'}),
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
    const endpoints: Endpoint[] = []
    for await (const endpoint of found) endpoints.push(endpoint)
    if (endpoints.length === 0) await requireHost(session, flags)
    await this.present(await presentEndpoints(session, endpoints))
  }
}
