import {Flags} from '@oclif/core'
import {checkedOptions, NodeCommand, waitTimeoutFlag} from '../lib/views/node-start.js'
import {DEFAULT_IMAGE, DEFAULT_LOG_DIRECTORY} from '../lib/calico-node/options.js'

export default class Node extends NodeCommand {
  static override summary = 'Start calico-node on this host.'
  static override description =
    'Checks the datastore and the Docker Engine, prepares the host (kernel modules, forwarding, connection table), writes the Node object with its address and AS number, ' +
    'pulls the image, replaces the container calico-node, and waits until Felix and BIRD are ready. A running container with the same settings is kept; otherwise the differences are printed. ' +
    'Without --ip6, a stored IPv6 address is removed from the node, and without --as a stored AS number; removed values are printed. Without --ip, the address is used if there is exactly one candidate. ' +
    'In a cluster without IP pools, the default pools are created unless NO_DEFAULT_POOLS=true. With CALICO_NETWORKING=false, calico-node only enforces policy, without BGP. ' +
    'With --libnetwork, the driver for Docker networks is started as well; variables that begin with CALICO_LIBNETWORK_ are passed to it.'
  static override examples = [
    '<%= config.bin %> node --ip=172.17.8.101 --as=64600',
    '<%= config.bin %> node --ip=interface=eth1',
    '<%= config.bin %> node --ip=172.17.8.101 --dry-run',
    '<%= config.bin %> node --ip=172.17.8.101 --runtime=none',
    '<%= config.bin %> node --ip=172.17.8.101 --libnetwork',
  ]
  static exitCodes = {
    1: 'A value is invalid, the address is ambiguous, the Docker Engine or the image is not available, or calico-node or the driver exits after its start (it is then stopped).',
    2: 'Not run as root.',
    5: 'Another node has the same address or name.',
    6: 'The datastore cannot be reached, or is not a Calico datastore. No container was changed.',
    8: 'The datastore is locked, or another driver for Docker networks is running.',
    4: 'The image of the driver for Docker networks is not on this host.',
    9: 'calico-node or the driver for Docker networks runs, but was not ready in time.',
  }
  static override flags = {
    ip: Flags.string({description: 'The IPv4 address of the node, which other hosts must be able to reach, or a detection method: autodetect, first-found, interface=REGEX, skip-interface=REGEX, can-reach=HOST, cidr=CIDR.', helpValue: 'IP'}),
    ip6: Flags.string({description: 'The IPv6 address of the node, or a detection method. Default: no IPv6 address.', helpValue: 'IP6'}),
    as: Flags.string({description: 'The AS number of the node. Default: the cluster\'s AS number.', helpValue: 'AS_NUM'}),
    'node-image': Flags.string({description: `The image of calico-node. Default: ${DEFAULT_IMAGE}.`, helpValue: 'IMAGE'}),
    runtime: Flags.string({description: 'docker (the default), or none: only prepare the host and the datastore.', helpValue: 'RUNTIME'}),
    'log-dir': Flags.string({description: `The folder for the logs of calico-node. Default: ${DEFAULT_LOG_DIRECTORY}.`, helpValue: 'DIR'}),
    detach: Flags.string({description: 'true (the default), or false: run until the container calico-node exits.', helpValue: 'BOOL'}),
    'no-pull': Flags.boolean({description: 'Do not pull the image; use the one on this host.'}),
    libnetwork: Flags.boolean({description: 'Also start the driver for Docker networks (docker network create --driver calico), as the systemd unit calico-libnetwork, or as a container of that name if systemd is not running.'}),
    'libnetwork-image': Flags.string({description: 'Run the driver as a container of this image. Default without systemd: calicoctl/libnetwork of this version, which you build from the folder of the package with docker build.', helpValue: 'IMAGE'}),
    node: Flags.string({description: 'The name of the node. Default: CALICO_NODENAME, NODENAME, HOSTNAME or the host name.', helpValue: 'NAME'}),
    replace: Flags.boolean({description: 'Take over an existing node of this name even if its address differs.'}),
    wait: Flags.string({options: ['ready', 'started'], default: 'ready', description: 'Wait until Felix and BIRD are ready, or only until the start-up checks have passed (started).', helpValue: 'ready|started'}),
    'wait-timeout': waitTimeoutFlag(),
    'init-system': Flags.boolean({description: 'Print a systemd unit and its environment file for this node, with --libnetwork also those of the driver; change nothing.'}),
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
