import {removePeer} from '../../../../lib/client/bgp-peers.js'
import {EditCommand, ifExistsFlag} from '../../../../lib/cli/edit-command.js'
import {requireKnownNode} from '../../../../lib/views/known-node.js'
import {chosenNode, nodeFlag} from '../../../../lib/views/node-option.js'
import {peerAddressArgument} from '../../../../lib/views/peer-arguments.js'
import {formatAddress} from '../../../../lib/net/index.js'

export default class NodeBgpPeerRemove extends EditCommand {
  static override summary = 'Remove a BGP peer of one node.'
  static override examples = ['<%= config.bin %> node bgp peer remove 192.0.2.1']
  static readonly exitCodes = {4: 'The peer or the node does not exist.'}
  static override args = {peer_ip: peerAddressArgument()}
  static override flags = {...ifExistsFlag, node: nodeFlag()}

  async run(): Promise<void> {
    const {args, flags} = await this.read(NodeBgpPeerRemove)
    const node = chosenNode(flags.node, (text) => this.note(text))
    const session = await this.session()
    if (flags.node !== undefined) await requireKnownNode(session, flags.node)
    const missing = `${formatAddress(args.peer_ip)} is not a configured peer for this node.`
    await this.report(await removePeer(session, {type: 'node', node}, args.peer_ip, missing), {done: 'BGP peer removed from node configuration'})
  }
}
