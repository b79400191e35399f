import {Args, Flags} from '@oclif/core'
import {countKinds} from '../lib/client/inventory.js'
import {findTarget, presentIpamObjects, presentKinds, presentResources} from '../lib/views/get.js'
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
    '<%= config.bin %> get kinds',
  ]
  static readonly exitCodes = {4: 'There is no object of that name.'}
  static override args = {
    kind: Args.string({required: true, ignoreStdin: true, description: 'The kind, in singular or plural.'}),
    name: Args.string({ignoreStdin: true, description: 'One object\'s name; without it all are shown.'}),
  }
  static override flags = {
    namespace: Flags.string({char: 'n', description: 'The namespace of objects that are in one; the default is default.', helpValue: 'NAME'}),
    'all-namespaces': Flags.boolean({char: 'A', description: 'The objects of all namespaces.'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(Get, ({flags: {namespace, 'all-namespaces': all}}) => {
      if (namespace !== undefined && all) this.problem('--namespace and --all-namespaces exclude each other')
    })
    const target = findTarget(args.kind)
    const session = await this.session()
    switch (target.type) {
      case 'resource': {
        const namespace = flags['all-namespaces'] ? undefined : (flags.namespace ?? 'default')
        await this.present(await presentResources(session, target.info, {name: args.name, namespace}))
        break
      }
      case 'ipam':
        await this.present(await presentIpamObjects(session, target.kind, args.name))
        break
      case 'kinds':
        await this.present(presentKinds(await countKinds(session)))
    }
  }
}
