import {listPeers} from '../../../lib/client/bgp-peers.js'
import {chosenFamilies, familyFlags} from '../../../lib/views/peer-arguments.js'
import {leftOutNote, presentPeers} from '../../../lib/views/peers.js'
import {ShowCommand} from '../../../lib/cli/show-command.js'

export default class BgpPeerShow extends ShowCommand {
  static override summary = 'Show the global BGP peers.'
  static override description = 'The table shows peers that are defined by an address. -o wide, plain, json and yaml also show peers with a port and peers that are chosen by selectors.'
  static override examples = ['<%= config.bin %> bgp peer show', '<%= config.bin %> bgp peer show --ipv6 -o wide']
  static override flags = familyFlags

  async run(): Promise<void> {
    const {flags} = await this.read(BgpPeerShow)
    const peers = await listPeers(await this.session(), {type: 'global'})
    const families = chosenFamilies(flags)
    await this.present(presentPeers(peers, 'global', families, this.format))
    const leftOut = leftOutNote(peers, families, this.format)
    if (leftOut !== undefined) this.note(leftOut)
  }
}
