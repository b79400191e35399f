import {Args, Flags} from '@oclif/core'
import {getGuid} from '../lib/client/cluster.js'
import {objectLabel} from '../lib/client/resources.js'
import {CalicoError, isError} from '../lib/errors.js'
import {knownChanges} from '../lib/journal/past.js'
import {ShowCommand} from '../lib/cli/show-command.js'
import {checked} from '../lib/cli/base-command.js'
import {findName, findTarget} from '../lib/views/get.js'
import {entryRow, journal, keyOfObject, nameInJournal, objectRows, presentHistory, type Row} from '../lib/views/history.js'
import type {Entry} from '../lib/journal/read.js'
import {findKind, type KindInfo} from '../lib/model/kinds.js'

const readLimit = (text: string): number => {
  if (!/^[1-9][0-9]{0,6}$/.test(text)) throw new CalicoError('invalid', `--limit: '${text}' is not a number of changes: give 1 or more.`)
  return Number(text)
}

export default class History extends ShowCommand {
  static override summary = 'Show the changes made with calicoctl, newest first.'
  static override description =
    'Each line is a calicoctl command that changed a datastore, from the journal of this user on this host. ' +
    'With KIND and NAME, shows the changes of one object, including recent changes by other clients; those have no ID. ' +
    'The outcome of a change is unknown if its command was killed or lost the connection while the change was made. ' +
    'Use calicoctl undo ID to revert a change.'
  static override examples = ['<%= config.bin %> history', '<%= config.bin %> history profile web', '<%= config.bin %> history --limit 5 -o json']
  static readonly exitCodes = {4: 'The object does not exist, and neither the journal nor the datastore has a change of it.'}
  static override args = {
    kind: Args.string({ignoreStdin: true, description: 'The kind of the object, in singular or plural.'}),
    name: Args.string({ignoreStdin: true, description: 'The object\'s name.'}),
  }
  static override flags = {
    limit: Flags.custom<number>({parse: checked(readLimit)})({description: 'Show the last N changes. Default: 20.', helpValue: 'N'}),
    namespace: Flags.string({char: 'n', description: 'The namespace of workload endpoints. Default: default.', helpValue: 'NAME'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(History, ({args: {kind, name}}) => {
      if (kind !== undefined && name === undefined) this.problem(`The name of the ${findKind(kind) === undefined ? 'object' : kind} is missing`)
    })
    const rows = args.kind === undefined || args.name === undefined ? this.entries().map(entryRow) : await this.ofObject(args.kind, args.name, flags.namespace ?? 'default')
    const limit = flags.limit ?? 20
    await this.present(presentHistory(rows.slice(0, limit)))
    if (rows.length > limit) this.note(`${rows.length - limit} older changes are not shown; --limit ${rows.length} shows all.`)
  }

  private entries(): Entry[] {
    return journal((line) => this.note(line))
  }

  private async ofObject(word: string, name: string, namespace: string): Promise<readonly Row[]> {
    const target = findTarget(word)
    if (target.type !== 'resource') throw new CalicoError('invalid', `'${word}' has no history: it is not a kind of stored objects.`)
    return this.rowsOf(target.info, name, namespace, this.entries())
  }

  /** From the journal and the datastore; where that does not answer, from the journal alone. @throws CalicoError `not-found` for an object that neither knows */
  private async rowsOf(info: KindInfo, typed: string, namespace: string, entries: readonly Entry[]): Promise<readonly Row[]> {
    const recorded = nameInJournal(info, typed, entries)
    try {
      const session = await this.session()
      const cluster = await getGuid(session)
      const found = await findName(session, info, typed)
      const exists = async (name: string): Promise<boolean> => (await session.store.get(keyOfObject(info, name, namespace))).kv !== undefined
      const name = found !== recorded && (await exists(found)) ? found : recorded
      const rows = objectRows(keyOfObject(info, name, namespace), entries, await knownChanges(session, keyOfObject(info, name, namespace)), cluster)
      if (rows.length > 0 || (await exists(name))) return rows
      throw new CalicoError('not-found', `There is no ${objectLabel(info.kind, typed)}, and neither the journal nor the datastore has a change of it.`, {hint: 'To see the changes: calicoctl history'})
    } catch (error) {
      if (!isError(error, 'unreachable', 'denied')) throw error
      this.note(`Warning: ${error.message}. Only the journal's changes of ${objectLabel(info.kind, typed)} are shown, those of other clusters too.`)
      return objectRows(keyOfObject(info, recorded, namespace), entries, [], undefined)
    }
  }
}
