/**
 * sudo node bench/container.mjs [TIMES]: `container add` of a network namespace, step by step, and `container remove`. Where a Docker Engine with an image
 * `busybox` answers, containers are measured too.
 */
import {execFileSync, spawn, spawnSync} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {setTimeout as sleep} from 'node:timers/promises'
import {environment, installed, startEtcd} from './setting.mjs'

const times = Number(process.argv[2] ?? 15)
const env = {...environment(await startEtcd()), HOSTNAME: 'bench', DOCKER_HOST: process.env.DOCKER_HOST}
const launcher = installed()

run('pool', 'add', '192.168.0.0/16')
await measure('a network namespace', namespace)
if (hasEngine()) await measure('a container', container)
else console.log('\nno Docker Engine with an image busybox answers: containers were not measured')
process.exit(0)

/**
 * @typedef {{name: string, end: () => void}} Target
 * @param {string} what
 * @param {() => Promise<Target>} make
 */
async function measure(what, make) {
  /** @type {Map<string, number[]>} */
  const steps = new Map()
  const note = (/** @type {string} */ step, /** @type {number} */ ms) => void steps.set(step, [...(steps.get(step) ?? []), ms])
  for (let i = 0; i < times; i++) {
    const {name, end} = await make()
    const start = performance.now()
    const {stderr} = run('container', 'add', name, 'ipv4', '--debug')
    note('all of it, as a process', performance.now() - start)
    for (const [, step = '', ms = ''] of stderr.matchAll(/^([a-z][a-z ]*): ([0-9.]+) ms$/gm)) note(`  ${step}`, Number(ms))
    const before = performance.now()
    run('container', 'remove', name)
    note('container remove', performance.now() - before)
    end()
  }
  console.log(`\n${what}: medians of ${times}, in ms`)
  for (const [step, all] of steps) console.log(`${step.padEnd(30)} ${median(all).toFixed(1).padStart(8)}`)
}

/** @param {...string} args */
function run(...args) {
  const result = spawnSync(process.execPath, [launcher, ...args], {env, encoding: 'utf8'})
  if (result.status !== 0) throw new Error(`calicoctl ${args.join(' ')}: ${result.status}: ${result.stderr}`)
  return result
}

/** @param {readonly number[]} all */
function median(all) {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? NaN
}

/** @returns {Promise<Target>} */
async function namespace() {
  const child = spawn('unshare', ['--net', 'sleep', '86400'], {stdio: 'ignore'})
  while (readFileSync(`/proc/${child.pid}/comm`, 'utf8').trim() !== 'sleep') await sleep(5)
  return {name: `/proc/${child.pid}/ns/net`, end: () => void child.kill('SIGKILL')}
}

/** @returns {Promise<Target>} */
async function container() {
  const id = docker('run', '-d', '--net=none', 'busybox', 'sleep', '1d')
  return {name: id, end: () => void docker('rm', '-f', id)}
}

/** @param {...string} args */
function docker(...args) {
  return execFileSync('docker', args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}).trim()
}

function hasEngine() {
  try {
    return docker('images', '-q', 'busybox') !== ''
  } catch {
    return false
  }
}
