/** Which signals a process would see, from Linux's /proc. */
import {readFileSync} from 'node:fs'
import {constants} from 'node:os'

/** Whether the process PID has a handler for SIGNAL by now: before, the signal would end it without a word. */
export function catches(pid: number | undefined, signal: NodeJS.Signals): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid ?? 'self'}/status`, 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${mask}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n
}
