/** Images of this machine's own files, made by our own tests with `docker import`: the stand-in, and the base for our Dockerfile. */
import {execFileSync} from 'node:child_process'
import {chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join, resolve} from 'node:path'
import {buildSync} from 'esbuild'

export const STAND_IN = 'calicoctl-stand-in:v3.32.1'

const TRANSCRIPTS = resolve(import.meta.dirname, '../../fixtures/golden/bird')

/** What calico/node's own BIRD said to `show protocols` with one session of the mesh established, without its greeting. */
const transcript = (family: 'v4' | 'v6'): string => readFileSync(join(TRANSCRIPTS, `03-mesh-established.${family}.txt`), 'utf8').replace(/^0001 .*\n/, '')
const BIRD = {bird: transcript('v4'), bird6: transcript('v6')}

/** A program of this machine, by its name. */
const programFile = (name: string): string => execFileSync('sh', ['-c', `command -v ${name}`], {encoding: 'utf8', env: {PATH: process.env.PATH}}).trim()

/** A file of this machine as the file TARGET below ROOT, with the libraries that it is linked to. */
function placeProgram(root: string, source: string, target: string): void {
  const place = (from: string, to: string): void => {
    mkdirSync(dirname(join(root, to)), {recursive: true})
    copyFileSync(from, join(root, to))
  }
  place(source, target)
  for (const library of execFileSync('ldd', [source], {encoding: 'utf8'}).matchAll(/(\/\S+) \(0x/g)) place(library[1] ?? '', library[1] ?? '')
}

/** Imports the folder that FILL fills as the image NAME. */
function importFolder(docker: (...args: string[]) => string, name: string, changes: readonly string[], fill: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'calicoctl-stand-in-'))
  const archive = `${root}.tar`
  try {
    fill(root)
    execFileSync('tar', ['-C', root, '-cf', archive, '.'])
    docker('import', ...changes.flatMap((change) => ['--change', change]), archive, name)
  } finally {
    rmSync(root, {recursive: true, force: true})
    rmSync(archive, {force: true})
  }
}

/** Makes the image in the Engine that DOCKER (the command with its options) talks to. CHANGES are those of `docker import`. */
export function importStandIn(docker: (...args: string[]) => string, name: string = STAND_IN, changes: readonly string[] = []): void {
  importFolder(docker, name, ['CMD ["/bin/calico-node"]', 'ENV PATH=/bin:/usr/bin', ...changes], (root) => {
    placeProgram(root, process.execPath, 'usr/bin/node')
    mkdirSync(join(root, 'bin'), {recursive: true})
    buildSync({entryPoints: [resolve(import.meta.dirname, 'calico-node.ts')], outfile: join(root, 'bin/calico-node'), bundle: true, platform: 'node', format: 'cjs', banner: {js: '#!/usr/bin/node'}, logLevel: 'error'})
    chmodSync(join(root, 'bin/calico-node'), 0o755)
    for (const folder of ['tmp', 'proc', 'sys', 'dev', 'run', 'var/lib/calico', 'var/log/calico', 'etc/stand-in', 'lib/modules']) mkdirSync(join(root, folder), {recursive: true})
    for (const [each, text] of Object.entries(BIRD)) writeFileSync(join(root, 'etc/stand-in', each), text)
    symlinkSync('/run', join(root, 'var/run'))
  })
}

/** What our Dockerfile can be built on without a network: Node and `ip` of this machine, and a shell; with NODE, a calico-node that is never ready. CHANGES are those of `docker import`. */
export function importBase(docker: (...args: string[]) => string, name: string, {changes = [], node = false}: {changes?: readonly string[]; node?: boolean} = {}): void {
  importFolder(docker, name, ['ENV PATH=/usr/local/bin:/usr/bin:/bin', ...changes], (root) => {
    placeProgram(root, process.execPath, 'usr/bin/node')
    placeProgram(root, programFile('ip'), 'usr/bin/ip')
    mkdirSync(join(root, 'bin'), {recursive: true})
    copyFileSync(programFile('busybox'), join(root, 'bin/busybox'))
    for (const applet of ['sh', 'ln', 'mkdir', 'chmod', 'sleep', 'cat']) symlinkSync('busybox', join(root, 'bin', applet))
    symlinkSync('/bin/busybox', join(root, 'usr/bin/env'))
    if (node) symlinkSync('busybox', join(root, 'bin/calico-node'))
    for (const folder of ['tmp', 'proc', 'sys', 'dev', 'run', 'etc', 'var/lib']) mkdirSync(join(root, folder), {recursive: true})
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
    symlinkSync('/run', join(root, 'var/run'))
  })
}

/** The image busybox of this machine's own. */
export function importBusybox(docker: (...args: string[]) => string): void {
  importFolder(docker, 'busybox', [], (root) => {
    mkdirSync(join(root, 'bin'))
    copyFileSync(programFile('busybox'), join(root, 'bin/busybox'))
    for (const applet of ['sh', 'sleep']) symlinkSync('busybox', join(root, 'bin', applet))
  })
}
