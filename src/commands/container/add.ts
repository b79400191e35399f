import {mayExistFlag} from '../../lib/cli/edit-command.js'
import {containerArgument, ContainerCommand, DEFAULT_INTERFACE, interfaceFlag, mtuFlag, wantedArgument} from '../../lib/views/containers.js'
import {paragraph} from '../../lib/cli/paragraph.js'
import {workloadMtu} from '../../lib/host/mtu.js'
import {formatAddress} from '../../lib/net/index.js'
import {addContainer} from '../../lib/workload/add.js'

export default class ContainerAdd extends ContainerCommand {
  static override summary = 'Connect a running container to Calico\'s network.'
  static override description =
    'The container gets an endpoint, an address and an interface. It has no profile at first, so all its traffic is dropped until you add one with `container profile append`. ' +
    'The default route of the address\'s family then goes through this interface: the container\'s own IPv4 default routes get a higher metric, if one of them has the metric 0; an IPv6 default route of the usual metric 1024 is replaced. `container remove` does not restore them. Of the other family it only adds a default route where the container has none. ' +
    'If the command was killed, or the container was restarted, run the same command again to complete the set-up. Failed steps are rolled back. ' +
    'With --may-exist, a container that is connected and has such an address is left unchanged, and its address is printed.'
  static override examples = [
    '<%= config.bin %> container add workload-A 192.168.0.1',
    '<%= config.bin %> container add workload-B ipv4',
    '<%= config.bin %> container add workload-C 10.1.0.0/16 --interface eth2',
  ]
  static exitCodes = {
    1: 'The container is not running or uses the host\'s network, the Docker Engine is not available, the address is not in an enabled pool, or another failure; everything was rolled back.',
    2: 'Not run as root.',
    4: 'There is no such container.',
    5: 'The container is already connected, possibly under another name (with --may-exist: and has no such address), or the address or an interface name is in use.',
    8: 'The container is in a Calico Docker network, no address is free, the datastore is locked, or --node or a variable names a node that is not this host\'s.',
    9: 'It failed, and some steps could not be rolled back; the message lists them.',
  }
  static override args = {container: containerArgument(), ip: wantedArgument()}
  static override flags = {...mayExistFlag, interface: interfaceFlag('The name of the interface in the container. Default: eth1.'), mtu: mtuFlag()}

  async run(): Promise<void> {
    const {args, flags} = await this.read(ContainerAdd)
    this.requireRights()
    const {node} = this
    const onStep = this.steps()
    const {address, change, createdNode, finished} = await addContainer(
      await this.session(),
      this.engine,
      {node, container: args.container, wanted: args.ip, mayExist: flags['may-exist'], interfaceName: flags.interface ?? DEFAULT_INTERFACE, mtu: flags.mtu ?? workloadMtu()},
      onStep,
    )
    onStep('')
    if (finished) this.noteChanged()
    const exists = change.action === 'unchanged' && !finished
    if (this.isQuiet && !this.dryRun && (exists || args.ip.type !== 'address')) this.data(formatAddress(address))
    await this.report([change], {done: exists ? formatAddress(address) : paragraph(`IP ${formatAddress(address)} added to ${args.container}`)})
    if (createdNode) this.note(`node/${node} ${this.dryRun ? 'would be ' : ''}created`)
    if (finished) this.note('The endpoint existed already; its missing interfaces were created.')
  }
}
