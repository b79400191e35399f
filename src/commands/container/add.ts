import {containerArgument, ContainerCommand, DEFAULT_INTERFACE, interfaceFlag, mtuFlag, wantedArgument} from '../../lib/views/containers.js'
import {paragraph} from '../../lib/cli/paragraph.js'
import {workloadMtu} from '../../lib/host/mtu.js'
import {formatAddress} from '../../lib/net/index.js'
import {addContainer} from '../../lib/workload/add.js'

export default class ContainerAdd extends ContainerCommand {
  static override summary = 'Connect a running container to Calico\'s network.'
  static override description =
    'The container gets an endpoint, an address and an interface. It has no profile then, and so no traffic, until `container profile append`. ' +
    'If the command was killed, or the container has been restarted since, the same command completes what is missing. What fails is taken back.'
  static override examples = [
    '<%= config.bin %> container add workload-A 192.168.0.1',
    '<%= config.bin %> container add workload-B ipv4',
    '<%= config.bin %> container add workload-C 10.1.0.0/16 --interface eth2',
  ]
  static exitCodes = {
    1: 'The container does not run or has the host\'s network, the Docker Engine is away, the address is in no enabled pool, or another failure; nothing is left of it.',
    4: 'There is no such container.',
    5: 'The container is connected already, under whatever name, or the address or an interface\'s name is taken.',
    8: 'The container is in a Calico Docker network, no address is free, or the datastore is locked. Or --node or a variable names another node than this host\'s.',
    9: 'It failed, and not all of it could be taken back; the message says what is left.',
  }
  static override args = {container: containerArgument(), ip: wantedArgument()}
  static override flags = {interface: interfaceFlag('The name of the interface in the container; the default is eth1.'), mtu: mtuFlag()}

  async run(): Promise<void> {
    const {args, flags} = await this.read(ContainerAdd)
    this.requireRights()
    const {node} = this
    const onStep = this.steps()
    const {address, change, createdNode, finished} = await addContainer(
      await this.session(),
      this.engine,
      {node, container: args.container, wanted: args.ip, interfaceName: flags.interface ?? DEFAULT_INTERFACE, mtu: flags.mtu ?? workloadMtu()},
      onStep,
    )
    onStep('')
    await this.tell([change], {done: paragraph(`IP ${formatAddress(address)} added to ${args.container}`)})
    if (createdNode) this.note(`node/${node} ${this.dryRun ? 'would be ' : ''}created`)
    if (finished) this.note('The endpoint was there; its interfaces were missing and have been made.')
  }
}
