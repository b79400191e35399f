import {Flags} from '@oclif/core'
import {checkBackup, restoreBackup} from '../../lib/backup/restore.js'
import {HostEditCommand} from '../../lib/cli/edit-command.js'
import {runCheck} from '../../lib/ipam/run-check.js'
import {countLines, fileArgument, withBackup} from '../../lib/views/backup.js'

export default class DatastoreRestore extends HostEditCommand {
  static override summary = 'Restore the datastore from a backup.'
  static override description =
    'The whole file is verified before anything is written. The datastore is locked during the restore and unlocked at the end; then the addresses are checked as by `ipam check`. ' +
    'An interrupted restore leaves the datastore locked; run the same command with the same file to complete it. --timeout applies to each request.'
  static override examples = ['<%= config.bin %> datastore restore backup.gz --replace', '<%= config.bin %> datastore restore backup.gz --replace --dry-run']
  static readonly exitCodes = {
    1: 'The file cannot be read, is truncated, damaged or of another version; nothing was changed.',
    8: 'The datastore is not empty, or another client has locked it; nothing was changed.',
    9: 'The restore is incomplete; the datastore stays locked.',
  }
  static override args = {file: fileArgument('The backup that `datastore save` wrote; - is stdin.')}
  static override flags = {replace: Flags.boolean({description: 'Replace the contents of the datastore: keys that are not in the backup are deleted.'})}

  async run(): Promise<void> {
    const {args, flags} = await this.read(DatastoreRestore, ({args: {file}}) => {
      if (file === '-' && this.invocation.line) this.problem('A line of a batch cannot read a backup from stdin (-): give a file')
    })
    await withBackup(args.file, async (file) => {
      const backup = await checkBackup(file)
      const session = await this.session()
      const counts = await this.orInsist(() => restoreBackup(session, backup, flags), () => restoreBackup(session, backup, {replace: true}))
      if (this.dryRun) {
        this.data(countLines(counts))
        return
      }
      this.note([`Restored ${backup.keys} keys of the cluster ${backup.clusterGUID ?? '(without GUID)'}, saved at ${backup.savedAt}`, ...countLines(counts)])
      const {findings, counts: found} = await runCheck(session, {repair: false, graceMs: 0, holders: []})
      const problems = findings.length === 0 ? 'no problems' : `${findings.length} ${findings.length === 1 ? 'problem' : 'problems'}; to see them: calicoctl ipam check`
      this.note(`Checked ${found.addresses} assigned addresses in ${found.blocks} blocks: ${problems}`)
    })
  }

  protected override sessionOptions(): {dryRun: boolean; init: boolean; perRequest: true} {
    return {...super.sessionOptions(), perRequest: true}
  }
}
