import {Flags} from '@oclif/core'
import {BaseCommand, checked} from '../../lib/cli/base-command.js'
import {readWorld} from '../../lib/client/policy-world.js'
import {policyMatrix} from '../../lib/policy/matrix.js'
import {protocolOf} from '../../lib/policy/probe.js'
import {unknownNotes} from '../../lib/views/policy/matrix.js'
import {matrixOptions} from '../../lib/views/policy/matrix-options.js'
import {NO_ENDPOINTS} from '../../lib/views/policy-picture/page.js'
import {parseTarget, pictureOf, type Target, writePicture} from '../../lib/views/policy-picture/picture.js'

export default class PolicyPicture extends BaseCommand {
  static override summary = 'Draw who reaches whom, as a page, an image or a graph.'
  static override description = [
    'Draws what policy matrix shows: each box is a group of endpoints that the rules treat alike, with their number; each arrow is the traffic that is allowed from one group to another. Without an arrow, no traffic is allowed. The picture shows every flow of the matrix, also where boxes or arrows are merged.',
    'To keep large pictures readable, three things are merged. If there are more than 8 groups, groups with the same incoming and outgoing flows share a box. Pairs of groups with the same traffic share an arrow, which can have several ends. Traffic that all boxes have in common, or more than 8 of them, is a line in a box instead of arrows: "← everyone: tcp/80" in the box that all can reach, "→ everyone: tcp/9100" in the box that can reach all. If there would still be too many arrows, such lines are also used for fewer than 8 boxes. "everyone inside" means all endpoints and hosts, without the addresses outside.',
    'The HTML page needs a browser, but no network: choose an arrow to see the rules that allow it, or a box to see its endpoints; / finds a group, endpoint, profile or address. SVG contains only the image. DOT is for Graphviz, which computes its own layout.',
    'The same objects always give the same picture, byte for byte. --from and --to accept the same values as FROM and TO of policy explain.',
  ].join('\n')
  static override examples = [
    '<%= config.bin %> policy picture -o policy.html',
    '<%= config.bin %> policy picture --protocol tcp -o svg > policy.svg',
    '<%= config.bin %> policy picture --to 192.168.0.2 -o policy.dot',
  ]
  static readonly exitCodes = {1: 'The file cannot be written, or its name does not end with .html, .svg or .dot.', 4: 'There is no such endpoint, profile or node.', 5: '--from or --to is ambiguous; the candidates are listed.'}
  static override flags = {
    from: Flags.string({description: 'Only traffic sent by this endpoint, profile, tag, node or address.', helpValue: 'FROM'}),
    to: Flags.string({description: 'Only traffic received by this endpoint, profile, tag, node or address.', helpValue: 'TO'}),
    protocol: Flags.custom<number>({parse: checked(protocolOf)})({description: 'Only flows of this protocol: tcp, udp, sctp, icmp, icmpv6, udplite or a number.', helpValue: 'PROTOCOL'}),
    output: Flags.custom<Target>({parse: checked(parseTarget)})({char: 'o', description: 'A file whose name ends with .html, .svg or .dot, or one of html (the default), svg and dot for stdout.', helpValue: 'FILE|FORMAT'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(PolicyPicture)
    const {format, file} = flags.output ?? {format: 'html' as const}
    const world = await readWorld(await this.session())
    const matrix = policyMatrix(world, matrixOptions(world, flags))
    const {text, boxes, arrows} = pictureOf(matrix, format)
    if (file === undefined) await this.dataText(text)
    else {
      await writePicture(file, text)
      this.note(`Wrote ${file}: ${matrix.groups.length} groups in ${boxes} boxes, ${arrows} arrows`)
    }
    if (matrix.groups.every(({type}) => type === 'outside')) this.note(NO_ENDPOINTS)
    this.note(unknownNotes(matrix, 'their boxes are dotted'))
  }
}
