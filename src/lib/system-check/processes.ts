/** The processes of this host, and which of them listens on a TCP port, from /proc. */
import type {Files} from './files.js'

const processIds = (files: Files): string[] => files.list('/proc').filter((name) => /^\d+$/.test(name))
const nameOf = (files: Files, pid: string): string => files.read(`/proc/${pid}/comm`)?.trim() ?? ''

/** Their names, as the kernel has them: cut to 15 characters. */
export const processNames = (files: Files): string[] => processIds(files).map((pid) => nameOf(files, pid))

/** The inodes of the sockets that listen, by port, in TABLE, the text of /proc/net/tcp or tcp6. */
function listeningSockets(table: string): [port: number, inode: string][] {
  const LISTEN = '0A'
  return table.split('\n').flatMap((line): [number, string][] => {
    const fields = line.trim().split(/\s+/)
    const port = /:([0-9A-F]{4})$/.exec(fields[1] ?? '')?.[1]
    return port === undefined || fields[3] !== LISTEN ? [] : [[Number.parseInt(port, 16), fields[9] ?? '']]
  })
}

/** Who listens on each of PORTS: names of processes; '' for one that cannot be seen. A port without a listener is not in it. */
export function listeners(files: Files, ports: readonly number[]): Map<number, readonly string[]> {
  const sockets = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => listeningSockets(files.read(path) ?? '')).filter(([port]) => ports.includes(port))
  if (sockets.length === 0) return new Map()
  const wanted = new Set(sockets.map(([, inode]) => `socket:[${inode}]`))
  const owners = new Map<string, string>()
  for (const pid of processIds(files)) {
    for (const descriptor of files.list(`/proc/${pid}/fd`)) {
      const target = files.link(`/proc/${pid}/fd/${descriptor}`)
      if (target !== undefined && wanted.has(target) && !owners.has(target)) owners.set(target, nameOf(files, pid))
    }
  }
  const found = new Map<number, readonly string[]>()
  for (const [port, inode] of sockets) found.set(port, [...new Set([...(found.get(port) ?? []), owners.get(`socket:[${inode}]`) ?? ''])])
  return found
}
