import {WriteFilesCommand, writeFlags} from '../lib/views/resource-files/write-command.js'

export default class Replace extends WriteFilesCommand {
  static override summary = 'Replace existing objects with those in files.'
  static override description = 'Works as apply, but fails with exit code 4 if an object does not exist.'
  static override examples = ['<%= config.bin %> replace -f profiles.yaml']
  static readonly exitCodes = {4: 'An object does not exist.', 5: 'An object was modified after the resourceVersion in the file.'}
  static override flags = {...writeFlags}

  async run(): Promise<void> {
    const {flags} = await this.read(Replace)
    await this.write('replace', flags)
  }
}
