/** The licences of the packages in the bundle: their terms ask that the text goes with the code. */
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join, resolve} from 'node:path'

/** @param {string} holder */
const isc = (holder) => `ISC License

Copyright (c) ${holder}

Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH
REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS
OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER
TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.`

/** The texts of packages that name a licence in package.json and come without its text. @type {Readonly<Record<string, {license: string, text: string}>>} */
const MISSING_TEXTS = {
  'split-ca': {license: 'ISC', text: isc('Charles Bushong')},
}

/** The shortest licence of all has 600 characters; less is a name or a link. */
const SHORTEST_TEXT = 500

/**
 * Writes LICENSES.txt to OUTDIR.
 * @throws Error if there is a package without the text of its licence
 * @param {string} root
 * @param {string} outdir
 * @param {readonly string[]} inputs the files of the bundle, relative to ROOT
 * @returns {number} how many packages there are
 */
export function writeLicenses(root, outdir, inputs) {
  const folders = [...new Set(inputs.map((file) => packageFolder(resolve(root, file.replace(/^[a-z-]+:/, '')))).filter((folder) => folder !== undefined))].sort()
  const texts = folders.map((folder) => {
    const {name, version, license} = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return [`${name} ${version}${license ? ` (${license})` : ''}`, ...licenseTexts(folder, name, license)].join('\n\n')
  })
  writeFileSync(join(outdir, 'LICENSES.txt'), `calicoctl contains these packages:\n\n${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`)
  return texts.length
}

/**
 * The texts in FOLDER, of the package NAME, whose package.json names LICENSE.
 * @param {string} folder @param {string} name @param {string | undefined} license
 * @returns {string[]}
 */
export function licenseTexts(folder, name, license) {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file) && !file.endsWith('.js'))
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim())
  if (texts.some((text) => text.length >= SHORTEST_TEXT)) return texts
  const known = MISSING_TEXTS[name]
  if (known !== undefined && known.license === license) return [...texts, known.text]
  throw new Error(`${name} comes without the text of its licence (${license ?? 'not named'}): look it up, and put it into MISSING_TEXTS`)
}

/** The folder of the package that FILE belongs to. @param {string} file */
function packageFolder(file) {
  const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0]
  return folder !== undefined && existsSync(folder) ? folder : undefined
}
