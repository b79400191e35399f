import {Args, Flags} from '@oclif/core'
import {countKinds} from '../lib/client/inventory.js'
import {findTarget, presentIpamObjects, presentKinds, presentResources} from '../lib/views/get.js'
import type {Selector} from '../lib/model/selector/index.js'
import {CalicoError} from '../lib/errors.js'
import {checked} from '../lib/cli/base-command.js'
import {readPath, readRevision, readSelector} from '../lib/views/get-selection.js'
import {ShowCommand} from '../lib/cli/show-command.js'

export default class Get extends ShowCommand {
  static override summary = 'Show stored objects of any kind as Calico has them.'
  static override description =
    'KIND is a kind of Calico\'s (profile, ippool, workloadendpoint, …), one of IPAM\'s (block, affinity, handle, ipamconfig), or kinds, ' +
    'which counts what the store holds, with the kinds of newer Calicos that calicoctl leaves alone.'
  static override examples = [
    '<%= config.bin %> get ippool -o wide',
    '<%= config.bin %> get profile web -o yaml',
    '<%= config.bin %> get workloadendpoint -A',
    '<%= config.bin %> get profile web frontend -o yaml --export',
    '<%= config.bin %> get hostendpoint -l "role == \'db\'" --sort-by spec.node',
    '<%= config.bin %> get kinds',
  ]
  static readonly exitCodes = {4: 'There is no object of that name, or of one of several names; the others were shown.'}
  static override args = {
    kind: Args.string({required: true, ignoreStdin: true, description: 'The kind, in singular or plural.'}),
    name: Args.string({ignoreStdin: true, multiple: true, description: 'One object\'s name, or several; without it all are shown.'}),
  }
  static override flags = {
    namespace: Flags.string({char: 'n', description: 'The namespace of objects that are in one; the default is default.', helpValue: 'NAME'}),
    'all-namespaces': Flags.boolean({char: 'A', description: 'The objects of all namespaces.'}),
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
      description: 'Show the objects as they were at this revision of the datastore. One that was compacted cannot be read any more.',
      helpValue: 'REVISION',
    }),
    export: Flags.boolean({description: 'Leave out of json and yaml what belongs to this datastore: uid, resourceVersion and times. The namespace stays.'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(Get, ({args: {name}, flags: {namespace, 'all-namespaces': all, selector}}) => {
      if (selector !== undefined && name !== undefined) this.problem('--selector and names exclude each other')
      if (namespace !== undefined && all) this.problem('--namespace and --all-namespaces exclude each other')
    })
    const target = findTarget(args.kind)
    const names = args.name ?? []
    if (target.type !== 'resource') this.refuseForResources(flags, names)
    const session = await this.session()
    switch (target.type) {
      case 'resource': {
        const namespace = flags['all-namespaces'] ? undefined : (flags.namespace ?? 'default')
        const found = await presentResources(session, target.info, {names, namespace, selector: flags.selector, sortBy: flags['sort-by'], at: flags.at, export: flags.export})
        await this.present(found)
        if (found.missing) throw found.missing
        break
      }
      case 'ipam':
        await this.present(await presentIpamObjects(session, target.kind, names[0]))
        break
      case 'kinds':
        await this.present(presentKinds(await countKinds(session)))
    }
  }

  /** What only resources have: labels, revisions to read at, several names in one line. @throws CalicoError `invalid` */
  private refuseForResources(flags: object, names: readonly string[]): void {
    const given = ['selector', 'sort-by', 'at', 'export'].filter((name) => Object.hasOwn(flags, name)).map((name) => `--${name}`)
    if (names.length > 1) given.unshift('several names')
    if (given.length > 0) throw new CalicoError('invalid', `${given.join(' and ')} can only be given for resources, such as profiles, not for IPAM's objects and kinds.`)
  }
}
