import {EditCommand} from '../../lib/cli/edit-command.js'
import {poolDetail} from '../../lib/views/pool-add-command.js'
import {chosenChanges, cidrsArgument, poolSetFlags, problemsOfChange} from '../../lib/views/pool-arguments.js'
import {setPools} from '../../lib/client/pools.js'

export default class PoolSet extends EditCommand {
  static override summary = 'Change options of IP pools.'
  static override description = 'Options that are not given are kept. All given pools are changed, or none.'
  static override examples = ['<%= config.bin %> pool set 192.168.0.0/16 --nat-outgoing', '<%= config.bin %> pool set 10.1.0.0/16 --no-ipip --disabled']
  static readonly exitCodes = {4: 'A pool does not exist.', 8: 'A pool uses VXLAN, or belongs to a Docker network that uses Docker\'s own IPAM; or the datastore is locked.'}
  static override args = {cidrs: cidrsArgument()}
  static override flags = poolSetFlags

  async run(): Promise<void> {
    const {args, flags} = await this.read(PoolSet, (line) => {
      for (const problem of problemsOfChange(line.args.cidrs, line.flags)) this.problem(problem)
    })
    await this.report(await setPools(await this.session(), args.cidrs, chosenChanges(flags)), {detail: poolDetail})
  }
}
