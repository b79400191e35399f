import {Flags} from '@oclif/core'
import {gatherSurroundings, presentFindings, problemsAmong} from '../../lib/views/mesos-check.js'
import {hostRoot, rootFlag} from '../../lib/views/mesos-options.js'
import {chosenNode, nodeFlag, ownNode, runningNode} from '../../lib/views/node-option.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {CalicoError, isError} from '../../lib/errors.js'
import {checkAgent} from '../../lib/mesos/agent/check.js'
import {detectStyle, readSetup} from '../../lib/mesos/agent/setup.js'
import {STYLES} from '../../lib/mesos/agent/styles.js'
import type {Settings} from '../../lib/settings/types.js'

export default class MesosCheck extends ShowCommand {
  static override summary = 'Check the set-up of a Mesos agent for Calico: modules, flags, environment, names.'
  static override description = [
    'Checks modules.json and the files that it names, the flags and environment of the agent, Mesos-DNS and Docker, and compares them with calicoctl\'s own settings and the datastore. Nothing is changed; the plugin is run only with --ask-plugin.',
    'With --root, the files of an image are checked; checks that need a running host are skipped.',
  ].join('\n')
  static override examples = ['<%= config.bin %> mesos check', '<%= config.bin %> mesos check --style dcos -o wide', '<%= config.bin %> mesos check --root /mnt/image -o json']
  static exitCodes = {0: 'No problems were found; there may be notes, for example that the datastore does not answer.', 6: null, 7: null, 8: '--node or a variable names a node that is not this host\'s (see /var/lib/calico/nodename).', 10: 'Problems were found.'}
  static override flags = {
    style: Flags.option({options: STYLES})({description: 'How Mesos was installed. Default: detected from its files.', helpValue: STYLES.join('|')}),
    root: rootFlag(),
    'ask-plugin': Flags.boolean({description: 'Run the plugin with an empty request to check that it answers; not with --root.'}),
    node: nodeFlag(),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(MesosCheck)
    const files = hostRoot(flags.root)
    if (flags['ask-plugin'] && files.root !== '') throw new CalicoError('invalid', '--ask-plugin and --root cannot be combined: programs of an image are not run on this host')
    const style = flags.style ?? detectStyle(files)
    const setup = readSetup(files, style)
    // The plugin asks the file first. Of an image, the host's own file says nothing.
    const node = flags.node === undefined ? runningNode((text) => this.note(text)) : files.root === '' ? ownNode(flags.node) : chosenNode(flags.node, (text) => this.note(text))
    const around = await gatherSurroundings(setup, {settings: await this.ownSettings(), session: () => this.session(), node, ask: flags['ask-plugin']})
    const findings = await checkAgent(setup, around)
    await this.present(presentFindings(findings, style))
    const problems = problemsAmong(findings).length
    this.note(`Checked a set-up of style ${style}${flags.style === undefined ? ' (detected from its files)' : ''}${files.root === '' ? '' : ` below ${files.root}`}, as node ${node}.`)
    if (problems > 0) throw new CalicoError('problems', problems === 1 ? '1 problem was found' : `${problems} problems were found`)
  }

  /** Undefined, and a warning, where they are wrong: the files can be checked all the same. */
  private async ownSettings(): Promise<Settings | undefined> {
    try {
      return await this.settings()
    } catch (error) {
      if (!isError(error)) throw error
      this.note(`Warning: ${[error.message, ...error.details].join(' ')}`)
      return undefined
    }
  }
}
