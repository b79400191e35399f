/** What a benchmark runs in: an installed package, an etcd of its own, and an environment without this machine's settings. */
import {execFileSync, spawn} from 'node:child_process'
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'

const ROOT = resolve(import.meta.dirname, '..')

/** @type {(() => void)[]} */
const cleanUps = []
process.on('exit', () => {
  for (const cleanUp of cleanUps) cleanUp()
})

/** A folder that is gone when the benchmark ends. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-bench-'))
  cleanUps.push(() => rmSync(folder, {recursive: true, force: true}))
  return folder
}

/**
 * Packs this tree as it is built, installs the package into an empty folder, and gives the launcher's path. CALICOCTL names another installation.
 * @returns {string}
 */
export function installed() {
  if (process.env.CALICOCTL) return process.env.CALICOCTL
  const folder = temporaryFolder()
  const npm = (/** @type {string[]} */ ...args) => execFileSync('npm', args, {cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit']})
  npm('run', 'build')
  npm('pack', '--ignore-scripts', '--silent', '--pack-destination', folder)
  const archive = readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? ''
  mkdirSync(join(folder, 'app'))
  writeFileSync(join(folder, 'app', 'package.json'), '{}')
  npm('install', '--silent', '--offline', '--no-audit', '--no-fund', '--prefix', join(folder, 'app'), join(folder, archive))
  return join(folder, 'app/node_modules/calicoctl/bin/run.js')
}

/** Starts an etcd on a free port, with an empty store. @returns {Promise<string>} its endpoint */
export async function startEtcd() {
  const [client, peer] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${client}`
  const peerUrl = `http://127.0.0.1:${peer}`
  const server = spawn(
    'etcd',
    ['--data-dir', temporaryFolder(), '--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `default=${peerUrl}`],
    {stdio: 'ignore'},
  )
  cleanUps.push(() => server.kill('SIGKILL'))
  server.unref()
  for (let tries = 0; tries < 100; tries++) {
    if (server.exitCode !== null) throw new Error('etcd has not started; is it installed (apt-get install etcd-server etcd-client)?')
    const healthy = await fetch(`${url}/health`).then((answer) => answer.ok, () => false)
    if (healthy) return url
    await sleep(100)
  }
  throw new Error('etcd does not become ready')
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((settle) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = /** @type {import('node:net').AddressInfo} */ (server.address())
      server.close(() => settle(address.port))
    })
  })
}

/**
 * PATH and what both ours and etcdctl need; NODE_EXTRA_CA_CERTS is left out on purpose: it costs 28 ms in every process of Node 20.
 * @param {string} endpoint
 * @returns {NodeJS.ProcessEnv}
 */
export const environment = (endpoint) => ({PATH: process.env.PATH, HOME: temporaryFolder(), ETCD_ENDPOINTS: endpoint, ETCDCTL_ENDPOINTS: endpoint, ETCDCTL_API: '3', DATASTORE_TYPE: 'etcdv3'})
