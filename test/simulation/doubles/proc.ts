/** What src/lib/workload/find-workload.ts reads of node:fs: the control groups of processes of the simulated hosts; there are no paths. */
import {host} from './host.js'

export function readFileSync(path: string): string {
  if (path === '/proc/stat') return 'btime 0\n'
  const container = host.namespaces.get(Number(/^\/proc\/(\d+)\/cgroup$/.exec(path)?.[1]))
  if (container === undefined) throw new Error(`ENOENT: ${path}`)
  return `0::/docker/${container}`
}

export const lstatSync = (): undefined => undefined
