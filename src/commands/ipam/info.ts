import {addressArgument} from '../../lib/cli/ipam-arguments.js'
import {presentAddress} from '../../lib/cli/ipam.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {lookUpAddress} from '../../lib/ipam/lookup.js'

export default class IpamInfo extends ShowCommand {
  static override summary = 'Show who has an address.'
  static override description = 'Shows the attributes that were recorded when the address was assigned. -o json adds its handle, its block and the node that has the block.'
  static override examples = ['<%= config.bin %> ipam info 192.168.0.1', '<%= config.bin %> ipam info 192.168.0.1 -o json']
  static override args = {ip: addressArgument()}

  async run(): Promise<void> {
    const {args} = await this.read(IpamInfo)
    await this.present(presentAddress(await lookUpAddress(await this.session(), args.ip), 'v0.20'))
  }
}
