/** Which systemd unit this process runs in, as its control groups tell: whoever is part of a unit must not wait for that unit to stop. */
import {readFileSync} from 'node:fs'

/** Whether the control groups in TEXT, /proc/self/cgroup of a process, are those of the unit NAME, or lie below them (systemd runs ExecStop in one of those). */
export const isInUnit = (text: string, name: string): boolean => text.split('\n').some((line) => line.split(':').slice(2).join(':').split('/').includes(name))

/** Whether this process is part of the unit NAME. */
export function runsInUnit(name: string): boolean {
  try {
    return isInUnit(readFileSync('/proc/self/cgroup', 'utf8'), name)
  } catch {
    return false
  }
}
