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
    'Draws what policy matrix shows: each box is a group of endpoints that no rule tells apart, with their number; each arrow is what passes from one group to another. Where there is no arrow, nothing passes. The picture never hides a flow: what is merged says exactly what the matrix does.',
    'So that many groups stay readable, three things are merged. Of more than 8 groups, those that reach the same and are reached by the same share a box. Pairs of groups that pass the same share an arrow, which may have several ends. And what is common to everyone, or to more than 8 boxes, is a line in a box instead of arrows: "← everyone: tcp/80" in the box that all reach, "→ everyone: tcp/9100" in the one that reaches all. Where there would still be too many arrows to follow, fewer boxes are enough for that. "everyone inside" is all endpoints and hosts, without the addresses outside.',
    'The HTML page needs a browser, but no network: choose an arrow to see the rules that allow it, or a box to see its endpoints; / finds a group, endpoint, profile or address. SVG is the same image alone. DOT is for Graphviz, which places it anew.',
    'Of the same objects the same picture is made, byte for byte. --from and --to take what policy explain takes.',
  ].join('\n')
  static override examples = [
    '<%= config.bin %> policy picture -o policy.html',
    '<%= config.bin %> policy picture --protocol tcp -o svg > policy.svg',
    '<%= config.bin %> policy picture --to 192.168.0.2 -o policy.dot',
  ]
  static readonly exitCodes = {1: 'The file cannot be written, or its ending is none of these.', 4: 'There is no such endpoint, profile or node.', 5: '--from or --to may be several; they are listed.'}
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
