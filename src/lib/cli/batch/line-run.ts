/** One line of a batch, checked or run in this process. */
import type {Config} from '@oclif/core'
import type {Budget} from '../../datastore/budget.js'
import {CalicoError} from '../../errors.js'
import type {Settings} from '../../settings/types.js'
import {readLine} from '../grammar/read-line.js'
import type {Line} from '../grammar/line.js'
import {type BatchLine, type Invocation, invoked, type Reading} from '../invocation.js'
import {debugging, type Debugging, ending} from '../report.js'
import {allCommands, freshOptions} from '../program.js'
import {escapeText} from '../../printable.js'
import {checkedFurther, type Place, placeOf, whyNotStaged} from './places.js'

/** A line whose grammar is right. */
export interface ReadyLine {
  readonly line: number
  readonly words: readonly string[]
  readonly meaning: Extract<Line, {type: 'command' | 'help'}>
  readonly place: Place
  /** Kept from the check of the line until it runs. */
  readonly reading?: Reading
}

/** The options that choose the store and the time, and the one that is of the whole change. */
const STORE_OPTIONS = ['datastore', 'config', 'expect-cluster', 'timeout', 'confirm-within', 'flows']

/** Thrown where a line that is only checked would begin to do something: it is right. */
class LineIsRight extends Error {}

/** There is one for all lines: to make an error, with its stack, takes time. */
let lineIsRight: LineIsRight | undefined

/** What all lines of a batch have in common. */
export interface Surroundings {
  readonly config: Config
  readonly settings: Settings
  readonly budget: Budget
  readonly quiet: boolean
  readonly debug: boolean
  /** Why a line cannot read stdin; undefined where it can. */
  readonly whyNoStdin: () => string | undefined
  readonly stdin: () => Promise<string>
  /** The lines run on a stage: all of them are one transaction, or they are only rehearsed. */
  readonly staged?: 'atomic' | 'dry-run' | undefined
}

/** The line of WORDS as grammar has it, or what is wrong with it. */
export function readWords(line: number, words: readonly string[], {config, staged}: Pick<Surroundings, 'config' | 'staged'>): ReadyLine | {line: number; problem: string} {
  const {commands} = allCommands(config)
  const meaning = readLine(words, commands)
  switch (meaning.type) {
    case 'usage': {
      const {problem, suggestion} = meaning
      const hint = suggestion === undefined ? '' : `. Did you mean: ${suggestion.startsWith('--') ? '' : 'calicoctl '}${escapeText(suggestion)}`
      return {line, problem: `${escapeText(problem)}${hint}`}
    }
    case 'unavailable':
      return {line, problem: `calicoctl ${meaning.words} is not available in this version`}
    case 'help':
      return {line, words, meaning, place: 'neither'}
    case 'command': {
      const place = placeOf(meaning.id)
      if (place === 'endless') return {line, problem: `calicoctl ${meaning.id.replaceAll(':', ' ')} cannot be used in a batch`}
      const canRehearse = commands[meaning.id]?.flags['dry-run'] !== undefined
      const problem = staged && whyNotStaged(meaning.id, {atomic: staged === 'atomic', canRehearse, argv: meaning.argv})
      return problem === undefined ? {line, words, meaning, place, reading: {}} : {line, problem}
    }
  }
}

/** What is wrong with the options and values of LINE: what the command itself says of them. Undefined = nothing. The command does nothing. */
export async function checkLine(line: ReadyLine, around: Surroundings): Promise<{text: string; code: number} | undefined> {
  const right = (): never => {
    throw (lineIsRight ??= new LineIsRight())
  }
  // A command that works on the host may do so as soon as its line is read; one of the datastore checks more before it asks for that.
  const read = line.meaning.type === 'command' && checkedFurther(line.meaning.id) ? (): void => undefined : right
  const act = right
  const invocation: Invocation = {
    stdout: right,
    stderr: () => undefined,
    exitCode: () => undefined,
    line: {
      settings: around.settings,
      budget: around.budget,
      dryRun: false,
      quiet: true,
      reading: line.reading,
      refused: STORE_OPTIONS,
      session: right,
      stdin: () => {
        refuseStdin(around)
        return right()
      },
      read,
      act,
    },
  }
  if (line.meaning.type === 'help') return undefined
  try {
    await perform(line, around.config, invocation)
  } catch (error) {
    return error instanceof LineIsRight ? undefined : ending(error, {debug: await debuggingOf(line, around)})
  }
  return undefined
}

/** @throws CalicoError `invalid` where a line cannot read stdin */
function refuseStdin({whyNoStdin}: Surroundings): void {
  const why = whyNoStdin()
  if (why !== undefined) throw new CalicoError('invalid', why)
}

/** Where the outcome of a line that runs goes to. */
export interface LineOutput {
  readonly stdout: Invocation['stdout']
  readonly stderr: Invocation['stderr']
  readonly dryRun: boolean
  readonly session: BatchLine['session']
  readonly width: Invocation['width']
}

/** Runs LINE to its end; its errors are reported on its stderr. @returns its exit code */
export async function runLine(line: ReadyLine, around: Surroundings, output: LineOutput): Promise<{code: number; error?: unknown}> {
  let code = 0
  const nothing = (): void => undefined
  const {settings, budget, quiet} = around
  // Not every line has said before that it reads stdin: one of the host is checked only as far as its options.
  const stdin = async (): Promise<string> => {
    refuseStdin(around)
    return around.stdin()
  }
  const invocation: Invocation = {
    width: output.width,
    stdout: output.stdout,
    stderr: output.stderr,
    exitCode: (given) => {
      code = given
    },
    line: {settings, budget, quiet, reading: line.reading, stdin, dryRun: output.dryRun, refused: STORE_OPTIONS, session: output.session, read: nothing, act: nothing},
  }
  try {
    await perform(line, around.config, invocation)
    return {code}
  } catch (error) {
    const {text, code: failed} = ending(error, {debug: await debuggingOf(line, around)})
    if (text !== '') output.stderr(text)
    return {code: failed, error}
  }
}

/** What --debug, on LINE or on the batch, adds to an error. */
async function debuggingOf({meaning}: ReadyLine, {debug, config}: Surroundings): Promise<Debugging | undefined> {
  const wanted = debug || (meaning.type === 'command' && meaning.argv.includes('--debug'))
  return wanted ? debugging(config.root, config.pjson) : undefined
}

/** A command class as oclif's Command.run() uses it. */
type Runnable = new (argv: string[], config: Config) => {_run(): Promise<unknown>}

async function perform({meaning}: ReadyLine, config: Config, invocation: Invocation): Promise<void> {
  if (meaning.type === 'help') {
    const [{Config: Fresh}, {showHelp}] = await Promise.all([import('@oclif/core'), import('../help.js')])
    const own = await Fresh.load(freshOptions(config))
    return invoked(invocation, () => showHelp(meaning.words, own))
  }
  const command = (await allCommands(config).load(meaning.id)) as unknown as Runnable
  const {exitCode} = process
  try {
    // oclif's own Command.run() loads the configuration anew each time.
    await invoked(invocation, () => new command([...meaning.argv], config)._run())
  } finally {
    process.exitCode = exitCode // oclif's commands set that of the process where they end with an error, and a line that is only checked does
  }
}
