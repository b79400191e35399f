/** The PATH that `npm run verify` gives to the tests: a program that is used and not declared (scripts/test-programs.mjs) fails on every machine. */
import {execFileSync} from 'node:child_process'
import {mkdirSync, readdirSync, readlinkSync, realpathSync, rmSync, symlinkSync} from 'node:fs'
import {basename, join} from 'node:path'
import {TEST_PROGRAMS} from './test-programs.mjs'

const NODE_PROGRAMS = ['npm', 'npx']
const PROGRAM_FOLDERS = ['/usr/bin', '/usr/sbin']
const IS_PROGRAM = /^(?:\/usr)?\/s?bin\/[^/]+$/

/**
 * Makes FOLDER anew with links to Node, the programs of Debian's essential and required packages, and those of the declared packages.
 * @param {string} folder
 * @returns {{PATH?: string}} what to add to the environment; nothing where there is no dpkg
 */
export function declaredPath(folder) {
  const packages = installedPackages()
  if (packages === undefined) return {}
  rmSync(folder, {recursive: true, force: true})
  mkdirSync(folder, {recursive: true})
  const programs = execFileSync('dpkg', ['-L', ...packages], {encoding: 'utf8', maxBuffer: 1 << 26}).split('\n').filter((path) => IS_PROGRAM.test(path))
  // What is declared may have come from elsewhere than Debian's package.
  const links = new Map([process.execPath, ...programs, ...alternatives(programs), ...[...NODE_PROGRAMS, ...TEST_PROGRAMS.map(([program]) => program)].map(located)].map((path) => [basename(path), path]))
  for (const [name, path] of links) symlinkSync(path, join(folder, name))
  return {PATH: folder}
}

/** Those of the packages that are installed: essential, required, declared. Undefined without dpkg. */
function installedPackages() {
  const declared = new Set(TEST_PROGRAMS.map(([, name]) => /** @type {string} */ (name)))
  try {
    const lines = execFileSync('dpkg-query', ['-W', '-f', '${db:Status-Abbrev}|${Essential}|${Priority}|${binary:Package}|${Package}\n'], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}).trim().split('\n')
    return lines.map((line) => line.split('|')).filter(([status = '', essential, priority, , name = '']) => status.startsWith('ii') && (essential === 'yes' || priority === 'required' || declared.has(name))).map(([, , , name = '']) => name)
  } catch {
    return undefined
  }
}

/**
 * The names under which update-alternatives(1) offers PROGRAMS: they are in no package.
 * @param {readonly string[]} programs
 */
function alternatives(programs) {
  const real = new Set(programs.flatMap((path) => resolved(path)))
  const links = PROGRAM_FOLDERS.flatMap((folder) => readdirSync(folder, {withFileTypes: true}).filter((entry) => entry.isSymbolicLink()).map(({name}) => join(folder, name)))
  return links.filter((path) => readlinkSync(path).startsWith('/etc/alternatives/') && resolved(path).some((target) => real.has(target)))
}

/**
 * The file that PATH leads to; none if it leads nowhere.
 * @param {string} path
 */
function resolved(path) {
  try {
    return [realpathSync(path)]
  } catch {
    return []
  }
}

/** @param {string} program */
const located = (program) => execFileSync('sh', ['-c', `command -v ${program}`], {encoding: 'utf8', env: {PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`}}).trim()
