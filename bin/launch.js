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
  /** @type {{main: (argv: readonly string[], root: string) => Promise<number>}} */
  const program = chunks.load('core')
  void program.main(argv, dist).then((code) => {
    ended = true
    leave(outputs, () => {
      chunks.saveCaches()
      process.exit(code)
    })
  })
}

/** @typedef {{readonly stream: NodeJS.WriteStream | undefined}} Output */

/**
 * The stream process.NAME if and when somebody has used it: to make one takes 3 ms, and a command that fails needs one, not both.
 * @param {'stdout' | 'stderr'} name
 * @returns {Output}
 */
function watchOutput(name) {
  const {get: make} = /** @type {{get: () => NodeJS.WriteStream}} */ (Object.getOwnPropertyDescriptor(process, name))
  /** @type {{stream: NodeJS.WriteStream | undefined}} */
  const output = {stream: undefined}
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get: () => (output.stream ??= make().on('error', outputFailed)),
  })
  return output
}

/** A reader that has gone away (`| head -1`) is no fault; a full disk is. @param {NodeJS.ErrnoException} error */
function outputFailed(error) {
  if (error.code === 'EPIPE') return
  require('node:fs').writeSync(2, `Error: cannot write: ${error.message}\n`)
  process.exit(1)
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
