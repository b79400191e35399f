import {Args, Flags} from '@oclif/core'
import {configurationPlace, type ConfigSection, findSetting, readSetting, removeSetting, writeSetting} from '../client/configuration.js'
import {SettingCommand} from './setting-command.js'

/** The arguments and options of every `config SECTION` command. */
export const configArguments = {
  name: Args.string({required: true, ignoreStdin: true, description: 'The name of the setting.'}),
  value: Args.string({ignoreStdin: true, description: 'The value to set. Without it, the stored value is shown.'}),
}
export const configFlags = {
  remove: Flags.boolean({description: 'Remove the setting.'}),
  force: Flags.boolean({description: 'Accept an unknown name or value.'}),
}

/** What a line of a `config SECTION` command says. */
interface ConfigLine {
  readonly name: string
  readonly value: string | undefined
  readonly remove: boolean
  readonly force: boolean
}

/** `config SECTION NAME [VALUE | --remove]`: shows, sets or removes one setting (cli-v0.20 §4.11). */
export abstract class ConfigCommand extends SettingCommand {
  /** Does what LINE says to SECTION, of NODE if given. */
  protected async configure(section: ConfigSection, {name, value, remove, force}: ConfigLine, node?: string): Promise<void> {
    const setting = findSetting(section, name, {value, force})
    const place = configurationPlace(section, node)
    const session = await this.session()
    if (!Object.hasOwn(section.settings, name) && !section.rawParameters) {
      session.warn(`config ${section.words} ${name} is stored as an annotation, which current Calico versions do not read.`)
    }
    if (remove) {
      const change = await removeSetting(session, place, setting)
      const done = change.action === 'unchanged' ? 'No value configured' : 'Value removed'
      await this.report([change], {done})
    } else if (value !== undefined) {
      const change = await writeSetting(session, place, setting, value)
      const was = change.before && setting.read(change.before)
      await this.report([change], {detail: `${name} ${was ?? 'not set'} → ${value}`})
    } else {
      const stored = await readSetting(session, place, setting)
      await this.showSetting({name, value: stored, configured: stored !== undefined, text: stored ?? 'No value configured'})
    }
  }
}
