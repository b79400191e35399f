/** `diags`: everything that can be learned of this host's Calico in one archive, without secrets (cli-v0.20 §4.10, decisions.md 35). */
import type {Session} from '../client/session.js'
import {append} from '../append.js'
import {stringifyJson} from '../json/index.js'
import type {Settings} from '../settings/types.js'
import {containerEnvironment, containerItems} from './container-items.js'
import {datastoreItem} from './datastore-item.js'
import {type Entry, fit} from './fit.js'
import {hostItems} from './host-items.js'
import {collect, type Collected, type Content, type Item} from './item.js'
import {copyLogs} from './logs.js'
import {knownSecrets, redactText, redactValue, type Secrets} from '../redact.js'
import {createWorkspace, type Workspace} from './workspace.js'

export interface DiagnosisOptions {
  readonly logFolder: string
  /** Whether the user named it: then it must be there. */
  readonly logFolderNamed: boolean
  /** Bytes of what goes into the archive. */
  readonly most: number
  readonly settings: () => Promise<Settings>
  readonly session: () => Promise<Session>
  /** What the command itself knows: `status`, `config view`, the version. Secrets are taken out here. */
  readonly documents: readonly Item[]
  /** A line of v0.20's, for stdout. */
  readonly say: (line: string) => void
  /** A line for people, for stderr. */
  readonly note: (line: string) => void
}

export interface Diagnosis {
  readonly archive: string
  /** Items that are not in it, or not whole, each with the reason. */
  readonly missing: readonly string[]
}

/**
 * Collects and packs. What fails is missing, and stands in the archive's file `summary`.
 * @throws CalicoError `failed` if the archive itself cannot be made
 */
export async function diagnose(options: DiagnosisOptions, created: (workspace: Workspace) => void): Promise<Diagnosis> {
  const {say, note, most} = options
  const now = new Date()
  say('Collecting diagnostics')
  const workspace = createWorkspace()
  created(workspace)
  say(`Using temp dir: ${workspace.folder}`)
  const secrets = await secretsOf(options)
  const gathered = new Gathered(secrets)
  for (const item of hostItems(now)) await gathered.add(item, options)
  await addLogs(gathered, options, secrets)
  for (const item of [datastoreItem(options.session, secrets), ...containerItems(), ...options.documents]) await gathered.add(item, options)
  const {kept, dropped} = fit(gathered.entries, most)
  for (const {path, bytes} of dropped) gathered.missing.push(`${path}: its ${bytes.length} bytes do not fit into --max-size`)
  for (const {path, bytes, cut = 0} of kept) {
    if (cut > 0) gathered.remarks.push(`${path}: its oldest ${cut} bytes were left out for --max-size`)
    workspace.write(path, cut > 0 ? Buffer.concat([Buffer.from(`[calicoctl diags left out the ${cut} bytes before this]\n`), bytes]) : bytes)
  }
  workspace.write('summary', summary(gathered, now))
  gathered.remarks.forEach((text) => note(redactText(text, secrets)))
  return {archive: await workspace.pack(now), missing: gathered.missing}
}

/** What has come together so far. */
class Gathered {
  readonly entries: Entry[] = []
  readonly missing: string[] = []
  /** What is not in the archive and need not be. */
  readonly remarks: string[] = []
  readonly collected: string[] = []

  constructor(private readonly secrets: Secrets) {}

  async add(item: Item, {say, note}: DiagnosisOptions): Promise<void> {
    if (item.progress) (item.progress.ours ? note : say)(item.progress.line)
    this.take(item, await collect(item), say)
  }

  private take({name, progress}: Item, found: Collected, say: (line: string) => void): void {
    if ('notNeeded' in found) {
      this.remarks.push(`${name}: ${found.notNeeded}`)
      return
    }
    if ('missing' in found) {
      const why = redactText(found.missing, this.secrets)
      this.missing.push(`${name}: ${why.split('\n', 1).join('')}`)
      if (progress && !progress.ours) for (const line of [`Problem running command: ${name}`, ...why.split('\n')]) say(line)
    } else this.collected.push(name)
    for (const file of found.files ?? []) this.entries.push({path: file.path, bytes: Buffer.from(contentOf(file, this.secrets)), ...('log' in file ? {changed: Date.now()} : {})})
  }
}

function contentOf(file: Content, secrets: Secrets): string {
  if ('document' in file) return `${stringifyJson(redactValue(file.document, secrets), 2)}\n`
  return file.redacted ? file.text : redactText(file.text, secrets)
}

async function addLogs(gathered: Gathered, {logFolder, logFolderNamed, most, say}: DiagnosisOptions, secrets: Secrets): Promise<void> {
  try {
    const {exists, entries, leftOut} = await copyLogs(logFolder, {secrets, most})
    if (!exists) {
      say(`No logs to copy: ${logFolder} does not exist`)
      ;(logFolderNamed ? gathered.missing : gathered.remarks).push(`logs: ${logFolder} does not exist`)
      return
    }
    say('Copying Calico logs')
    append(gathered.entries, entries)
    gathered.collected.push('logs')
    for (const {path, why, failed} of leftOut) (failed ? gathered.missing : gathered.remarks).push(`logs/${path.join('/')}: ${why}`)
  } catch (error) {
    say('Copying Calico logs')
    gathered.missing.push(`logs: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** What must not be in the archive wherever it stands. */
async function secretsOf({settings}: DiagnosisOptions): Promise<Secrets> {
  const environment = [...(await containerEnvironment()), ...ownEnvironment()]
  try {
    const {datastore} = await settings()
    return knownSecrets(datastore.type === 'etcd' && datastore.password ? [datastore.password.value] : [], environment)
  } catch {
    return knownSecrets([], environment)
  }
}

/** Of this process: only what a name says is secret matters; the rest is the user's shell. */
const ownEnvironment = (): string[] => Object.entries(process.env).flatMap(([name, value]) => (value !== undefined && /passw|secret|token/i.test(name) ? [`${name}=${value}`] : []))

function summary({collected, missing, remarks}: Gathered, now: Date): string {
  const part = (title: string, lines: readonly string[]): string => `${title}:\n${lines.length === 0 ? '  none\n' : lines.map((line) => `  ${line.replaceAll('\n', '\\n')}\n`).join('')}`
  return `calicoctl diags, ${now.toISOString()}\n\n${part('Collected', collected)}\n${part('Missing', missing)}\n${part('Not collected, because not needed', remarks)}`
}
