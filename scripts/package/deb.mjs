/** The tree as a package for Debian and its kin, by dpkg-deb. */
import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {DESCRIPTION, MAINTAINER, SUMMARY} from './describe.mjs'
import {compressed, settle} from './tree.mjs'

const FILES = join(import.meta.dirname, 'files')
const ARCHITECTURES = {x64: 'amd64', arm64: 'arm64'}

/**
 * @param {{tree: string, scratch: string, out: string, version: string, arch: 'x64' | 'arm64', epoch: number}} options
 * @returns {string} the package's file
 */
export function makeDeb({tree, scratch, out, version, arch, epoch}) {
  const folder = join(scratch, `deb-${arch}`)
  rmSync(folder, {recursive: true, force: true})
  cpSync(tree, folder, {recursive: true, verbatimSymlinks: true})
  rmSync(join(folder, 'usr/share/zsh/site-functions'), {recursive: true})
  const full = `${version}-1`
  const doc = join(folder, 'usr/share/doc/calicoctl')
  const date = execFileSync('date', ['-u', '-R', '-d', `@${epoch}`], {encoding: 'utf8', env: {...process.env, LC_ALL: 'C'}}).trim()
  writeFileSync(join(doc, 'changelog.Debian.gz'), compressed(`calicoctl (${full}) unstable; urgency=medium\n\n  * Built from the release ${version}; changelog.gz says what is new.\n\n -- ${MAINTAINER}  ${date}\n`))
  mkdirSync(join(folder, 'usr/share/lintian/overrides'), {recursive: true})
  cpSync(join(FILES, 'lintian-overrides'), join(folder, 'usr/share/lintian/overrides/calicoctl'))

  const files = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter((path) => statSync(join(folder, path)).isFile()).sort()
  const control = join(folder, 'DEBIAN')
  mkdirSync(control)
  writeFileSync(join(control, 'md5sums'), files.filter((path) => !path.startsWith('etc/')).map((path) => `${createHash('md5').update(readFileSync(join(folder, path))).digest('hex')}  ${path}\n`).join(''))
  writeFileSync(join(control, 'conffiles'), files.filter((path) => path.startsWith('etc/')).map((path) => `/${path}\n`).join(''))
  for (const script of ['preinst', 'postinst', 'prerm', 'postrm']) cpSync(join(FILES, `${script}.sh`), join(control, script))
  const size = files.reduce((sum, path) => sum + Math.ceil(statSync(join(folder, path)).size / 1024), 0)
  writeFileSync(join(control, 'control'), [
    'Package: calicoctl',
    `Version: ${full}`,
    `Architecture: ${ARCHITECTURES[arch]}`,
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${size}`,
    // What Node needs. libstdc++6 8 is that of Debian 10.
    'Depends: libc6 (>= 2.28), libgcc-s1 | libgcc1, libstdc++6 (>= 8)',
    'Recommends: iproute2',
    'Suggests: docker.io | docker-ce, bash-completion',
    'Section: admin',
    'Priority: optional',
    `Description: ${SUMMARY}`,
    ...DESCRIPTION.map((line) => (line === '' ? ' .' : ` ${line}`)),
    '',
  ].join('\n'))
  settle(folder, epoch)
  const file = join(out, `calicoctl_${full}_${ARCHITECTURES[arch]}.deb`)
  // One thread: with several, the bytes depend on the machine.
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '-z3', '--threads-max=1', '--build', folder, file], {stdio: ['ignore', 'ignore', 'inherit'], env: {...process.env, SOURCE_DATE_EPOCH: String(epoch)}})
  rmSync(folder, {recursive: true})
  return file
}
