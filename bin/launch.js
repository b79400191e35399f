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
  const chunks = openChunks(dist)
  /** @type {{main: (argv: readonly string[], root: string) => Promise<number>}} */
  const program = chunks.load('core')
  for (const stream of [process.stdout, process.stderr]) stream.on('error', outputFailed)
  void program.main(argv, dist).then((code) => {
    ended = true
    leave(code, () => chunks.saveCaches())
  })
}

/** A reader that has gone away (`| head -1`) is no fault; a full disk is. @param {NodeJS.ErrnoException} error */
function outputFailed(error) {
  if (error.code === 'EPIPE') return
  require('node:fs').writeSync(2, `Error: cannot write: ${error.message}\n`)
  process.exit(1)
}

/**
 * Ends the process without waiting for connections to close, which takes milliseconds; but what has been written to a pipe is still on its way
 * and would be lost with the process.
 * @param {number} code
 * @param {() => void} last what remains to be done
 */
function leave(code, last) {
  const pending = [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0 && !stream.destroyed)
  let open = pending.length
  const exit = () => {
    last()
    process.exit(code)
  }
  if (open === 0) exit()
  for (const stream of pending) {
    stream.write('', () => {
      open--
      if (open === 0) exit()
    })
  }
}

module.exports = {launch}
