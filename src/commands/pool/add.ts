import {EditCommand} from '../../lib/cli/edit-command.js'
import {chosenOptions, cidrsArgument, poolFlags, problemsOfCidrs} from '../../lib/cli/pool-arguments.js'
import {addPools} from '../../lib/client/pools.js'

export default class PoolAdd extends EditCommand {
  static override summary = 'Add IP pools: networks from which workloads get their addresses.'
  static override description =
    'All pools of a line are added, or none. A pool that exists is enabled and gets the options of this line, with those that are not given switched off; everything else about it is kept.'
  static override examples = ['<%= config.bin %> pool add 192.168.0.0/16 --nat-outgoing', '<%= config.bin %> pool add 10.1.0.0/16 fd80:24e2:f998:72d6::/64']
  static override args = {cidrs: cidrsArgument()}
  static override flags = poolFlags

  async run(): Promise<void> {
    const {args, flags} = await this.read(PoolAdd, (line) => {
      for (const problem of problemsOfCidrs(line.args.cidrs, chosenOptions(line.flags))) this.problem(problem)
    })
    await this.tell(await addPools(await this.session(), args.cidrs, chosenOptions(flags)))
  }
}
