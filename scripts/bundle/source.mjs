/** Modules of src for scripts that run after the build: what a page or a package says comes from the source itself. */
import {mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {build} from 'esbuild'

/**
 * The exports of the modules PATHS (below src), together.
 * @param {string} root
 * @param {readonly string[]} paths
 * @returns {Promise<any>}
 */
export async function loadSource(root, paths) {
  // Below ROOT, where their packages are found.
  const folder = join(root, '.cache', `source-${process.pid}-${paths.length}`)
  mkdirSync(folder, {recursive: true})
  try {
    const {outputFiles} = await build({
      stdin: {contents: paths.map((path) => `export * from './src/${path}'`).join('\n'), resolveDir: root},
      bundle: true,
      packages: 'external',
      write: false,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
    })
    const file = join(folder, 'source.mjs')
    writeFileSync(file, outputFiles[0]?.contents ?? '')
    return await import(pathToFileURL(file).href)
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}
