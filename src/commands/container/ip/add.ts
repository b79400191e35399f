import {containerArgument, ContainerCommand, DEFAULT_INTERFACE, interfaceFlag, wantedArgument} from '../../../lib/views/containers.js'
import {formatAddress} from '../../../lib/net/index.js'
import {addContainerAddress} from '../../../lib/workload/addresses.js'

export default class ContainerIpAdd extends ContainerCommand {
  static override summary = 'Give a container another address.'
  static override description = 'The container must have an endpoint (container add). What fails is taken back.'
  static override examples = ['<%= config.bin %> container workload-A ip add 192.168.0.7', '<%= config.bin %> container workload-A ip add ipv6']
  static exitCodes = {
    1: 'The container does not run or has no such interface, the address is in no enabled pool, or another failure; nothing is left of it.',
    4: 'There is no such container, or it has no endpoint.',
    5: 'The address is taken.',
    8: 'The endpoint is one of a Docker network, or of Mesos; no address is free, or the datastore is locked. Or --node or a variable names another node than this host\'s.',
    9: 'It failed, and not all of it could be taken back; the message says what is left.',
  }
  static override args = {container: containerArgument(), ip: wantedArgument()}
  static override flags = {interface: interfaceFlag('The interface in the container; the default is eth1.')}

  async run(): Promise<void> {
    const {args, flags} = await this.read(ContainerIpAdd)
    this.requireRights()
    const {address, change} = await addContainerAddress(await this.session(), this.engine, {
      node: this.node,
      container: args.container,
      wanted: args.ip,
      interfaceName: flags.interface ?? DEFAULT_INTERFACE,
    })
    await this.tell([change], {done: `IP ${formatAddress(address)} added to ${args.container}`})
  }
}
