/** What is made with the bundle once it is there: the pages of help that bin/run.js prints, and the code caches. */
import {execFileSync} from 'node:child_process'
import {mkdirSync, readdirSync, statSync, writeFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

const require = createRequire(import.meta.url)

/**
 * Renders every page of help to a file in dist/help: the program, each topic and command, and the exit codes.
 * @param {string} dist
 * @returns {Promise<number>} how many
 */
export async function writeHelpPages(dist) {
  const {openChunks} = /** @type {typeof import('../../bin/chunks.js')} */ (require('../../bin/chunks.js'))
  /** @type {{renderHelp: (words: readonly string[], dist: string) => Promise<string>, commandIds: () => string[]}} */
  const {renderHelp, commandIds} = openChunks(dist).load('core')
  const paths = commandIds().map((id) => id.split(':'))
  const names = new Set(['', 'exit-codes', ...paths.flatMap((words) => words.map((_, i) => words.slice(0, i + 1).join('.')))])
  mkdirSync(join(dist, 'help'))
  for (const name of names) {
    const words = name === '' ? [] : name.split('.')
    writeFileSync(join(dist, 'help', `${['calicoctl', ...words].join('.')}.txt`), await renderHelp(words, dist))
  }
  return names.size
}

/**
 * Makes the code caches for this Node.
 * @param {string} dist
 * @returns {Promise<Record<string, number>>} the bytes of each chunk's cache
 */
export async function warmUp(dist) {
  const {PATH} = process.env
  execFileSync(process.execPath, [join(import.meta.dirname, 'warm-up.mjs'), dist], {env: {PATH, HOME: tmpdir()}, stdio: 'inherit'})
  const caches = readdirSync(dist).filter((file) => file.endsWith('.cache'))
  if (caches.length === 0) throw new Error('the warm-up has left no code cache')
  return Object.fromEntries(caches.map((file) => [file.slice(0, file.lastIndexOf('-', file.indexOf('.js'))), statSync(join(dist, file)).size]))
}
