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
  static override summary = 'Set a Mesos agent up for Calico: modules.json, flags and environment, as the guides of its style do.'
  static override description = [
    'Shows what it would change in each file, then asks, or goes ahead with --yes. What others have written stays: other modules, isolators and hooks, other variables, comments. Values that are right already are left as they are. etcd is the one that calicoctl itself uses.',
    'The styles: rpm and manual, /calico/modules.json, /etc/mesos-slave/* and /etc/default/mesos-slave; dcos, the files below /opt/mesosphere/etc, and the order of sources of Mesos-DNS. A flag that is set somewhere already is changed there.',
    'The agent is not restarted: the command for that is told.',
  ].join('\n')
  static override examples = ['<%= config.bin %> mesos config --style rpm --dry-run', '<%= config.bin %> mesos config --style manual --yes', '<%= config.bin %> mesos config --style dcos --root /mnt/image --yes']
  static exitCodes = {
    0: 'Written, or already so.',
    1: 'A file does not say what could be added to, or a value is wrong; nothing was written.',
    2: 'This user may not read or write the files.',
    5: 'A file was changed meanwhile; nothing was written.',
    6: null, // the datastore is not asked
    7: null,
    8: 'Not confirmed, or a password would stand where everybody can read it; nothing was written.',
    9: 'Only some of the files could be written; the message says which.',
  }
  static override flags = {
    style: Flags.option({options: STYLES})({description: 'How Mesos was installed: packages, by hand, or DC/OS.'}),
    root: rootFlag(),
    plugin: absolutePath('plugin', 'The plugin; the default is what modules.json has, else /calico/calico_mesos.'),
    library: absolutePath('library', 'The library of net-modules; the default is what modules.json has, else where the style has it.'),
    yes: Flags.boolean({description: 'Write without asking.'}),
    'dry-run': Flags.boolean({description: 'Show what would change; write nothing.'}),
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
    await this.tellNext(files, style, plan, done)
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
    if (!yes && !(await this.confirm(question))) throw new CalicoError('refused', 'Nothing was written: it was not confirmed', {hint: 'To write without being asked, add --yes.'})
    await writeEdits(files, edits, ({path, before}) => {
      noteMade(path)
      this.note(`${path} ${before === undefined ? 'created' : 'updated'}`)
    })
    return edits
  }

  /** What is still missing, and how the agent learns of it. */
  private async tellNext(files: HostFiles, style: Style, plan: AgentPlan, written: readonly FileEdit[]): Promise<void> {
    const findings = await checkAgent(readSetup(withEdits(files, plan.edits), style))
    for (const {severity, what, remedy} of findings) if (severity !== 'note') this.note(`Warning: ${what}. ${remedy}`)
    if (written.length === 0) return
    this.note(`The agent reads this when it starts: ${plan.restart.join('; ')}`)
    if (style === 'manual') this.note(`An agent that is started by hand needs the variables in its environment and: ${flagLine(plan)}`)
  }
}
