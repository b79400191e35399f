import {ifExistsFlag} from '../../lib/cli/edit-command.js'
import {Flags} from '@oclif/core'
import {NodeRemoveCommand} from '../../lib/views/node-remove.js'

export default class NodeRemove extends NodeRemoveCommand {
  static override summary = 'Remove a node from the datastore.'
  static override description =
    'Removes the node and its data from the datastore: its addresses and blocks, BGP peers, settings and host endpoints; with --remove-endpoints also its endpoints. ' +
    'If it is interrupted, run the same command again. calico-node and the driver for Docker networks must be stopped first; on this host, the unit or container of the driver is also removed. Without a Docker Engine on this host, its processes are looked through instead. ' +
    'With --hostname, the node of another host is removed from the datastore, for example of a decommissioned host; this host is not changed. On a terminal the command asks for confirmation (--yes answers it).'
  static override examples = [
    '<%= config.bin %> node remove',
    '<%= config.bin %> node remove --remove-endpoints',
    '<%= config.bin %> node remove --hostname=rack3-host1',
    '<%= config.bin %> node remove --remove-endpoints --clean-host',
  ]
  static exitCodes = {
    1: 'The Docker Engine is installed on this host but not available, or another failure.',
    2: 'Not run as root, which --clean-host and the removal of the driver\'s unit require.',
    4: 'The node given with --hostname does not exist.',
    8: 'calico-node or the driver for Docker networks is running on this host, the node has endpoints, or a variable names a node that is not this host\'s.',
    9: 'The host could not be cleaned completely; the message lists what is left.',
  }
  static override flags = {
    ...ifExistsFlag,
    hostname: Flags.string({description: 'The node to remove. Default: the node of this host.', helpValue: 'HOSTNAME'}),
    yes: Flags.boolean({description: 'Do not prompt before another host\'s node, or endpoints, are removed.'}),
    'remove-endpoints': Flags.boolean({description: 'Also remove its endpoints and release their addresses.'}),
    'clean-host': Flags.boolean({description: 'Also remove Calico\'s chains, IP sets, tunnel devices and routes from this host.'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(NodeRemove)
    await this.remove(flags)
  }
}
