import {Args} from '@oclif/core'
import {checked} from '../lib/cli/base-command.js'
import {indentedJson} from '../lib/cli/output/render.js'
import {ShowCommand} from '../lib/cli/show-command.js'
import {presentDocumentKinds, presentSchema, readDocumentKind} from '../lib/views/schema.js'

export default class Schema extends ShowCommand {
  static override summary = 'Print the JSON schema of a document that -o json prints, or list the kinds of documents.'
  static override description = [
    'KIND is the value of "kind" in the document, in any case; v3 resources can also be named as for calicoctl get. The schema is JSON Schema, draft 2020-12, of this version of calicoctl: later versions add fields, but do not remove or rename them. The datastore is not read.',
    'In documents of calicoctl/v1, a missing field, null and an empty value mean the same: there is no value. Documents whose kind ends in List have their entries in "items". ' +
      'Numbers with "format": "int64" have up to 64 bits, and those with "format": "large" can be larger: they are printed with all digits, which a parser that reads numbers as doubles rounds. ' +
      'Schemas of v3 resources allow further fields, because fields of newer versions of Calico are kept.',
  ].join('\n')
  static override examples = ['<%= config.bin %> schema', '<%= config.bin %> schema ProfileList', '<%= config.bin %> schema ChangeList -o yaml']
  static exitCodes = {1: 'There are no documents of this kind.', 6: null, 7: null}
  static override args = {
    kind: Args.custom({parse: checked(readDocumentKind)})({ignoreStdin: true, required: false, description: 'The kind of the document, for example ProfileList.'}),
  }

  async run(): Promise<void> {
    const {args} = await this.read(Schema)
    if (args.kind === undefined) await this.present(presentDocumentKinds())
    else await this.present(presentSchema(args.kind, indentedJson))
  }
}
