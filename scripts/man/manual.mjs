/** The manual as files for man(1). */
import {releaseDate} from './describe.mjs'
import {manualPages} from './pages.mjs'
import {roff} from './roff.mjs'

/**
 * @param {string} root
 * @param {import('./describe.mjs').ProgramText} program
 * @returns {{name: string, text: string}[]} names such as calicoctl.1
 */
export function manualFiles(root, program) {
  const release = {version: program.version, date: releaseDate(root)}
  return manualPages(program).map((page) => ({name: `${page.name}.${page.section}`, text: roff(page, release)}))
}
