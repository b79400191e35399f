import {Flags} from '@oclif/core'
import {CalicoError} from '../lib/errors.js'
import {parseJson} from '../lib/json/json.js'
import {JsonError} from '../lib/json/errors.js'
import {type Patch as Change, type PatchType, readPatch} from '../lib/resource-files/patches.js'
import {objectArguments, objectFlags, namedBy, OneObjectCommand} from '../lib/views/resource-files/one-object.js'

function readText(type: PatchType, text: string): Change {
  try {
    return readPatch(type, parseJson(text))
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new CalicoError('invalid', `--patch: ${error.message}`, {hint: 'A patch is JSON, in quotes for the shell: calicoctl patch tier security -p \'{"spec": {"order": 20}}\''})
  }
}

export default class Patch extends OneObjectCommand {
  static override summary = 'Change some fields of an object.'
  static override description =
    'The patch is JSON. With --type strategic (the default) or merge, it contains the fields to change: maps are merged, lists are replaced, null removes a field; strategic also supports "$patch": "replace" and "delete" in a map. ' +
    'With --type json it is a list of operations (RFC 6902). The spec, labels and annotations can be changed; a resourceVersion in the patch must match the object\'s. The result is validated as by apply, and is written only if the object was not modified meanwhile.'
  static override examples = [
    '<%= config.bin %> patch profile web -p \'{"spec": {"labelsToApply": {"role": "web"}}}\'',
    '<%= config.bin %> patch profile web -p \'{"metadata": {"annotations": {"note": null}}}\' --dry-run',
    '<%= config.bin %> patch tier default --type json -p \'[{"op": "test", "path": "/spec/order", "value": 1000000}]\'',
  ]
  static readonly exitCodes = {4: 'There is no such object.', 5: 'The resourceVersion in the patch is not the current one, or a test in the patch fails.', 8: 'The object is provided by Calico itself, or the datastore is locked.'}
  static override args = objectArguments
  static override flags = {
    ...objectFlags,
    patch: Flags.string({char: 'p', required: true, description: 'What to change, as JSON.', helpValue: 'JSON'}),
    type: Flags.option({options: ['strategic', 'merge', 'json'] as const})({char: 't', default: 'strategic', description: 'The type of the patch: strategic, merge (RFC 7386) or json (RFC 6902).', helpValue: 'TYPE'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(Patch)
    const named = namedBy(args.kind, args.name, flags.namespace)
    await this.change(named, readText(flags.type, flags.patch), flags.output)
  }
}
