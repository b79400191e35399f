import {addressArgument} from '../../lib/views/ipam-arguments.js'
import {holderLines, presentAddress} from '../../lib/views/ipam.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {lookUpAddress} from '../../lib/ipam/lookup.js'
import {holderOf} from '../../lib/workload/address-holder.js'

export default class IpamInfo extends ShowCommand {
  static override summary = 'Show who has an address.'
  static override description = 'Says on stderr which endpoint and container have it and under which handle, and then shows the attributes that were recorded when it was assigned. -o json has all of that, and the block of the address with its node.'
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
