import {EditCommand} from '../cli/edit-command.js'
import {ownDocument} from '../cli/output/presentation.js'
import {chosenFormat, outputFlags} from '../cli/show-command.js'

/** A setting as it is shown: what is stored, or what holds in its absence. */
export interface ShownSetting {
  readonly name: string
  /** What is stored, or in force; undefined = nothing to tell. */
  readonly value: string | number | undefined
  /** False: VALUE is the default, or there is none. */
  readonly configured: boolean
  /** The line that v0.20 printed. */
  readonly text: string
}

/** A command that shows a setting, or changes it when it is given a value: the options of both. */
export abstract class SettingCommand extends EditCommand {
  static override baseFlags = {...EditCommand.baseFlags, ...outputFlags}

  /** Prints SETTING: v0.20's line, or what -o asks for. */
  protected async showSetting({name, value, configured, text}: ShownSetting): Promise<void> {
    const row = {name, value: value === undefined ? '' : String(value), configured}
    const presentation = {
      rows: [row],
      columns: [
        {header: 'Name', value: (shown: typeof row) => shown.name},
        {header: 'Value', value: (shown: typeof row) => shown.value},
        {header: 'Configured', value: (shown: typeof row) => (shown.configured ? 'yes' : 'no'), wide: true},
      ],
      name: (shown: typeof row) => shown.name,
      document: () => ownDocument('Setting', {name, ...(value === undefined ? {} : {value}), configured}),
      text: () => [text],
    }
    await this.presentAs(presentation, chosenFormat(this.globals))
  }
}
