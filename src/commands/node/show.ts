import {nodesNote, presentNodes} from '../../lib/views/nodes.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {listNodes} from '../../lib/client/node-list.js'

export default class NodeShow extends ShowCommand {
  static override summary = 'Show the nodes of the cluster: addresses, AS numbers and BGP peers.'
  static override description =
    'Reads only the datastore; neither root nor calico-node on this host is required. An AS number that is the cluster\'s default is marked (inherited). ' +
    'Only peers of the node itself are shown; use `bgp peer show` for global peers, and `status` for the state of calico-node on this host.'
  static override examples = ['<%= config.bin %> node show', '<%= config.bin %> node show -o wide', '<%= config.bin %> node show -o json']

  async run(): Promise<void> {
    await this.read(NodeShow)
    const nodes = await listNodes(await this.session())
    await this.present(presentNodes(nodes))
    const note = this.format === 'table' || this.format === 'wide' ? nodesNote(nodes) : undefined
    if (note !== undefined) this.note(note)
  }
}
