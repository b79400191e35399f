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
  static override summary = 'Collect what there is to know of Calico on this host in one archive.'
  static override description = [
    'Routes, addresses, sockets, rules, IP sets, the journal, Calico\'s logs, all of Calico\'s objects in the datastore, the container calico-node with its log, status, config view and versions. Passwords, keys, tokens and the values of environments are taken out. Nothing is uploaded; the archive is root\'s alone.',
    'It goes on without the datastore and without Docker; the file summary in the archive names what is missing. A program that is not installed counts as missing unless the kernel has nothing that it could show. Of the logs only regular text files are copied, no links; each to 32 MB, the newest first, cut from the oldest end.',
  ].join('\n')
  static override examples = ['<%= config.bin %> diags', '<%= config.bin %> diags --log-dir=/var/log/calico --max-size 20MB']
  static exitCodes = {
    0: 'Everything is in the archive.',
    2: 'Not run as root.',
    6: null, // an item that is missing then
    7: null,
    9: 'The archive is there, and items are missing, which are named.',
  }
  static override flags = {
    'log-dir': Flags.string({description: `Calico's log folder; the default is ${DEFAULT_FOLDER}.`, helpValue: 'DIR'}),
    'max-size': Flags.custom<number>({parse: checked(readSize)})({description: `How much goes into the archive before it is compressed; the default is ${DEFAULT_SIZE}.`, helpValue: 'SIZE'}),
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
          this.flush().catch(() => undefined) // told at the end
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
