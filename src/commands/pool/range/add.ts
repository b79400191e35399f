import {EditCommand} from '../../../lib/cli/edit-command.js'
import {chosenOptions, poolFlags, rangeArgument, wasRead} from '../../../lib/cli/pool-arguments.js'
import {addPools, coverProblems, rangeProblem} from '../../../lib/client/pools.js'
import {coverRange} from '../../../lib/net/index.js'

export default class PoolRangeAdd extends EditCommand {
  static override summary = 'Add the IP pools that together are a range of addresses.'
  static override description = 'The fewest networks that make up the range become pools, as with pool add: all of them or none.'
  static override examples = ['<%= config.bin %> pool range add 172.24.0.0 172.24.25.255']
  static override args = {first: rangeArgument('first'), last: rangeArgument('last')}
  static override flags = poolFlags

  async run(): Promise<void> {
    const {args, flags} = await this.read(PoolRangeAdd, ({args: {first, last}, flags: given}) => {
      if (!wasRead(first) || !wasRead(last)) return
      const problem = rangeProblem(first, last)
      const problems = problem === undefined ? coverProblems(first, last, chosenOptions(given)) : [problem]
      for (const each of problems) this.problem(each)
    })
    await this.tell(await addPools(await this.session(), coverRange(args.first, args.last), chosenOptions(flags)))
  }
}
