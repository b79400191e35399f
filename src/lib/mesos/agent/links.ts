/** Whose containers the interfaces of this host lead to, as far as this process can see. */
import {readlinkSync} from 'node:fs'
import {isError} from '../../errors.js'
import {runCommand} from '../../host/command.js'
import {hasHostInterface} from '../../host/interfaces.js'
import {ipJson} from '../../host/ip.js'
import {asRecord} from '../../model/schema/codec.js'

/** `dead`: no process has the namespace of the other end. `here`: the other end is on the host itself. `unknown`: it cannot be seen. */
export type OtherEnd = 'living' | 'dead' | 'here' | 'unknown'

export interface HostLinks {
  exists(name: string): boolean
  otherEnd(name: string): OtherEnd
  /** Why the other ends in namespaces could not be examined although this process may: a sentence. */
  readonly problem?: string
}

/** A veth as `ip -j -d link` describes it. */
export interface Veth {
  readonly ifname: string
  /** The other end's name, where that is in the same namespace. */
  readonly link?: string | null
  /** The number by which this namespace knows the other end's. */
  readonly link_netnsid?: number
}

/** The kernel's PROC_PID_INIT_INO: the namespace of all processes of the machine. */
const ALL_PROCESSES = 'pid:[4026531836]'

/** What there is of interfaces now. Without the rights to look at all processes, the other ends are unknown. */
export async function readLinks(): Promise<HostLinks> {
  const seesAll = process.geteuid?.() === 0 && readlinkSync('/proc/self/ns/pid') === ALL_PROCESSES
  if (!seesAll) return linksOf([], undefined, hasHostInterface)
  const [veths, living] = await Promise.all([ipJson<Veth>(undefined, ['-d', 'link', 'show', 'type', 'veth']), livingNamespaces()])
  if ('problem' in living) return {...linksOf(veths, undefined, hasHostInterface), problem: `It cannot be determined whether processes use the containers' namespaces: ${living.problem}`}
  return linksOf(veths, living, hasHostInterface)
}

/** LIVING: the numbers of namespaces that a process has; undefined if they cannot be known. */
export function linksOf(veths: readonly Veth[], living: ReadonlySet<number> | undefined, exists: HostLinks['exists']): HostLinks {
  const byName = new Map(veths.map((veth) => [veth.ifname, veth]))
  return {
    exists,
    otherEnd(name) {
      const veth = byName.get(name)
      if (!veth) return 'unknown'
      if (veth.link_netnsid === undefined) return typeof veth.link === 'string' ? 'here' : 'unknown'
      if (living === undefined) return 'unknown'
      return living.has(veth.link_netnsid) ? 'living' : 'dead'
    },
  }
}

/** lsns goes through all processes of the host. */
const LSNS_LIMIT_MS = 15_000
/** It fails now and then where processes end while it looks at them. */
const LSNS_TRIES = 3

/** What lsns says; util-linux before 2.32 does not know the numbers. */
async function livingNamespaces(tries = LSNS_TRIES): Promise<ReadonlySet<number> | {readonly problem: string}> {
  try {
    return namespacesIn(await runCommand('lsns', ['-J', '-t', 'net', '-o', 'NETNSID,NPROCS'], {timeoutMs: LSNS_LIMIT_MS})) ?? {problem: 'lsns does not answer in JSON'}
  } catch (error) {
    if (!isError(error)) throw error
    return tries > 1 ? livingNamespaces(tries - 1) : {problem: error.message}
  }
}

/** The namespaces with processes in TEXT, what lsns says; undefined if it is something else. */
export function namespacesIn(text: string): ReadonlySet<number> | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  const namespaces = asRecord(parsed)?.namespaces
  if (!Array.isArray(namespaces)) return undefined
  return new Set(
    namespaces.flatMap((each: unknown) => {
      const {netnsid, nprocs} = asRecord(each) ?? {}
      return numberIn(nprocs) > 0 && /^\d+$/.test(String(numberIn(netnsid))) ? [numberIn(netnsid)] : []
    }),
  )
}

/** Numbers are texts or not, by version. */
const numberIn = (value: unknown): number => (typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN)
