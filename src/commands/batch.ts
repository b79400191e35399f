import {Args, Flags} from '@oclif/core'
import {readLines} from '../lib/batch/lines.js'
import {CalicoError} from '../lib/errors.js'
import {BatchCommand} from '../lib/cli/batch/batch-command.js'

export default class Batch extends BatchCommand {
  static override summary = 'Run many command lines in one process, on one connection.'
  static override description = [
    'Each line is a command line, with or without calicoctl in front; words, quotes, backslashes and comments (#) are as in sh, and a backslash at the end of a line continues it. What only a shell can do (variables, patterns, pipes, redirections) is refused.',
    'All lines are read and checked before the first one runs: if anything is wrong, every problem is printed with its line, and nothing is done. Then they run in order; the first failure stops the batch with its exit code. --timeout is the time of each line. The options --datastore, --config, --expect-cluster and --timeout stand on batch, not on its lines.',
  ].join('\n\n')
  static override examples = ["printf 'profile add web\\nprofile web tag add frontend\\n' | <%= config.bin %> batch"]
  static exitCodes = {1: 'A line cannot be read, or has a wrong value; nothing was done.'}
  static override args = {file: Args.string({ignoreStdin: true, description: 'The file with the lines; - or nothing: stdin.'})}
  static override flags = {
    'dry-run': Flags.boolean({description: 'Not available for batch in this version: refused.'}),
    'keep-going': Flags.boolean({description: 'Try every line, also after one has failed; the exit code is that of the first failure.'}),
    output: Flags.option({options: ['table', 'json'] as const})({char: 'o', description: 'table: what the lines print (the default); json: one document with the outcome of each line.', helpValue: 'FORMAT'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(Batch)
    if (this.dryRun) throw new CalicoError('failed', '--dry-run is not available for batch in this version; nothing was done', {hint: 'Rehearse the lines on a store of their own: calicoctl batch --datastore embedded:FILE'})
    const {file, text} = await this.source(args.file)
    await this.runBatch(readLines(text), {file, keepGoing: flags['keep-going'], json: flags.output === 'json'})
  }
}
