/** The bundle's core: the program with what the build knows of it. Loaded by bin/launch.js. */
import {Config} from '@oclif/core'
import {loaders} from 'bundle:commands'
import {commands, pjson} from 'bundle:manifest'
import {helpPage} from '../../../src/lib/cli/help.js'
import {loadOptions, type Program} from '../../../src/lib/cli/program.js'
import {main as runProgram} from '../../../src/main.js'

// oclif would look for a newer engine and a theme in files that this package does not have (5 ms).
process.env.OCLIF_DISABLE_ENGINE_WARNING = '1'
process.env.CALICOCTL_DISABLE_THEME = '1'

/** The program as it is installed: DIST is the folder of the chunks. */
const program = (dist: string): Program => ({
  root: dist,
  pjson,
  commands,
  load: async (id) => (await loaders[id]?.())?.default,
})

/** Runs ARGV; the promise is the exit code. */
export function main(argv: readonly string[], dist: string): Promise<number> {
  return runProgram(argv, program(dist))
}

/** The help page of WORDS, for the build. */
export async function renderHelp(words: readonly string[], dist: string): Promise<string> {
  return helpPage(words, await Config.load(loadOptions(program(dist)))) // a fresh configuration each time: oclif's help changes the names of topics in place
}

/** The ids of all commands that are not hidden. */
export const commandIds: readonly string[] = Object.values(commands).filter(({hidden}) => !hidden).map(({id}) => id)
