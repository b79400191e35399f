/** The licences of the packages in the bundle: their terms ask that the text goes with the code. */
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join, resolve} from 'node:path'

/**
 * Writes LICENSES.txt to OUTDIR.
 * @param {string} root
 * @param {string} outdir
 * @param {readonly string[]} inputs the files of the bundle, relative to ROOT
 * @returns {number} how many packages there are
 */
export function writeLicenses(root, outdir, inputs) {
  const folders = [...new Set(inputs.map((file) => packageFolder(resolve(root, file.replace(/^[a-z-]+:/, '')))).filter((folder) => folder !== undefined))].sort()
  const texts = folders.map((folder) => {
    const {name, version, license} = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file) && !file.endsWith('.js'))
    if (!license && files.length === 0) throw new Error(`${name} ${version} says nothing about its licence`)
    return [`${name} ${version}${license ? ` (${license})` : ''}`, ...files.map((file) => readFileSync(join(folder, file), 'utf8').trim())].join('\n\n')
  })
  writeFileSync(join(outdir, 'LICENSES.txt'), `calicoctl contains these packages:\n\n${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`)
  return texts.length
}

/** The folder of the package that FILE belongs to. @param {string} file */
function packageFolder(file) {
  const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0]
  return folder !== undefined && existsSync(folder) ? folder : undefined
}
