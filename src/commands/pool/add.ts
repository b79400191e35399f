import {mayExistFlag} from '../../lib/cli/edit-command.js'
import {PoolAddCommand} from '../../lib/views/pool-add-command.js'
import {chosenOptions, cidrsArgument, poolFlags, problemsOfCidrs} from '../../lib/views/pool-arguments.js'

export default class PoolAdd extends PoolAddCommand {
  static override summary = 'Add IP pools, from which workloads get their addresses.'
  static override description =
    'All given pools are added, or none. If a pool exists, the given options are set and its other options are kept, which is reported; `pool set` changes them. ' +
    'Prints a warning if a pool overlaps a network of this host\'s interfaces.'
  static readonly exitCodes = {8: 'A pool uses VXLAN, has another block size, or belongs to a Docker network that uses Docker\'s own IPAM; or the datastore is locked.'}
  static override examples = ['<%= config.bin %> pool add 192.168.0.0/16 --nat-outgoing', '<%= config.bin %> pool add 10.1.0.0/16 fd80:24e2:f998:72d6::/64', '<%= config.bin %> pool add 10.2.0.0/28 --block-size 28']
  static override args = {cidrs: cidrsArgument()}
  static override flags = {...poolFlags, ...mayExistFlag}

  async run(): Promise<void> {
    const {args, flags} = await this.read(PoolAdd, (line) => {
      for (const problem of problemsOfCidrs(line.args.cidrs, chosenOptions(line.flags))) this.problem(problem)
    })
    await this.add(args.cidrs, chosenOptions(flags))
  }
}
