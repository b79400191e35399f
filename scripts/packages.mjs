import {execFileSync} from 'node:child_process'
import {existsSync} from 'node:fs'
import {join} from 'node:path'

/**
 * Installs the packages of ROOT as the lock file says, if none are there: for what must run on a fresh clone.
 * @param {string} root
 */
export function installPackages(root) {
  if (existsSync(join(root, 'node_modules'))) return
  console.log('Installing the packages (npm ci) …')
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--silent'], {cwd: root, stdio: ['ignore', 'ignore', 'inherit']})
}
