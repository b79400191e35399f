/**
 * Makes the code caches of a build: runs typical command lines and requests in this process, against an etcd in memory, so that V8 has compiled what such lines
 * call and nothing else, and saves that. A process of its own, since V8's flags count: node scripts/bundle/warm-up.mjs DIST
 */
import {mkdtempSync, rmSync} from 'node:fs'
import {createRequire} from 'node:module'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import v8 from 'node:v8'
import {startFakeEtcd} from './fake-etcd.mjs'
import {readProtocol} from './protocol.mjs'

const require = createRequire(import.meta.url)

/** Command lines with the exit code that each must have. */
const LINES = /** @type {readonly [line: string, code: number][]} */ ([
  ['profile add', 1], // usage
  ['profile add a/b', 1], // a wrong value
  ['profile add warm', 0], // initialises the store
  ['profile add warm', 0],
  ['profile add warm2', 0],
  ['profile show', 0],
  ['profile warm show', 1], // unknown words
  ['pool add 10.20.0.0/16', 0],
  ['get profile', 0],
  ['endpoint show', 0],
])

/** Requests to the Mesos plugin with what the answer's `error` must be; undefined = that depends on this machine. */
const REQUESTS = /** @type {readonly [command: string, args: object, error: string | null | undefined][]} */ ([
  ['allocate', {hostname: 'warm', num_ipv4: 1, num_ipv6: 0, uid: 'warm1'}, null],
  ['reserve', {hostname: 'warm', ipv4_addrs: ['10.20.30.40'], uid: 'warm2'}, null],
  ['isolate', {container_id: 'warm', hostname: 'warm', pid: 2 ** 31, ipv4_addrs: ['10.20.30.40']}, undefined], // as far as there is a process
  ['release', {ips: ['10.20.30.40']}, null],
  ['release', {uid: 'warm1'}, null],
  ['cleanup', {container_id: 'warm', hostname: 'warm'}, 'No endpoint found with container-id: warm'],
])

const [dist = ''] = process.argv.slice(2)
const {openChunks} = /** @type {typeof import('../../bin/chunks.js')} */ (require('../../bin/chunks.js'))
/** The codec as the test proves it, compiled here for the server: the one in the chunks must be warmed by the client alone. */
const {createCodec} = await serverCodec()

v8.setFlagsFromString('--no-flush-bytecode')
process.setMaxListeners(0) // each line listens for signals
const protocol = readProtocol()
const server = await startFakeEtcd(protocol, createCodec(protocol))
process.env.ETCD_ENDPOINTS = server.endpoint
const scratch = mkdtempSync(join(tmpdir(), 'calicoctl-warm-up-'))
process.env.CALICOCTL_JOURNAL = join(scratch, 'journal.jsonl')
const chunks = openChunks(dist)
const program = chunks.load('core')
const plugin = chunks.load('mesos')
for (const [line, expected] of LINES) {
  const {code, output} = await quietly(() => program.main(line.split(' '), dist))
  if (code !== expected) throw new Error(`warm-up: calicoctl ${line} ended with ${code}, not ${expected}:\n${output}`)
}
Object.assign(process.env, {CALICO_MESOS_LOG_FILE: '/dev/null', CALICO_NODENAME: 'warm'})
for (const [command, args, expected] of REQUESTS) {
  const {reply} = await plugin.answerMesos(JSON.stringify({command, args}))
  if (expected !== undefined && reply.error !== expected) throw new Error(`warm-up: ${command} was answered with ${JSON.stringify(reply)}`)
}
await readByEtcd3()
v8.setFlagsFromString('--flush-bytecode')
chunks.saveCaches({always: true})
rmSync(scratch, {recursive: true})
process.exit(0)

/** Runs ACTION with its output caught. @param {() => Promise<number>} action */
async function quietly(action) {
  /** @type {string[]} */
  const output = []
  const streams = [process.stdout, process.stderr]
  const writes = streams.map((stream) => stream.write)
  for (const stream of streams) {
    stream.write = /** @type {typeof stream.write} */ (
      (/** @type {string | Uint8Array} */ data, /** @type {unknown[]} */ ...rest) => {
        output.push(String(data))
        const done = rest.at(-1)
        if (typeof done === 'function') queueMicrotask(() => done())
        return true
      }
    )
  }
  try {
    return {code: await action(), output: output.join('')}
  } finally {
    process.exitCode = 0
    streams.forEach((stream, i) => (stream.write = /** @type {typeof stream.write} */ (writes[i])))
  }
}

/** A read as servers and whoever watches send it: the command lines above go another way (src/lib/datastore/etcd/client.ts). */
async function readByEtcd3() {
  /** @type {typeof import('../../src/lib/datastore/etcd/etcd3-client.js')} */
  const {openEtcd3} = chunks.load('etcd').shared['src/lib/datastore/etcd/etcd3-client.ts']()
  const client = openEtcd3({url: server.endpoint, withoutLogin: true, deadline: 0}, {type: 'etcd', endpoints: {value: [server.endpoint], origin: 'the warm-up'}})
  const {kvs} = await client.range({key: Buffer.from('/calico/')}, {deadline: Date.now() + 5_000})
  if (kvs.length > 0) throw new Error('warm-up: etcd3 has read a key that nobody wrote')
  client.close()
}

/** @returns {Promise<typeof import('../../src/lib/datastore/etcd/unary/protobuf.js')>} */
async function serverCodec() {
  const {build} = await import('esbuild')
  const {outputFiles} = await build({entryPoints: [`${import.meta.dirname}/../../src/lib/datastore/etcd/unary/protobuf.ts`], write: false, format: 'esm', target: 'node20'})
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`)
}
