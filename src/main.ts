/** The program: a command line in, an exit code out. Called by bin/run.js through the bundle, and by tests. */
import {homedir} from 'node:os'
import {Config, run} from '@oclif/core'
import {paintHeads, settleColours} from './lib/cli/colour.js'
import {COMPLETE, formatUsageError, readLine} from './lib/cli/grammar/read-line.js'
import {V020} from './lib/cli/grammar/v020.js'
import type {Line} from './lib/cli/grammar/line.js'
import {loadOptions, type Program} from './lib/cli/program.js'
import {OutputError} from './lib/cli/made.js'
import {debugging, ending} from './lib/cli/report.js'
import {CalicoError, EXIT_CODES} from './lib/errors.js'

/** Why stdout or stderr could not be written; undefined as long as they can. */
export type OutputFailure = () => Error | undefined

/** Runs the command line ARGV of PROGRAM. Never throws; prints every error. Lost output (OUTPUTFAILURE) is one. */
export async function main(argv: readonly string[], program: Program, outputFailure: OutputFailure = () => undefined): Promise<number> {
  const line = readLine(argv, program.commands)
  const {code, failed} = await perform(line, argv, program)
  const failure = outputFailure()
  const succeeded = code === 0 || (code === 1 && !failed && isDiff(line))
  const end = failure && succeeded ? await report(new OutputError(failure), argv, program) : code
  return end === 1 && (failed || failure) && isDiff(line) ? DIFF_FAILED : end
}

/** `diff` says with 1 that something differs, as diff(1) does: its failures that are 1 elsewhere are 2. */
const DIFF_FAILED = 2
const isDiff = (line: Line): boolean => (line.type === 'command' ? line.id === 'diff' : line.type === 'usage' && line.help[0] === 'diff')

/** The exit code of LINE, and whether it is that of a failure that was printed. */
async function perform(line: Line, argv: readonly string[], program: Program): Promise<{code: number; failed: boolean}> {
  try {
    nameUser()
    settleColours(process.env, argv.includes('--no-color'))
    switch (line.type) {
      case 'help': {
        const {showHelp} = await import('./lib/cli/help.js')
        await showHelp(line.words, await Config.load(loadOptions(program)))
        return {code: 0, failed: false}
      }
      case 'usage': {
        const [word = ''] = argv
        const external = isKnown(word, program) ? undefined : (await import('./lib/cli/external.js')).findExternal(word, process.env)
        if (external !== undefined) return {code: await (await import('./lib/cli/external.js')).runExternal(external, argv.slice(1)), failed: false}
        process.stderr.write(paintHeads(formatUsageError(line)))
        return {code: EXIT_CODES.usage, failed: true}
      }
      case 'unavailable':
        throw new CalicoError('failed', `calicoctl ${line.words} is not available in this version`)
      case 'command':
        // Completion offers all commands, and a batch runs any; any other line needs only its own.
        await run([...line.id.split(':'), ...line.argv], loadOptions(program, line.id === COMPLETE ? undefined : line.id))
        return {code: Number(process.exitCode ?? 0), failed: false}
    }
  } catch (error) {
    return {code: await report(error, argv, program), failed: true}
  }
}

/** Whether some command of ours, or of v0.20, begins with WORD. */
const isKnown = (word: string, {commands}: Program): boolean => Object.hasOwn(V020, word) || Object.keys(commands).some((id) => id === word || id.startsWith(`${word}:`))

/** oclif asks the system who the user is where the environment does not say; in an image without /etc/passwd that fails. */
function nameUser(): void {
  if (isUnset(process.env.SHELL)) process.env.SHELL = '/bin/sh'
  // Unset, the system says where the home is; empty, it would be taken for the folder ''.
  if (isUnset(process.env.HOME)) delete process.env.HOME
  try {
    homedir()
  } catch {
    process.env.HOME = '/'
  }
}

const isUnset = (value: string | undefined): boolean => value === undefined || value === ''

async function report(thrown: unknown, argv: readonly string[], {root, pjson}: Program): Promise<number> {
  const debug = argv.includes('--debug') ? await debugging(root, pjson) : undefined
  const {text, code} = ending(thrown, {debug})
  if (text !== '') process.stderr.write(paintHeads(text))
  return code
}
