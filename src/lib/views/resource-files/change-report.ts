/** What the commands that write files of objects say: a line for each object, and what a dry run would change. */
import type {ResourceChange} from '../../client/resources.js'
import {objectLabel} from '../../client/resources.js'
import type {OwnContent} from '../../documents/own.js'
import {indentedJson} from '../../cli/output/render.js'
import {type Difference, diffText} from '../../cli/output/diff.js'
import {ownDocument} from '../../cli/output/presentation.js'
import {isSafeName} from '../../cli/output/safe-name.js'

/** CHANGE as a unified diff of the object's YAML; '' where nothing differs. */
export const yamlDiff = async (change: Difference & Pick<ResourceChange, 'action'>): Promise<string> => (change.action === 'unchanged' ? '' : diffText(change))

/** CHANGES for `-o json`. */
export const changesJson = (changes: readonly ResourceChange[], dryRun: boolean, flows: Pick<OwnContent<'ChangeList'>, 'flows'> = {}): string =>
  `${indentedJson(ownDocument('ChangeList', {dryRun, items: changes.map(({kind, name, action, before, after}) => ({kind, name, change: action, before: before ?? null, after: after ?? null})), ...flows}))}\n`

/** CHANGES for `-o name`: what was written. */
export const changesNames = (changes: readonly ResourceChange[]): readonly string[] =>
  changes.filter(({action}) => action !== 'unchanged').map(({kind, name}) => objectLabel(kind, name)).filter(isSafeName)

/** `3 objects: 1 created, 2 unchanged`, where there is more than one. */
export function summary(changes: readonly ResourceChange[]): string {
  const counts = (['created', 'updated', 'deleted', 'unchanged'] as const).map((action) => ({action, number: changes.filter((change) => change.action === action).length}))
  return `${changes.length} objects: ${counts.filter(({number}) => number > 0).map(({action, number}) => `${number} ${action}`).join(', ')}`
}
