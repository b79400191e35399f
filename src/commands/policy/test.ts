import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../../lib/cli/base-command.js'
import {CalicoError} from '../../lib/errors.js'
import type {World} from '../../lib/policy/world.js'
import {readWorld} from '../../lib/client/policy-world.js'
import {readProbes, refuseMistakes} from '../../lib/views/policy/test-file.js'
import {ask, filesWorld, junit, presentResults} from '../../lib/views/policy/test.js'
import {readingFlags} from '../../lib/views/resource-files/options.js'

export default class PolicyTest extends BaseCommand {
  static override summary = 'Check that the policy gives the verdicts that a file expects.'
  static override description = [
    'A FILE is YAML or JSON with apiVersion: calicoctl/v1, kind: PolicyTest and a list of probes. A probe is a text such as "web -> db tcp/5432 allow", with ends as for policy explain, ' +
      'or an object with from and to (each {endpoint: NAME}, {ip: ADDRESS}, {host: NODE} or such a text), proto, dport, sport, icmpType, icmpCode, ipVersion, and the expectation: expect (allow or deny), and by (properties of the deciding rule of one side: kind, name, tier, namespace, direction, index, action, missing; index is 0 for rule 1).',
    'Prints the probes whose verdict is not the expected one, and fails with exit code 10 if there are any. With -f, it evaluates the objects in files instead of a datastore: files as for validate, or a backup of datastore save.',
  ].join('\n')
  static override examples = ['<%= config.bin %> policy test policy-test.yaml', '<%= config.bin %> policy test policy-test.yaml -f profiles.yaml -o junit', '<%= config.bin %> policy test policy-test.yaml -R -f cluster/']
  static readonly exitCodes = {1: 'A file is invalid; the problems are listed with their lines.', 10: 'A probe does not have the expected verdict.'}
  static override args = {file: Args.string({required: true, ignoreStdin: true, multiple: true, description: 'A file of probes, or - for stdin.'})}
  static override flags = {
    filename: Flags.string({char: 'f', multiple: true, description: 'Evaluate the objects in this file or folder, or in this backup of datastore save, instead of a datastore. Can be repeated.', helpValue: 'FILE'}),
    ...readingFlags,
    output: Flags.option({options: ['table', 'json', 'yaml', 'junit'] as const})({char: 'o', description: 'The format: table (the failed probes, the default), json or yaml (every probe), or junit.', helpValue: 'FORMAT'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(PolicyTest, ({args: {file}, flags: {filename = []}}) => {
      if ([...file, ...filename].filter((path) => path === '-').length > 1) this.problem('-: stdin can be given only once')
    })
    const {probes, mistakes} = await readProbes(args.file, flags)
    const world = async (): Promise<World> => (flags.filename ? filesWorld({...flags, filename: flags.filename}) : readWorld(await this.session()))
    // The mistakes of a file are reported together with the names in it that do not exist, if the datastore can be read.
    const unknown = mistakes.length === 0 || probes.length === 0 ? [] : await world().then((there) => ask(there, probes).mistakes, () => [])
    refuseMistakes([...mistakes, ...unknown])
    const {results, mistakes: missing} = ask(await world(), probes)
    refuseMistakes(missing)
    if (flags.output === 'junit') await this.dataText(junit(results))
    else await this.presentAs(presentResults(results), flags.output ?? 'table')
    const failed = results.filter(({ok}) => !ok).length
    const total = `${results.length} ${results.length === 1 ? 'probe' : 'probes'}`
    if (failed > 0) throw new CalicoError('problems', `${failed} of ${total} ${failed === 1 ? 'is' : 'are'} not as expected`)
    this.note(`${total}: all as expected`)
  }
}
