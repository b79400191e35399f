import {BaseCommand} from '../lib/cli/base-command.js'
import {hazardProblems, refuse} from '../lib/resource-files/load.js'
import {problemLine} from '../lib/resource-files/problem.js'
import {count, filesFlag, loadFiles, namespaceFlag, readingFlags} from '../lib/views/resource-files/options.js'

export default class Validate extends BaseCommand {
  static override summary = 'Check files of objects without a datastore.'
  static override description =
    'Reads the files as apply does and checks every object: unknown and misspelt fields, types, values, references between the objects, and settings that are harmful on the nodes. ' +
    'Prints every problem as FILE:LINE:COLUMN: object: field: problem.'
  static override examples = ['<%= config.bin %> validate -f profiles.yaml', '<%= config.bin %> validate -R -f cluster/']
  static readonly exitCodes = {1: 'A file or the command line is invalid.', 6: null, 7: null}
  static override flags = {filename: filesFlag(true), ...readingFlags, namespace: namespaceFlag}

  async run(): Promise<void> {
    const {flags} = await this.read(Validate)
    const {objects, files} = await loadFiles(flags, {judge: true})
    refuse(hazardProblems(objects))
    for (const {file, label, locate, hazards} of objects) {
      for (const {field, message} of hazards) this.note(`Warning: ${problemLine({file, position: locate(field), object: label, field, message})}`)
    }
    this.data(`${count(objects.length, 'object')} in ${count(files, 'file')} ${objects.length === 1 ? 'is' : 'are'} valid.`)
  }
}
