import {BaseCommand} from '../../lib/cli/base-command.js'
import {saveBackup} from '../../lib/backup/save.js'
import {fileArgument, sendBackup, writeBackup} from '../../lib/views/backup.js'

export default class DatastoreSave extends BaseCommand {
  static override summary = 'Save all of the datastore to a file.'
  static override description =
    'All keys under /calico/ but what Felix reports of itself, which Felix renews, as they are at one moment, in one gzip file with a checksum: settings, policy, endpoints and addresses. The file is readable by its owner only, ' +
    'and it is replaced as a whole or not at all. `calicoctl datastore restore` brings it back. --timeout counts for each request.'
  static override examples = ['<%= config.bin %> datastore save backup.gz', '<%= config.bin %> datastore save - > backup.gz']
  static readonly exitCodes = {1: 'The file cannot be written, or the datastore was compacted meanwhile.', 6: 'The datastore does not answer, or is not initialised.'}
  static override args = {file: fileArgument('The file; - is stdout.')}

  async run(): Promise<void> {
    const {args} = await this.read(DatastoreSave, ({args: {file}}) => {
      if (file === '-' && this.invocation.line) this.problem('a line of a batch cannot print a backup on stdout (-): give a file')
    })
    const session = await this.session()
    const {keys, revision, clusterGUID = '(without GUID)'} = await saveBackup(session, (bytes) => (args.file === '-' ? sendBackup(bytes) : writeBackup(session, args.file, bytes)))
    this.note(`Saved ${keys} keys of the cluster ${clusterGUID} at revision ${revision}`)
  }

  protected override sessionOptions(): {perRequest: true} {
    return {perRequest: true}
  }
}
