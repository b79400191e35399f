import {ifExistsFlag} from '../../../lib/cli/edit-command.js'
import {containerArgument, ContainerCommand, DEFAULT_INTERFACE, interfaceFlag} from '../../../lib/views/containers.js'
import {addressArgument} from '../../../lib/views/ipam-arguments.js'
import {formatAddress} from '../../../lib/net/index.js'
import {removeContainerAddress} from '../../../lib/workload/addresses.js'

export default class ContainerIpRemove extends ContainerCommand {
  static override summary = 'Remove an address from a container.'
  static override description = 'The last address may be removed; the endpoint is kept.'
  static override examples = ['<%= config.bin %> container workload-A ip remove 192.168.0.7']
  static exitCodes = {1: 'The container does not run, or another failure.', 2: 'Not run as root.', 4: 'There is no such container, it has no endpoint, or it does not have the address.', 8: 'The endpoint belongs to a Docker network or to Mesos, or --node or a variable names a node that is not this host\'s.', 9: 'Only some steps were done; the message lists them.'}
  static override args = {container: containerArgument(), ip: addressArgument()}
  static override flags = {...ifExistsFlag, interface: interfaceFlag('The interface in the container. Default: eth1.')}

  async run(): Promise<void> {
    const {args, flags} = await this.read(ContainerIpRemove)
    this.requireRights()
    const removal = await removeContainerAddress(await this.session(), this.engine, {
      node: this.node,
      container: args.container,
      address: args.ip,
      interfaceName: flags.interface ?? DEFAULT_INTERFACE,
    })
    await this.report(removal.changes, {done: `IP ${formatAddress(args.ip)} removed from ${args.container}`})
    this.noteRemoval(removal)
  }
}
