import {addPeer} from '../../../../lib/client/bgp-peers.js'
import {EditCommand} from '../../../../lib/cli/edit-command.js'
import {requireKnownNode} from '../../../../lib/views/known-node.js'
import {chosenNode, nodeFlag} from '../../../../lib/views/node-option.js'
import {asNumberArgument, newPeerAddressArgument, peerDetail} from '../../../../lib/views/peer-arguments.js'

export default class NodeBgpPeerAdd extends EditCommand {
  static override summary = 'Add a BGP peer of one node.'
  static override description = 'A peer that exists gets the AS number; what else is stored about it is kept.'
  static override examples = ['<%= config.bin %> node bgp peer add 192.0.2.1 as 64513', '<%= config.bin %> node bgp peer add fd00::1 as 64513 --node rack3-host1']
  static exitCodes = {4: 'The datastore has nothing of the node that --node names.'}
  static override args = {peer_ip: newPeerAddressArgument(), as_num: asNumberArgument()}
  static override flags = {node: nodeFlag()}

  async run(): Promise<void> {
    const {args, flags} = await this.read(NodeBgpPeerAdd)
    const node = chosenNode(flags.node, (text) => this.note(text))
    const session = await this.session()
    if (flags.node !== undefined) await requireKnownNode(session, flags.node)
    const {changes, hiddenBy} = await addPeer(session, {type: 'node', node}, args.peer_ip, args.as_num)
    if (hiddenBy !== undefined) session.warn(`There is a global peer of this address (bgppeer/${hiddenBy}): Calico uses that one and passes over the node's.`)
    await this.tell(changes, {detail: peerDetail})
  }
}
