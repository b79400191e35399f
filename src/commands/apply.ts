import {WriteFilesCommand, writeFlags} from '../lib/views/resource-files/write-command.js'

export default class Apply extends WriteFilesCommand {
  static override summary = 'Make objects what files say.'
  static override description = 'Creates what does not exist and makes the spec, labels and annotations of what does those of the file; annotations of calicoctl\'s own stay. What does not differ is not written. Every object is checked before anything is written, and all are written in one transaction where they fit. Where a file has a resourceVersion, the datastore must still be at it (5).'
  static override examples = ['<%= config.bin %> apply -f profiles.yaml', '<%= config.bin %> apply -R -f cluster/ --dry-run']
  static readonly exitCodes = {5: 'Somebody has changed an object since the resourceVersion in the file.'}
  static override flags = {...writeFlags}

  async run(): Promise<void> {
    const {flags} = await this.read(Apply)
    await this.write('apply', flags)
  }
}
