/**
 * npm run build: src → dist, the bundle that bin/run.js starts (CONTRIBUTING.md, "The build"). It is made beside dist and then put in its place,
 * so that a command that runs meanwhile finds one or the other.
 */
import {mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {bundle} from './bundle/bundle.mjs'
import {writeHelpPages, warmUp} from './bundle/finish.mjs'
import {writeLicenses} from './bundle/licenses.mjs'
import {makeManifest, readPackage} from './bundle/manifest.mjs'
import {readProtocol} from './bundle/protocol.mjs'
import {virtualModules} from './bundle/virtual-modules.mjs'

const root = resolve(import.meta.dirname, '..')
const scratch = join(root, '.cache', `build-${process.pid}`)
const outdir = join(scratch, 'dist')
const dist = join(root, 'dist')

mkdirSync(outdir, {recursive: true})
try {
  const pjson = readPackage(root)
  const commands = await makeManifest({root, source: join(root, 'src'), scratch: join(scratch, 'modules')})
  const chunks = await bundle({root, outdir, modules: virtualModules({protocol: readProtocol(), commands, pjson})})
  writeFileSync(join(outdir, 'package.json'), '{"type": "commonjs"}\n')
  writeFileSync(join(outdir, 'version.txt'), `${pjson.version}\n`)
  const packages = writeLicenses(root, outdir, chunks.flatMap(({inputs}) => inputs))
  const pages = await writeHelpPages(outdir)
  const cached = await warmUp(outdir)
  rmSync(join(scratch, 'old'), {recursive: true, force: true})
  try {
    renameSync(dist, join(scratch, 'old'))
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error
  }
  renameSync(outdir, dist)
  for (const {name, file, bytes} of chunks) {
    console.log(`${file.padEnd(34)} ${kilobytes(bytes)}${cached[name] === undefined ? '' : `, code cache ${kilobytes(cached[name])}`}`)
  }
  console.log(`${Object.keys(commands).length} commands, ${pages} help pages, ${packages} packages bundled`)
} finally {
  rmSync(scratch, {recursive: true, force: true})
}

/** @param {number} bytes */
function kilobytes(bytes) {
  return `${String(Math.round(bytes / 1024)).padStart(5)} KB`
}
