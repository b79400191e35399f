/** patch, label and whatever else changes one object that is named by its kind and name. */
import {Args} from '@oclif/core'
import type {Place, ResourceChange} from '../../client/resources.js'
import {CalicoError} from '../../errors.js'
import {nearest} from '../../cli/suggest.js'
import {changeOne} from '../../resource-files/change-one.js'
import {findTarget, storedName} from '../get.js'
import {changeFlags, ChangeFilesCommand} from './write-command.js'
import {namespaceFlag} from './options.js'

export const objectArguments = {
  kind: Args.string({required: true, ignoreStdin: true, description: 'The kind, in singular or plural.'}),
  name: Args.string({required: true, ignoreStdin: true, description: 'The name of the object.'}),
}

export const objectFlags = {namespace: namespaceFlag, output: changeFlags.output}

/** The object that users call KIND and NAME. @throws CalicoError `invalid` for a kind that there is not, or that lies in no NAMESPACE */
export function placeOf(word: string, name: string, namespace: string | undefined): Place {
  const target = findTarget(word)
  if (target.type !== 'resource') throw new CalicoError('invalid', `'${word}' is not a kind whose objects can be changed with this command.`)
  const {info} = target
  if (!info.namespaced && namespace !== undefined) throw new CalicoError('invalid', `-n cannot be used: the kind ${info.kind} has no namespaces`)
  return {kind: info.kind, name: storedName(info, name), ...(info.namespaced ? {namespace: namespace ?? 'default'} : {})}
}

export abstract class OneObjectCommand extends ChangeFilesCommand {
  /** Makes the object what EDIT says of it, and says what became of it. */
  protected async change(place: Place, edit: (object: unknown) => unknown, format: 'name' | 'json' | undefined): Promise<ResourceChange> {
    const change = await changeOne(await this.session(), place, edit, nearest)
    await this.tellAll([change], {format})
    return change
  }
}
