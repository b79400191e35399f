import {BaseCommand} from '../../lib/cli/base-command.js'
import {saveBackup} from '../../lib/backup/save.js'
import {fileArgument, sendBackup, writeBackup} from '../../lib/views/backup.js'

export default class DatastoreSave extends BaseCommand {
  static override summary = 'Save a backup of the datastore to a file.'
  static override description =
    'Saves all keys under /calico/ at one revision, in a gzip file with a checksum: settings, policy, endpoints and addresses. Status reports of Felix are left out, because Felix writes them again. The file is readable by its owner only, ' +
    'and an existing file is replaced only when the backup is complete. Restore it with `calicoctl datastore restore`. --timeout applies to each request.'
  static override examples = ['<%= config.bin %> datastore save backup.gz', '<%= config.bin %> datastore save - > backup.gz']
  static readonly exitCodes = {1: 'The file cannot be written, or the datastore was compacted meanwhile.', 6: 'The datastore does not answer, or is not initialised.'}
  static override args = {file: fileArgument('The file to write; - is stdout.')}

  async run(): Promise<void> {
    const {args} = await this.read(DatastoreSave, ({args: {file}}) => {
      if (file === '-' && this.invocation.line) this.problem('A line of a batch cannot print a backup on stdout (-): give a file')
    })
    const session = await this.session()
    const {keys, revision, clusterGUID = '(without GUID)'} = await saveBackup(session, (bytes) => (args.file === '-' ? sendBackup(bytes) : writeBackup(session, args.file, bytes)))
    this.note(`Saved ${keys} keys of the cluster ${clusterGUID} at revision ${revision}`)
  }

  protected override sessionOptions(): {perRequest: true} {
    return {perRequest: true}
  }
}
