import {Args, Flags} from '@oclif/core'
import {readLines} from '../lib/batch/lines.js'
import type {ObjectChange} from '../lib/batch/changes.js'
import {BatchCommand} from '../lib/cli/batch/batch-command.js'

export default class Batch extends BatchCommand {
  static override summary = 'Run many command lines in one process, on one connection.'
  static override description = [
    'Each line is a calicoctl command, with or without the word calicoctl; quotes, backslashes and comments (#) work as in sh, and a backslash at the end continues a line. Shell features (variables, patterns, pipes, redirections) are refused.',
    'All lines are read and checked before the first one runs: if a line is invalid, every problem is printed with its line number, and nothing is done. The lines run in order; the first failure stops the batch with its exit code. With -o json, an interrupted batch prints its document, too. --timeout applies to each line. Give the options --datastore, --config, --expect-cluster and --timeout to batch, not in its lines.',
    'With --atomic, all lines are written in one transaction, or none: later lines see the changes of earlier ones, and their output is printed after the transaction. Commands that change this host are refused then. With --dry-run, nothing is written, and only the difference to each object is printed on stdout; -o json also contains the output of each line.',
    'A line that reads stdin (apply -f -, profile NAME rule update) reads the stdin of batch; it is refused if the lines themselves come from stdin, so give them as a FILE.',
  ].join('\n\n')
  static override examples = ["printf 'profile add web\nprofile web tag add frontend\n' | <%= config.bin %> batch"]
  static exitCodes = {
    1: 'A line is invalid and nothing was done, or a line failed with this code.',
    2: 'A line failed with this code; so it is with the other codes of its command.',
    4: 'A line failed with this code: a named object was not found.',
    5: 'With --atomic: another client kept modifying the same objects; nothing was done.',
    8: 'With --atomic: the lines do not fit in one transaction; nothing was done.',
    9: 'With --atomic: the response to the transaction was lost, and it is not known whether it was made.',
    10: 'A line failed with this code: a check found problems.',
  }
  static override args = {file: Args.string({ignoreStdin: true, description: 'The file with the lines. Default: -, which is stdin.'})}
  static override flags = {
    atomic: Flags.boolean({description: 'Run all lines in one transaction, or none of them.'}),
    'dry-run': Flags.boolean({description: 'Run the lines without writing, and print the difference to each object.'}),
    'keep-going': Flags.boolean({description: 'Continue after a line has failed; the exit code is that of the first failure.'}),
    output: Flags.option({options: ['table', 'json'] as const})({char: 'o', description: 'table: what the lines print (the default); json: one document with the outcome of each line.', helpValue: 'FORMAT'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(Batch, (line) => {
      if (line.flags.atomic && line.flags['keep-going']) this.problem('--atomic and --keep-going cannot be combined: with --atomic, all lines are done or none')
    })
    const {file, text} = await this.source(args.file)
    await this.runBatch(readLines(text), {file, atomic: flags.atomic, keepGoing: flags['keep-going'], json: flags.output === 'json'})
  }

  protected override async difference({kind, name, change, before, after}: ObjectChange): Promise<string> {
    const {yamlDiff} = await import('../lib/views/resource-files/change-report.js')
    return yamlDiff({kind, name, action: change === 'changed' ? 'updated' : change, before, after})
  }
}
