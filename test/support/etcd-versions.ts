import {existsSync} from 'node:fs'
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
