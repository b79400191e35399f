/** apply: of files, or of a plan. */
import {applyPlan, readPlan} from '../../resource-files/plan.js'
import {readPlanFile} from './plan-file.js'
import {setProblems, WriteFilesCommand} from './write-command.js'

interface ApplyLine {
  readonly filename?: readonly string[] | undefined
  readonly plan?: string | undefined
  readonly set?: string | undefined
  readonly prune: boolean
  readonly namespace?: string | undefined
}

export abstract class ApplyFilesCommand extends WriteFilesCommand {
  protected checkApply(line: ApplyLine): void {
    const {filename, plan, set, prune, namespace} = line
    if (plan === undefined && filename === undefined) this.problem('Give files with -f, or a plan with --plan')
    if (plan === undefined) {
      for (const problem of setProblems(line)) this.problem(problem)
      return
    }
    for (const [name, given] of Object.entries({'-f': filename !== undefined, '--set': set !== undefined, '--prune': prune, '-n': namespace !== undefined})) {
      if (given) this.problem(`${name} cannot be combined with --plan: a plan contains the whole change`)
    }
  }

  protected async applyPlan(path: string, format: 'name' | 'json' | undefined): Promise<void> {
    const {text, name} = await readPlanFile(path)
    const plan = readPlan(text, name)
    const changes = await applyPlan(await this.session(), plan, name)
    if (changes.length === 0) this.note(`${name} contains no changes.`)
    else await this.reportAll(changes, {format})
  }
}
