import {mayExistFlag} from '../../../lib/cli/edit-command.js'
import {containerArgument, ContainerCommand, DEFAULT_INTERFACE, interfaceFlag, wantedArgument} from '../../../lib/views/containers.js'
import {formatAddress} from '../../../lib/net/index.js'
import {addContainerAddress} from '../../../lib/workload/addresses.js'

export default class ContainerIpAdd extends ContainerCommand {
  static override summary = 'Add an address to a container.'
  static override description = 'The container must have an endpoint (`container add`). The first address of a family changes the default routes of that family, as with `container add`. Failed steps are rolled back. With --may-exist, a container that has such an address is left unchanged, and the address is printed.'
  static override examples = ['<%= config.bin %> container workload-A ip add 192.168.0.7', '<%= config.bin %> container workload-A ip add ipv6']
  static exitCodes = {
    1: 'The container is not running or has no such interface, the address is not in an enabled pool, or another failure; everything was rolled back.',
    2: 'Not run as root.',
    4: 'There is no such container, or it has no endpoint.',
    5: 'The address is in use.',
    8: 'The endpoint belongs to a Docker network or to Mesos, no address is free, the datastore is locked, or --node or a variable names a node that is not this host\'s.',
    9: 'It failed, and some steps could not be rolled back; the message lists them.',
  }
  static override args = {container: containerArgument(), ip: wantedArgument()}
  static override flags = {...mayExistFlag, interface: interfaceFlag('The interface in the container. Default: eth1.')}

  async run(): Promise<void> {
    const {args, flags} = await this.read(ContainerIpAdd)
    this.requireRights()
    const {address, change, finished} = await addContainerAddress(await this.session(), this.engine, {
      node: this.node,
      container: args.container,
      wanted: args.ip,
      mayExist: flags['may-exist'],
      interfaceName: flags.interface ?? DEFAULT_INTERFACE,
    })
    if (finished) this.noteChanged()
    const exists = change.action === 'unchanged' && !finished
    if (this.isQuiet && !this.dryRun && (exists || args.ip.type !== 'address')) this.data(formatAddress(address))
    await this.report([change], {done: exists ? formatAddress(address) : `IP ${formatAddress(address)} added to ${args.container}`})
  }
}
