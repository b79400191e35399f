/** The lock file and package.json say the same: `npm ci` on a fresh machine refuses them otherwise. */
import {execFileSync} from 'node:child_process'
import {copyFileSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {expect, test} from '@jest/globals'

const ROOT = resolve(import.meta.dirname, '../..')

test('npm ci takes package.json and package-lock.json as they are', () => {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-lock-'))
  try {
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(ROOT, file), join(folder, file))
    const said = execFileSync('npm', ['ci', '--dry-run', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {cwd: folder, encoding: 'utf8'})
    expect(said).toMatch(/added \d+ packages/)
  } finally {
    rmSync(folder, {recursive: true})
  }
})
