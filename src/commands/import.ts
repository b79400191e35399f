import {Flags} from '@oclif/core'
import {EditCommand} from '../lib/cli/edit-command.js'
import {indentedJson} from '../lib/cli/output/render.js'
import {CalicoError} from '../lib/errors.js'
import {type Converted, convertStore} from '../lib/import-v1/convert.js'
import {type Planned, planImport, writeImport} from '../lib/import-v1/write.js'
import {lostLines, oldEtcd, planDocument, planTable, readOldStore, sourceProblems} from '../lib/views/import.js'
import type {EtcdSettings} from '../lib/settings/types.js'

/** How long the old store may take where --timeout says nothing. */
const DEFAULT_LIMIT_MS = 30_000

export default class Import extends EditCommand {
  static override summary = 'Import the data of calicoctl v0.20 from etcd\'s v2 API, or from a dump of it.'
  static override description = [
    'Converts and writes profiles with tags and rules, pools, BGP peers, node mesh and AS numbers, the settings of Felix and BGP, nodes, endpoints with their profiles, and assigned addresses with handles and attributes. ' +
      'The plan is printed first. It is carried out after confirmation on a terminal, or with --yes. The old store is only read.',
    'Data that cannot be imported is listed with its key and the reason; the rest is imported, and the exit code is 9. With --strict, nothing is imported in that case (exit code 8). With --dry-run, the exit code is then 0, or with --strict 8. ' +
      'Existing objects are never changed: if one differs from what would be written, nothing is written and the exit code is 5. Everything is written in one transaction if it fits. --timeout applies to each request.',
    'A dump is the response to GET /v2/keys/calico?recursive=true, or to the same request for a folder below /calico; several dumps can be given.',
  ].join('\n')
  static override examples = [
    '<%= config.bin %> import --etcd-v2 http://10.0.0.1:4001 --dry-run',
    '<%= config.bin %> import --etcd-v2 https://etcd1:2379,https://etcd2:2379 --etcd-v2-ca ca.pem --yes',
    '<%= config.bin %> import --from calico.json --strict --yes',
    '<%= config.bin %> import --from - --dry-run < calico.json',
  ]
  static readonly exitCodes = {
    1: 'The dump or an option is invalid; nothing was changed.',
    4: 'The old store has no data of Calico v0.20.',
    5: 'An object exists and differs; nothing was changed.',
    8: 'Not confirmed, or with --strict: some data cannot be imported, or the datastore is locked; nothing was changed.',
    9: 'Some data cannot be imported; the rest was imported.',
  }
  static override flags = {
    'etcd-v2': Flags.string({description: 'The etcd of v0.20: http://HOST:PORT or https://HOST:PORT, several separated by commas.', helpValue: 'URL[,URL...]'}),
    'etcd-v2-ca': Flags.string({description: 'The CA certificate that verifies the server certificate of that etcd.', helpValue: 'FILE'}),
    'etcd-v2-cert': Flags.string({description: 'The client certificate for that etcd.', helpValue: 'FILE'}),
    'etcd-v2-key': Flags.string({description: 'Its key.', helpValue: 'FILE'}),
    from: Flags.string({multiple: true, description: 'A dump of the old store, instead of --etcd-v2; - reads stdin. May be given several times.', helpValue: 'FILE'}),
    strict: Flags.boolean({description: 'Write nothing if some data cannot be imported.'}),
    yes: Flags.boolean({description: 'Do not prompt.'}),
    output: Flags.option({options: ['table', 'json'] as const})({char: 'o', description: 'Print the plan as a table or as JSON; JSON also contains the objects and the keys from which they are made.', helpValue: 'FORMAT'}),
  }

  async run(): Promise<void> {
    let etcd: EtcdSettings | undefined
    const {flags} = await this.read(Import, (line) => {
      const problems = sourceProblems(line.flags)
      for (const problem of problems) this.problem(problem)
      etcd = oldEtcd(line.flags, (text) => this.problem(text))
    })
    const {store, lacks} = await readOldStore(flags, etcd, {limitMs: this.globals.timeout ?? DEFAULT_LIMIT_MS, stdin: (largest) => this.stdinText('dump of the old store', largest)})
    if (lacks !== undefined) this.note(`Warning: ${lacks}`)
    const converted = convertStore(store, Date.now())
    const session = await this.session()
    const planned = await planImport(session, converted.items)
    await this.show(planned, converted, flags.output)
    if (flags.strict && converted.lost.length > 0) {
      throw new CalicoError('refused', `${entries(converted)} cannot be imported; nothing was changed`, {hint: 'Without --strict, the rest is imported.'})
    }
    const created = planned.filter(({change}) => change === 'created')
    if (!this.dryRun && created.length > 0 && !flags.yes) await this.insist(created.length)
    await writeImport(session, planned, (text) => this.note(text))
    if (created.length > 0) this.noteChanged()
    this.note(`${planned.length === 1 ? '1 object' : `${planned.length} objects`}: ${created.length} ${this.dryRun ? 'would be ' : ''}created, ${planned.length - created.length} unchanged`)
    await this.reportFlows({aside: flags.output === 'json'})
    if (!this.dryRun && converted.lost.length > 0) throw new CalicoError('unknown', `${entries(converted)} could not be imported; everything else was imported`, {hint: 'They are listed above with the reasons; -o json has the same list.'})
  }

  protected override sessionOptions(): {dryRun: boolean; init: boolean; perRequest: true} {
    return {...super.sessionOptions(), perRequest: true}
  }

  private async show(planned: readonly Planned[], converted: Converted, format: 'table' | 'json' | undefined): Promise<void> {
    if (format === 'json') await this.dataText(`${indentedJson(planDocument(planned, converted, this.dryRun))}\n`)
    else await this.presentAs(planTable(planned), 'table')
    await this.flush()
    if (converted.lost.length > 0) this.note([`${entries(converted)} cannot be imported:`, ...lostLines(converted)])
  }

  private async insist(number: number): Promise<void> {
    if (await this.confirm(`Write ${number === 1 ? 'this object' : `these ${number} objects`}?`)) return
    throw new CalicoError('refused', 'Not confirmed; nothing was changed', {override: '--yes', hint: 'To import without a prompt, use --yes.'})
  }
}

const entries = ({lost}: Converted): string => (lost.length === 1 ? '1 entry' : `${lost.length} entries`)
