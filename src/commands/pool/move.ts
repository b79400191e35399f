import {drainLine} from '../../lib/client/pool-drain.js'
import {movePool} from '../../lib/client/pool-move.js'
import {distinctNetworks} from '../../lib/client/pools.js'
import {EditCommand} from '../../lib/cli/edit-command.js'
import {cidrArgument} from '../../lib/views/pool-arguments.js'
import {leftLines} from '../../lib/views/pool-move.js'

export default class PoolMove extends EditCommand {
  static override summary = 'Replace an IP pool by a new one with another CIDR.'
  static override description =
    'The new pool gets the options of the old one, which is disabled: no new addresses are assigned from it. Endpoints keep their addresses. The endpoints with an address of the old pool are printed ' +
    'per node, each with the command that gives it an address of the new pool; the last command removes the old pool. Run it again to see the remaining endpoints.'
  static override examples = ['<%= config.bin %> pool move 10.1.0.0/16 10.2.0.0/16']
  static readonly exitCodes = {1: 'The new CIDR overlaps another pool.', 4: 'The old pool does not exist.', 5: 'The new pool already exists with other options.', 8: 'The pool belongs to a Docker network that uses Docker\'s own IPAM, or the datastore is locked.'}
  static override args = {old: cidrArgument('The pool to replace.'), new: cidrArgument('The CIDR of the new pool.')}

  async run(): Promise<void> {
    const {args} = await this.read(PoolMove)
    const {changes, ...left} = await movePool(await this.session(), args.old, args.new)
    await this.report(changes, {detail: ({action}) => (action === 'updated' ? 'disabled' : undefined)})
    const lines = leftLines(left, args.new)
    this.data([...lines, lines.length === 0 ? 'No address of the old pool is in use. To remove it:' : 'When they are reconnected:', drainLine(distinctNetworks([args.old]))])
  }
}
