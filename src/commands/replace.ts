import {WriteFilesCommand, writeFlags} from '../lib/views/resource-files/write-command.js'

export default class Replace extends WriteFilesCommand {
  static override summary = 'Replace existing objects by those of files.'
  static override description = 'As apply, but every object must exist (4).'
  static override examples = ['<%= config.bin %> replace -f profiles.yaml']
  static readonly exitCodes = {4: 'An object does not exist.', 5: 'Somebody has changed an object since the resourceVersion in the file.'}
  static override flags = {...writeFlags}

  async run(): Promise<void> {
    const {flags} = await this.read(Replace)
    await this.write('replace', flags)
  }
}
