/**
 * Runs command lines of the built bundle, one after another, in a process that has loaded it (test/support/warm.ts): each is told by its parent, and answered
 * with what the line printed and its exit code. Settings, streams, listeners and the exit code are those of a process of the line's own.
 */
import {createRequire} from 'node:module'
import {resolve} from 'node:path'
import {Readable} from 'node:stream'

const root = resolve(import.meta.dirname, '../..')
const command = resolve(root, 'bin/run.js')
const dist = resolve(root, 'dist')
const program = createRequire(import.meta.url)(resolve(root, 'bin/chunks.js')).openChunks(dist).load('core')

/** What a line may listen to, and would not any more once its process has ended. */
const EVENTS = ['exit', 'beforeExit', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGWINCH', 'unhandledRejection', 'uncaughtException', 'warning']

/** @type {Record<'stdout' | 'stderr', Buffer[]>} */
const written = {stdout: [], stderr: []}
for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
  process[name].write = (/** @type {string | Uint8Array} */ data, /** @type {unknown[]} */ ...rest) => {
    written[name].push(typeof data === 'string' ? Buffer.from(data, typeof rest[0] === 'string' ? /** @type {BufferEncoding} */ (rest[0]) : 'utf8') : Buffer.from(data))
    const done = rest.findLast((each) => typeof each === 'function')
    if (done) process.nextTick(done)
    return true
  }
}

/** @typedef {{args: string[], env: Record<string, string>, stdin: string, cwd: string}} Line */

process.on('disconnect', () => process.exit(0))
process.on('message', (/** @type {Line} */ line) => {
  void perform(line).then((code) => {
    const text = (/** @type {'stdout' | 'stderr'} */ name) => Buffer.concat(written[name].splice(0)).toString()
    process.send?.({code, stdout: text('stdout'), stderr: text('stderr')})
  })
})

/** @param {Line} line */
async function perform({args, env, stdin, cwd}) {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.chdir(cwd)
  process.exitCode = undefined
  process.argv = [process.execPath, command, ...args]
  Object.defineProperty(process, 'stdin', {configurable: true, value: Readable.from(stdin === '' ? [] : [Buffer.from(stdin)], {objectMode: false})})
  const before = new Map(EVENTS.map((event) => [event, new Set(process.rawListeners(event))]))
  const code = await program.main(args, dist)
  for (const [event, known] of before) {
    for (const listener of process.rawListeners(event)) {
      if (known.has(listener)) continue
      process.removeListener(event, /** @type {() => void} */ (listener))
      if (event === 'exit') Reflect.apply(listener, process, [code])
    }
  }
  return code
}
