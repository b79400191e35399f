import {escapeLines} from './output/escape.js'

/** Asks QUESTION on stderr, so that stdout stays data; No is the default. An end of input or Ctrl-C is a No. */
export async function askYesNo(question: string): Promise<boolean> {
  const {default: inquirer} = await import('inquirer')
  const prompt = inquirer.createPromptModule({output: process.stderr})
  try {
    const {yes} = await prompt<{yes: boolean}>([{type: 'confirm', name: 'yes', message: escapeLines(question), default: false}])
    return yes
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') return false
    throw error
  }
}
