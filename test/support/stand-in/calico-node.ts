/**
 * A stand-in for calico/node v3.32.1, for tests of what starts, watches and stops it. It fails where the real one fails, and writes what the real one
 * writes (calico-node.md §1-§4, §9). It proves nothing about packets, BGP or Felix. Bundled for the image by image.ts; runs on Node alone.
 */
import {existsSync, mkdirSync, readFileSync, unlinkSync, writeFileSync} from 'node:fs'
import {request as http} from 'node:http'
import {request as https} from 'node:https'
import {connect, createServer} from 'node:net'
import {networkInterfaces} from 'node:os'
import {setTimeout as sleep} from 'node:timers/promises'

const {env} = process
const NODENAME_FILE = '/var/lib/calico/nodename'
const RESOURCES = '/calico/resources/v3/projectcalico.org'
const SOCKETS = ['bird', 'bird6'] as const
const socketPath = (name: string): string => `/var/run/calico/${name}.ctl`
const BIRD_DELAY_MS = 2000

class Failure extends Error {}

interface NodeObject {
  metadata: {name: string}
  spec: {bgp?: {ipv4Address?: string; ipv6Address?: string; asNumber?: number}; interfaces?: unknown}
}

const log = (text: string): boolean => process.stdout.write(`2026-11-21 10:00:00.000 [INFO][9] startup/startup.go 100: ${text}\n`)

/** One call of etcd's JSON gateway. */
function call(path: string, body: unknown): Promise<{kvs?: {key: string; value: string}[]}> {
  const endpoint = new URL((env.ETCD_ENDPOINTS ?? '').split(',')[0] ?? '')
  const file = (name: string): Buffer | undefined => (env[name] ? readFileSync(env[name]) : undefined)
  const options = {method: 'POST', timeout: 1000, ca: file('ETCD_CA_CERT_FILE'), cert: file('ETCD_CERT_FILE'), key: file('ETCD_KEY_FILE')}
  return new Promise((resolve, reject) => {
    const request = (endpoint.protocol === 'https:' ? https : http)(new URL(path, endpoint), options, (response) => {
      let text = ''
      response.on('data', (data: Buffer) => (text += data.toString()))
      response.on('end', () => (response.statusCode === 200 ? resolve(JSON.parse(text) as {kvs?: {key: string; value: string}[]}) : reject(new Error(text))))
    })
    request.on('error', reject)
    request.on('timeout', () => request.destroy(new Error('timeout')))
    request.end(JSON.stringify(body))
  })
}

/** What the real one does when etcd does not answer: nothing at all, for ever. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Failure(String(error))
      await sleep(500)
    }
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

async function list(prefix: string): Promise<Map<string, string>> {
  const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
  const {kvs = []} = await patiently(() => call('/v3/kv/range', {key: base64(prefix), range_end: base64(end)}))
  const text = (value: string): string => Buffer.from(value, 'base64').toString()
  return new Map(kvs.map(({key, value}) => [text(key), text(value)]))
}

const put = (key: string, value: unknown): Promise<unknown> => patiently(() => call('/v3/kv/put', {key: base64(key), value: base64(JSON.stringify(value))}))

const object = (kind: string, name: string, rest: object): object => ({
  kind, apiVersion: 'projectcalico.org/v3', metadata: {name, uid: readFileSync('/proc/sys/kernel/random/uuid', 'utf8').trim(), creationTimestamp: '2026-11-21T10:00:00Z'}, ...rest,
})

/** Writes an object that is not there. */
async function ensure(plural: string, kind: string, name: string, rest: object): Promise<void> {
  const key = `${RESOURCES}/${plural}/${name}`
  if ((await list(key)).has(key)) return
  await put(key, object(kind, name, rest))
}

function nodeName(): string {
  const stale = existsSync(NODENAME_FILE) ? readFileSync(NODENAME_FILE, 'utf8').trim() : undefined
  const name = [env.NODENAME, stale, env.HOSTNAME?.toLowerCase()].find((each) => each !== undefined && each !== '') ?? ''
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name)) throw new Failure(`invalid node name ${name}`)
  return name
}

interface Local {
  address: string
  cidr: string
  name: string
}

function locals(family: 'IPv4' | 'IPv6'): Local[] {
  return Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
    infos.filter((info) => info.family === family && !info.internal && !info.address.startsWith('fe80:')).map(({address, cidr}) => ({name, address, cidr: cidr ?? ''})),
  )
}

function detect(family: 'IPv4' | 'IPv6', method = 'first-found'): string {
  const [type = '', value = ''] = method.split(/=(.*)/s)
  const all = locals(family)
  const patterns = value.split(',').map((each) => new RegExp(each))
  const usual = all.filter(({name}) => !/^(docker|cbr|dummy|veth|br-|cali|tunl|vxlan\.calico)/.test(name))
  const found = {
    'first-found': () => usual[0],
    interface: () => all.find(({name}) => patterns.some((pattern) => pattern.test(name))),
    'skip-interface': () => usual.find(({name}) => !patterns.some((pattern) => pattern.test(name))),
    'can-reach': () => usual[0],
    cidr: () => usual.find(({address}) => address.startsWith(value.split('.').slice(0, 2).join('.'))),
  }[type]
  if (found === undefined) throw new Failure(`Invalid autodetection method: ${method}`)
  const chosen = found()
  if (chosen === undefined) throw new Failure(`Unable to autodetect an ${family} address using provided parameters`)
  return chosen.cidr
}

function givenAddress(family: 'IPv4' | 'IPv6', text: string): string {
  const [address = '', prefix] = text.split('/')
  const valid = family === 'IPv4' ? /^(\d{1,3}\.){3}\d{1,3}$/.test(address) && address.split('.').every((octet) => Number(octet) < 256) : /^[0-9a-f:]+$/i.test(address) && address.includes(':')
  if (!valid) throw new Failure(`Environment does not contain a valid ${family} address: ${text}`)
  if (prefix !== undefined) return text
  return (family === 'IPv4' ? locals(family).find((each) => each.address === address)?.cidr : undefined) ?? `${address}/${family === 'IPv4' ? 32 : 128}`
}

function asNumber(text: string): number {
  const parts = text.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : NaN))
  const [first = NaN, second] = parts
  const value = second === undefined ? first : first * 65536 + second
  if (parts.length > 2 || !(value <= 4294967295)) throw new Failure(`Environment does not contain a valid AS number: ${text}`)
  return value
}

async function writeNode(name: string): Promise<void> {
  const nodes = await list(`${RESOURCES}/nodes/`)
  const key = `${RESOURCES}/nodes/${name}`
  const stored = nodes.get(key)
  const networking = (env.CALICO_NETWORKING_BACKEND ?? 'bird') !== 'none'
  if (!networking) {
    if (stored === undefined) throw new Failure(`resource does not exist: Node(${name})`)
    return
  }
  const node = (stored === undefined ? object('Node', name, {spec: {}, status: {}}) : JSON.parse(stored)) as NodeObject
  const bgp = {...node.spec.bgp}
  if (env.IP === 'autodetect' || (!env.IP && bgp.ipv4Address === undefined)) bgp.ipv4Address = detect('IPv4', env.IP_AUTODETECTION_METHOD)
  else if (env.IP && env.IP !== 'none') bgp.ipv4Address = givenAddress('IPv4', env.IP)
  if (env.IP6 === 'autodetect') bgp.ipv6Address = detect('IPv6', env.IP6_AUTODETECTION_METHOD)
  else if (env.IP6 && env.IP6 !== 'none') bgp.ipv6Address = givenAddress('IPv6', env.IP6)
  if (env.AS) bgp.asNumber = asNumber(env.AS)
  if (bgp.ipv4Address === undefined && bgp.ipv6Address === undefined) throw new Failure('No IP Addresses configured, and autodetection is not enabled')
  for (const [other, text] of nodes) {
    const their = (JSON.parse(text) as NodeObject).spec.bgp?.ipv4Address
    if (other !== key && env.DISABLE_NODE_IP_CHECK !== 'true' && their?.split('/')[0] === bgp.ipv4Address?.split('/')[0] && their !== undefined) {
      throw new Failure(`Calico node '${other.split('/').at(-1) ?? ''}' is already using the IPv4 address ${their}.`)
    }
  }
  const {interfaces: _, ...spec} = node.spec
  await put(key, {...node, spec: {...spec, bgp, ...(env.IP ? {interfaces: locals('IPv4').map((each) => ({name: each.name, addresses: [each.cidr]}))} : {})}})
}

async function writeCluster(name: string): Promise<void> {
  if (env.NO_DEFAULT_POOLS?.toLowerCase() === 'true') {
    if (env.CALICO_IPV4POOL_CIDR) throw new Failure('NO_DEFAULT_POOLS is set, but so is CALICO_IPV4POOL_CIDR')
  } else if ((await list(`${RESOURCES}/ippools/`)).size === 0) {
    const rest = {vxlanMode: 'Never', ipipMode: 'Never', natOutgoing: true, blockSize: 26, nodeSelector: 'all()', allowedUses: ['Workload', 'Tunnel'], assignmentMode: 'Automatic'}
    await put(`${RESOURCES}/ippools/default-ipv4-ippool`, object('IPPool', 'default-ipv4-ippool', {spec: {cidr: env.CALICO_IPV4POOL_CIDR ?? '192.168.0.0/16', ...rest}}))
  }
  const felix = {nftablesMode: 'Auto', bpfLogLevel: '', bpfConnectTimeLoadBalancing: 'TCP', bpfHostNetworkedNATWithoutCTLB: 'Enabled', floatingIPs: 'Disabled'}
  await ensure('felixconfigurations', 'FelixConfiguration', 'default', {spec: {logSeverityScreen: 'Info', reportingInterval: '0s', ...felix}})
  await ensure('felixconfigurations', 'FelixConfiguration', `node.${name}`, {spec: {defaultEndpointToHostAction: 'Return', ...felix}})
  await ensure('bgpconfigurations', 'BGPConfiguration', 'default', {spec: {logSeverityScreen: 'Info', serviceLoadBalancerAggregation: 'Enabled'}})
}

async function writeTiers(): Promise<void> {
  for (const [name, spec] of [['default', {order: 1000000, defaultAction: 'Deny'}], ['kube-admin', {order: 1000, defaultAction: 'Pass'}], ['kube-baseline', {order: 10000000, defaultAction: 'Pass'}]] as const) {
    await ensure('tiers', 'Tier', name, {spec, status: {}})
  }
  await ensure('clusterinformations', 'ClusterInformation', 'default', {spec: {clusterGUID: 'stand-in', calicoVersion: 'v3.32.1', datastoreReady: true}})
}

/** Answers as BIRD does: with what the transcripts of the image say, whatever is asked. */
function serveBird(name: string): void {
  const path = socketPath(name)
  if (existsSync(path)) unlinkSync(path)
  createServer((client) => {
    client.on('error', () => undefined)
    client.write('0001 BIRD v0.3.3+birdv1.6.8 ready.\n')
    client.on('data', () => void client.write(readFileSync(`/etc/stand-in/${name}`, 'utf8')))
  }).listen(path)
}

async function start(): Promise<void> {
  // FLOOD makes this image as talkative as a calico-node with a lower log level.
  for (let i = 1; i <= Number(env.FLOOD ?? 0); i++) log(`line ${i}`)
  if (!env.ETCD_ENDPOINTS) throw new Failure('Kubernetes client: unable to load in-cluster configuration')
  const name = nodeName()
  for (const file of ['ETCD_CA_CERT_FILE', 'ETCD_CERT_FILE', 'ETCD_KEY_FILE']) if (env[file] && !existsSync(env[file])) throw new Failure(`open ${env[file]}: no such file or directory`)
  await writeTiers()
  await writeNode(name)
  await writeCluster(name)
  mkdirSync('/var/lib/calico', {recursive: true})
  writeFileSync(NODENAME_FILE, name)
  writeFileSync('/tmp/started', '')
  log(`Using node name: ${name}`)
  process.stdout.write('Calico node started successfully\n')
  // In this image FAIL_AFTER makes it end a while after its start-up checks, as a crash-looping one does.
  if (env.FAIL_AFTER) setTimeout(() => process.exit(3), Number(env.FAIL_AFTER))
  await sleep(BIRD_DELAY_MS)
  mkdirSync('/var/run/calico', {recursive: true})
  if (!['none', 'vxlan'].includes(env.CALICO_NETWORKING_BACKEND ?? 'bird')) SOCKETS.forEach(serveBird)
  log('Calico started successfully')
  setInterval(() => undefined, 1000)
}

function reaches(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath(name), () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** `calico-node -felix-ready -bird-ready` */
async function checkReady(args: readonly string[]): Promise<number> {
  const problems: string[] = []
  if (args.includes('-felix-ready') && !(env.FELIX_HEALTHENABLED === 'true' && existsSync('/tmp/started'))) problems.push('felix is not ready: Get "http://localhost:9099/readiness": dial tcp 127.0.0.1:9099: connect: connection refused')
  if (args.includes('-bird-ready') && !(await reaches('bird'))) problems.push('BIRD is not ready: Failed to stat() nodename file: stat /var/lib/calico/nodename: no such file or directory')
  if (problems.length === 0) return 0
  process.stdout.write(`calico/node is not ready: ${problems[0] ?? ''}\n`)
  return 1
}

const args = process.argv.slice(2)
if (args.some((arg) => arg.endsWith('-ready'))) void checkReady(args).then((code) => process.exit(code))
else {
  process.on('SIGTERM', () => process.exit(0))
  start().catch((error: unknown) => {
    log(error instanceof Error ? error.message : String(error))
    process.stderr.write('Calico node failed to start\n')
    process.exit(1)
  })
}
