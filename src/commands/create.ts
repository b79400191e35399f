import {mayExistFlag} from '../lib/cli/edit-command.js'
import {Flags} from '@oclif/core'
import {WriteFilesCommand, writeFlags} from '../lib/views/resource-files/write-command.js'

export default class Create extends WriteFilesCommand {
  static override summary = 'Create objects from files.'
  static override description = 'All objects are validated before anything is written, and are written in one transaction if they fit. If an object already exists, nothing is written and the exit code is 5; with --skip-exists, existing objects are skipped.'
  static override examples = ['<%= config.bin %> create -R -f cluster/', '<%= config.bin %> create -f profiles.yaml --skip-exists']
  static readonly exitCodes = {5: 'An object exists already.'}
  static override flags = {...mayExistFlag, ...writeFlags, 'skip-exists': Flags.boolean({description: 'The same as --may-exist: skip objects that already exist.'})}

  async run(): Promise<void> {
    const {flags} = await this.read(Create)
    await this.write('create', flags, {skipExists: flags['skip-exists'] || flags['may-exist']})
  }
}
