/** Making this host ready for calico-node (cli-v0.20 §4.3.1): kernel modules, forwarding, the size of the connection table. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs'
import {CalicoError} from '../errors.js'
import {CommandError, runCommand} from './command.js'

export interface PreparationStep {
  /** What the step is about, e.g. `/proc/sys/net/ipv4/ip_forward = 1`. */
  readonly what: string
  readonly result: 'done' | 'already' | 'failed'
  /** With `failed`: why. */
  readonly why?: string
}

export interface PreparationOptions {
  /** Tell what would be done. */
  readonly dryRun?: boolean
  /** In place of /proc/sys. */
  readonly sysctls?: string
  /** Loads kernel modules, those of a list that are not there. */
  readonly loadModules?: (names: readonly string[]) => Promise<unknown>
}

const MODULES = ['xt_set', 'ip6_tables']

interface Sysctl {
  readonly path: string
  readonly value: number
  /** A higher value is right as well. */
  readonly atLeast?: boolean
  /** Calico works without it. */
  readonly optional?: boolean
  /** Without the file the step falls away: the kernel has no IPv6, for example. */
  readonly ifExists?: string
}

const SYSCTLS: readonly Sysctl[] = [
  {path: 'net/ipv4/ip_forward', value: 1},
  {path: 'net/ipv6/conf/all/forwarding', value: 1, ifExists: 'net/ipv6'},
  {path: 'net/netfilter/nf_conntrack_max', value: 1_000_000, atLeast: true, optional: true},
]

/**
 * Prepares the host; steps that have been done before are left alone.
 * @throws CalicoError `failed` if forwarding cannot be switched on
 */
export async function prepareHost({dryRun = false, sysctls = '/proc/sys', loadModules = modprobe}: PreparationOptions = {}): Promise<PreparationStep[]> {
  const steps = [await prepareModules(dryRun, loadModules)]
  for (const sysctl of SYSCTLS) {
    if (sysctl.ifExists !== undefined && !existsSync(`${sysctls}/${sysctl.ifExists}`)) continue
    steps.push(prepareSysctl(sysctls, sysctl, dryRun))
  }
  return steps
}

const modprobe = (names: readonly string[]): Promise<string> => runCommand('modprobe', ['-a', ...names])

async function prepareModules(dryRun: boolean, loadModules: (names: readonly string[]) => Promise<unknown>): Promise<PreparationStep> {
  const missing = MODULES.filter((name) => !existsSync(`/sys/module/${name}`))
  const what = `kernel modules ${MODULES.join(', ')}`
  if (missing.length === 0) return {what, result: 'already'}
  if (dryRun) return {what, result: 'done'}
  try {
    await loadModules(missing)
    return {what, result: 'done'}
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    return {what, result: 'failed', why: error instanceof CommandError && error.failure.stderr !== '' ? error.failure.stderr.split('\n', 1).join() : error.message}
  }
}

function prepareSysctl(root: string, {path, value, atLeast = false, optional = false}: Sysctl, dryRun: boolean): PreparationStep {
  const file = `${root}/${path}`
  const what = `${file} = ${value}`
  try {
    const before = Number(readFileSync(file, 'latin1').trim())
    if (before === value || (atLeast && before > value)) return {what, result: 'already'}
    if (!dryRun) writeFileSync(file, `${value}\n`)
    return {what, result: 'done'}
  } catch (error) {
    const why = (error as Error).message
    if (optional) return {what, result: 'failed', why}
    throw new CalicoError('failed', `${what} could not be set: ${why}`, {hint: 'Calico needs forwarding. In a container, run calicoctl with --privileged.', cause: error})
  }
}
