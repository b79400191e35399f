import {Flags} from '@oclif/core'
import {EditCommand, ifExistsFlag} from '../../lib/cli/edit-command.js'
import {cidrsArgument, drainFlags, drainProblems, poolsOfRange, rangeFlag, rangeWordProblems} from '../../lib/views/pool-arguments.js'
import {type PoolRemoval, removePools} from '../../lib/client/pool-removal.js'
import {distinctNetworks} from '../../lib/client/pools.js'
import type {Session} from '../../lib/client/session.js'
import {type Cidr, formatCidr} from '../../lib/net/index.js'

/** Of --drain. */
const DEFAULT_WAIT_MS = 10 * 60_000

/** What v0.20 printed for each pool. */
const DONE = ['Disabling IP Pool', 'Removing IPAM configuration for pool', 'Deleted IP Pool']

export default class PoolRemove extends EditCommand {
  static override summary = 'Remove IP pools.'
  static override description =
    'A pool with addresses in use is not removed (exit code 8) without --force; with it, workloads keep their addresses, which then belong to no pool. ' +
    'With --drain, the pool is disabled, and removed as soon as none of its addresses is in use. If the time is over (exit code 8) or the command is interrupted, the pool stays disabled, and the users of its addresses are printed. ' +
    'An interrupted removal continues when the command is run again. With --range, the arguments are the first and the last address of a range, ' +
    'and the pools that `pool range add` creates for it are removed: all of them, or none.'
  static override examples = ['<%= config.bin %> pool remove 192.168.0.0/16', '<%= config.bin %> pool remove 10.1.0.0/16 --force', '<%= config.bin %> pool remove 10.1.0.0/16 --drain --wait 1h', '<%= config.bin %> pool remove --range 172.24.0.0 172.24.25.255']
  static readonly exitCodes = {4: 'A pool does not exist.'}
  static override args = {cidrs: cidrsArgument()}
  static override flags = {
    ...ifExistsFlag,
    range: rangeFlag('Remove the pools that cover the range from START to END.'),
    force: Flags.boolean({description: 'Remove the pool even if its addresses are in use.'}),
    ...drainFlags,
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(PoolRemove, (line) => {
      if (line.flags.range) for (const problem of rangeWordProblems(line.args.cidrs)) this.problem(problem)
      for (const problem of drainProblems(line.flags)) this.problem(problem)
    })
    const cidrs = flags.range ? poolsOfRange(args.cidrs) : args.cidrs
    const session = await this.session()
    const ifExists = flags['if-exists']
    const {changes, disowned} = flags.drain
      ? await this.drain(session, cidrs, ifExists, flags.wait)
      : await this.orInsist(
        () => removePools(session, cidrs, {force: flags.force, ifExists}),
        () => removePools(session, cidrs, {force: true, ifExists}),
      )
    await this.report(changes, {done: changes.flatMap(() => DONE), both: true})
    for (const cidr of distinctNetworks(cidrs).map(formatCidr)) if (!changes.some(({name}) => name === cidr)) this.note(`${cidr} is not a configured pool`)
    if (disowned.length > 0) this.note(`Blocks with addresses in use, which belong to no pool now: ${disowned.join(', ')}`)
  }

  private async drain(session: Session, cidrs: readonly Cidr[], ifExists: boolean, waitMs = DEFAULT_WAIT_MS): Promise<PoolRemoval> {
    const {drainPools} = await import('../../lib/client/pool-drain.js')
    const onHolders = (count: number, lines: readonly string[]): void => this.note([`Addresses in use: ${count}${this.dryRun ? '; they would be waited for' : ''}`, ...lines.map((line) => `  ${line}`)])
    return drainPools(session, cidrs, {waitMs, onHolders, offTheClock: (work) => this.offTheClock(work)})
  }

  /** While a pool is drained, --timeout is each request's. */
  protected override sessionOptions(): {dryRun: boolean; init: boolean; perRequest: boolean} {
    return {...super.sessionOptions(), perRequest: (this.globals as {drain?: boolean}).drain === true}
  }
}
