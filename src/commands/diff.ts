import {BaseCommand, flowsFlag} from '../lib/cli/base-command.js'
import {CalicoError} from '../lib/errors.js'
import {writeObjects} from '../lib/resource-files/write.js'
import {filesFlag, loadFiles, namespaceFlag, readingFlags} from '../lib/views/resource-files/options.js'
import {yamlDiff} from '../lib/views/resource-files/change-report.js'

export default class Diff extends BaseCommand {
  static override summary = 'Show what apply would change.'
  static override description = 'Prints the difference between the datastore and the files as YAML lines; nothing is written. The exit code is 0 if there is no difference, 1 if there is one, and 2 on an error in the files or the command line.'
  static override examples = ['<%= config.bin %> diff -f profiles.yaml || true']
  static readonly exitCodes = {1: 'There is a difference.', 2: 'A file or the command line is invalid (exit code 1 of other commands).'}
  static override flags = {filename: filesFlag(true), ...readingFlags, namespace: namespaceFlag, ...flowsFlag}

  async run(): Promise<void> {
    try {
      const {flags} = await this.read(Diff)
      const {objects} = await loadFiles(flags, {judge: true})
      const changes = objects.length === 0 ? [] : await writeObjects({...(await this.session()), dryRun: true}, objects, {verb: 'apply', skipExists: false, progress: () => undefined})
      for (const change of changes) await this.dataText(await yamlDiff(change))
      if (changes.some(({action}) => action !== 'unchanged')) this.exitWith(1)
    } catch (error) {
      // 1 means that something differs.
      if (error instanceof CalicoError && error.exitCode === 1) throw new DiffError(error)
      throw error
    }
  }
}

/** ERROR, for which other commands end with 1. */
class DiffError extends CalicoError {
  constructor({kind, message, details, hint, cause}: CalicoError) {
    super(kind, message, {details, cause, ...(hint === undefined ? {} : {hint})})
  }

  override get exitCode(): number {
    return 2
  }
}
