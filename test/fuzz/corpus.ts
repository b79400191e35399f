/** Inputs that have reached something new once, a file for each reader in test/fixtures/fuzz/corpus: what later runs begin with. */
import {appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join, resolve} from 'node:path'

const FOLDER = resolve(process.env.FUZZ_ROOT ?? '.', 'test/fixtures/fuzz/corpus')

const pathOf = (target: string): string => join(FOLDER, `${target}.jsonl`)

/** INPUT as part of a line of JSON. */
export function asJson(input: Buffer): {readonly text: string} | {readonly base64: string} {
  const text = input.toString('utf8')
  return Buffer.from(text).equals(input) ? {text} : {base64: input.toString('base64')}
}

/** What asJson() made a line of. */
export const fromJson = ({text, base64 = ''}: {readonly text?: string; readonly base64?: string}): Buffer => (text === undefined ? Buffer.from(base64, 'base64') : Buffer.from(text))

export function readCorpus(target: string): Buffer[] {
  if (!existsSync(pathOf(target))) return []
  return readFileSync(pathOf(target), 'utf8').split('\n').filter((line) => line !== '').map((line) => fromJson(JSON.parse(line) as {text?: string; base64?: string}))
}

const linesOf = (inputs: readonly Buffer[]): string => inputs.map((input) => `${JSON.stringify(asJson(input))}\n`).join('')

export function addToCorpus(target: string, inputs: readonly Buffer[]): void {
  if (inputs.length === 0) return
  mkdirSync(FOLDER, {recursive: true})
  appendFileSync(pathOf(target), linesOf(inputs))
}

export function writeCorpus(target: string, inputs: readonly Buffer[]): void {
  if (inputs.length === 0) rmSync(pathOf(target), {force: true})
  else writeFileSync(pathOf(target), linesOf(inputs))
}
