import {nodeNameInputs, tryNodeName} from '../../lib/client/node-name.js'
import {ownDocument} from '../../lib/cli/output/presentation.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {effectiveSettings} from '../../lib/settings/effective.js'

export default class ConfigView extends ShowCommand {
  static override summary = 'Show the effective settings of calicoctl and the source of each.'
  static readonly exitCodes = {6: null, 7: null}
  static override description = 'Options override environment variables, which override the configuration file and the defaults. The datastore is not read; passwords and keys are not shown.'
  static override examples = ['<%= config.bin %> config view', '<%= config.bin %> config view -o json']

  async run(): Promise<void> {
    await this.read(ConfigView)
    const settings = await this.settings()
    const node = tryNodeName(nodeNameInputs())
    for (const warning of [...settings.warnings, ...node.warnings]) this.note(`Warning: ${warning}`)
    await this.present({
      rows: [...effectiveSettings(settings), ...(node.found ? [{name: 'node', value: node.found.name, origin: node.found.origin}] : [])],
      columns: [
        {header: 'Setting', value: ({name}) => name},
        {header: 'Value', value: ({value}) => value},
        {header: 'Origin', value: ({origin}) => origin},
      ],
      name: ({name}) => name,
      document: (all) => ownDocument('EffectiveSettings', {settings: all}),
      alignment: 'left',
    })
  }
}
