import {addPeer} from '../../../../lib/client/bgp-peers.js'
import {EditCommand, mayExistFlag} from '../../../../lib/cli/edit-command.js'
import {requireKnownNode} from '../../../../lib/views/known-node.js'
import {chosenNode, nodeFlag} from '../../../../lib/views/node-option.js'
import {asNumberArgument, newPeerAddressArgument, peerDetail} from '../../../../lib/views/peer-arguments.js'

export default class NodeBgpPeerAdd extends EditCommand {
  static override summary = 'Add a BGP peer of one node.'
  static override description = 'If the peer exists, its AS number is updated and its other settings are kept.'
  static override examples = ['<%= config.bin %> node bgp peer add 192.0.2.1 as 64513', '<%= config.bin %> node bgp peer add fd00::1 as 64513 --node rack3-host1']
  static exitCodes = {4: 'The node given with --node does not exist.'}
  static override args = {peer_ip: newPeerAddressArgument(), as_num: asNumberArgument()}
  static override flags = {...mayExistFlag, node: nodeFlag()}

  async run(): Promise<void> {
    const {args, flags} = await this.read(NodeBgpPeerAdd)
    const node = chosenNode(flags.node, (text) => this.note(text))
    const session = await this.session()
    if (flags.node !== undefined) await requireKnownNode(session, flags.node)
    const {changes, hiddenBy} = await addPeer(session, {type: 'node', node}, args.peer_ip, args.as_num)
    if (hiddenBy !== undefined) session.warn(`There is a global peer with this address (bgppeer/${hiddenBy}): Calico uses the global peer and ignores the one of the node.`)
    await this.report(changes, {detail: peerDetail})
  }
}
