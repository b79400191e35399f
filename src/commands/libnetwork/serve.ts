import {Flags} from '@oclif/core'
import {BaseCommand} from '../../lib/cli/base-command.js'
import {requireNetworkAdministrator} from '../../lib/host/privileges.js'

const DEFAULT_SOCKET = '/run/docker/plugins/calico.sock'

export default class LibnetworkServe extends BaseCommand {
  static override summary = 'Serve Docker as network and IPAM driver, until it is stopped.'
  static override description = [
    'Docker finds the driver by its socket: /run/docker/plugins/calico.sock is the driver calico, and beside it calico-ipam.sock is the IPAM driver calico-ipam (calico is one, too). Then: docker network create --driver calico --ipam-driver calico NAME.',
    'The profile of a network\'s containers is called as the network is. The service starts and answers without the datastore and without Docker, and goes on when they are back; at least once a minute it removes endpoints that Docker no longer knows, and addresses that no endpoint has.',
    'Lines go to stderr, with levels for the journal under systemd. SIGTERM and Ctrl-C end it in order: requests that are being done are finished, the sockets removed. --timeout is the time for one request of Docker\'s here; the default is 5s. `calicoctl node --libnetwork` starts all of this as a service.',
    'Environment: CALICO_LIBNETWORK_LABEL_ENDPOINTS=true is --label-endpoints; CALICO_LIBNETWORK_LABEL_POLL_TIMEOUT is how long it may take until Docker shows a new container (5s); CALICO_LIBNETWORK_VETH_MTU is the MTU of the interfaces, unless the network has one of its own; CALICO_LIBNETWORK_IFPREFIX is how interfaces are called in containers (cali).',
  ].join('\n')
  static override examples = [
    '<%= config.bin %> libnetwork serve',
    '<%= config.bin %> libnetwork serve --metrics /var/lib/node_exporter/calico_libnetwork.prom',
    '<%= config.bin %> libnetwork serve --socket /run/docker/plugins/calico2.sock --debug',
  ]
  static exitCodes = {
    0: 'Stopped by SIGTERM.',
    1: 'The line, a setting or the folder of the socket is wrong.',
    2: 'Not run as root.',
    6: null, // the service goes on without the datastore,
    7: null, // and tells Docker
    8: 'Another plugin already serves that socket.',
    130: 'Stopped by Ctrl-C.',
  }
  static override flags = {
    socket: Flags.string({description: 'The driver\'s socket; its name without .sock is the driver\'s.', helpValue: 'PATH', default: DEFAULT_SOCKET}),
    scope: Flags.option({options: ['local', 'global'] as const})({description: 'Where a network exists: on this host alone, or, for engines with a cluster store or in a swarm, on all.', helpValue: 'local|global', default: 'local' as const}),
    metrics: Flags.string({description: 'Write counters to this file every 15 s, for the textfile collector of node_exporter.', helpValue: 'FILE'}),
    'label-endpoints': Flags.boolean({description: 'Labels org.projectcalico.label.* of containers become labels of their endpoints, in every network; --opt labels=true does so for one.'}),
    node: Flags.string({description: 'The node\'s name; the default is what calico-node on this host calls itself (/var/lib/calico/nodename), then CALICO_NODENAME, NODENAME, HOSTNAME, the host name.', helpValue: 'NAME'}),
  }

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
