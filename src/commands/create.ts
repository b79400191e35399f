import {Flags} from '@oclif/core'
import {WriteFilesCommand, writeFlags} from '../lib/views/resource-files/write-command.js'

export default class Create extends WriteFilesCommand {
  static override summary = 'Create the objects of files.'
  static override description = 'Every object is checked before anything is written, and all are written in one transaction where they fit. An object that exists already is a conflict (5) and nothing is written; with --skip-exists it is left as it is.'
  static override examples = ['<%= config.bin %> create -R -f cluster/', '<%= config.bin %> create -f profiles.yaml --skip-exists']
  static readonly exitCodes = {5: 'An object exists already.'}
  static override flags = {...writeFlags, 'skip-exists': Flags.boolean({description: 'Leave what exists as it is.'})}

  async run(): Promise<void> {
    const {flags} = await this.read(Create)
    await this.write('create', flags, {skipExists: flags['skip-exists']})
  }
}
