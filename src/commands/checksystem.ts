import {Flags} from '@oclif/core'
import {nodeFlag} from '../lib/views/node-option.js'
import {ownDocument, type Presentation} from '../lib/cli/output/presentation.js'
import {ShowCommand} from '../lib/cli/show-command.js'
import {CalicoError} from '../lib/errors.js'
import {requireNetworkAdministrator} from '../lib/host/privileges.js'
import {checkSystem, type CheckResult} from '../lib/system-check/checks.js'
import {thisHost} from '../lib/system-check/sources.js'

export default class Checksystem extends ShowCommand {
  static override summary = 'Check whether this host can run calico-node: kernel, Docker, etcd, names, network.'
  static override description = [
    'Each check is told in one line on stderr, with what to do where something is wrong; -o shows all of them on stdout. When a check that Calico depends on fails, the exit code is 10; the others only warn. Nothing on the host or in the datastore is changed.',
    '--fix is deprecated: it never fixed anything. calicoctl node loads modules and switches forwarding on by itself.',
  ].join('\n')
  static override examples = ['<%= config.bin %> checksystem', '<%= config.bin %> checksystem --libnetwork', '<%= config.bin %> checksystem -o table']
  static exitCodes = {
    0: 'Nothing that Calico depends on is wrong.',
    1: 'The line or the settings of the datastore are wrong.',
    2: 'Not root.',
    6: null, // a check of its own tells
    7: null,
    10: 'A check that Calico depends on failed: the datastore not answering is one of them.',
  }
  static override flags = {
    fix: Flags.boolean({description: 'Deprecated; does nothing.'}),
    libnetwork: Flags.boolean({description: 'Check for what Docker networks need, too.'}),
    runtime: Flags.string({description: 'docker. rkt is gone and refused.', helpValue: 'RUNTIME', default: 'docker'}),
    node: nodeFlag(),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(Checksystem, (line) => this.checkRuntime(line.flags.runtime))
    if (flags.fix) this.note('Warning: --fix is deprecated and does nothing.')
    requireNetworkAdministrator('calicoctl checksystem', {status: ''}) // what root lacks is one of the checks
    const sources = thisHost({settings: await this.settings(), session: () => this.session(), node: flags.node, timeoutMs: flags.timeout})
    const results = await checkSystem(sources, {libnetwork: flags.libnetwork})
    if (flags.output !== undefined || flags.json) await this.present(presentChecks(results))
    else for (const result of results) this.note(lineOf(result))
    this.refuse(results.filter(({state}) => state === 'failed'))
  }

  private checkRuntime(runtime: string): void {
    if (runtime === 'rkt') this.problem('--runtime: rkt has been abandoned, and calico/node no longer runs in it. Run calico-node in Docker.')
    else if (runtime !== 'docker') this.problem(`--runtime: '${runtime}' is not a runtime. Give docker.`)
  }

  private refuse(failed: readonly CheckResult[]): void {
    if (failed.length === 0) return
    const message = `${failed.length} required ${failed.length === 1 ? 'check' : 'checks'} failed: ${failed.map(({name}) => name).join(', ')}`
    throw new CalicoError('problems', message, {details: this.globals.quiet ? failed.map(lineOf) : []})
  }
}

const LABELS = {ok: 'ok', failed: 'FAILED', warning: 'warning', skipped: 'skipped'} as const

/** One line; FOUND may be a sentence already, as errors are. */
function lineOf({name, state, found, remedy}: CheckResult): string {
  const sentence = /[.?!]$/.test(found) ? found : `${found}.`
  return `${LABELS[state].padEnd(8)}${name.padEnd(17)}${sentence}${remedy === undefined ? '' : ` ${remedy}`}`
}

const presentChecks = (results: readonly CheckResult[]): Presentation<CheckResult> => ({
  rows: results,
  columns: [
    {header: 'Check', value: ({name}) => name},
    {header: 'Result', value: ({state}) => LABELS[state]},
    {header: 'Required', value: ({required}) => (required ? 'yes' : 'no')},
    {header: 'Found', value: ({found}) => found},
    {header: 'Remedy', value: ({remedy = ''}) => remedy},
  ],
  name: ({name}) => name,
  alignment: 'left',
  document: (rows) => ownDocument('SystemCheck', {checks: rows.map(({remedy = null, ...rest}) => ({...rest, remedy}))}),
})
