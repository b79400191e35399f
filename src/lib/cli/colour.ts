/**
 * Whether a stream gets colours, asked for each stream by itself: --no-color, then FORCE_COLOR, then NO_COLOR and TERM=dumb, then whether the stream is a
 * terminal. What is coloured says the same without it.
 */
import {currentInvocation} from './invocation.js'

export type Stream = 'stdout' | 'stderr'
export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'bold'

const CODES: Readonly<Record<Colour, number>> = {bold: 1, red: 31, green: 32, yellow: 33, cyan: 36}

/**
 * Makes ENVIRONMENT say one thing: libraries ask NO_COLOR and FORCE_COLOR in their own ways, and Node warns about both together. Empty counts as unset.
 * REFUSED: --no-color stands on the command line.
 */
export function settleColours(environment: NodeJS.ProcessEnv, refused: boolean): void {
  const {FORCE_COLOR, NO_COLOR} = environment
  const forced = FORCE_COLOR === undefined || FORCE_COLOR === '' ? undefined : FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  const wanted = refused ? false : (forced ?? (NO_COLOR === undefined || NO_COLOR === '' ? undefined : false))
  if (wanted !== true) delete environment.FORCE_COLOR
  if (wanted === false) environment.NO_COLOR = '1'
  else delete environment.NO_COLOR
}

/** Whether STREAM gets colours; {@link settleColours} has settled the environment. Lines of a batch get none. */
export function hasColours(stream: Stream): boolean {
  const {FORCE_COLOR, NO_COLOR, TERM} = process.env
  if (currentInvocation().line !== undefined || NO_COLOR !== undefined) return false
  return FORCE_COLOR !== undefined || (process[stream].isTTY && TERM !== 'dumb')
}

/** TEXT, a part of a line, in COLOUR. */
export const painted = (text: string, colour: Colour): string => `\u001b[${CODES[colour]}m${text}\u001b[0m`

/** TEXT for stderr, whole lines, with the word that each begins with in its colour: what failed is red, what must be examined yellow. */
export function paintHeads(text: string): string {
  if (!/^(Error|Warning): /m.test(text) || !hasColours('stderr')) return text
  return text.replaceAll(/^(Error|Warning):(?= )/gm, (head) => painted(head, head === 'Error:' ? 'red' : 'yellow'))
}
