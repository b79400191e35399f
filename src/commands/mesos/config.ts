import {Flags} from '@oclif/core'
import {BaseCommand} from '../../lib/cli/base-command.js'
import {noteMade} from '../../lib/cli/made.js'
import {editDiff, flagLine, withEdits} from '../../lib/views/mesos-config.js'
import {absolutePath, hostRoot, rootFlag} from '../../lib/views/mesos-options.js'
import {CalicoError} from '../../lib/errors.js'
import {checkAgent} from '../../lib/mesos/agent/check.js'
import type {HostFiles} from '../../lib/mesos/agent/files.js'
import {absoluteHere} from '../../lib/mesos/agent/files.js'
import {type AgentPlan, type FileEdit, planAgent} from '../../lib/mesos/agent/plan.js'
import {readSetup} from '../../lib/mesos/agent/setup.js'
import {type Style, STYLES} from '../../lib/mesos/agent/styles.js'
import {checkWritable, writeEdits} from '../../lib/mesos/agent/write.js'

export default class MesosConfig extends BaseCommand {
  static override summary = 'Configure a Mesos agent for Calico: modules.json, flags and environment.'
  static override description = [
    'Prints the changes of each file, then asks for confirmation; --yes answers it. Other modules, isolators, hooks, variables and comments in the files are kept. The agent is configured for the same etcd that calicoctl uses.',
    'The styles: rpm and manual, /calico/modules.json, /etc/mesos-slave/* and /etc/default/mesos-slave; dcos, the files below /opt/mesosphere/etc, and the order of sources of Mesos-DNS. A flag that is already set in another file is changed in that file.',
    'The agent is not restarted; the command for that is printed.',
  ].join('\n')
  static override examples = ['<%= config.bin %> mesos config --style rpm --dry-run', '<%= config.bin %> mesos config --style manual --yes', '<%= config.bin %> mesos config --style dcos --root /mnt/image --yes']
  static exitCodes = {
    0: 'The files were written, or are already correct.',
    1: 'A file cannot be extended, or a value is invalid; nothing was written.',
    2: 'This user may not read or write the files.',
    5: 'A file was modified meanwhile; nothing was written.',
    6: null, // the datastore is not asked
    7: null,
    8: 'Not confirmed, or a password would be written to a file that all users can read; nothing was written.',
    9: 'Only some of the files could be written; the message lists them.',
  }
  static override flags = {
    style: Flags.option({options: STYLES})({description: 'How Mesos was installed: packages, by hand, or DC/OS.', helpValue: STYLES.join('|')}),
    root: rootFlag(),
    plugin: absolutePath('plugin', 'The path of the plugin. Default: the one in modules.json, else /calico/calico_mesos.'),
    library: absolutePath('library', 'The path of the net-modules library. Default: the one in modules.json, else the usual path of the style.'),
    yes: Flags.boolean({description: 'Write without prompting.'}),
    'dry-run': Flags.boolean({description: 'Print what would change; write nothing.'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(MesosConfig, ({flags: {style}}) => {
      if (style === undefined) this.problem(`--style is missing. Give ${STYLES.join(', ')}.`)
    })
    const {style = 'manual', plugin, library} = flags
    const files = hostRoot(flags.root)
    const settings = await this.settings()
    settings.warnings.forEach((warning) => this.note(`Warning: ${warning}`))
    const plan = planAgent({style, plugin, library, settings, absolute: absoluteHere}, (path) => files.read(path))
    checkWritable(files, plan.edits)
    for (const edit of plan.edits) await this.dataText(await editDiff(edit))
    await this.flush()
    const done = await this.write(files, plan, {dryRun: flags['dry-run'], yes: flags.yes})
    await this.reportNext(files, style, plan, done)
  }

  /** What was written. */
  private async write(files: HostFiles, {edits, looked}: AgentPlan, {dryRun, yes}: {dryRun: boolean; yes: boolean}): Promise<readonly FileEdit[]> {
    for (const path of looked) if (!edits.some((edit) => edit.path === path)) this.note(`${path} unchanged`)
    if (edits.length === 0) return []
    if (dryRun) {
      for (const {path, before} of edits) this.note(`${path} would be ${before === undefined ? 'created' : 'updated'}`)
      return []
    }
    const question = edits.length === 1 ? 'Write this file?' : `Write these ${edits.length} files?`
    if (!yes && !(await this.confirm(question))) throw new CalicoError('refused', 'Not confirmed; nothing was written', {hint: 'To write without a prompt, use --yes.'})
    await writeEdits(files, edits, ({path, before}) => {
      noteMade(path)
      this.note(`${path} ${before === undefined ? 'created' : 'updated'}`)
    })
    return edits
  }

  /** What is still missing, and how the agent learns of it. */
  private async reportNext(files: HostFiles, style: Style, plan: AgentPlan, written: readonly FileEdit[]): Promise<void> {
    const findings = await checkAgent(readSetup(withEdits(files, plan.edits), style))
    for (const {severity, what, remedy} of findings) if (severity !== 'note') this.note(`Warning: ${what}. ${remedy}`)
    if (written.length === 0) return
    this.note(`The agent reads this when it starts: ${plan.restart.join('; ')}`)
    if (style === 'manual') this.note(`An agent that is started by hand needs the variables in its environment and: ${flagLine(plan)}`)
  }
}
