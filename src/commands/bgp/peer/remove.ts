import {removePeer} from '../../../lib/client/bgp-peers.js'
import {EditCommand, ifExistsFlag} from '../../../lib/cli/edit-command.js'
import {peerAddressArgument} from '../../../lib/views/peer-arguments.js'
import {formatAddress} from '../../../lib/net/index.js'

export default class BgpPeerRemove extends EditCommand {
  static override summary = 'Remove a global BGP peer.'
  static override examples = ['<%= config.bin %> bgp peer remove 192.0.2.1']
  static readonly exitCodes = {4: 'There is no such peer.'}
  static override args = {peer_ip: peerAddressArgument()}
  static override flags = ifExistsFlag

  async run(): Promise<void> {
    const {args} = await this.read(BgpPeerRemove)
    const missing = `${formatAddress(args.peer_ip)} is not a globally configured peer.`
    await this.report(await removePeer(await this.session(), {type: 'global'}, args.peer_ip, missing), {done: 'BGP peer removed from global configuration'})
  }
}
