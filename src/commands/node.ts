import {Flags} from '@oclif/core'
import {checkedOptions, NodeCommand, waitTimeoutFlag} from '../lib/views/node-start.js'
import {DEFAULT_IMAGE, DEFAULT_LOG_DIRECTORY} from '../lib/calico-node/options.js'

export default class Node extends NodeCommand {
  static override summary = 'Start calico-node on this host.'
  static override description =
    'Checks the datastore and the Docker Engine, prepares the host (kernel modules, forwarding, connection table), writes the node\'s object with its address and AS number, ' +
    'pulls the image, replaces the container calico-node, and waits until Felix and BIRD are ready. A container that runs and is as wanted is kept; else it is said what differs. ' +
    'What the line does not name is removed from the node, and printed: the IPv6 address without --ip6, the AS number without --as. Without --ip, the host\'s only possible address is taken. ' +
    'A cluster without IP pools gets the default ones, unless NO_DEFAULT_POOLS=true. CALICO_NETWORKING=false starts it for policy only, without BGP. ' +
    'With --libnetwork, the driver for Docker networks is started after it and waited for; variables that begin with CALICO_LIBNETWORK_ are given on to it.'
  static override examples = [
    '<%= config.bin %> node --ip=172.17.8.101 --as=64600',
    '<%= config.bin %> node --ip=interface=eth1',
    '<%= config.bin %> node --ip=172.17.8.101 --dry-run',
    '<%= config.bin %> node --ip=172.17.8.101 --runtime=none',
    '<%= config.bin %> node --ip=172.17.8.101 --libnetwork',
  ]
  static exitCodes = {
    1: 'A value is wrong, the address is not clear, the Docker Engine or the image is away, or calico-node or the driver does not stay up (it is stopped then).',
    2: 'Not run as root.',
    5: 'Another node has the address, or the name.',
    6: 'The datastore is away, or not Calico\'s. No container was touched.',
    8: 'The datastore is locked, or a driver for Docker networks runs that is not this program\'s service.',
    4: 'The image of the driver for Docker networks is not on this host.',
    9: 'calico-node or the driver for Docker networks runs, but was not ready in time.',
  }
  static override flags = {
    ip: Flags.string({description: 'The node\'s IPv4 address, which must be one that other hosts can reach; or how to find it: autodetect, first-found, interface=REGEX, skip-interface=REGEX, can-reach=HOST, cidr=CIDR.', helpValue: 'IP'}),
    ip6: Flags.string({description: 'The node\'s IPv6 address, or how to find it; without it the node has none.', helpValue: 'IP6'}),
    as: Flags.string({description: 'The node\'s AS number; without it, the default one holds.', helpValue: 'AS_NUM'}),
    'node-image': Flags.string({description: `The image; the default is ${DEFAULT_IMAGE}.`, helpValue: 'IMAGE'}),
    runtime: Flags.string({description: 'docker (the default), or none: prepare host and datastore only.', helpValue: 'RUNTIME'}),
    'log-dir': Flags.string({description: `Where calico-node's logs are kept; the default is ${DEFAULT_LOG_DIRECTORY}.`, helpValue: 'DIR'}),
    detach: Flags.string({description: 'true (the default), or false: stay until the container calico-node ends.', helpValue: 'BOOL'}),
    'no-pull': Flags.boolean({description: 'Use the image that is on this host.'}),
    libnetwork: Flags.boolean({description: 'Start the driver for Docker networks too (docker network create --driver calico): as the systemd unit calico-libnetwork, or where systemd does not run as the container of that name.'}),
    'libnetwork-image': Flags.string({description: 'Run the driver as a container of this image. Without this option and without systemd: calicoctl/libnetwork of this version, which docker build makes of the package\'s folder.', helpValue: 'IMAGE'}),
    node: Flags.string({description: 'The node\'s name; the default is this host\'s (CALICO_NODENAME, NODENAME, HOSTNAME, the host name).', helpValue: 'NAME'}),
    replace: Flags.boolean({description: 'The name is this host\'s, although the node of that name has another host\'s address.'}),
    wait: Flags.string({options: ['ready', 'started'], default: 'ready', description: 'Wait until Felix and BIRD are ready, or until the start-up checks have passed.'}),
    'wait-timeout': waitTimeoutFlag(),
    'init-system': Flags.boolean({description: 'Print a systemd unit and its environment file for this node, with --libnetwork the driver\'s too; change nothing.'}),
  }

  async run(): Promise<void> {
    const {flags, options} = await this.readOptions()
    if (flags['init-system']) await this.printUnit(options, flags)
    else await this.start(options, flags)
  }

  private async readOptions() {
    let options: ReturnType<typeof checkedOptions> | undefined
    const {flags} = await this.read(Node, (line) => {
      options = checkedOptions(line.flags, this.problem)
    })
    return {flags, options: options ?? checkedOptions(flags, this.problem)}
  }
}
