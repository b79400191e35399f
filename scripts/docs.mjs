/**
 * npm run docs [-- --out FOLDER]: writes docs/reference from the help of the commands; a test compares the two. With --out: reference, the pages of the manual
 * (man) and what they are made of (program.json) to FOLDER.
 */
import {mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {parseArgs} from 'node:util'
import {describeProgram} from './man/describe.mjs'
import {manualFiles} from './man/manual.mjs'
import {referenceFiles} from './man/markdown.mjs'

const root = resolve(import.meta.dirname, '..')
const {values: {out}} = parseArgs({options: {out: {type: 'string'}}})
const program = await describeProgram(root)
write(join(out ?? join(root, 'docs'), 'reference'), referenceFiles(program))
if (out !== undefined) {
  write(join(out, 'man'), manualFiles(root, program))
  writeFileSync(join(out, 'program.json'), JSON.stringify(program))
}

/** @param {string} folder @param {readonly {name: string, text: string}[]} files */
function write(folder, files) {
  rmSync(folder, {recursive: true, force: true})
  mkdirSync(folder, {recursive: true})
  for (const {name, text} of files) writeFileSync(join(folder, name), text)
  console.log(`${files.length} files in ${folder}`)
}
