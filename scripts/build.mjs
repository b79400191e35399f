/**
 * npm run build [-- --fresh]: src → dist, the bundle that bin/run.js starts (CONTRIBUTING.md, "The build"). It is made beside dist and then put there, the index
 * last. The chunks of the build before stay, for commands that are running; --fresh, for a package, removes all that is not of this build.
 */
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
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
  publish()
  for (const {name, file, bytes} of chunks) {
    console.log(`${file.padEnd(34)} ${kilobytes(bytes)}${cached[name] === undefined ? '' : `, code cache ${kilobytes(cached[name])}`}`)
  }
  console.log(`${Object.keys(commands).length} commands, ${pages} help pages, ${packages} packages bundled`)
} finally {
  rmSync(scratch, {recursive: true, force: true})
}

/** Moves the finished build to dist. */
function publish() {
  const index = join(dist, 'chunks.json')
  if (process.argv.includes('--fresh')) rmSync(dist, {recursive: true, force: true})
  /** @type {string[]} */
  const before = existsSync(index) ? Object.values(JSON.parse(readFileSync(index, 'utf8'))) : []
  mkdirSync(dist, {recursive: true})
  rmSync(join(dist, 'help'), {recursive: true, force: true})
  const made = readdirSync(outdir).filter((name) => name !== 'chunks.json')
  for (const name of [...made, 'chunks.json']) renameSync(join(outdir, name), join(dist, name))
  const stale = readdirSync(dist).filter((name) => /\.js(\.|$)/.test(name) && !made.includes(name) && !before.some((file) => name.startsWith(file)))
  for (const name of stale) rmSync(join(dist, name), {force: true})
}

/** @param {number} bytes */
function kilobytes(bytes) {
  return `${String(Math.round(bytes / 1024)).padStart(5)} KB`
}
