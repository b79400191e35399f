import {mayExistFlag} from '../../../lib/cli/edit-command.js'
import {PoolAddCommand} from '../../../lib/views/pool-add-command.js'
import {wasRead} from '../../../lib/cli/arguments.js'
import {chosenOptions, poolFlags, rangeArgument} from '../../../lib/views/pool-arguments.js'
import {coverProblems, rangeProblem} from '../../../lib/client/pools.js'
import {coverRange} from '../../../lib/net/index.js'

export default class PoolRangeAdd extends PoolAddCommand {
  static override summary = 'Add IP pools that cover a range of addresses.'
  static override description = 'The range is split into the fewest CIDRs; each becomes a pool, as with pool add. All of them are added, or none. `pool remove --range` removes them.'
  static override examples = ['<%= config.bin %> pool range add 172.24.0.0 172.24.25.255']
  static override args = {start_ip: rangeArgument('first'), end_ip: rangeArgument('last')}
  static override flags = {...poolFlags, ...mayExistFlag}

  async run(): Promise<void> {
    const {args, flags} = await this.read(PoolRangeAdd, ({args: {start_ip: first, end_ip: last}, flags: given}) => {
      if (!wasRead(first) || !wasRead(last)) return
      const problem = rangeProblem(first, last)
      const problems = problem === undefined ? coverProblems(first, last, chosenOptions(given)) : [problem]
      for (const each of problems) this.problem(each)
    })
    await this.add(coverRange(args.start_ip, args.end_ip), chosenOptions(flags))
  }
}
