import {addressArgument} from '../../lib/views/ipam-arguments.js'
import {holderLines, presentAddress} from '../../lib/views/ipam.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {lookUpAddress} from '../../lib/ipam/lookup.js'
import {holderOf} from '../../lib/workload/address-holder.js'

export default class IpamInfo extends ShowCommand {
  static override summary = 'Show which endpoint uses an address.'
  static override description = 'Prints the endpoint, the container and the handle of the address on stderr, and the attributes that were recorded when it was assigned on stdout. -o json contains all of them, and the block and its node.'
  static override examples = ['<%= config.bin %> ipam info 192.168.0.1', '<%= config.bin %> ipam info 192.168.0.1 -o json']
  static override args = {ip: addressArgument()}

  async run(): Promise<void> {
    const {args} = await this.read(IpamInfo)
    const session = await this.session()
    const record = await lookUpAddress(session, args.ip)
    const endpoint = await holderOf(session, args.ip, record.assignment?.attributes.node)
    // Before v0.20's lines, which stay as they are for scripts.
    for (const line of holderLines(record, endpoint)) this.note(line)
    await this.present(presentAddress(record, 'v0.20', endpoint))
  }
}
