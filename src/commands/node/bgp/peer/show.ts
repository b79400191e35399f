import {listPeers} from '../../../../lib/client/bgp-peers.js'
import {requireKnownNode} from '../../../../lib/views/known-node.js'
import {chosenNode, nodeFlag} from '../../../../lib/views/node-option.js'
import {chosenFamilies, familyFlags} from '../../../../lib/views/peer-arguments.js'
import {leftOutNote, presentPeers} from '../../../../lib/views/peers.js'
import {ShowCommand} from '../../../../lib/cli/show-command.js'

export default class NodeBgpPeerShow extends ShowCommand {
  static override summary = 'Show the BGP peers of one node.'
  static override description = 'Shows only the peers of this node; global peers are shown by `bgp peer show`.'
  static override examples = ['<%= config.bin %> node bgp peer show', '<%= config.bin %> node bgp peer show --node rack3-host1']
  static exitCodes = {4: 'The node given with --node does not exist.'}
  static override flags = {...familyFlags, node: nodeFlag()}

  async run(): Promise<void> {
    const {flags} = await this.read(NodeBgpPeerShow)
    const node = chosenNode(flags.node, (text) => this.note(text))
    const session = await this.session()
    if (flags.node !== undefined) await requireKnownNode(session, flags.node)
    const peers = await listPeers(session, {type: 'node', node})
    const families = chosenFamilies(flags)
    await this.present(presentPeers(peers, 'node', families, this.format))
    const leftOut = leftOutNote(peers, families, this.format)
    if (leftOut !== undefined) this.note(leftOut)
  }
}
