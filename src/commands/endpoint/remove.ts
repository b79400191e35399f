import {Flags} from '@oclif/core'
import {flowsFlag} from '../../lib/cli/base-command.js'
import {HostEditCommand, ifExistsFlag} from '../../lib/cli/edit-command.js'
import {endpointArgument, filterFlags, filterOf, findNamed} from '../../lib/views/endpoints.js'
import {runningNode} from '../../lib/views/node-option.js'
import {removalNotes} from '../../lib/views/removal-notes.js'
import {removeEndpoint} from '../../lib/workload/remove.js'

export default class EndpointRemove extends HostEditCommand {
  static override summary = 'Remove an endpoint and release its addresses.'
  static override description =
    'Removes leftovers of a deleted container. To disconnect an existing container, use `container remove` on its host. Addresses reassigned since then, or used by another endpoint, are not released.'
  static override examples = ['<%= config.bin %> endpoint remove 192.168.0.1', '<%= config.bin %> endpoint remove 192.168.0.1 --host rack1-host1 --dry-run']
  static exitCodes = {
    4: 'There is no such endpoint.',
    5: 'Several endpoints match.',
    8: 'The endpoint is connected to this host, or is managed by Kubernetes or a CNI plugin (--force overrides this), or the datastore is locked.',
  }
  static override args = {endpoint_id: endpointArgument()}
  static override flags = {...ifExistsFlag, ...filterFlags, ...flowsFlag, force: Flags.boolean({description: 'Remove it even if it is connected, or managed by Kubernetes or a CNI plugin.'})}

  async run(): Promise<void> {
    const {args, flags} = await this.read(EndpointRemove)
    const node = runningNode((text) => this.note(text))
    const session = await this.session()
    const endpoint = await findNamed(session, args.endpoint_id, filterOf(flags))
    const removal = await removeEndpoint(session, endpoint, {node, force: flags.force})
    await this.report(removal.changes, {done: `Endpoint ${endpoint.id} removed`})
    for (const note of removalNotes(removal, {dryRun: this.dryRun})) this.note(note)
  }
}
