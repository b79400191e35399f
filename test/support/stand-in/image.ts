/** The image of the stand-in: the Node binary of this machine with its libraries, and the program. Made by our own tests with `docker import`. */
import {execFileSync} from 'node:child_process'
import {chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join, resolve} from 'node:path'
import {buildSync} from 'esbuild'

export const STAND_IN = 'calicoctl-stand-in:v3.32.1'

const TRANSCRIPTS = resolve(import.meta.dirname, '../../fixtures/golden/bird')

/** What calico/node's own BIRD said to `show protocols` with one session of the mesh established, without its greeting. */
const transcript = (family: 'v4' | 'v6'): string => readFileSync(join(TRANSCRIPTS, `03-mesh-established.${family}.txt`), 'utf8').replace(/^0001 .*\n/, '')
const BIRD = {bird: transcript('v4'), bird6: transcript('v6')}

/** Makes the image in the Engine that DOCKER (the command with its options) talks to. CHANGES are those of `docker import`. */
export function importStandIn(docker: (...args: string[]) => string, name: string = STAND_IN, changes: readonly string[] = []): void {
  const root = mkdtempSync(join(tmpdir(), 'calicoctl-stand-in-'))
  const archive = `${root}.tar`
  try {
    const place = (source: string, target: string): void => {
      mkdirSync(dirname(join(root, target)), {recursive: true})
      copyFileSync(source, join(root, target))
    }
    place(process.execPath, 'usr/bin/node')
    for (const library of execFileSync('ldd', [process.execPath], {encoding: 'utf8'}).matchAll(/(\/\S+) \(0x/g)) place(library[1] ?? '', library[1] ?? '')
    mkdirSync(join(root, 'bin'), {recursive: true})
    buildSync({entryPoints: [resolve(import.meta.dirname, 'calico-node.ts')], outfile: join(root, 'bin/calico-node'), bundle: true, platform: 'node', format: 'cjs', banner: {js: '#!/usr/bin/node'}, logLevel: 'error'})
    chmodSync(join(root, 'bin/calico-node'), 0o755)
    for (const folder of ['tmp', 'proc', 'sys', 'dev', 'run', 'var/lib/calico', 'var/log/calico', 'etc/stand-in', 'lib/modules']) mkdirSync(join(root, folder), {recursive: true})
    for (const [each, text] of Object.entries(BIRD)) writeFileSync(join(root, 'etc/stand-in', each), text)
    execFileSync('ln', ['-s', '/run', join(root, 'var/run')])
    execFileSync('tar', ['-C', root, '-cf', archive, '.'])
    docker('import', '--change', 'CMD ["/bin/calico-node"]', '--change', 'ENV PATH=/bin:/usr/bin', ...changes.flatMap((change) => ['--change', change]), archive, name)
  } finally {
    rmSync(root, {recursive: true, force: true})
    rmSync(archive, {force: true})
  }
}

