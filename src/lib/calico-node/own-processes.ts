/** calico-node as a process of this host itself, where no Docker Engine could tell of its container. */
import {readdirSync, readFileSync, readlinkSync} from 'node:fs'

/** What runs Felix, as the kernel calls it: calico/node's one program, and that of older packages. */
const NAMES = ['calico-node', 'calico-felix']

/** The processes of this host's network that run Felix, `calico-node (process 1234)`, in the order of their numbers. */
export function felixProcesses(): string[] {
  const here = namespaceOf('self')
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
    .flatMap((pid) => {
      const name = nameOf(pid)
      // A container's network of its own is none of Felix's; where that may not be seen, the name is enough.
      return NAMES.includes(name) && (namespaceOf(pid) ?? here) === here ? [`${name} (process ${pid})`] : []
    })
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return '' // it has ended
  }
}

function namespaceOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}
