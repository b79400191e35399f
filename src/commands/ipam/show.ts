import {Flags} from '@oclif/core'
import {addressFlag} from '../../lib/views/ipam-arguments.js'
import {presentAddress, presentUse} from '../../lib/views/ipam.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {lookUpAddress} from '../../lib/ipam/lookup.js'
import {addressUse} from '../../lib/ipam/utilization.js'

export default class IpamShow extends ShowCommand {
  static override summary = 'Show how many addresses are in use.'
  static override description = 'Shows each pool; with --show-blocks also its blocks and their nodes, and with --show-nodes the totals of each node.'
  static override examples = ['<%= config.bin %> ipam show', '<%= config.bin %> ipam show --show-blocks', '<%= config.bin %> ipam show --ip=192.168.0.1']
  static override flags = {
    'show-blocks': Flags.boolean({description: 'Also show the blocks.'}),
    'show-nodes': Flags.boolean({description: 'Also show the totals of each node.'}),
    ip: addressFlag('Show this address only.'),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(IpamShow)
    const session = await this.session()
    if (flags.ip !== undefined) await this.present(presentAddress(await lookUpAddress(session, flags.ip), 'go'))
    else await this.present(presentUse(await addressUse(session, {blocks: flags['show-blocks'], nodes: flags['show-nodes']})))
  }
}
