import {Args} from '@oclif/core'
import {BaseCommand} from '../lib/cli/base-command.js'
import {CalicoError} from '../lib/errors.js'
import {exported, kindsToExport} from '../lib/views/resource-files/export.js'

export default class Export extends BaseCommand {
  static override summary = 'Print all objects as YAML, for backup or for apply.'
  static override description =
    'Prints YAML documents of all kinds, or of the given ones, sorted so that dependencies come first. ' +
    'Omits the fields that the datastore adds (uid, creationTimestamp, resourceVersion, status), ClusterInformation and the profile projectcalico-default-allow.'
  static override examples = ['<%= config.bin %> export', '<%= config.bin %> export profiles tiers > cluster.yaml']
  static override args = {kinds: Args.string({ignoreStdin: true, multiple: true, required: false, description: 'Kinds, in singular or plural.'})}

  async run(): Promise<void> {
    const {args} = await this.read(Export)
    const {kinds, unknown} = kindsToExport(args.kinds ?? [])
    if (unknown.length > 0) throw new CalicoError('invalid', `${unknown.map((word) => `'${word}'`).join(', ')} ${unknown.length === 1 ? 'is not a kind' : 'are not kinds'} that can be exported`, {hint: 'To see what is stored: calicoctl get kinds'})
    for await (const text of exported(await this.session(), kinds)) await this.dataText(text)
  }
}
