/** The fuzzer of test/fuzz as one file: a plain process runs it faster than a test would in jest, and can be ended when it hangs. */
import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {readFileSync} from 'node:fs'
import {build} from 'esbuild'

/**
 * Writes the fuzzer to OUTFILE, an ES module.
 * @param {string} root
 * @param {string} outfile
 * @returns {Promise<{targets: string[], seed: string}>} the names of the readers, and a seed that is another one for every change of the code
 */
export async function bundleFuzzer(root, outfile) {
  await build({
    absWorkingDir: root,
    entryPoints: ['test/fuzz/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['dockerode'], // asked by no reader
    logLevel: 'warning',
    banner: {js: "import {createRequire as createRequireOfBundle} from 'node:module'; const require = createRequireOfBundle(import.meta.url);"},
  })
  const seed = createHash('sha256').update(readFileSync(outfile)).digest('hex').slice(0, 8)
  return {seed, targets: execFileSync(process.execPath, [outfile, '--list'], {cwd: root, encoding: 'utf8'}).trim().split('\n')}
}
