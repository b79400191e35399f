import {Flags} from '@oclif/core'
import {makePlan, planText, USUAL_WRITES} from '../lib/resource-files/plan.js'
import {filesFlag, loadFiles, namespaceFlag, readingFlags} from '../lib/views/resource-files/options.js'
import {writePlanFile} from '../lib/views/resource-files/plan-file.js'
import {ChangeFilesCommand, setFlags, setProblems, wantedOf, warnOfOtherSets} from '../lib/views/resource-files/write-command.js'

const {'confirm-within': _, ...baseFlags} = ChangeFilesCommand.baseFlags

export default class Plan extends ChangeFilesCommand {
  static override summary = 'Save the change that apply would make, to apply it later.'
  static override description = [
    'Computes what apply would do with the same files and options, prints the difference as YAML lines, and saves the change in a file; nothing is written to the datastore. `apply --plan FILE` then makes exactly that change in one transaction; if the objects were modified meanwhile, it changes nothing and fails with exit code 5.',
    'A plan is a JSON file with the GUID of the cluster, the objects that the change depends on, every value before and after, and a checksum. Only its owner can read it.',
  ].join('\n\n')
  static override examples = ['<%= config.bin %> plan -f profiles.yaml --out change.plan', '<%= config.bin %> plan -R -f cluster/ --set cluster --prune --out change.plan', '<%= config.bin %> plan -f profiles.yaml --out - | <%= config.bin %> apply --plan -']
  static readonly exitCodes = {1: 'A file is invalid; no plan was written.', 5: 'An object was modified after the resourceVersion in the file; no plan was written.', 8: 'An object that --prune would delete is in use; no plan was written.'}
  /** It makes no change that could be confirmed. */
  static override baseFlags = baseFlags as typeof ChangeFilesCommand.baseFlags
  static override flags = {
    filename: filesFlag(true),
    ...readingFlags,
    namespace: namespaceFlag,
    ...setFlags,
    out: Flags.string({required: true, description: 'The file to write the plan to (mode 0600); an existing file is replaced. - is stdout, on which then only the plan is printed.', helpValue: 'FILE'}),
  }

  /** Nothing is written to the datastore; --dry-run saves no plan either. */
  protected override get dryRun(): boolean {
    return true
  }

  protected override sessionOptions(): {dryRun: boolean; init: boolean} {
    return {...super.sessionOptions(), dryRun: true}
  }

  async run(): Promise<void> {
    const {flags} = await this.read(Plan, (line) => {
      for (const problem of setProblems(line.flags)) this.problem(problem)
    })
    const rehearsed = flags['dry-run'] || this.invocation.line?.dryRun === true
    const {objects} = await loadFiles(flags, {judge: true})
    const session = await this.session()
    const {plan, changes} = await makePlan(session, await wantedOf(session, objects, flags), {verb: 'apply', skipExists: false, progress: () => undefined})
    warnOfOtherSets(session, changes, flags.set)
    if (plan.writes.length > USUAL_WRITES) session.warn(`The plan writes ${plan.writes.length} keys. etcd does not accept so many in one transaction unless it was started with a larger --max-txn-ops: the plan may not be applicable.`)
    if (flags.out === '-') {
      if (!rehearsed) await this.dataText(planText(plan))
    } else if (!rehearsed) await writePlanFile(session, flags.out, planText(plan))
    await this.reportAll(changes, {quietly: flags.out === '-'})
    if (rehearsed) return
    const same = changes.every(({action}) => action === 'unchanged')
    this.note(same ? 'There are no differences: the plan changes nothing.' : flags.out === '-' ? 'Nothing was changed.' : `Nothing was changed. To make the change: calicoctl apply --plan ${flags.out}`)
  }
}
