import {nodesNote, presentNodes} from '../../lib/views/nodes.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {listNodes} from '../../lib/client/node-list.js'

export default class NodeShow extends ShowCommand {
  static override summary = 'Show the nodes of the cluster: addresses, AS numbers and BGP peers.'
  static override description =
    'From the datastore alone: it needs no root and no calico-node on this host. An AS number of the whole cluster is marked (inherited). ' +
    'The peers are those of one node; `bgp peer show` has those of all nodes. How this host\'s calico-node is doing is told by `status`.'
  static override examples = ['<%= config.bin %> node show', '<%= config.bin %> node show -o wide', '<%= config.bin %> node show -o json']

  async run(): Promise<void> {
    await this.read(NodeShow)
    const nodes = await listNodes(await this.session())
    await this.present(presentNodes(nodes))
    const note = this.format === 'table' || this.format === 'wide' ? nodesNote(nodes) : undefined
    if (note !== undefined) this.note(note)
  }
}
