'use strict'
/** Runs the bundle, and leaves with the right exit code once all output has been taken. */
const {openChunks} = require('./chunks.js')

/** Exit code of an interrupted command, as a shell has it. */
const INTERRUPTED = 130

/**
 * @param {readonly string[]} argv
 * @param {string} dist the folder of the chunks
 */
function launch(argv, dist) {
  // Whoever set it meant another program: no connection of ours goes without a look at the server's certificate.
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  // Once a command has a datastore open, it listens itself, and tells what became of its writes.
  process.on('SIGINT', () => {
    if (process.listenerCount('SIGINT') === 1) process.exit(INTERRUPTED)
  })
  let ended = false
  process.once('exit', (code) => {
    // Node leaves with 0 when nothing is left to wait for, whether or not the command has come to its end.
    if (!ended && code === 0) process.exitCode = 1
  })
  const outputs = [watchOutput('stdout'), watchOutput('stderr')]
  const chunks = openChunks(dist)
  /** @type {{main: (argv: readonly string[], root: string, outputFailure: () => Error | undefined) => Promise<number>}} */
  const program = chunks.load('core')
  const outputFailure = () => outputs.find(({failure}) => failure !== undefined)?.failure
  void program.main(argv, dist, outputFailure).then((code) => {
    ended = true
    leave(outputs, () => {
      chunks.saveCaches()
      process.exit(code === 0 && outputFailure() !== undefined ? 1 : code)
    })
  })
}

/** @typedef {{stream: NodeJS.WriteStream | undefined, failure: Error | undefined}} Output */

/**
 * The stream process.NAME if and when somebody has used it: to make one takes 3 ms, and a command that fails needs one, not both.
 * @param {'stdout' | 'stderr'} name
 * @returns {Output}
 */
function watchOutput(name) {
  const {get: make} = /** @type {{get: () => NodeJS.WriteStream}} */ (Object.getOwnPropertyDescriptor(process, name))
  /** @type {Output} */
  const output = {stream: undefined, failure: undefined}
  /** A reader that has gone away (`| head -1`) is no fault; a full disk is, and the program is told at its end. @param {NodeJS.ErrnoException} error */
  const failed = (error) => {
    if (error.code !== 'EPIPE') output.failure ??= error
  }
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get: () => (output.stream ??= whole(make().on('error', failed), failed)),
  })
  return output
}

/**
 * Makes STREAM write all of its bytes. Node's own stream for files and devices takes no notice of how many of them the kernel took: on a disk that becomes
 * full, the rest would be lost without an error. FAILED hears of an error before anybody who waits for the write.
 * @param {NodeJS.WriteStream} stream
 * @param {(error: NodeJS.ErrnoException) => void} failed
 */
function whole(stream, failed) {
  if (stream.constructor.name !== 'SyncWriteStream') return stream
  const {fd} = /** @type {{fd: number}} */ (/** @type {unknown} */ (stream))
  stream._write = (chunk, encoding, done) => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
    try {
      for (let written = 0; written < bytes.length; ) written += require('node:fs').writeSync(fd, bytes, written)
    } catch (error) {
      failed(/** @type {NodeJS.ErrnoException} */ (error))
      done(/** @type {Error} */ (error))
      return
    }
    done()
  }
  return stream
}

/**
 * Calls EXIT without waiting for connections to close, which takes milliseconds; but what has been written to a pipe is still on its way and would be
 * lost with the process.
 * @param {readonly Output[]} outputs
 * @param {() => void} exit
 */
function leave(outputs, exit) {
  const pending = outputs.flatMap(({stream}) => (stream && stream.writableLength > 0 && !stream.destroyed ? [stream] : []))
  let open = pending.length
  if (open === 0) exit()
  for (const stream of pending) {
    stream.write('', () => {
      open--
      if (open === 0) exit()
    })
  }
}

module.exports = {launch}
