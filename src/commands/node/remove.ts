import {Flags} from '@oclif/core'
import {NodeRemoveCommand} from '../../lib/views/node-remove.js'

export default class NodeRemove extends NodeRemoveCommand {
  static override summary = 'Remove a node from the datastore.'
  static override description =
    'Removes what the datastore has of the node: its addresses and blocks, its own BGP peers and settings, its host endpoints, the node itself; with --remove-endpoints its endpoints too. ' +
    'Interrupted, the same command does the rest. calico-node and the driver for Docker networks must not run any more; on this host the driver\'s unit, or its container, is removed too. ' +
    'With --hostname, the node of a host that is gone is removed from the datastore; nothing of this host is touched, and on a terminal the command asks first (--yes answers it).'
  static override examples = [
    '<%= config.bin %> node remove',
    '<%= config.bin %> node remove --remove-endpoints',
    '<%= config.bin %> node remove --hostname=rack3-host1',
    '<%= config.bin %> node remove --remove-endpoints --clean-host',
  ]
  static exitCodes = {
    1: 'The Docker Engine is away, or another failure.',
    2: 'Not run as root, which --clean-host and the removal of the driver\'s unit need.',
    4: 'The datastore has nothing of the node that --hostname names.',
    8: 'calico-node or the driver for Docker networks runs on this host, the node has endpoints, or a variable names another node than this host\'s.',
    9: 'Only a part of the host could be cleaned; the message says what is left.',
  }
  static override flags = {
    hostname: Flags.string({description: 'The node to remove; the default is this host\'s.', helpValue: 'HOSTNAME'}),
    yes: Flags.boolean({description: 'Do not ask before another host\'s node is removed.'}),
    'remove-endpoints': Flags.boolean({description: 'Remove its endpoints too, and release their addresses.'}),
    'clean-host': Flags.boolean({description: 'Remove from this host Calico\'s chains, IP sets, tunnel devices and routes as well; nobody else\'s.'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(NodeRemove)
    await this.remove(flags)
  }
}
