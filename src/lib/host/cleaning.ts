/** Removing from this host what calico-node leaves behind (calico-node.md §6): Calico's chains, IP sets, tunnel devices and routes, and nothing else. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {append} from '../append.js'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {CalicoError} from '../errors.js'
import {CommandError, runCommand} from './command.js'
import {findInterface} from './interfaces.js'

/** Both kinds of iptables: which one Felix used cannot be known, and each sees only its own rules. */
const IPTABLES = ['iptables-legacy', 'iptables-nft', 'ip6tables-legacy', 'ip6tables-nft'] as const

/** Felix marks every rule that it puts into a chain of the kernel's with such a comment. */
const FELIX_COMMENT = /--comment "?cali:[A-Za-z0-9_-]{16}"?(?:\s|$)/
const TO_FELIX_CHAIN = /\s-[jg] cali-\S+/

/** Felix' own names of IP sets: main and temporary ones, IPv4 and IPv6. */
const IP_SET = /^cali[46][0t]/

const DEVICES = ['vxlan.calico', 'vxlan-v6.calico', 'wireguard.cali', 'wg-v6.cali']

/** Felix' own number for routes. */
const ROUTE_PROTOCOL = '80'

/** What was removed, or, in a dry run, would be: one line for each. */
export interface Cleaning {
  readonly removed: readonly string[]
  /** What could not be examined or removed. */
  readonly problems: readonly string[]
}

/**
 * The input of `iptables-restore --noflush` that takes Calico's chains, and the rules that lead to them, out of SAVED, the output of iptables-save;
 * undefined if there are none. No other line is mentioned. Pure.
 */
export function chainRemoval(saved: string): {script: string; chains: number} | undefined {
  let chains = 0
  const tables: string[] = []
  let lines: string[] = []
  let own: string[] = []
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) {
      lines = [line]
      own = []
    } else if (line.startsWith(':cali-')) {
      own.push(line.slice(1).split(' ', 1)[0] ?? '')
    } else if (line.startsWith('-A ') && !line.startsWith('-A cali-') && (FELIX_COMMENT.test(line) || TO_FELIX_CHAIN.test(line))) {
      lines.push(`-D${line.slice(2)}`)
    } else if (line === 'COMMIT') {
      chains += own.length
      // All are emptied before the first is deleted: they lead to each other.
      const all = [...lines, ...own.map((chain) => `-F ${chain}`), ...own.map((chain) => `-X ${chain}`)]
      if (all.length > 1) append(tables, [...all, 'COMMIT'])
    }
  }
  return tables.length === 0 ? undefined : {script: `${tables.join('\n')}\n`, chains}
}

/** Cleans this host. What has been cleaned before is no fault: run again, it does the rest. */
export async function cleanHost({dryRun = false}: {dryRun?: boolean} = {}): Promise<Cleaning> {
  const removed: string[] = []
  const problems: string[] = []
  const step = async (what: string, work: () => Promise<readonly string[]>): Promise<void> => {
    try {
      append(removed, await work())
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error
      problems.push(`${what}: ${[error.message, ...error.details].join('; ')}`)
    }
  }
  for (const program of IPTABLES) await step(program, () => cleanChains(program, dryRun))
  await step('nft', () => cleanNftTables(dryRun))
  await step('ipset', () => cleanIpSets(dryRun))
  for (const family of ['-4', '-6']) await step(`routes (ip ${family})`, () => cleanRoutes(family, dryRun))
  for (const device of DEVICES) await step(device, () => cleanDevice(device, dryRun))
  return {removed, problems}
}

/** The output of a program that need not be on this host, nor be able to work with its kernel; undefined then. */
async function ifPossible(file: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return await runCommand(file, args)
  } catch (error) {
    if (error instanceof CalicoError && (!(error instanceof CommandError) || error.failure.exitCode !== undefined)) return undefined
    throw error
  }
}

async function cleanChains(program: string, dryRun: boolean): Promise<string[]> {
  const saved = await ifPossible(`${program}-save`, [])
  const removal = saved === undefined ? undefined : chainRemoval(saved)
  if (!removal) return []
  if (!dryRun) await restore(program, removal.script)
  return [`${removal.chains} chains (${program})`]
}

async function restore(program: string, script: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-clean-'))
  try {
    const file = join(folder, 'rules')
    writeFileSync(file, script, {mode: 0o600})
    await runCommand(`${program}-restore`, ['--noflush', '-w', '5', file], {timeoutMs: 30_000})
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

async function cleanNftTables(dryRun: boolean): Promise<string[]> {
  const listed = (await ifPossible('nft', ['list', 'tables'])) ?? ''
  const tables = listed.split('\n').filter((line) => /^table ip6? calico$/.test(line))
  for (const table of dryRun ? [] : tables) await runCommand('nft', ['delete', ...table.split(' ')])
  return tables.map((table) => `nft ${table}`)
}

async function cleanIpSets(dryRun: boolean): Promise<string[]> {
  const names = ((await ifPossible('ipset', ['list', '-n'])) ?? '').split('\n').filter((name) => IP_SET.test(name))
  for (const name of dryRun ? [] : names) await runCommand('ipset', ['destroy', name])
  return names.length === 0 ? [] : [`${names.length} IP sets`]
}

async function cleanRoutes(family: string, dryRun: boolean): Promise<string[]> {
  const routes = ((await ifPossible('ip', [family, 'route', 'show', 'table', 'all', 'proto', ROUTE_PROTOCOL])) ?? '').split('\n').filter((line) => line.trim() !== '')
  if (routes.length > 0 && !dryRun) await runCommand('ip', [family, 'route', 'flush', 'table', 'all', 'proto', ROUTE_PROTOCOL])
  return routes.map((route) => `route ${route.trim()}`)
}

async function cleanDevice(device: string, dryRun: boolean): Promise<string[]> {
  if (!(await findInterface(undefined, device))) return []
  if (!dryRun) await runCommand('ip', ['link', 'delete', 'dev', device])
  return [`device ${device}`]
}
