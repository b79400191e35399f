import {Flags} from '@oclif/core'
import {HostEditCommand} from '../../lib/cli/edit-command.js'
import {numberFlag} from '../../lib/views/ipam-arguments.js'
import {setIpamConfig} from '../../lib/ipam/configure.js'

export default class IpamConfigure extends HostEditCommand {
  static override summary = 'Change how addresses are assigned.'
  static override description = 'With strict affinity, a node assigns addresses from its own blocks only; without it, also from other nodes\' blocks when no other address is free. A limit on blocks per node requires strict affinity.'
  static override examples = ['<%= config.bin %> ipam configure --strict-affinity=true', '<%= config.bin %> ipam configure --strict-affinity=true --max-blocks-per-host=4']
  static override flags = {
    'strict-affinity': Flags.option({options: ['true', 'false'] as const})({description: 'Whether nodes assign addresses from their own blocks only.', helpValue: 'true|false'}),
    'max-blocks-per-host': numberFlag('max-blocks-per-host', 0, 'The maximum number of blocks of a node, per address family. 0 means the default, 20.'),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(IpamConfigure, (line) => {
      if (line.flags['strict-affinity'] === undefined && line.flags['max-blocks-per-host'] === undefined) this.problem('Nothing to change: give --strict-affinity=true|false or --max-blocks-per-host=NUMBER.')
    })
    const strict = flags['strict-affinity']
    const limit = flags['max-blocks-per-host']
    const {changed} = await setIpamConfig(await this.session(), {strictAffinity: strict === undefined ? undefined : strict === 'true', maxBlocksPerHost: limit})
    if (this.dryRun) this.note(changed ? 'the IPAM configuration would be changed' : 'the IPAM configuration unchanged')
    else {
      if (strict !== undefined) this.success(`Successfully set StrictAffinity to: ${strict}`)
      if (limit !== undefined) this.success(`Successfully set MaxBlocksPerHost to: ${limit}`)
      if (!changed) this.note('the IPAM configuration unchanged')
    }
  }
}
