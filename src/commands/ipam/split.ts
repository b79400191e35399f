import {Args, Flags} from '@oclif/core'
import {partsProblem, splitPool} from '../../lib/client/pool-split.js'
import {readCidr} from '../../lib/cli/arguments.js'
import {checked} from '../../lib/cli/base-command.js'
import {EditCommand} from '../../lib/cli/edit-command.js'
import {CalicoError} from '../../lib/errors.js'
import type {Cidr} from '../../lib/net/index.js'

function readNumber(text: string): number {
  const problem = /^\d{1,9}$/.test(text) ? partsProblem(Number(text)) : `'${text}' is not a number.`
  if (problem !== undefined) throw new CalicoError('invalid', problem)
  return Number(text)
}

export default class IpamSplit extends EditCommand {
  static override summary = 'Split an IP pool into equal parts.'
  static override description = 'Replaces the pool by the pools split-POOL-0, split-POOL-1 … in one transaction. They have the same options and are enabled. Addresses and blocks are not changed. The datastore does not have to be locked.'
  static override examples = ['<%= config.bin %> ipam split 2 --cidr 10.1.0.0/16 --dry-run']
  static readonly exitCodes = {1: 'The number is not a power of two up to 64, or the parts would be smaller than a block.', 4: 'There is no such pool.', 5: 'A pool with the name of a part already exists.', 8: 'The pool belongs to a Docker network that uses Docker\'s own IPAM, or a restore is not complete.'}
  static override args = {number: Args.custom<number>({parse: checked(readNumber)})({required: true, ignoreStdin: true, description: 'The number of parts: 2, 4, 8, 16, 32 or 64.'})}
  static override flags = {
    name: Flags.string({description: 'The name of the pool; overrides --cidr.', helpValue: 'POOL'}),
    cidr: Flags.custom<Cidr>({parse: checked(readCidr)})({description: 'The CIDR of the pool.', helpValue: 'CIDR'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(IpamSplit, (line) => {
      if (line.flags.name === undefined && line.flags.cidr === undefined) this.problem('The pool is missing: give --name=POOL or --cidr=CIDR.')
    })
    const which = flags.name !== undefined ? {name: flags.name} : flags.cidr ? {cidr: flags.cidr} : {name: ''}
    const {name, changes, wasDisabled} = await splitPool(await this.session(), which, args.number)
    const created = changes.flatMap(({name: part, after}) => (after ? [`Created ${part} with CIDR ${after.spec.cidr}.`] : []))
    await this.report(changes, {done: [`IP Pool ${name} was successfully split into ${args.number} smaller pools.`, ...created]})
    if (wasDisabled) this.note(`The pool ${name} was disabled; the pools in its place ${this.dryRun ? 'would be' : 'are'} enabled. To disable them: calicoctl pool set ${changes.flatMap(({after}) => after?.spec.cidr ?? []).join(' ')} --disabled`)
  }
}
