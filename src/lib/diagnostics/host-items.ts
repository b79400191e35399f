/** What the host's own programs say (cli-v0.20 §4.10). */
import {existsSync, readFileSync} from 'node:fs'
import {hostname, release} from 'node:os'
import {CommandError, runCommand} from '../host/command.js'
import type {Collected, Item} from './item.js'

const TIME_LIMIT_MS = 15_000

interface HostCommand {
  readonly words: readonly string[]
  readonly progress: string
  /** A line that v0.20 did not have. */
  readonly ours?: boolean
  /** For hosts without the program. */
  readonly instead?: readonly string[]
  /** Further words that do not go into the file's name. */
  readonly limits?: readonly string[]
  readonly log?: boolean
  /** Why this host has nothing of the kind; undefined if it may. */
  readonly without?: () => string | undefined
}

const without = (feature: string, ...modules: readonly string[]) => (): string | undefined => (modules.some(kernelMayHave) ? undefined : `the kernel has no ${feature}`)

const COMMANDS: readonly HostCommand[] = [
  {words: ['netstat', '--all', '--numeric'], instead: ['ss', '--all', '--numeric'], progress: 'Dumping netstat'},
  {words: ['ip', '-4', 'route'], progress: 'Dumping routes (IPv4)'},
  {words: ['ip', '-6', 'route'], progress: 'Dumping routes (IPv6)'},
  {words: ['ip', '-4', 'addr'], progress: 'Dumping interface info (IPv4)'},
  {words: ['ip', '-6', 'addr'], progress: 'Dumping interface info (IPv6)'},
  {words: ['iptables-save'], progress: 'Dumping iptables (IPv4)', without: without('IPv4 packet filter', 'ip_tables', 'nf_tables')},
  {words: ['ip6tables-save'], progress: 'Dumping iptables (IPv6)', without: without('IPv6 packet filter', 'ip6_tables', 'nf_tables')},
  {words: ['ipset', 'list'], progress: 'Dumping ipsets', without: without('IP sets', 'ip_set')},
  {words: ['nft', '-n', '-a', 'list', 'ruleset'], progress: 'Dumping nft rules', ours: true, without: without('nftables', 'nf_tables')},
  {
    words: ['journalctl', '-u', 'calico-node.service', '--no-pager'],
    limits: ['--lines=50000'],
    log: true,
    progress: 'Copying journal for calico-node.service',
    without: () => (existsSync('/run/systemd/system') ? undefined : 'systemd does not run here'),
  },
]

/** What v0.20 called the file of a command: letters, digits, blanks and `-` of it, blanks as `_`. */
export const fileName = (words: readonly string[]): string => words.join(' ').replaceAll(/[^A-Za-z0-9 -]/g, '').replaceAll(' ', '_')

export function hostItems(now: Date): Item[] {
  return [
    {name: 'date', collect: () => Promise.resolve({files: [{path: 'date', text: `${now.toString()}\n${now.toISOString()}\n`}]})},
    {name: 'hostname', collect: () => Promise.resolve({files: [{path: 'hostname', text: `${hostname()}\n`}]})},
    ...COMMANDS.map((command) => ({
      name: command.words.join(' '),
      progress: {line: command.progress, ...(command.ours === undefined ? {} : {ours: command.ours})},
      timeLimitMs: 2 * TIME_LIMIT_MS + 1_000,
      collect: () => runOne(command),
    })),
    {name: 'felix stats', progress: {line: 'Dumping felix stats'}, collect: askFelix},
  ]
}

async function runOne({words, instead, limits = [], log, without: nothing}: HostCommand): Promise<Collected> {
  const why = nothing?.()
  const [program = '', ...args] = words
  try {
    return {files: [{path: fileName(words), text: `${await runCommand(program, [...args, ...limits], {timeoutMs: TIME_LIMIT_MS})}\n`, ...(log === undefined ? {} : {log})}]}
  } catch (error) {
    if (!(error instanceof Error)) throw error
    if (!(error instanceof CommandError) && instead !== undefined) return runOne({words: instead, progress: ''})
    // Where there is nothing to be seen, a program that is not there or sees nothing is no loss.
    if (why !== undefined) return {notNeeded: why}
    const said = error instanceof CommandError ? error.failure.stderr : ''
    return {missing: [error.message, ...(said === '' ? [] : [said])].join('\n'), files: [{path: fileName(words), text: `${error.message}\n${said}\n`}]}
  }
}

/**
 * A Felix that runs as a program of its own writes its statistics to its log on this signal; the one within calico-node is another program, and has no use
 * for it. As in v0.20 no one looks at the outcome.
 */
async function askFelix(): Promise<Collected> {
  await runCommand('pkill', ['-SIGUSR1', '-x', 'calico-felix']).catch(() => undefined)
  return {files: []}
}

/** Whether the kernel may have the module NAME, loaded or built in. Where that cannot be seen, it may. */
function kernelMayHave(name: string): boolean {
  try {
    const builtIn = readFileSync(`/lib/modules/${release()}/modules.builtin`, 'latin1')
    return builtIn.includes(`/${name}.ko`) || readFileSync('/proc/modules', 'latin1').split('\n').some((line) => line.startsWith(`${name} `))
  } catch {
    return true
  }
}
