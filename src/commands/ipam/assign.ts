import {Args} from '@oclif/core'
import {HostEditCommand, mayExistFlag} from '../../lib/cli/edit-command.js'
import {handleFlag, numberFlag} from '../../lib/views/ipam-arguments.js'
import {presentAssigned, readWanted, type Wanted} from '../../lib/views/ipam-assign.js'
import {requireKnownNode} from '../../lib/views/known-node.js'
import {chosenNode, isOwnNode, nodeFlag} from '../../lib/views/node-option.js'
import {chosenFormat, outputFlags} from '../../lib/cli/show-command.js'
import {checked} from '../../lib/cli/base-command.js'
import {assignByHand} from '../../lib/ipam/by-hand.js'

export default class IpamAssign extends HostEditCommand {
  static override summary = 'Assign addresses, for example for virtual machines.'
  static readonly exitCodes = {4: 'The pool or the node does not exist.', 5: 'The address is already assigned, or another client keeps modifying the same blocks.', 8: 'No address is free, or the datastore is locked.'}
  static override description =
    'Prints the addresses, one per line, and their handle on stderr. WANTED is an address, ipv4 (the default), ipv6, or the CIDR of a pool. ' +
    'Without --node, they are assigned to this host, whose Node object is created if it does not exist. They stay assigned until `ipam release`, and `ipam check` treats them as in use. ' +
    'With --may-exist and --handle, matching addresses of the handle are printed, and only missing ones are assigned.'
  static override examples = [
    '<%= config.bin %> ipam assign',
    '<%= config.bin %> ipam assign 192.168.0.7 --handle vm-17',
    '<%= config.bin %> ipam assign ipv6 --count 4 --node host-2',
    '<%= config.bin %> ipam assign 192.168.0.0/16 -o json',
  ]
  static override args = {
    wanted: Args.custom<Wanted>({parse: checked(readWanted)})({ignoreStdin: true, description: 'An address, ipv4, ipv6, or the CIDR of a pool.'}),
  }
  static override flags = {
    ...mayExistFlag,
    ...outputFlags,
    handle: handleFlag('The handle to record. Default: a new one.'),
    node: nodeFlag(),
    count: numberFlag('count', 1, 'The number of addresses. Default: 1.'),
    'max-blocks': numberFlag('max-blocks', 1, 'The maximum number of blocks of the node. Default: 20, or the configured limit if it is lower.'),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(IpamAssign, (line) => {
      if (line.flags['may-exist'] && line.flags.handle === undefined) this.problem('--may-exist needs --handle: addresses that the handle already has are counted.')
      if (line.args.wanted?.type === 'address' && (line.flags.count ?? 1) !== 1) this.problem('--count requires ipv4, ipv6 or a pool, and cannot be used with an address.')
    })
    const node = chosenNode(flags.node, (text) => this.note(text))
    const session = await this.session()
    if (flags.node !== undefined) await requireKnownNode(session, flags.node)
    const result = await assignByHand(session, {
      ...(args.wanted ?? {type: 'family', family: 4}),
      node,
      ownNode: flags.node === undefined && isOwnNode(node),
      handle: flags.handle,
      mayExist: flags['may-exist'],
      count: flags.count ?? 1,
      maxBlocks: flags['max-blocks'] ?? 0,
    })
    if (!result.unchanged) this.noteChanged()
    await this.presentAs(presentAssigned(result), chosenFormat(flags))
    if (result.createdNode) this.note(`node/${node} ${this.dryRun ? 'would be ' : ''}created`)
    if (result.addresses.length > 0) this.note(`Handle: ${result.handle}${result.unchanged && result.failure === undefined ? ' unchanged' : this.dryRun ? ' (nothing was assigned)' : ''}`)
    if (result.failure) throw result.failure
  }
}
