import {Flags} from '@oclif/core'
import {BaseCommand, checked} from '../../lib/cli/base-command.js'
import {readWorld} from '../../lib/client/policy-world.js'
import {policyMatrix} from '../../lib/policy/matrix.js'
import {protocolOf} from '../../lib/policy/probe.js'
import {matrixCsv, presentMatrix, unknownNotes} from '../../lib/views/policy/matrix.js'
import {matrixOptions} from '../../lib/views/policy/matrix-options.js'

export default class PolicyMatrix extends BaseCommand {
  static override summary = 'Show which groups of endpoints can reach each other, and with which traffic.'
  static override description = [
    'A group contains all endpoints that the rules treat alike: they have the same labels, profiles and named ports, are in the same networks that rules match, and are on the same node if host endpoints make a difference. A group has the name of its profiles. Further groups are the processes of each node with a host endpoint (host:NODE, and host:NODE/ADDRESS for a further interface with a host endpoint of its own), the external networks that rules and network sets contain, and all other addresses (outside).',
    'Pairs without allowed traffic are not shown. The row from a group to itself is the traffic between two of its endpoints; the row between a group and a host is the traffic between that host and endpoints on other nodes.',
    '--from and --to accept the same values as FROM and TO of policy explain.',
  ].join('\n')
  static override examples = [
    '<%= config.bin %> policy matrix',
    '<%= config.bin %> policy matrix --protocol tcp -o json',
    '<%= config.bin %> policy matrix --to 192.168.0.2 -o csv',
  ]
  static readonly exitCodes = {4: 'There is no such endpoint, profile or node.', 5: '--from or --to is ambiguous; the candidates are listed.'}
  static override flags = {
    from: Flags.string({description: 'Only traffic sent by this endpoint, profile, tag, node or address.', helpValue: 'FROM'}),
    to: Flags.string({description: 'Only traffic received by this endpoint, profile, tag, node or address.', helpValue: 'TO'}),
    protocol: Flags.custom<number>({parse: checked(protocolOf)})({description: 'Only flows of this protocol: tcp, udp, sctp, icmp, icmpv6, udplite or a number.', helpValue: 'PROTOCOL'}),
    output: Flags.option({options: ['table', 'wide', 'json', 'yaml', 'plain', 'name', 'csv'] as const})({char: 'o', description: 'The format: table (the default), wide (with the rules), json, yaml, plain (tabs, no borders), name (FROM:TO) or csv (from,to,flows).', helpValue: 'FORMAT'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(PolicyMatrix)
    const world = await readWorld(await this.session())
    const matrix = policyMatrix(world, matrixOptions(world, flags))
    if (flags.output === 'csv') await this.dataText(matrixCsv(matrix))
    else await this.presentAs(presentMatrix(matrix), flags.output ?? 'table')
    this.note(unknownNotes(matrix, '-o json lists them'))
  }
}
