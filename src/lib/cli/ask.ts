import {CalicoError} from '../errors.js'
import {escapeText} from '../printable.js'

/** Asks QUESTION, a line or several, on stderr, so that stdout stays data; No is the default. An end of input is a No. @throws CalicoError `interrupted` at Ctrl-C */
export async function askYesNo(question: string | readonly string[]): Promise<boolean> {
  const message = (typeof question === 'string' ? [question] : question).map(escapeText).join('\n')
  if (process.env.TERM === 'dumb') return askPlainly(message)
  const {default: inquirer} = await import('inquirer')
  const prompt = inquirer.createPromptModule({output: process.stderr})
  try {
    const {yes} = await prompt<{yes: boolean}>([{type: 'confirm', name: 'yes', message, default: false}])
    return yes
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') {
      if (error.message.includes('SIGINT')) throw new CalicoError('interrupted', 'Interrupted; nothing was changed', {cause: error})
      return false
    }
    throw error
  }
}

/** The same on a terminal that knows no control sequences. */
async function askPlainly(message: string): Promise<boolean> {
  const {createInterface} = await import('node:readline')
  const lines = createInterface({input: process.stdin, terminal: false})
  process.stderr.write(`${message} (y/N) `)
  const answer = await new Promise<string>((resolve) => {
    lines.once('line', resolve)
    lines.once('close', () => resolve(''))
  })
  lines.close()
  return /^y(es)?$/i.test(answer.trim())
}
