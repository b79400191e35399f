/** The help pages of the built command. */
import {readdirSync, readFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {checkBuild} from './cli.js'

const PAGES = resolve(import.meta.dirname, '../../dist/help')

/** The exit codes on the page of the command WORDS. */
export function codesOnPage(words: readonly string[]): number[] {
  checkBuild()
  const page = readFileSync(join(PAGES, `${['calicoctl', ...words].join('.')}.txt`), 'utf8')
  const [, codes = ''] = /\nEXIT CODES\n([^]*?)(?:\n\n[A-Z]|$)/.exec(page) ?? []
  return [...codes.matchAll(/^ {2}(\d+) /gm)].map(([, code]) => Number(code))
}

/** The words of the command that LINE is, with arguments between them; undefined where that is not certain. */
export function commandOf(line: readonly string[]): readonly string[] | undefined {
  const ids = readdirSync(PAGES).map((name) => name.split('.').slice(1, -1)).filter((words) => words.length > 0 && codesOnPage(words).length > 0)
  const fitting = ids.filter((words) => words[0] === line.find((word) => !word.startsWith('-')) && isIn(words, line)).sort((a, b) => b.length - a.length)
  return fitting[0]
}

function isIn(words: readonly string[], line: readonly string[]): boolean {
  let at = 0
  for (const word of line) if (word === words[at]) at++
  return at === words.length
}
