import {addPeer} from '../../../lib/client/bgp-peers.js'
import {EditCommand, mayExistFlag} from '../../../lib/cli/edit-command.js'
import {asNumberArgument, newPeerAddressArgument, peerDetail} from '../../../lib/views/peer-arguments.js'

export default class BgpPeerAdd extends EditCommand {
  static override summary = 'Add a global BGP peer, to which all nodes connect.'
  static override description = 'If the peer exists, its AS number is updated and its other settings are kept.'
  static override examples = ['<%= config.bin %> bgp peer add 192.0.2.1 as 64513']
  static override args = {peer_ip: newPeerAddressArgument(), as_num: asNumberArgument()}
  static override flags = mayExistFlag

  async run(): Promise<void> {
    const {args} = await this.read(BgpPeerAdd)
    const {changes} = await addPeer(await this.session(), {type: 'global'}, args.peer_ip, args.as_num)
    await this.report(changes, {detail: peerDetail})
  }
}
