import {ifExistsFlag} from '../lib/cli/edit-command.js'
import {Args, Flags} from '@oclif/core'
import {DeleteFilesCommand} from '../lib/views/resource-files/delete-command.js'
import {changeFlags} from '../lib/views/resource-files/write-command.js'
import {filesFlag, namespaceFlag, readingFlags} from '../lib/views/resource-files/options.js'

export default class Delete extends DeleteFilesCommand {
  static override summary = 'Delete objects by kind and name, or the objects in files.'
  static override description =
    'All objects are deleted in one transaction if they fit. If one does not exist (exit code 4) or is in use (8), none is deleted. ' +
    'Pools are deleted after the other objects, as by "pool remove"; nodes last, with all their data, as by "node remove --hostname". A node with endpoints, or the node of this host, is deleted only with --force.'
  static override usage = ['delete <KIND> <NAME>... [--if-exists] [--namespace=<NAME>] [--force] [--atomic] [--flows] [options]', 'delete --filename=<FILE>... [--recursive] [--skip-empty] [--skip-not-exists] [--namespace=<NAME>] [--force] [--atomic] [--flows] [options]']
  static override examples = ['<%= config.bin %> delete profile client', '<%= config.bin %> delete -f profiles.yaml --skip-not-exists']
  static readonly exitCodes = {4: 'An object does not exist.', 5: 'An object was modified after the resourceVersion in the file.', 8: 'An object is in use, or protected.'}
  static readonly places = {'[KIND]': 'The kind, in singular or plural.', '[NAME...]': 'The names of the objects.'}
  static override args = {
    words: Args.string({ignoreStdin: true, multiple: true, required: false}),
  }
  static override flags = {
    ...ifExistsFlag,
    filename: filesFlag(false),
    ...readingFlags,
    namespace: namespaceFlag,
    'skip-not-exists': Flags.boolean({char: 's', description: 'The same as --if-exists: skip objects that do not exist.'}),
    force: Flags.boolean({description: 'Delete objects even if they are in use.'}),
    ...changeFlags,
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(Delete, (line) => {
      this.checkLine(wordsOf(line.args.words), line.flags)
    })
    await this.remove(wordsOf(args.words), flags)
  }
}

const wordsOf = ([kind, ...names]: readonly string[] = []): {kind: string | undefined; names: readonly string[]} => ({kind, names})
