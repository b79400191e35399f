import {execFileSync, spawnSync} from 'node:child_process'
import {existsSync} from 'node:fs'
import {join} from 'node:path'

/**
 * Installs the packages of ROOT as the lock file says, if none are there: for what must run on a fresh clone.
 * @param {string} root
 */
export function installPackages(root) {
  if (existsSync(join(root, 'node_modules'))) return
  console.log('Installing the packages (npm ci) …')
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {cwd: root, stdio: ['ignore', 'ignore', 'inherit']})
}

/**
 * Installs those of PROGRAMS that are missing, from Debian's packages.
 * @param {readonly (readonly [program: string, debianPackage: string])[]} programs
 * @returns {boolean} false if that cannot be done here, or failed; which are missing has been said then
 */
export function installDebianPackages(programs) {
  const missing = [...new Set(programs.filter(([program]) => !found(program)).map(([, name]) => name))]
  if (missing.length === 0) return true
  console.log(`\n== installing ${missing.join(', ')}`)
  const root = process.geteuid?.() === 0
  if (!root || !found('apt-get')) {
    console.log(`${root ? 'apt-get is not here' : 'only root may do that'}: install them yourself, e.g. sudo apt-get install ${missing.join(' ')}`)
    return false
  }
  const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1'} // no service is started
  spawnSync('apt-get', ['update', '-q'], {stdio: 'inherit', env})
  return spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], {stdio: 'inherit', env}).status === 0
}

/** Whether PROGRAM is in PATH or where administrators' programs are. @param {string} program */
export function found(program) {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], {stdio: 'ignore', env: {...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`}})
    return true
  } catch {
    return false
  }
}
