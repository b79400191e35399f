/**
 * npm run package [-- --arch x64|arm64] [--form deb|rpm|tar|tree]: out/ gets the packages of this commit, for x64 and arm64: .deb, .rpm and .tar.gz of one tree
 * with a Node of its own (docs/installation.md). Two runs on one commit make the same bytes, but for single bits of V8's code
 * caches; those that did not settle in this run are named in out/differs.txt.
 */
import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {basename, join, resolve} from 'node:path'
import {parseArgs} from 'node:util'
import {whyBuild} from './build-state.mjs'
import {installDebianPackages, installPackages} from './packages.mjs'
import {makeDeb} from './package/deb.mjs'
import {fetchNode} from './package/node.mjs'
import {makeRpm} from './package/rpm.mjs'
import {makeTree, sourceDate} from './package/tree.mjs'

const ROOT = resolve(import.meta.dirname, '..')
const {values} = parseArgs({options: {arch: {type: 'string', multiple: true}, form: {type: 'string', multiple: true}, out: {type: 'string'}}})
const arches = /** @type {const} */ (['x64', 'arm64']).filter((arch) => values.arch?.includes(arch) ?? true)
/** @param {string} form */
const wanted = (form) => values.form?.includes(form) ?? form !== 'tree'
const out = resolve(values.out ?? join(ROOT, 'out'))
const cache = join(ROOT, '.cache')
const scratch = join(cache, `package-${process.pid}`)

process.umask(0o022)
if ((wanted('rpm') || wanted('deb')) && !installDebianPackages([['dpkg-deb', 'dpkg'], ...(wanted('rpm') ? /** @type {const} */ ([['rpmbuild', 'rpm']]) : [])])) process.exit(1)
const why = whyBuild()
if (why !== undefined) {
  installPackages(ROOT)
  console.log(`Building, since ${why} …`)
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs')], {stdio: ['ignore', 'ignore', 'inherit']})
}
const {packageContent} = await import('./package/content.mjs')
const content = await packageContent(ROOT)
const {version} = content.pjson
const epoch = sourceDate(ROOT)
mkdirSync(out, {recursive: true})
try {
  /** @type {string[]} */
  const made = []
  /** @type {string[]} */
  const different = []
  for (const arch of arches) {
    const node = fetchNode(cache, arch)
    const name = `calicoctl-${version}-linux-${arch}`
    const tree = join(scratch, name)
    different.push(...makeTree(tree, {content, arch, node, epoch}))
    const options = {tree, scratch, out, version, arch, epoch}
    if (wanted('deb')) made.push(makeDeb(options))
    if (wanted('rpm')) made.push(makeRpm(options))
    if (wanted('tar')) made.push(makeArchive(options))
    if (wanted('tree')) {
      rmSync(join(out, name), {recursive: true, force: true})
      renameSync(tree, join(out, name))
      console.log(join(out, name))
    }
  }
  for (const file of made) {
    const hash = createHash('sha256').update(readFileSync(file)).digest('hex')
    console.log(`${hash}  ${basename(file)}  ${(statSync(file).size / 1e6).toFixed(1)} MB`)
  }
  const list = join(out, 'differs.txt')
  if (different.length > 0) {
    writeFileSync(list, different.map((name) => `/usr/lib/calicoctl/dist/${name}\n`).join(''))
    console.log(`These files may have other bytes in another build (V8's code caches): ${different.join(', ')}`)
  } else if (existsSync(list)) rmSync(list)
} finally {
  rmSync(scratch, {recursive: true, force: true})
}

/** @param {{tree: string, out: string, epoch: number}} options */
function makeArchive({tree, out: folder, epoch}) {
  const file = join(folder, `${basename(tree)}.tar.gz`)
  const archive = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu', `--mtime=@${epoch}`, '-C', resolve(tree, '..')]
  execFileSync('tar', ['-I', 'gzip -n -6', '-cf', file, ...archive, basename(tree)], {stdio: ['ignore', 'ignore', 'inherit']})
  return file
}
