import {Args, Flags} from '@oclif/core'
import {checked} from '../../lib/cli/base-command.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {CalicoError} from '../../lib/errors.js'
import {readWorld} from '../../lib/client/policy-world.js'
import {findParty, parseTraffic, type Traffic} from '../../lib/policy/probe.js'
import {explain} from '../../lib/views/policy/explain.js'

const readPort = (text: string): number => {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new CalicoError('invalid', `--sport: '${text}' is not a port: give 0 to 65535`)
  return Number(text)
}

export default class PolicyExplain extends ShowCommand {
  static override summary = 'Explain whether a flow is allowed, and which rules decide.'
  static override description = [
    'FROM and TO are each an endpoint (its id, name, or the beginning of one of these), a container, a workload, a profile, an address, host:NODE for the processes of a node, profile:NAME, tag:NAME, or any. A profile or tag stands for all endpoints that have it.',
    'Prints the verdict, the deciding rule on the sender\'s and the receiver\'s side, the commands that show or change it, and what would have to change for the opposite verdict. Without PROTO, prints all traffic that is allowed.',
    'The verdict is what the nodes enforce (Felix v3.32 with iptables). If it cannot be determined from the datastore, it is unknown, and the reason is printed.',
  ].join('\n')
  static override examples = [
    '<%= config.bin %> policy explain 192.168.0.1 192.168.0.2 tcp/80',
    '<%= config.bin %> policy explain any 192.168.0.2 icmp/8 -o json',
    '<%= config.bin %> policy explain 192.0.2.9 192.168.0.2',
    '<%= config.bin %> policy explain 192.168.0.1 192.168.0.2 tcp/22 --assert allow',
  ]
  static readonly exitCodes = {4: 'There is no such endpoint, profile or node.', 5: 'FROM or TO is ambiguous; the candidates are listed.', 10: 'The verdict differs from the one given with --assert.'}
  static override args = {
    from: Args.string({required: true, ignoreStdin: true, description: 'The sender of the first packet.'}),
    to: Args.string({required: true, ignoreStdin: true, description: 'The receiver.'}),
    proto: Args.custom<Traffic>({parse: checked(parseTraffic)})({ignoreStdin: true, description: 'The protocol and its port, or ICMP type and code: tcp/80, udp/53, icmp/8, icmpv6/128/0, 47.'}),
  }
  static override flags = {
    assert: Flags.option({options: ['allow', 'deny'] as const})({description: 'Fail with exit code 10 if the verdict is different.', helpValue: 'VERDICT'}),
    sport: Flags.custom<number>({parse: checked(readPort)})({description: 'The source port, for rules that match on it.', helpValue: 'PORT'}),
    ipv6: Flags.boolean({description: 'Explain IPv6 traffic if both ends have IPv4 and IPv6 addresses.'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(PolicyExplain, ({args: {proto}, flags: {assert, sport}}) => {
      if (proto === undefined && assert !== undefined) this.problem('--assert needs PROTO')
      if (proto === undefined && sport !== undefined) this.problem('--sport needs PROTO')
    })
    const world = await readWorld(await this.session())
    const traffic = args.proto && {...args.proto, ...(flags.sport === undefined ? {} : {sport: flags.sport})}
    const {presentation, verdict, warnings} = explain({world, from: findParty(world, args.from), to: findParty(world, args.to), traffic, family: flags.ipv6 ? 6 : undefined})
    await this.present(presentation)
    for (const {message} of warnings) this.note(`Warning: ${message}`)
    if (flags.assert !== undefined && verdict !== flags.assert) throw new CalicoError('problems', `The verdict is ${verdict ?? 'unknown'}, not ${flags.assert}`)
  }
}
