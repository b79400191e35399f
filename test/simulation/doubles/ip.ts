/** src/lib/host/ip.ts on the simulated hosts: nothing but that it takes a moment. */
import {takesTime} from './host.js'

export async function ip(): Promise<void> {
  await takesTime()
}

export async function ipJson(): Promise<[]> {
  await takesTime()
  return []
}
