import {Flags} from '@oclif/core'
import {BaseCommand} from '../../lib/cli/base-command.js'
import {requireNetworkAdministrator} from '../../lib/host/privileges.js'

const DEFAULT_SOCKET = '/run/docker/plugins/calico.sock'

export default class LibnetworkServe extends BaseCommand {
  static override summary = 'Run the network and IPAM driver for Docker until it is stopped.'
  static override description = [
    'Docker finds the driver by its socket: /run/docker/plugins/calico.sock is the driver calico, and calico-ipam.sock in the same folder is the IPAM driver calico-ipam (calico is also an IPAM driver). To create a network: docker network create --driver calico --ipam-driver calico NAME.',
    'The profile of a network\'s containers has the name of the network. The service also starts while the datastore or Docker is not available, and continues when they are. At least once a minute it removes endpoints that Docker no longer knows, and releases addresses that no endpoint uses.',
    'Log lines are written to stderr, with levels for the journal under systemd. On SIGTERM and Ctrl-C, open requests are finished and the sockets removed. --timeout is the time for one request from Docker; the default is 5s. `calicoctl node --libnetwork` starts this command as a service.',
    'Environment: CALICO_LIBNETWORK_LABEL_ENDPOINTS=true is the same as --label-endpoints; CALICO_LIBNETWORK_LABEL_POLL_TIMEOUT is the time to wait until Docker shows a new container (5s); CALICO_LIBNETWORK_VETH_MTU is the MTU of the interfaces, unless the network has its own; CALICO_LIBNETWORK_IFPREFIX is the prefix of interface names in containers (cali).',
  ].join('\n')
  static override examples = [
    '<%= config.bin %> libnetwork serve',
    '<%= config.bin %> libnetwork serve --metrics /var/lib/node_exporter/calico_libnetwork.prom',
    '<%= config.bin %> libnetwork serve --socket /run/docker/plugins/calico2.sock --debug',
  ]
  static exitCodes = {
    0: 'Stopped by SIGTERM.',
    1: 'Invalid command line or setting, or the folder of the socket cannot be used.',
    2: 'Not run as root.',
    6: null, // the service goes on without the datastore,
    7: null, // and tells Docker
    8: 'Another plugin already serves that socket.',
    130: 'Stopped by Ctrl-C.',
  }
  static override flags = {
    socket: Flags.string({description: 'The driver\'s socket; its file name without .sock is the driver\'s name.', helpValue: 'PATH', default: DEFAULT_SOCKET}),
    scope: Flags.option({options: ['local', 'global'] as const})({description: 'Whether a network exists on this host only, or on all hosts (for engines in a swarm or with a cluster store).', helpValue: 'local|global', default: 'local' as const}),
    metrics: Flags.string({description: 'Write counters to this file every 15 s, for the textfile collector of node_exporter.', helpValue: 'FILE'}),
    'label-endpoints': Flags.boolean({description: 'Copy the labels org.projectcalico.label.* of containers to their endpoints, in every network; --opt labels=true does so for one network.'}),
    node: Flags.string({description: 'The name of the node. Default: the name in /var/lib/calico/nodename, else CALICO_NODENAME, NODENAME, HOSTNAME or the host name.', helpValue: 'NAME'}),
  }

  protected override readonly readsOwnConfig = false

  async run(): Promise<void> {
    const {flags} = await this.read(LibnetworkServe)
    requireNetworkAdministrator('calicoctl libnetwork serve')
    const {serve} = await import('../../lib/views/libnetwork.js')
    const code = await serve({
      settings: await this.settings(),
      socket: flags.socket,
      scope: flags.scope,
      metricsFile: flags.metrics,
      labelEndpoints: flags['label-endpoints'],
      node: flags.node,
      limitMs: flags.timeout,
      level: flags.debug ? 'debug' : flags.quiet ? 'warn' : 'info',
      env: process.env,
    })
    this.exitWith(code)
  }
}
