/** The bundle's core: the program with what the build knows of it. Loaded by bin/launch.js. */
import './oclif-settings.js'
import {Config, type Command} from '@oclif/core'
import {loaders} from 'bundle:commands'
import {pjson, read} from 'bundle:manifest'
import {shared} from 'bundle:shared'
import {loadOptions, type Program} from '../../../src/lib/cli/program.js'
import {main as runProgram, type OutputFailure} from '../../../src/main.js'

/** The modules that other chunks of ours import from this one (scripts/bundle/parts.mjs). */
export {shared}

/** The manifest, of which a command line needs one entry or two: each is parsed when it is first looked at (all of them take 2 ms). */
const commands: Record<string, Command.Cached> = {}
for (const [id, readCommand] of Object.entries(read)) {
  let parsed: Command.Cached | undefined
  Object.defineProperty(commands, id, {enumerable: true, get: () => (parsed ??= readCommand())})
}

/** The program as it is installed: DIST is the folder of the chunks. */
const program = (dist: string): Program => ({
  root: dist,
  pjson,
  commands,
  load: async (id) => (await loaders[id]?.())?.default,
})

/** Runs ARGV; the promise is the exit code. OUTPUTFAILURE tells whether stdout and stderr could be written. */
export function main(argv: readonly string[], dist: string, outputFailure?: OutputFailure): Promise<number> {
  return runProgram(argv, program(dist), outputFailure)
}

/** The help page of WORDS, for the build. */
export async function renderHelp(words: readonly string[], dist: string): Promise<string> {
  const {helpPage} = await import('../../../src/lib/cli/help.js')
  return helpPage(words, await Config.load(loadOptions(program(dist)))) // a fresh configuration each time: oclif's help changes the names of topics in place
}

/** The ids of all commands that are not hidden. */
export const commandIds = (): string[] => Object.values(commands).filter(({hidden}) => !hidden).map(({id}) => id)
