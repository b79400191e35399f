import {Flags} from '@oclif/core'
import {BaseCommand} from './base-command.js'
import {OUTPUT_FORMATS, type OutputFormat, type Presentation} from './output/presentation.js'

/** The options of every command that shows something. */
export const outputFlags = {
  output: Flags.option({options: OUTPUT_FORMATS})({
    char: 'o',
    description: 'The format: table (the default), wide, json, yaml, plain (tabs, no borders) or name.',
    helpValue: 'FORMAT',
  }),
  json: Flags.boolean({description: 'The same as -o json.'}),
}

/** The format that FLAGS, those of a line that was read, ask for. */
export function chosenFormat(flags: object): OutputFormat {
  const {output, json} = flags as {output?: OutputFormat; json?: boolean}
  return output ?? (json ? 'json' : 'table')
}

/** A command that shows something: -o, and one way to present it. */
export abstract class ShowCommand extends BaseCommand {
  static override baseFlags = {...BaseCommand.baseFlags, ...outputFlags}

  protected get format(): OutputFormat {
    return chosenFormat(this.globals)
  }

  /** Writes what was found in the format that was asked for. */
  protected present<Row>(presentation: Presentation<Row>): Promise<void> {
    return this.presentAs(presentation, this.format)
  }
}
