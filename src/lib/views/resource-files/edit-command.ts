/** edit: an object in the user's editor, until it is right or given up. */
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {getResource, objectLabel, type Place, type ResourceChange, seeThose} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {nearest} from '../../cli/suggest.js'
import {CalicoError, isError} from '../../errors.js'
import {fileReason, readRegularFile} from '../../files/read.js'
import {replaceFile} from '../../files/replace.js'
import {editorFrom, openEditor} from '../../host/editor.js'
import {stringifyYaml} from '../../json/yaml.js'
import {escapeText} from '../../printable.js'
import {bodyOf, draftOf, placedIn} from '../../resource-files/draft.js'
import {protectedReason} from '../../resource-files/judge.js'
import {hazardProblems, loadObjects, refuse} from '../../resource-files/load.js'
import type {FileObject} from '../../resource-files/objects.js'
import {writeObjects} from '../../resource-files/write.js'
import {withoutStore} from './export.js'
import {type Named, placeOf} from './one-object.js'
import {ChangeFilesCommand} from './write-command.js'

/** Where no one sits at a terminal, the editor is a program, which may never leave a right text. */
const MOST_TRIES = 10

/** Bytes of a text that an editor may leave. */
const LARGEST = 32 * 1024 * 1024

export abstract class EditObjectCommand extends ChangeFilesCommand {
  protected async edit(named: Named): Promise<void> {
    if (this.globals['no-input']) throw new CalicoError('invalid', 'An editor requires input, and --no-input is set', {hint: 'Change the object from a file: calicoctl apply -f FILE'})
    const session = await this.session()
    const place = await placeOf(session, named)
    const label = objectLabel(place.kind, place.name)
    const reason = protectedReason(place)
    if (reason !== undefined) throw new CalicoError('refused', `${label}: ${reason}`)
    const stored = await getResource(session, place)
    if (stored === undefined) throw new CalicoError('not-found', `There is no ${label}`, {hint: seeThose(place.kind)})
    const shown = await stringifyYaml(withoutStore(stored.resource))
    const draft = newDraft(session, place)
    const outcome = await this.untilRight(session, {place, label, shown, revision: stored.kv.modRevision.toString(), draft})
    if (outcome.changes.some(({action}) => action !== 'unchanged') && this.dryRun) this.note(`Your text is kept in ${draft.path}.`)
    else draft.remove()
    await this.reportAll(outcome.changes)
  }

  /** Opens the draft until what it has is written, or differs in nothing. @throws CalicoError that tells where what was typed is kept */
  private async untilRight(session: Session, {place, label, shown, revision, draft}: Shown): Promise<{changes: readonly ResourceChange[]}> {
    const unchanged: ResourceChange = {kind: place.kind, name: place.name, action: 'unchanged', before: undefined, after: undefined}
    let before = shown
    let problems: CalicoError | undefined
    for (let tries = 1; ; tries++) {
      await draft.write(draftOf(escapeText(label), before, problems === undefined ? [] : [...(problems.details.length === 0 ? [problems.message] : problems.details)].map(escapeText)))
      let typed = before
      try {
        await this.offTheClock(() => openEditor(editorFrom(process.env), draft.path))
        typed = bodyOf(draft.read())
      } catch (error) {
        // Before anything was typed there is nothing to keep.
        if (problems === undefined && draft.readQuietly(bodyOf) === shown) draft.remove()
        throw this.kept(error, draft)
      }
      if (typed === shown) return {changes: [unchanged]}
      if (typed.trim() === '') {
        if (problems === undefined) draft.remove()
        throw this.kept(new CalicoError('invalid', `The file was left empty: ${label} was not changed`, {hint: `To delete it: calicoctl delete ${label.replace('/', ' ')}`}), draft)
      }
      if (problems !== undefined && (typed === before || (tries > MOST_TRIES && !process.stdin.isTTY))) throw this.kept(problems, draft)
      try {
        const object = await theObject(typed, place, label)
        return {changes: await writeObjects(session, [{...object, resourceVersion: revision}], {verb: 'replace', skipExists: false, progress: () => undefined})}
      } catch (error) {
        if (!isError(error, 'invalid')) throw this.kept(isError(error, 'not-found') ? new CalicoError('conflict', `Another client has deleted ${label} meanwhile; nothing was written`, {cause: error}) : error, draft)
        problems = error
        before = typed
      }
    }
  }

  /** ERROR, with the place where what was typed is. */
  private kept(error: unknown, {path, removed, readQuietly}: Draft): unknown {
    if (!(error instanceof CalicoError) || removed()) return error
    const text = readQuietly((all) => all) ?? ''
    return new CalicoError(error.kind, error.message, {
      details: error.details.map((line) => placedIn(path, text, line)),
      hint: [...(error.hint === undefined ? [] : [error.hint]), `Your text is kept in ${path}. To write it: calicoctl apply -f ${path}`].join(' '),
      cause: error,
    })
  }
}

interface Shown {
  readonly place: Place
  readonly label: string
  readonly shown: string
  readonly revision: string
  readonly draft: Draft
}

interface Draft {
  readonly path: string
  readonly write: (text: string) => Promise<void>
  /** @throws CalicoError `failed` */
  readonly read: () => string
  readonly readQuietly: (of: (text: string) => string) => string | undefined
  readonly remove: () => void
  readonly removed: () => boolean
}

/** A file for the editor in a folder of its own, which no one else can enter. An interrupted command says where it is. */
function newDraft(session: Session, {kind, name}: Place): Draft {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-edit-'))
  const path = join(folder, `${kind.toLowerCase()}-${name.slice(0, 100)}.yaml`)
  let removed = false
  const read = (): string => readRegularFile(path, {largest: LARGEST}).bytes.toString('utf8')
  return {
    path,
    removed: () => removed,
    async write(text) {
      await replaceFile(path, text, {mode: 0o600})
      session.writes.remaining = `your text is kept in ${path}`
    },
    read() {
      try {
        return read()
      } catch (error) {
        throw new CalicoError('failed', `${path} cannot be read: ${fileReason(error)}; nothing was changed`, {cause: error})
      }
    },
    readQuietly(of) {
      try {
        return of(read())
      } catch {
        return undefined
      }
    },
    remove() {
      removed = true
      session.writes.remaining = undefined
      rmSync(folder, {recursive: true, force: true})
    },
  }
}

/** The one object that TEXT has, which must be that at PLACE. @throws CalicoError `invalid` with all problems */
async function theObject(text: string, place: Place, label: string): Promise<FileObject> {
  const {objects} = await loadObjects({paths: ['-'], recursive: false, skipEmpty: false, namespace: place.namespace, judge: true, nearest, stdin: () => Promise.resolve(Buffer.from(text))})
  refuse(hazardProblems(objects))
  const [object, ...more] = objects
  const {place: found} = object ?? {place: undefined}
  if (object === undefined || more.length > 0 || found?.kind !== place.kind || found.name !== place.name || found.namespace !== place.namespace) {
    throw new CalicoError('invalid', `The text must be ${label} and nothing else: kind, name and namespace cannot be edited, and other objects are written with apply`)
  }
  return object
}
