'use strict'
/**
 * Answers one request of Mesos' net-modules: JSON on stdin until its end, one JSON document on stdout, exit code 0 or 1. net-modules looks at nothing but
 * stdout, and blocks its agent meanwhile: so there is always an answer, exactly one, whatever happens here. The work is in a chunk of the bundle, without oclif.
 */
const {isUtf8} = require('node:buffer')
const fs = require('node:fs')
const path = require('node:path')

const DIST = path.join(path.dirname(__dirname), 'dist')

/** Bytes of a request. net-modules' own are some hundred. */
const LARGEST_REQUEST = 1024 * 1024
/** How long a request may take to come, and all of it together. */
const LONGEST_MS = 60_000
/** How long a call that is told to end may go on: it takes a fraction of that, and half-done work is worse. */
const GRACE_MS = 3_000
/** How long a reader may take. */
const DELIVERY_MS = 5_000

/** @typedef {{error: string | null}} Reply */
/** @typedef {{reply: Reply, undelivered: () => Promise<void>}} Answer */

let answered = false
/** Whether the request has been read to its end: from then on something may have been done. */
let complete = false

function run() {
  // The agent's environment does not decide whether etcd's certificate is looked at.
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  process.on('uncaughtException', fault)
  process.on('unhandledRejection', fault)
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP'])) process.on(signal, () => end(`calico_mesos was ended by ${signal}`))
  setTimeout(() => end(`calico_mesos was not done within ${LONGEST_MS / 1000} s`, 0), LONGEST_MS)
  // Node leaves when nothing is left to wait for, whether or not there has been an answer.
  process.on('exit', () => deliver({error: 'calico_mesos came to no end'}))
  if (Number.parseInt(process.versions.node, 10) < 20) leave({error: `calico_mesos needs Node 20.19 or newer; this is ${process.version}`})
  if (!fs.existsSync(path.join(DIST, 'chunks.json'))) leave({error: `calico_mesos has not been built or installed at ${DIST}. Link to it instead of copying it.`})
  const chunks = require('./chunks.js').openChunks(DIST)
  /** @type {{answerMesos: (request: string) => Promise<Answer>}} */
  const bundle = chunks.load('mesos')
  readRequest(async (text) => {
    complete = true
    const {reply, undelivered} = await bundle.answerMesos(text)
    const delivered = deliver(reply)
    if (!delivered) await undelivered()
    chunks.saveCaches()
    process.exit(delivered && reply.error === null ? 0 : 1)
  })
}

/** Calls DONE with all of stdin. @param {(text: string) => Promise<void>} done */
function readRequest(done) {
  /** @type {Buffer[]} */
  const parts = []
  let size = 0
  process.stdin.on('data', (/** @type {Buffer} */ part) => {
    size += part.length
    if (size > LARGEST_REQUEST) leave({error: `The request is longer than ${LARGEST_REQUEST} bytes.`})
    parts.push(part)
  })
  process.stdin.on('error', fault)
  process.stdin.on('end', () => {
    const request = Buffer.concat(parts)
    // Other bytes would make one name of several.
    if (!isUtf8(request)) leave({error: 'The request is not UTF-8 text.'})
    done(request.toString()).catch(fault)
  })
}

/** @param {unknown} error */
function fault(error) {
  const text = error instanceof Error ? error.message : String(error)
  leave({error: `Unhandled error ${text.replace(/\s*[\r\n]+\s*/g, ' ')}`})
}

/** Ends with the error WHY, once a call that has begun had its time. @param {string} why @param {number} [graceMs] */
function end(why, graceMs = GRACE_MS) {
  if (!complete) leave({error: `${why} before the request was complete; nothing was changed`})
  setTimeout(() => leave({error: `${why}; what it was doing may or may not be done`}), graceMs)
}

/** @param {Reply} reply */
function leave(reply) {
  deliver(reply)
  process.exit(1)
}

/** Writes REPLY, unless there has been one; false if nobody took it. @param {Reply} reply @returns {boolean} */
function deliver(reply) {
  if (answered) return false
  answered = true
  // ASCII alone: agents log the answer.
  const data = Buffer.from(JSON.stringify(reply).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`))
  const deadline = Date.now() + DELIVERY_MS
  for (let written = 0; written < data.length; ) {
    try {
      written += fs.writeSync(1, data, written)
    } catch (error) {
      const {code} = /** @type {NodeJS.ErrnoException} */ (error)
      if (code !== 'EAGAIN' || Date.now() > deadline) return false
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
  return true
}

module.exports = {run}
