/** create, apply and replace are one command with three verbs. */
import {Flags} from '@oclif/core'
import type {ResourceChange} from '../../client/resources.js'
import {EditCommand} from '../../cli/edit-command.js'
import type {Verb} from '../../resource-files/judge.js'
import {writeObjects} from '../../resource-files/write.js'
import {filesFlag, loadFiles, namespaceFlag, readingFlags} from './options.js'
import {changesJson, changesNames, summary, yamlDiff} from './tell.js'

export const changeFlags = {
  atomic: Flags.boolean({description: 'In one transaction, or not at all (8 if it does not fit).'}),
  output: Flags.option({options: ['name', 'json'] as const})({char: 'o', description: 'Print what was done: name (what was written) or json (every object, before and after).', helpValue: 'FORMAT'}),
}

export const writeFlags = {filename: filesFlag(true), ...readingFlags, namespace: namespaceFlag, ...changeFlags}

/** What {@link WriteFilesCommand.write} needs of a line. */
interface WriteLine {
  readonly filename?: readonly string[] | undefined
  readonly recursive: boolean
  readonly 'skip-empty': boolean
  readonly namespace?: string | undefined
  readonly atomic: boolean
  readonly output?: 'name' | 'json' | undefined
}

export abstract class ChangeFilesCommand extends EditCommand {
  /** Says what became of each object of CHANGES. */
  protected async tellAll(changes: readonly ResourceChange[], format: 'name' | 'json' | undefined): Promise<void> {
    if (format === 'json') await this.dataText(changesJson(changes, this.dryRun))
    else if (format === 'name') for (const name of changesNames(changes)) this.data(name)
    else if (this.dryRun) for (const change of changes) await this.dataText(await yamlDiff(change))
    this.tellNotes(changes)
    if (changes.length > 1) this.note(summary(changes))
    if (changes.length === 0) this.note('There are no objects in the files.')
  }
}

export abstract class WriteFilesCommand extends ChangeFilesCommand {
  protected async write(verb: Verb, flags: WriteLine, {skipExists = false}: {skipExists?: boolean} = {}): Promise<void> {
    const {objects} = await loadFiles(flags, {judge: true})
    const session = await this.session()
    const changes = objects.length === 0 ? [] : await writeObjects(session, objects, {verb, skipExists, atomic: flags.atomic, progress: (text) => this.note(text)})
    await this.tellAll(changes, flags.output)
  }
}
