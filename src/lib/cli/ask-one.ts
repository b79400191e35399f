import {CalicoError} from '../errors.js'
import {escapeText} from '../printable.js'

/** Lets the user choose one of CHOICES on stderr. @throws CalicoError `interrupted` if it is given up */
export async function askOne<T>(question: string, choices: readonly {readonly name: string; readonly value: T}[]): Promise<T> {
  const {default: inquirer} = await import('inquirer')
  const prompt = inquirer.createPromptModule({output: process.stderr})
  try {
    const {index} = await prompt<{index: number}>([
      {type: 'select', name: 'index', message: escapeText(question), choices: choices.map(({name}, value) => ({name: escapeText(name), value}))},
    ])
    const chosen = choices[index]
    if (chosen) return chosen.value
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ExitPromptError')) throw error
  }
  throw new CalicoError('interrupted', 'Nothing was chosen; nothing was changed')
}
