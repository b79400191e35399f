/** The `ip` program, here or in another network namespace. */
import {CalicoError} from '../errors.js'
import {CommandError, runCommand} from './command.js'
import type {NetworkNamespace} from './network-namespace.js'

/** Where a command works: in a namespace, or, undefined, on the host itself. */
export type Where = NetworkNamespace | undefined

/** The descriptor under which a program that we start has the namespace. */
export const NAMESPACE_FILE = '/proc/self/fd/3'

/** Runs FILE in WHERE. @throws CalicoError, see runCommand */
export async function runIn(where: Where, file: string, args: readonly string[], {namespace = where}: {namespace?: Where} = {}): Promise<string> {
  const options = namespace ? {descriptor: namespace.descriptor} : {}
  if (where === undefined) return runCommand(file, args, options)
  try {
    return await runCommand('nsenter', [`--net=${NAMESPACE_FILE}`, file, ...args], options)
  } catch (error) {
    throw error instanceof CommandError ? inNamespace(error, where, file) : error
  }
}

function inNamespace(error: CommandError, where: NetworkNamespace, file: string): CalicoError {
  const {stderr} = error.failure
  if (stderr.includes('reassociate to namespace')) return new CalicoError('invalid', `${where.path} is not a network namespace that can be entered`, {details: [stderr], cause: error})
  if (/failed to execute .*: No such file/.test(stderr)) return new CalicoError('failed', `The program '${file}' is not on this host`, {cause: error})
  return error
}

/** What `ip -j ARGS` says, in WHERE. */
export async function ipJson<T>(where: Where, args: readonly string[]): Promise<T[]> {
  const text = await runIn(where, 'ip', ['-j', ...args])
  if (text.trim() === '') return []
  try {
    return JSON.parse(text) as T[]
  } catch (error) {
    throw new CalicoError('failed', `'ip -j ${args.join(' ')}' did not answer in JSON`, {hint: 'iproute2 4.15 or newer is needed.', cause: error})
  }
}

/** Runs `ip ARGS` in WHERE. NAMESPACE is another one that ARGS name as NAMESPACE_FILE. */
export async function ip(where: Where, args: readonly string[], options: {namespace?: Where} = {}): Promise<void> {
  await runIn(where, 'ip', args, options)
}
