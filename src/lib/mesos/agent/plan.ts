/** What `mesos config` changes: every file as it is and as it is to be. Pure: files come from READ, nothing is written. */
import {CalicoError} from '../../errors.js'
import {givenVariable, variableNames} from '../../settings/table.js'
import type {Settings} from '../../settings/types.js'
import {environmentOf, readVariables, setVariable, unfinishedLine} from './environment-file.js'
import {etcdVariables, PASSWORD} from './etcd-variables.js'
import type {FileText} from './files.js'
import {withNetinfoFirst} from './mesos-dns.js'
import {modulesPath} from './modules-flag.js'
import {withNetModules} from './modules-file.js'
import {HOOK, ISOLATOR, withEntry} from './names.js'
import {MESOS_DNS_FILES, PLUGIN, type Style, STYLE_FACTS, variableOf} from './styles.js'

export interface Wanted {
  readonly style: Style
  /** Undefined: what the files say now, else the style's. */
  readonly library: string | undefined
  readonly plugin: string | undefined
  readonly settings: Settings
  /** Paths of certificates as the agent needs them. */
  readonly absolute: (path: string) => string
}

export interface FileEdit {
  readonly path: string
  /** Undefined: there is no such file. */
  readonly before: string | undefined
  readonly after: string
  /** AFTER has a password that BEFORE has not. */
  readonly secret: boolean
}

export interface AgentPlan {
  /** Only what differs. The agent's flags come last: they name what the others hold. */
  readonly edits: readonly FileEdit[]
  /** The files that were examined. */
  readonly looked: readonly string[]
  /** The file of modules, which may be another one than the style's. */
  readonly modules: string
  /** Commands that make Mesos read what was written. */
  readonly restart: readonly string[]
}

/** @throws CalicoError `invalid` where a file cannot be read or does not say what can be added to; `not-root` where its reading is denied */
export function planAgent(wanted: Wanted, read: (path: string) => FileText): AgentPlan {
  const facts = STYLE_FACTS[wanted.style]
  const draft = newDraft(read)
  const flags = newFlags(draft, wanted.style)

  const modules = modulesPath(flags.now('modules')) ?? facts.modules
  refuseModulesFolder(flags)
  draft.edit(modules, (text) => withNetModules(modules, text, {...wanted, defaults: {library: facts.library, plugin: PLUGIN}}))

  for (const path of facts.environments) {
    const line = unfinishedLine(draft.text(path) ?? '')
    if (line !== undefined) throw new CalicoError('invalid', `${path} cannot be edited: line ${line} has a quote that is never closed, or ends the file with a backslash`, {hint: 'Correct it, then run the command again.'})
  }
  const names = new Set(facts.environments.flatMap((path) => Object.keys(environmentOf(draft.text(path) ?? ''))))
  const variables = etcdVariables(wanted.settings, names, wanted.absolute)
  for (const [name, value] of variables.values) {
    const path = facts.environments.findLast((each) => readVariables(draft.text(each) ?? '').has(name)) ?? facts.environment
    draft.edit(path, (text = '') => setVariable(text, name, value))
    if (isPassword(name)) draft.secret(path)
  }
  const dns = wanted.style === 'dcos' ? MESOS_DNS_FILES[0] : undefined
  if (dns !== undefined && draft.text(dns) !== undefined) draft.edit(dns, (text = '') => withNetinfoFirst(dns, text))

  flags.set('modules', (value) => value ?? `file://${modules}`)
  flags.set('hooks', (value) => withEntry(value ?? '', HOOK), HOOK)
  flags.set('isolation', (value) => withEntry(value ?? '', ISOLATOR), ISOLATOR)
  const edits = draft.edits()
  return {edits, looked: draft.looked(), modules, restart: [...facts.restart, ...(edits.some(({path}) => path === dns) ? ['systemctl restart dcos-mesos-dns'] : [])]}
}

/** The files as they are to be. */
interface Draft {
  /** Undefined: there is no such file. */
  text(path: string): string | undefined
  edit(path: string, change: (text: string | undefined) => string): void
  secret(path: string): void
  edits(): FileEdit[]
  looked(): string[]
}

function newDraft(read: (path: string) => FileText): Draft {
  const files = new Map<string, {readonly before: string | undefined; after: string | undefined}>()
  const secrets = new Set<string>()
  const file = (path: string): {readonly before: string | undefined; after: string | undefined} => {
    const known = files.get(path)
    if (known) return known
    const found = read(path)
    if (found.state === 'unreadable') {
      throw new CalicoError(found.denied ? 'not-root' : 'invalid', `${path} cannot be read: ${found.why}`, found.denied ? {hint: 'Run the command as root: sudo -E calicoctl mesos config'} : {})
    }
    const before = found.state === 'file' ? found.text : undefined
    const made = {before, after: before}
    files.set(path, made)
    return made
  }
  return {
    text: (path) => file(path).after,
    edit(path, change) {
      const each = file(path)
      each.after = change(each.after)
    },
    secret: (path) => void secrets.add(path),
    edits: () =>
      [...files].flatMap(([path, {before, after}]) => (after === undefined || after === before ? [] : [{path, before, after, secret: secrets.has(path) && passwordOf(after) !== passwordOf(before)}])).sort((a, b) => order(a.path) - order(b.path)),
    looked: () => [...files].flatMap(([path, {after}]) => (after === undefined ? [] : [path])),
  }
}

const isPassword = (name: string): boolean => variableNames(PASSWORD).includes(name)

const passwordOf = (text: string | undefined): string | undefined => givenVariable(environmentOf(text ?? ''), PASSWORD)?.value

/** Flags of the agent are written when what they name is there. */
const order = (path: string): number => (path.startsWith(`${STYLE_FACTS.rpm.flags ?? ''}/`) ? 1 : 0)

/** The agent's flags, wherever they are set. */
interface Flags {
  /** The value in force: the command line, which the flag files become, goes before the environment. */
  now(flag: string): string | undefined
  /** Gives every place that sets FLAG what CHANGE makes of its value; where there is none, the style's own place. ENTRY: what a value that only a shell knows must contain. */
  set(flag: string, change: (value: string | undefined) => string, entry?: string): void
}

function newFlags(draft: Draft, style: Style): Flags {
  const {flags: folder, environment, environments} = STYLE_FACTS[style]
  const fileOf = (flag: string): string | undefined => (folder === undefined ? undefined : `${folder}/${flag}`)
  const inFile = (flag: string): string | undefined => {
    const path = fileOf(flag)
    const text = path === undefined ? undefined : draft.text(path)?.trim()
    return text === '' ? undefined : text
  }
  const variable = (path: string, flag: string) => readVariables(draft.text(path) ?? '').get(variableOf(flag))
  return {
    now(flag) {
      const path = environments.findLast((each) => variable(each, flag) !== undefined)
      return inFile(flag) ?? (path === undefined ? undefined : variable(path, flag)?.value)
    },
    set(flag, change, entry) {
      const file = fileOf(flag)
      const places = environments.filter((path) => variable(path, flag) !== undefined)
      for (const path of places) {
        const {value, raw = ''} = {...variable(path, flag)}
        if (value !== undefined) draft.edit(path, (text = '') => setVariable(text, variableOf(flag), change(value === '' ? undefined : value)))
        else if (entry === undefined || !raw.includes(entry)) {
          throw new CalicoError('invalid', `${path}: only a shell can determine the value of ${variableOf(flag)}`, {hint: `Write it without $ and backticks${entry === undefined ? '' : `, or add ${entry} to it by hand`}.`})
        }
      }
      if (file !== undefined && (inFile(flag) !== undefined || places.length === 0)) {
        const before = inFile(flag)
        const after = change(before)
        if (after !== before) draft.edit(file, () => `${after}\n`)
      } else if (file === undefined && places.length === 0) {
        draft.edit(environment, (text = '') => setVariable(text, variableOf(flag), change(undefined)))
      }
    },
  }
}

/** Mesos refuses to start with both flags. */
function refuseModulesFolder(flags: Flags): void {
  const folder = flags.now('modules_dir')
  if (folder === undefined) return
  throw new CalicoError('refused', `The agent loads its modules from the folder ${folder} (modules_dir), and does not start if the flag modules is also set; nothing was changed`, {
    hint: 'Mesos versions with this flag also have CNI, which replaces net-modules. To use net-modules anyway, remove modules_dir.',
  })
}
