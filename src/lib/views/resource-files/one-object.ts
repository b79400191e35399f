/** patch, label and whatever else changes one object that is named by its kind and name. */
import {Args} from '@oclif/core'
import type {Place, ResourceChange} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {CalicoError} from '../../errors.js'
import {nearest} from '../../cli/suggest.js'
import {changeOne} from '../../resource-files/change-one.js'
import type {KindInfo} from '../../model/kinds.js'
import {findName, findTarget} from '../get.js'
import {changeFlags, ChangeFilesCommand} from './write-command.js'
import {namespaceFlag} from './options.js'

export const objectArguments = {
  kind: Args.string({required: true, ignoreStdin: true, description: 'The kind, in singular or plural.'}),
  name: Args.string({required: true, ignoreStdin: true, description: 'The name of the object.'}),
}

export const objectFlags = {namespace: namespaceFlag, output: changeFlags.output}

/** An object as a line names it. */
export interface Named {
  readonly info: KindInfo
  readonly name: string
  readonly namespace: string | undefined
}

/** Where NAMED is stored. */
export const placeOf = async (session: Session, {info, name, namespace}: Named): Promise<Place> => ({
  kind: info.kind,
  name: await findName(session, info, name),
  ...(info.namespaced ? {namespace: namespace ?? 'default'} : {}),
})

/** The object that users call KIND and NAME. @throws CalicoError `invalid` for a kind that there is not, or that lies in no NAMESPACE */
export function namedBy(word: string, name: string, namespace: string | undefined): Named {
  const target = findTarget(word)
  if (target.type !== 'resource') throw new CalicoError('invalid', `'${word}' is not a kind whose objects can be changed with this command.`)
  const {info} = target
  if (!info.namespaced && namespace !== undefined) throw new CalicoError('invalid', `-n cannot be used: the kind ${info.kind} has no namespaces`)
  return {info, name, namespace}
}

export abstract class OneObjectCommand extends ChangeFilesCommand {
  /** Makes the object what EDIT says of it, and says what became of it. */
  protected async change(named: Named, edit: (object: unknown) => unknown, format: 'name' | 'json' | undefined): Promise<ResourceChange> {
    const session = await this.session()
    const change = await changeOne(session, await placeOf(session, named), edit, nearest)
    await this.reportAll([change], {format})
    return change
  }
}
