import {readFileSync} from 'node:fs'
import type {Metadata} from '../model/resource.js'

/** UUIDs that are asked of the kernel: so many take less time than node:crypto takes to load, which is 3 ms. */
const FROM_KERNEL = 30
let made = 0

/** A random (version 4) UUID, lower case with dashes. */
export function newUuid(): string {
  if (++made > FROM_KERNEL) return globalThis.crypto.randomUUID()
  try {
    return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim()
  } catch {
    return globalThis.crypto.randomUUID()
  }
}

/** Now, as Kubernetes writes times: RFC 3339, UTC, whole seconds. */
function timestamp(date: Date = new Date()): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

/** METADATA with the uid and creationTimestamp that every stored object needs to stay updatable (datamodel-v3 §0.3, T2); given ones are kept. */
export function withIdentity(metadata: Metadata): Metadata {
  return {...metadata, uid: metadata.uid ?? newUuid(), creationTimestamp: metadata.creationTimestamp ?? timestamp()}
}

/** WANTED, or with a number behind it if it is one of TAKEN. */
export function freeName(taken: ReadonlySet<string>, wanted: string): string {
  let name = wanted
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`
  return name
}
