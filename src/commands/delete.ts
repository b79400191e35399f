import {Args, Flags} from '@oclif/core'
import {DeleteFilesCommand} from '../lib/views/resource-files/delete-command.js'
import {changeFlags} from '../lib/views/resource-files/write-command.js'
import {filesFlag, namespaceFlag, readingFlags} from '../lib/views/resource-files/options.js'

export default class Delete extends DeleteFilesCommand {
  static override summary = 'Delete objects by kind and name, or those of files.'
  static override description =
    'All are deleted in one transaction where they fit, or none: an object that does not exist (4) or is in use (8) keeps all of them. ' +
    'Pools go as with "pool remove", after the others; nodes go last, with all that the datastore has of them, as with "node remove --hostname": one with endpoints, or that is this host\'s, needs --force.'
  static override examples = ['<%= config.bin %> delete profile client', '<%= config.bin %> delete -f profiles.yaml --skip-not-exists']
  static readonly exitCodes = {4: 'An object does not exist.', 5: 'Somebody has changed an object since the resourceVersion in the file.', 8: 'An object is in use, or protected.'}
  static override args = {
    words: Args.string({ignoreStdin: true, multiple: true, required: false, description: 'A kind, in singular or plural, and the names of objects.'}),
  }
  static override flags = {
    filename: filesFlag(false),
    ...readingFlags,
    namespace: namespaceFlag,
    'skip-not-exists': Flags.boolean({char: 's', description: 'Pass over what does not exist.'}),
    force: Flags.boolean({description: 'Delete what is in use, too.'}),
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
