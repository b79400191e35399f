/**
 * Runs many command lines of the built bundle in one process, which is a fifth of the time of a process each: argv lists as JSON on stdin, one
 * `{code, stdout, stderr}` for each as JSON on descriptor 3.
 */
import {readFileSync, writeFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {resolve} from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const {openChunks} = createRequire(import.meta.url)(resolve(root, 'bin/chunks.js'))
const program = openChunks(resolve(root, 'dist')).load('core')
process.setMaxListeners(0)

const written = {stdout: '', stderr: ''}
for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
  process[name].write = (text, ...rest) => {
    written[name] += text
    rest.findLast((each) => typeof each === 'function')?.()
    return true
  }
}

const results = []
for (const argv of JSON.parse(readFileSync(0, 'utf8'))) {
  written.stdout = written.stderr = ''
  process.exitCode = undefined
  const code = await program.main(argv, resolve(root, 'dist'))
  results.push({code, ...written})
}
writeFileSync(3, JSON.stringify(results))
process.exit(0)
