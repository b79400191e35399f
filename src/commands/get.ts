import {Args, Flags} from '@oclif/core'
import {countKinds} from '../lib/client/inventory.js'
import {findTarget, presentIpamObjects, presentKinds, presentResources} from '../lib/views/get.js'
import type {Selector} from '../lib/model/selector/index.js'
import {CalicoError} from '../lib/errors.js'
import {checked} from '../lib/cli/base-command.js'
import {type GetOutput, readOutput, readPath, readRevision, readSelector} from '../lib/views/get-selection.js'
import {resourceColumns} from '../lib/views/kind-columns.js'
import {chosenFormat, ShowCommand} from '../lib/cli/show-command.js'
import type {Column, OutputFormat, Presentation} from '../lib/cli/output/presentation.js'
import type {Stored} from '../lib/client/resources.js'
import {displayName} from '../lib/model/display-name.js'
import type {KindInfo} from '../lib/model/kinds.js'

interface ResourceFlags {
  readonly namespace?: string | undefined
  readonly 'in-all-namespaces': boolean
  readonly 'all-namespaces': boolean
  readonly selector?: Selector | undefined
  readonly 'sort-by'?: readonly string[] | undefined
  readonly at?: bigint | undefined
  readonly output?: GetOutput | undefined
  readonly watch: boolean
  readonly export: boolean
}

export default class Get extends ShowCommand {
  static override summary = 'Show stored objects of any kind.'
  static override description =
    'KIND is a kind of resource (profile, ippool, workloadendpoint, …), an IPAM object (block, affinity, handle, ipamconfig), or the word kinds, ' +
    'which lists the number of stored objects of each kind, including kinds of newer Calico versions.'
  static override usage = ['get <KIND> [<NAME>...] [options]', 'get --filename=<FILE> [options]']
  static override examples = [
    '<%= config.bin %> get ippool -o wide',
    '<%= config.bin %> get profile web -o yaml',
    '<%= config.bin %> get workloadendpoint -A',
    '<%= config.bin %> get profile web frontend -o yaml --export',
    '<%= config.bin %> get hostendpoint -l "role == \'db\'" --sort-by spec.node',
    '<%= config.bin %> get ippool -o custom-columns=NAME,CIDR',
    '<%= config.bin %> get -f profiles.yaml -o yaml || true',
    '<%= config.bin %> get kinds',
  ]
  static readonly exitCodes = {4: 'An object with one of the names does not exist; the others were shown.', 130: 'Interrupted: the end of --watch.'}
  static readonly places = {'[KIND]': 'The kind, in singular or plural.', '[NAME...]': 'The names of objects. Default: all objects of the kind.'}
  static override args = {
    words: Args.string({ignoreStdin: true, multiple: true, required: false}),
  }
  static override flags = {
    namespace: Flags.string({char: 'n', description: 'The namespace, for namespaced kinds. Default: default.', helpValue: 'NAME'}),
    'in-all-namespaces': Flags.boolean({char: 'a', hidden: true, description: 'As -A.'}),
    'all-namespaces': Flags.boolean({char: 'A', description: 'Show the objects of all namespaces.'}),
    selector: Flags.custom<Selector>({parse: checked(readSelector)})({
      char: 'l',
      description: 'Only objects whose labels (metadata.labels) this selector matches: "role == \'db\' && has(web)".',
      helpValue: 'SELECTOR',
    }),
    'sort-by': Flags.custom<readonly string[]>({parse: checked(readPath)})({
      description: 'Sort by a field, given as a path with dots: spec.order. Numbers come before texts, objects without the field last.',
      helpValue: 'PATH',
    }),
    at: Flags.custom<bigint>({parse: checked(readRevision)})({
      description: 'Show the objects as they were at this revision of the datastore. Compacted revisions are no longer available.',
      helpValue: 'REVISION',
    }),
    output: Flags.custom<GetOutput>({parse: checked(readOutput)})({
      char: 'o',
      description: 'The format: table (the default), wide, json, yaml, plain (tabs, no borders), name, ps (a table without borders) or custom-columns=HEADING,HEADING.',
      helpValue: 'FORMAT',
    }),
    watch: Flags.boolean({char: 'w', description: 'Print the objects, then every change (ADDED, MODIFIED, DELETED), until Ctrl-C; with -o json, one object per line.'}),
    filename: Flags.string({char: 'f', multiple: true, description: 'Show the objects that are listed in this file or folder, or in stdin (-). Can be repeated.', helpValue: 'FILE'}),
    recursive: Flags.boolean({char: 'R', description: 'Read folders recursively.'}),
    'skip-empty': Flags.boolean({description: 'Ignore files that contain no objects.'}),
    export: Flags.boolean({description: 'Omit the fields of this datastore from json and yaml: uid, resourceVersion and times. The namespace is kept.'}),
  }

  private readonly asked: {output?: GetOutput; watching?: boolean} = {}

  protected override get format(): OutputFormat {
    return this.asked.output?.format ?? chosenFormat({json: (this.globals as {json?: boolean}).json})
  }

  protected override sessionOptions(): {perRequest: boolean} {
    return {perRequest: this.asked.watching === true}
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(Get, (line) => this.checkLine(line.args.words ?? [], line.flags))
    Object.assign(this.asked, {output: flags.output, watching: flags.watch})
    if (flags.filename) return this.showFiles({...flags, filename: flags.filename})
    const [kind = '', ...names] = args.words ?? []
    const target = findTarget(kind)
    if (target.type !== 'resource') this.refuseForResources(flags, names)
    switch (target.type) {
      case 'resource':
        return this.showResources(target.info, names, flags)
      case 'ipam':
        return this.present(await presentIpamObjects(await this.session(), target.kind, names[0]))
      case 'kinds':
        return this.present(presentKinds(await countKinds(await this.session())))
    }
  }

  private async showResources(info: KindInfo, names: readonly string[], flags: ResourceFlags): Promise<void> {
    const everywhere = flags['all-namespaces'] || flags['in-all-namespaces']
    if (!info.namespaced && (everywhere || flags.namespace !== undefined)) throw new CalicoError('invalid', `${everywhere ? '--all-namespaces' : '-n'} cannot be used: the kind ${info.kind} has no namespaces`)
    const namespace = everywhere ? undefined : (flags.namespace ?? 'default')
    const columns = flags.output?.bare?.columns && (await import('../lib/views/get-more/bare.js')).chosenColumns(info, flags.output.bare.columns)
    const session = await this.session()
    if (flags.watch) {
      const {eventPrinter, watchResources} = await import('../lib/views/get-more/watch.js')
      const print = eventPrinter(columns ?? resourceColumns(info.kind, {namespace: info.namespaced && namespace === undefined}), this.format, flags.export)
      for await (const events of watchResources(session, info, {names, namespace, selector: flags.selector}, new AbortController().signal)) {
        await this.dataText(await print(events))
        await this.flush()
      }
      return
    }
    const found = await presentResources(session, info, {names, namespace, selector: flags.selector, sortBy: flags['sort-by'], at: flags.at, export: flags.export})
    await this.presentBare(found, columns, flags.output)
    if (found.missing) throw found.missing
  }

  /** PRESENTATION, as a table without borders where -o asks for one. */
  private async presentBare(presentation: Presentation<Stored>, columns: readonly Column<Stored>[] | undefined, output: GetOutput | undefined): Promise<void> {
    if (output?.bare === undefined) return this.present(presentation)
    const {bare} = await import('../lib/views/get-more/bare.js')
    return this.present(bare(presentation, columns ?? presentation.columns.filter(({wide}) => !wide)))
  }

  private async showFiles(flags: ResourceFlags & {readonly filename: readonly string[]; readonly recursive: boolean; readonly 'skip-empty': boolean}): Promise<void> {
    const {findInFiles} = await import('../lib/views/resource-files/get-files.js')
    const {groups, document, number, missing} = await findInFiles(() => this.session(), flags)
    const name = ({resource}: Stored): string => `${resource.kind.toLowerCase()}/${displayName(resource.metadata).name}`
    if (this.format === 'json' || this.format === 'yaml') {
      if (number > 0) await this.present<Stored>({rows: [], columns: [], name, document: () => document})
    } else {
      for (const {info, found} of groups) {
        const columns = flags.output?.bare?.columns && (await import('../lib/views/get-more/bare.js')).chosenColumns(info, flags.output.bare.columns)
        await this.presentBare({rows: found, columns: resourceColumns(info.kind, {namespace: info.namespaced}), name, document: () => undefined}, columns, flags.output)
      }
    }
    if (missing) throw missing
  }

  private checkLine([kind, ...names]: readonly string[], flags: ResourceFlags & {readonly filename?: readonly string[] | undefined}): void {
    const everywhere = flags['all-namespaces'] || flags['in-all-namespaces']
    const given = Object.entries({'--selector': flags.selector, '--sort-by': flags['sort-by'], '--at': flags.at, '--all-namespaces': everywhere || undefined, '--watch': flags.watch || undefined}).filter(([, value]) => value !== undefined).map(([word]) => word)
    if (kind === undefined && flags.filename === undefined) this.problem('Give a kind, or files with -f')
    if (flags.filename !== undefined && kind !== undefined) this.problem('Give either a kind or files with -f')
    if (flags.filename !== undefined && given.length > 0) this.problem(`${given.join(' and ')} cannot be given with -f`)
    if (flags.selector !== undefined && names.length > 0) this.problem('--selector and names cannot be combined')
    if (flags.namespace !== undefined && everywhere) this.problem('--namespace and --all-namespaces cannot be combined')
    if (flags.watch && (flags.at !== undefined || flags['sort-by'] !== undefined)) this.problem('--watch cannot be combined with --at or --sort-by')
    if (flags.watch && this.invocation.line !== undefined) this.problem('--watch runs until it is interrupted, and cannot be used in a batch')
  }

  /** What only resources have: labels, revisions to read at, several names in one line. @throws CalicoError `invalid` */
  private refuseForResources(flags: object, names: readonly string[]): void {
    const given = ['selector', 'sort-by', 'at', 'export', 'watch'].filter((name) => Object.hasOwn(flags, name)).map((name) => `--${name}`)
    if ((flags as ResourceFlags).output?.bare) given.push('-o ps and custom-columns')
    if (names.length > 1) given.unshift('several names')
    if (given.length > 0) throw new CalicoError('invalid', `${given.join(' and ')} can be used for resources only, such as profiles, not for IPAM objects and kinds.`)
  }
}
