import {Flags} from '@oclif/core'
import {BaseCommand, checked} from '../../lib/cli/base-command.js'
import {readWorld} from '../../lib/client/policy-world.js'
import {policyMatrix} from '../../lib/policy/matrix.js'
import {protocolOf} from '../../lib/policy/probe.js'
import {matrixCsv, presentMatrix, unknownNotes} from '../../lib/views/policy/matrix.js'
import {matrixOptions} from '../../lib/views/policy/matrix-options.js'

export default class PolicyMatrix extends BaseCommand {
  static override summary = 'Show who reaches whom: groups of endpoints against groups of endpoints.'
  static override description = [
    'A group is all endpoints that no rule tells apart: the same labels, profiles and named ports, the same networks of rules, and the same node where host endpoints make a difference. It is called by its profiles. Beside these groups stand the processes of each node that has a host endpoint (host:NODE), the networks outside that rules and network sets name, and all other addresses (outside).',
    'Pairs of which nothing passes are left out. Between a group and itself stands what passes between two of its endpoints; between a group and a host, what passes between an endpoint on another node and that host.',
    '--from and --to take what policy explain takes.',
  ].join('\n')
  static override examples = [
    '<%= config.bin %> policy matrix',
    '<%= config.bin %> policy matrix --protocol tcp -o json',
    '<%= config.bin %> policy matrix --to 192.168.0.2 -o csv',
  ]
  static readonly exitCodes = {4: 'There is no such endpoint, profile or node.', 5: '--from or --to may be several; they are listed.'}
  static override flags = {
    from: Flags.string({description: 'Only what this endpoint, profile, tag, node or address sends.', helpValue: 'FROM'}),
    to: Flags.string({description: 'Only what it receives.', helpValue: 'TO'}),
    protocol: Flags.custom<number>({parse: checked(protocolOf)})({description: 'Only flows of this protocol: tcp, udp, sctp, icmp, icmpv6, udplite or a number.', helpValue: 'PROTOCOL'}),
    output: Flags.option({options: ['table', 'wide', 'json', 'yaml', 'csv'] as const})({char: 'o', description: 'The format: table (the default), wide (with the rules), json, yaml or csv (from,to,flows).', helpValue: 'FORMAT'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(PolicyMatrix)
    const world = await readWorld(await this.session())
    const matrix = policyMatrix(world, matrixOptions(world, flags))
    if (flags.output === 'csv') await this.dataText(matrixCsv(matrix))
    else await this.presentAs(presentMatrix(matrix), flags.output ?? 'table')
    this.note(unknownNotes(matrix, '-o json tells each'))
  }
}
