import {Flags} from '@oclif/core'
import {BaseCommand, checked} from '../lib/cli/base-command.js'
import {noteMade} from '../lib/cli/made.js'
import {runningNode} from '../lib/views/node-option.js'
import {ownDocument} from '../lib/cli/output/presentation.js'
import {notRunningDocument, presentStatus} from '../lib/views/status.js'
import {diagnose} from '../lib/diagnostics/diagnose.js'
import {parseSize} from '../lib/diagnostics/fit.js'
import {discardWhenInterrupted} from '../lib/diagnostics/interruption.js'
import type {Collected, Item} from '../lib/diagnostics/item.js'
import {CalicoError} from '../lib/errors.js'
import {nodeStatus} from '../lib/node-status/status.js'
import {effectiveSettings} from '../lib/settings/effective.js'

const DEFAULT_FOLDER = '/var/log/calico'
const DEFAULT_SIZE = '100MB'
const SMALLEST_SIZE = 100_000

const readSize = (text: string): number => {
  const bytes = parseSize(text)
  if (bytes === undefined || bytes < SMALLEST_SIZE) throw new CalicoError('invalid', `--max-size: '${text}' is not a size from 100kB up. Give 500kB, 100MB or 1GiB.`)
  return bytes
}

export default class Diags extends BaseCommand {
  static override summary = 'Collect diagnostics about Calico on this host in one archive.'
  static override description = [
    'Collects routes, addresses, sockets, rules, IP sets, the journal, Calico\'s logs and objects, the container calico-node with its log, the status, settings and versions. Passwords, keys, tokens and the values of environment variables are removed. Nothing is uploaded; only root can read the archive.',
    'If the datastore or Docker is not available, the rest is still collected; the file summary in the archive lists what is missing. A program that is not installed counts as missing unless the kernel lacks the feature that it shows. Only regular text files are copied from the log folder, newest first, and at most the last 32 MB of each.',
  ].join('\n')
  static override examples = ['<%= config.bin %> diags', '<%= config.bin %> diags --log-dir=/var/log/calico --max-size 20MB']
  static exitCodes = {
    0: 'Everything is in the archive.',
    2: 'Not run as root.',
    6: null, // an item that is missing then
    7: null,
    9: 'The archive was written, but some items are missing; they are listed.',
  }
  static override flags = {
    'log-dir': Flags.string({description: `Calico's log folder. Default: ${DEFAULT_FOLDER}.`, helpValue: 'DIR'}),
    'max-size': Flags.custom<number>({parse: checked(readSize)})({description: `The maximum size of the contents before compression. Default: ${DEFAULT_SIZE}.`, helpValue: 'SIZE'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(Diags, ({flags: {'log-dir': folder}}) => {
      if (folder !== undefined && !folder.startsWith('/')) this.problem(`--log-dir: '${folder}' is not an absolute path`)
    })
    if (process.geteuid?.() !== 0) throw new CalicoError('not-root', 'calicoctl diags must be run as root', {hint: 'Run it with sudo; keep its settings with: sudo -E'})
    const {archive, missing} = await diagnose(
      {
        logFolder: flags['log-dir'] ?? DEFAULT_FOLDER,
        logFolderNamed: flags['log-dir'] !== undefined,
        most: flags['max-size'] ?? readSize(DEFAULT_SIZE),
        settings: () => this.settings(),
        session: () => this.session(),
        documents: this.documents(),
        say: (line) => {
          this.data(line)
          this.flush().catch(() => undefined) // reported at the end
        },
        note: (line) => this.note(line),
      },
      discardWhenInterrupted,
    )
    noteMade(archive)
    this.data(['', `Diags saved to ${archive}`, ''])
    if (missing.length > 0) {
      throw new CalicoError('unknown', missing.length === 1 ? '1 item is missing from the archive:' : `${missing.length} items are missing from the archive:`, {details: missing})
    }
  }

  private documents(): Item[] {
    const json = (path: string, document: unknown): Collected => ({files: [{path, document}]})
    return [
      {
        name: 'status',
        progress: {line: 'Asking calico-node for its status', ours: true},
        collect: async () => {
          const node = runningNode((text) => this.note(text))
          const status = await nodeStatus(() => this.session(), node, {root: true})
          return json('status.json', status.running ? presentStatus(status, new Date()).document([]) : notRunningDocument(node, status))
        },
      },
      {name: 'config view', collect: async () => json('config_view.json', ownDocument('EffectiveSettings', {settings: effectiveSettings(await this.settings())}))},
      {name: 'version', collect: () => Promise.resolve(json('version.json', ownDocument('Version', {clientVersion: this.config.version, node: process.version, os: `${process.platform} ${process.arch}`})))},
    ]
  }
}
