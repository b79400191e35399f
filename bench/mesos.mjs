/**
 * sudo node bench/mesos.mjs [ROUNDS]: how long a call of the Mesos plugin takes, which its agent waits for: as times, which should be below 0.2 s on a quiet
 * machine, and as ratios to a Node that does nothing. The calls are those of one task, in net-modules' order.
 */
import {spawn, spawnSync} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {median, printRows} from './measure.mjs'
import {environment, installed, startEtcd} from './setting.mjs'

const rounds = Number(process.argv[2] ?? 20)
const WARM_UPS = 2
const LIMIT_MS = 200
const env = {...environment(await startEtcd()), CALICO_NODENAME: 'bench', CALICO_MESOS_LOG_FILE: '/dev/null'}
const launcher = installed()
const plugin = join(dirname(launcher), 'calico_mesos')
const hostname = 'bench'

/** @type {Map<string, number[]>} */
const times = new Map()

run('a pool', process.execPath, [launcher, 'pool', 'add', '192.168.0.0/16'])
for (let round = -WARM_UPS; round < rounds; round++) {
  if (round === 0) times.clear()
  const id = `bench-${round + WARM_UPS}`
  const child = spawn('unshare', ['--net', 'sleep', '86400'], {stdio: 'ignore'})
  while (readFileSync(`/proc/${child.pid}/comm`, 'utf8').trim() !== 'sleep') await sleep(5)
  run('node -e 0', process.execPath, ['-e', '0'])
  const {ipv4: ips} = request('allocate', {hostname, num_ipv4: 1, num_ipv6: 0, uid: id})
  request('isolate', {container_id: id, hostname, ipv4_addrs: ips, netgroups: ['one', 'two'], pid: child.pid})
  child.kill('SIGKILL')
  request('release', {ips})
  request('cleanup', {container_id: id, hostname})
  request('reserve', {hostname, ipv4_addrs: ['192.168.200.200'], uid: id})
  request('release', {uid: id}, 'release by uid')
}

times.delete('a pool')
const base = median(times.get('node -e 0') ?? [])
console.log(`Node ${process.version}, ${rounds} rounds`)
printRows([...times].map(([name, all]) => ({name, median: median(all), least: Math.min(...all), ratio: median(all) / base, limit: name === 'node -e 0' ? undefined : LIMIT_MS / base})))
process.exit(0)

/**
 * @param {string} command
 * @param {object} args
 * @param {string} [name]
 * @returns {{error: null, ipv4: readonly string[]}}
 */
function request(command, args, name = command) {
  return JSON.parse(run(name, plugin, [], JSON.stringify({args, command})))
}

/**
 * @param {string} name
 * @param {string} file
 * @param {readonly string[]} args
 * @param {string} [input]
 */
function run(name, file, args, input = '') {
  const start = performance.now()
  const {status, stdout, stderr} = spawnSync(file, args, {env, input, encoding: 'utf8'})
  times.set(name, [...(times.get(name) ?? []), performance.now() - start])
  if (status !== 0) throw new Error(`${name}: ${status}: ${stdout}${stderr}`)
  return stdout
}
