import {Flags} from '@oclif/core'
import {nodeFlag} from '../lib/views/node-option.js'
import {ownDocument, type Presentation} from '../lib/cli/output/presentation.js'
import {ShowCommand} from '../lib/cli/show-command.js'
import {CalicoError} from '../lib/errors.js'
import {escapeText} from '../lib/printable.js'
import {requireNetworkAdministrator} from '../lib/host/privileges.js'
import {checkSystem, type CheckResult} from '../lib/system-check/checks.js'
import {thisHost} from '../lib/system-check/sources.js'

export default class Checksystem extends ShowCommand {
  static override summary = 'Check whether this host can run calico-node: kernel, Docker, etcd, names, network.'
  static override description = [
    'Prints one line for each check on stderr, with a remedy if it failed; with -o, the results are printed on stdout instead. The exit code is 10 if a required check failed; the other checks only warn. Nothing on the host or in the datastore is changed.',
    '--fix is deprecated and has no effect. calicoctl node loads the kernel modules and enables forwarding.',
  ].join('\n')
  static override examples = ['<%= config.bin %> checksystem', '<%= config.bin %> checksystem --libnetwork', '<%= config.bin %> checksystem -o table']
  static exitCodes = {
    0: 'All required checks passed.',
    1: 'Invalid command line or datastore settings.',
    2: 'Not root.',
    6: null, // a check of its own tells
    7: null,
    10: 'A required check failed, for example because the datastore does not answer.',
  }
  static override flags = {
    fix: Flags.boolean({description: 'Deprecated; does nothing.'}),
    libnetwork: Flags.boolean({description: 'Also check the requirements of Docker networks.'}),
    runtime: Flags.string({description: 'docker, or none, as with calicoctl node: the Docker Engine is not checked.', helpValue: 'RUNTIME', default: 'docker'}),
    node: nodeFlag(),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(Checksystem, (line) => this.checkRuntime(line.flags.runtime))
    if (flags.fix) this.note('Warning: --fix is deprecated and does nothing.')
    requireNetworkAdministrator('calicoctl checksystem', {status: ''}) // what root lacks is one of the checks
    const sources = thisHost({settings: await this.settings(), session: () => this.session(), node: flags.node, timeoutMs: flags.timeout, engine: flags.runtime !== 'none' || flags.libnetwork})
    const results = await checkSystem(sources, {libnetwork: flags.libnetwork})
    if (flags.output !== undefined || flags.json) await this.present(presentChecks(results))
    else await this.list(results)
    this.refuse(results.filter(({state}) => state === 'failed'))
  }

  /** One line for each of RESULTS; on a terminal, its sentences are folded beside the name. */
  private async list(results: readonly CheckResult[]): Promise<void> {
    const {width} = this.invocation
    if (width === undefined || !process.stderr.isTTY) for (const result of results) this.note(lineOf(result))
    else {
      const {foldText} = await import('../lib/cli/output/text-width.js')
      const room = Math.max((width || USUAL_WIDTH) - LABEL_WIDTH - NAME_WIDTH, LEAST_ROOM)
      for (const result of results) this.note(foldText(escapeText(sentencesOf(result)), room).map((line, at) => `${at === 0 ? headOf(result) : ' '.repeat(LABEL_WIDTH + NAME_WIDTH)}${line}`))
    }
  }

  private checkRuntime(runtime: string): void {
    if (runtime === 'rkt') this.problem('--runtime: rkt has been abandoned, and calico/node no longer runs in it. Run calico-node in Docker.')
    else if (runtime !== 'docker' && runtime !== 'none') this.problem(`--runtime: '${runtime}' is neither docker nor none.`)
  }

  private refuse(failed: readonly CheckResult[]): void {
    if (failed.length === 0) return
    const message = `${failed.length} required ${failed.length === 1 ? 'check' : 'checks'} failed: ${failed.map(({name}) => name).join(', ')}`
    throw new CalicoError('problems', message, {details: this.globals.quiet ? failed.map(lineOf) : []})
  }
}

const LABELS = {ok: 'ok', failed: 'FAILED', warning: 'warning', skipped: 'skipped'} as const

const LABEL_WIDTH = 8
const NAME_WIDTH = 17
/** The width of a terminal that tells none. */
const USUAL_WIDTH = 80
/** Sentences get so much on a terminal that is narrower than they could be read on. */
const LEAST_ROOM = 20

const headOf = ({name, state}: CheckResult): string => `${LABELS[state].padEnd(LABEL_WIDTH)}${name.padEnd(NAME_WIDTH)}`

/** What was found, which may be a sentence already, as errors are, and what to do. */
function sentencesOf({found, remedy}: CheckResult): string {
  const sentence = /[.?!]$/.test(found) ? found : `${found}.`
  return remedy === undefined ? sentence : `${sentence} ${remedy}`
}

const lineOf = (result: CheckResult): string => `${headOf(result)}${sentencesOf(result)}`

const presentChecks = (results: readonly CheckResult[]): Presentation<CheckResult> => ({
  rows: results,
  columns: [
    {header: 'Check', value: ({name}) => name},
    {header: 'Result', value: ({state}) => LABELS[state]},
    {header: 'Required', value: ({required}) => (required ? 'yes' : 'no')},
    {header: 'Found', value: ({found}) => found, prose: true},
    {header: 'Remedy', value: ({remedy = ''}) => remedy, prose: true},
  ],
  name: ({name}) => name,
  alignment: 'left',
  document: (rows) => ownDocument('SystemCheck', {checks: rows.map(({remedy = null, ...rest}) => ({...rest, remedy}))}),
})
