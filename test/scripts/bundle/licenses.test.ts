import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {expect, test} from '@jest/globals'
import {licenseTexts} from '../../../scripts/bundle/licenses.mjs'
import {checkBuild} from '../../support/cli.js'

test('a package without the text of its licence stops the build', () => {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-licence-'))
  try {
    expect(() => licenseTexts(folder, 'x', 'MIT')).toThrow('x comes without the text of its licence (MIT)')
    writeFileSync(join(folder, 'LICENSE'), 'See https://example.org')
    expect(() => licenseTexts(folder, 'x', 'MIT')).toThrow('x comes without')
    expect(() => licenseTexts(folder, 'split-ca', 'MIT')).toThrow('split-ca comes without')
    writeFileSync(join(folder, 'LICENSE'), 'x'.repeat(600))
    expect(licenseTexts(folder, 'x', undefined)).toEqual(['x'.repeat(600)])
  } finally {
    rmSync(folder, {recursive: true})
  }
})

test('every package of the build has one', () => {
  checkBuild()
  const all = readFileSync(resolve(import.meta.dirname, '../../../dist/LICENSES.txt'), 'utf8').split(`\n${'-'.repeat(80)}\n`)
  expect(all.length).toBeGreaterThan(70)
  expect(all.filter((text) => text.length < 500)).toEqual([])
})
