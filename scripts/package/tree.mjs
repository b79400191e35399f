/** The one tree that all forms of the package have, as it lies below /. */
import {execFileSync} from 'node:child_process'
import {chmodSync, cpSync, lstatSync, lutimesSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {makeCaches} from './caches.mjs'

const FILES = join(import.meta.dirname, 'files')
const APP = 'usr/lib/calicoctl'
/** A Mesos agent takes nothing but JSON for an answer. */
const MISSING_NODE = `[ -x "$app/node" ] || { printf '{"error":"calico_mesos is not installed whole: there is no %s/node"}' "$app"; exit 1; }\n`

/**
 * What the build made, as texts and files.
 * @typedef {object} Content
 * @property {string} root the source tree, built
 * @property {{version: string, license: string}} pjson
 * @property {{name: string, text: string}[]} manual pages, e.g. calicoctl.1
 * @property {(shell: 'bash' | 'zsh' | 'fish') => string} completion
 * @property {(program: {node: string, entry: string, version: string}) => string} unit
 */

/**
 * Makes the tree of ARCH in TREE.
 * @param {string} tree
 * @param {{content: Content, arch: 'x64' | 'arm64', node: {program: string, license: string, version: string}, epoch: number}} options EPOCH: seconds, the time of all files
 * @returns {string[]} the code caches whose bytes may differ in another build
 */
export function makeTree(tree, {content, arch, node, epoch}) {
  const {root, pjson, manual, completion, unit} = content
  /** @param {string} path @param {string | Buffer} data */
  const write = (path, data, mode = 0o644) => {
    mkdirSync(dirname(join(tree, path)), {recursive: true})
    writeFileSync(join(tree, path), data)
    chmodSync(join(tree, path), mode)
  }
  const app = join(tree, APP)
  mkdirSync(join(app, 'dist'), {recursive: true})
  for (const name of ['bin', 'LICENSE', 'Dockerfile']) cpSync(join(root, name), join(app, name), {recursive: true})
  write(`${APP}/package.json`, `${JSON.stringify({name: 'calicoctl', version: pjson.version, license: pjson.license}, undefined, 2)}\n`)
  write(`${APP}/.dockerignore`, 'node\n') // the image has its own
  /** @type {Record<string, string>} */
  const chunks = JSON.parse(readFileSync(join(root, 'dist/chunks.json'), 'utf8'))
  for (const name of [...Object.values(chunks).flatMap((file) => [file, `${file}.map`]), 'chunks.json', 'package.json', 'version.txt', 'LICENSES.txt', 'help']) cpSync(join(root, 'dist', name), join(app, 'dist', name), {recursive: true})
  cpSync(node.program, join(app, 'node'))

  for (const [program, entry] of /** @type {const} */ ([['calicoctl', 'run.js'], ['calico_mesos', 'calico_mesos']])) {
    const text = readFileSync(join(FILES, 'launcher.sh'), 'utf8')
    write(`usr/bin/${program}`, text.replace('@PROGRAM@', program).replace('@ENTRY@', entry).replace('@MISSING@', () => (program === 'calico_mesos' ? MISSING_NODE : '')), 0o755)
  }
  write('usr/lib/systemd/system/calico-libnetwork.service', unit({node: `/${APP}/node`, entry: `/${APP}/bin/run.js`, version: pjson.version}))
  write('usr/share/bash-completion/completions/calicoctl', completion('bash'))
  write('usr/share/zsh/vendor-completions/_calicoctl', completion('zsh')) // Debian's folder
  write('usr/share/zsh/site-functions/_calicoctl', completion('zsh'))
  write('usr/share/fish/vendor_completions.d/calicoctl.fish', completion('fish'))
  for (const {name, text} of manual) write(`usr/share/man/man${name.slice(-1)}/${name}.gz`, compressed(text))
  write('usr/share/doc/calicoctl/changelog.gz', compressed(readFileSync(join(root, 'CHANGELOG.md'), 'utf8')))
  for (const name of ['README.md', 'docs']) cpSync(join(root, name), join(tree, 'usr/share/doc/calicoctl', name), {recursive: true})
  write('usr/share/doc/calicoctl/copyright', licences(root, node))
  write('etc/calico/calicoctl.cfg', readFileSync(join(FILES, 'calicoctl.cfg')))

  const different = arch === 'x64' && process.arch === 'x64' ? makeCaches(app, join(app, 'node')) : []
  write(`${APP}/dist/packaged`, 'The files here belong to a package of the system: no program adds any.\n') // after the caches
  settle(tree, epoch)
  return different
}

/** As `gzip -9n`: no name and no time in it. @param {string} text */
export const compressed = (text) => gzipSync(text, {level: 9})

/** Modes and times that do not depend on who built it, and when. @param {string} tree @param {number} epoch */
export function settle(tree, epoch) {
  for (const path of ['', ...readdirSync(tree, {recursive: true, encoding: 'utf8'})].map((name) => join(tree, name)).reverse()) {
    const stats = lstatSync(path)
    if (!stats.isSymbolicLink()) chmodSync(path, stats.isDirectory() || isProgram(path) ? 0o755 : 0o644)
    lutimesSync(path, epoch, epoch)
  }
}

/** @param {string} path */
const isProgram = (path) => basename(dirname(path)) === 'bin' && basename(dirname(dirname(path))) === 'usr' || path.endsWith(`${APP}/node`) || /\/DEBIAN\/(pre|post)(inst|rm)$/.test(path)

/** @param {string} root @param {{license: string, version: string}} node */
function licences(root, node) {
  const rule = `\n\n${'='.repeat(80)}\n\n`
  return [
    'calicoctl: the operator command line for Calico on Docker, Mesos and bare metal.\n\nCopyright the authors of calicoctl.\n\nLicensed under the Apache License, Version 2.0. On Debian systems its text is in /usr/share/common-licenses/Apache-2.0; everywhere it is in /usr/lib/calicoctl/LICENSE.\n\nThe package contains other software. Below are the licences of the packages in the bundle /usr/lib/calicoctl/dist, and those of Node.js, /usr/lib/calicoctl/node.',
    readFileSync(join(root, 'dist/LICENSES.txt'), 'utf8').trim(),
    `Node.js ${node.version}, as its project released it:\n\n${readFileSync(node.license, 'utf8').trim()}`,
  ].join(rule) + '\n'
}

/** The seconds of the commit, unless SOURCE_DATE_EPOCH says otherwise. @param {string} root */
export function sourceDate(root) {
  const given = process.env.SOURCE_DATE_EPOCH
  if (given !== undefined && /^\d+$/.test(given)) return Number(given)
  return Number(execFileSync('git', ['log', '-1', '--format=%ct'], {cwd: root, encoding: 'utf8'}))
}
