import {Args, Flags} from '@oclif/core'
import {readLines} from '../lib/batch/lines.js'
import type {ObjectChange} from '../lib/batch/changes.js'
import {BatchCommand} from '../lib/cli/batch/batch-command.js'

export default class Batch extends BatchCommand {
  static override summary = 'Run many command lines in one process, on one connection.'
  static override description = [
    'Each line is a command line, with or without calicoctl in front; words, quotes, backslashes and comments (#) are as in sh, and a backslash at the end of a line continues it. What only a shell can do (variables, patterns, pipes, redirections) is refused.',
    'All lines are read and checked before the first one runs: if anything is wrong, every problem is printed with its line, and nothing is done. Then they run in order; the first failure stops the batch with its exit code. --timeout is the time of each line. The options --datastore, --config, --expect-cluster and --timeout stand on batch, not on its lines.',
    'With --atomic all lines are written in one transaction, or none is: later lines see what earlier ones did, and what the lines print appears when it is written. Lines that work on this host are refused then. With --dry-run nothing is written, and stdout has only the difference that all lines would make to each object; -o json has what each line prints, too.',
    'A line that reads stdin (apply -f -, profile NAME rule update) has the stdin of batch, so give the lines as a FILE then: it is refused where they come from stdin themselves.',
  ].join('\n\n')
  static override examples = ["printf 'profile add web\nprofile web tag add frontend\n' | <%= config.bin %> batch"]
  static exitCodes = {
    1: 'A line cannot be read, or has a wrong value; nothing was done.',
    5: 'With --atomic: somebody else kept changing the same objects; nothing was done.',
    8: 'With --atomic: the lines do not fit in one transaction; nothing was done.',
    9: 'With --atomic: the answer to the transaction was lost, and whether it was made cannot be told.',
  }
  static override args = {file: Args.string({ignoreStdin: true, description: 'The file with the lines; - or nothing: stdin.'})}
  static override flags = {
    atomic: Flags.boolean({description: 'All lines in one transaction, or none of them.'}),
    'dry-run': Flags.boolean({description: 'Run the lines without writing, and print the difference that all of them would make to each object.'}),
    'keep-going': Flags.boolean({description: 'Try every line, also after one has failed; the exit code is that of the first failure.'}),
    output: Flags.option({options: ['table', 'json'] as const})({char: 'o', description: 'table: what the lines print (the default); json: one document with the outcome of each line.', helpValue: 'FORMAT'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(Batch, (line) => {
      if (line.flags.atomic && line.flags['keep-going']) this.problem('--atomic and --keep-going exclude each other: all lines are done or none is')
    })
    const {file, text} = await this.source(args.file)
    await this.runBatch(readLines(text), {file, atomic: flags.atomic, keepGoing: flags['keep-going'], json: flags.output === 'json'})
  }

  protected override async difference({kind, name, change, before, after}: ObjectChange): Promise<string> {
    const {yamlDiff} = await import('../lib/views/resource-files/tell.js')
    return yamlDiff({kind, name, action: change === 'changed' ? 'updated' : change, before, after})
  }
}
