/** create, apply and replace are one command with three verbs; a plan is what apply would do. */
import {Flags} from '@oclif/core'
import type {ResourceChange} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {EditCommand} from '../../cli/edit-command.js'
import {CalicoError} from '../../errors.js'
import {applyWanted, type Wanted} from '../../resource-files/apply.js'
import type {Verb} from '../../resource-files/judge.js'
import type {FileObject} from '../../resource-files/objects.js'
import {inSet, leftOver, setNameProblem, setOf} from '../../resource-files/sets.js'
import {filesFlag, loadFiles, namespaceFlag, readingFlags} from './options.js'
import {changesJson, changesNames, summary, yamlDiff} from './change-report.js'

export const changeFlags = {
  atomic: Flags.boolean({description: 'Use one transaction, or fail with exit code 8 if the change does not fit.'}),
  output: Flags.option({options: ['name', 'json'] as const})({char: 'o', description: 'Print the result: name (the written objects) or json (every object, before and after).', helpValue: 'FORMAT'}),
}

export const writeFlags = {filename: filesFlag(true), ...readingFlags, namespace: namespaceFlag, ...changeFlags}

/** Of the commands that know sets of objects. */
export const setFlags = {
  set: Flags.string({description: 'Mark the objects of the files as members of this set, with the annotation calicoctl/set.', helpValue: 'NAME'}),
  prune: Flags.boolean({description: 'Delete the members of the set that are not in the files. They are listed first.'}),
}

/** What {@link WriteFilesCommand.write} needs of a line. */
interface WriteLine {
  readonly filename?: readonly string[] | undefined
  readonly recursive: boolean
  readonly 'skip-empty': boolean
  readonly namespace?: string | undefined
  readonly atomic: boolean
  readonly output?: 'name' | 'json' | undefined
}

interface SetLine {
  readonly set?: string | undefined
  readonly prune: boolean
}

/** What is wrong with the options of sets on LINE. */
export function setProblems({set, prune}: SetLine): readonly string[] {
  const problem = set === undefined ? undefined : setNameProblem(set)
  return [...(problem === undefined ? [] : [`--set: ${problem}`]), ...(prune && set === undefined ? ['--prune requires --set NAME: it deletes the members of that set that are not in the files'] : [])]
}

/** What OBJECTS mean with the options of sets: marked, and with what is to be deleted. */
export async function wantedOf(session: Session, objects: readonly FileObject[], {set, prune}: SetLine): Promise<Wanted> {
  return {objects: inSet(objects, set), deletions: set !== undefined && prune ? await leftOver(session, set, objects) : []}
}

/** Warns of the objects that CHANGES took from other sets: --prune for those does not delete them any more. */
export function warnOfOtherSets(session: Session, changes: readonly ResourceChange[], set: string | undefined): void {
  if (set === undefined) return
  for (const {kind, name, before, after} of changes) {
    const other = before && after ? setOf(before) : undefined
    if (other !== undefined && other !== set) session.warn(`${kind.toLowerCase()}/${name} was in the set ${other} and is now in the set ${set}.`)
  }
}

export abstract class ChangeFilesCommand extends EditCommand {
  /** Says what became of each object of CHANGES: on stdout in FORMAT, or, for a dry run, the differences (QUIETLY: nothing), and on stderr in words; NONE if there is not one. */
  protected async reportAll(changes: readonly ResourceChange[], {format, quietly = false, none = 'There are no objects in the files.'}: {format?: 'name' | 'json' | undefined; quietly?: boolean; none?: string | undefined} = {}): Promise<void> {
    if (quietly) await this.reportFlows({aside: true})
    else if (format === 'json') await this.dataText(changesJson(changes, this.dryRun, await this.flowsJson()))
    else if (format === 'name') for (const name of changesNames(changes)) this.data(name)
    else if (this.dryRun) for (const change of changes) await this.dataText(await yamlDiff(change))
    if (format === 'name') await this.reportFlows({aside: true})
    await this.reportNotes(changes)
    if (changes.length > 1) this.note(summary(changes))
    if (changes.length === 0) this.note(none)
  }
}

export abstract class WriteFilesCommand extends ChangeFilesCommand {
  protected async write(verb: Verb, flags: WriteLine & {readonly yes?: boolean} & Partial<SetLine>, {skipExists = false}: {skipExists?: boolean} = {}): Promise<void> {
    const {set, prune = false, yes = false} = flags
    const {objects} = await loadFiles(flags, {judge: true})
    const session = await this.session()
    const wanted = await wantedOf(session, objects, {set, prune})
    await this.agree(wanted, set ?? '', yes)
    const changes = await applyWanted(session, wanted, {verb, skipExists, atomic: flags.atomic, progress: (text) => this.note(text)})
    warnOfOtherSets(session, changes, set)
    await this.reportAll(changes, {format: flags.output})
  }

  /** Lists what is to be deleted, and asks. @throws CalicoError `refused` where no one agrees */
  private async agree({deletions}: Wanted, set: string, yes: boolean): Promise<void> {
    if (deletions.length === 0 || this.dryRun) return
    const list = deletions.map(({label}) => label)
    if (yes) {
      this.note([`To be deleted (in the set ${set}, but not in the files):`, ...list.map((label) => `  ${label}`)])
      return
    }
    const refusal = new CalicoError('refused', `--prune would delete ${list.length === 1 ? 'this object' : `these ${list.length} objects`} of the set ${set}; nothing was changed:`, {
      details: list,
      override: '--yes',
      hint: 'To delete them, use --yes.',
    })
    await this.orInsist(() => Promise.reject(refusal), () => Promise.resolve())
  }
}
