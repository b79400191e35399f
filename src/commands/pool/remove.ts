import {Flags} from '@oclif/core'
import {EditCommand} from '../../lib/cli/edit-command.js'
import {cidrsArgument} from '../../lib/cli/pool-arguments.js'
import {removePools} from '../../lib/client/pool-removal.js'

/** What v0.20 printed for each pool. */
const DONE = ['Disabling IP Pool', 'Removing IPAM configuration for pool', 'Deleted IP Pool']

export default class PoolRemove extends EditCommand {
  static override summary = 'Remove IP pools.'
  static override description =
    'A pool with addresses in use is kept (exit code 8), unless --force is given: the workloads then keep their addresses, which belong to no pool any more. ' +
    'A removal that was interrupted goes on when it is run again.'
  static override examples = ['<%= config.bin %> pool remove 192.168.0.0/16', '<%= config.bin %> pool remove 10.1.0.0/16 --force']
  static override args = {cidrs: cidrsArgument()}
  static override flags = {force: Flags.boolean({description: 'Remove it even if addresses of it are in use.'})}

  async run(): Promise<void> {
    const {args, flags} = await this.read(PoolRemove)
    const session = await this.session()
    const {changes, disowned} = await this.orInsist(
      () => removePools(session, args.cidrs, flags),
      () => removePools(session, args.cidrs, {force: true}),
    )
    await this.tell(changes, {done: changes.flatMap(() => DONE)})
    if (disowned.length > 0) this.note(`Blocks with addresses in use, which belong to no pool now: ${disowned.join(', ')}`)
  }
}
