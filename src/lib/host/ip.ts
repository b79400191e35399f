/** The `ip` program, here or in another network namespace. */
import {CalicoError} from '../errors.js'
import {isObject} from '../json/is-object.js'
import {CommandError, runCommand} from './command.js'
import type {NetworkNamespace} from './network-namespace.js'

/** Where a command works: in a namespace, or, undefined, on the host itself. */
export type Where = NetworkNamespace | undefined

/** The descriptor under which a program that we start has the namespace. */
export const NAMESPACE_FILE = '/proc/self/fd/3'

/** How a namespace is entered. */
const ENTER = ['nsenter', `--net=${NAMESPACE_FILE}`] as const

interface RunOptions {
  /** Another namespace that the program knows as NAMESPACE_FILE. */
  readonly namespace?: Where
  readonly input?: string
}

/** Runs FILE in WHERE. @throws CalicoError, see runCommand */
export async function runIn(where: Where, file: string, args: readonly string[], {namespace = where, ...rest}: RunOptions = {}): Promise<string> {
  const options = namespace ? {...rest, descriptor: namespace.descriptor} : rest
  if (where === undefined) return runCommand(file, args, options)
  const [nsenter, ...how] = ENTER
  try {
    return await runCommand(nsenter, [...how, file, ...args], options)
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
  return ipObjects(await runIn(where, 'ip', ['-j', ...args]), args) as T[]
}

/** What the members that are read have in them, in interfaces, addresses and routes. `link` may be null. */
const MEMBERS: Readonly<Record<string, (value: unknown) => boolean>> = {
  ...Object.fromEntries(['ifname', 'family', 'local', 'scope', 'dev', 'gateway', 'prefsrc'].map((name) => [name, (value: unknown) => typeof value === 'string'])),
  ...Object.fromEntries(['ifindex', 'link_index', 'mtu', 'metric'].map((name) => [name, Number.isSafeInteger])),
  ...Object.fromEntries(['tentative', 'temporary'].map((name) => [name, (value: unknown) => typeof value === 'boolean'])),
  flags: (value) => Array.isArray(value) && value.every((flag) => typeof flag === 'string'),
  addr_info: (value) => Array.isArray(value) && value.every((each: unknown) => isObject(each) && wrongMember(each) === undefined && hasPrefix(each)),
}

/** Whether the prefix of ADDRESS, where it has one, is one of its family. */
const hasPrefix = ({local, prefixlen}: {readonly local?: string; readonly prefixlen?: unknown}): boolean =>
  prefixlen === undefined || (typeof prefixlen === 'number' && Number.isInteger(prefixlen) && prefixlen >= 0 && prefixlen <= (local?.includes(':') ? 128 : 32))

/** The name of a member of OBJECT that has something else in it than its readers take for given, or that an interface lacks; undefined if there is none. */
function wrongMember(object: object): string | undefined {
  if (Object.hasOwn(object, 'ifindex') && !Object.hasOwn(object, 'ifname')) return 'ifname'
  return Object.entries(object).find(([name, value]) => Object.hasOwn(MEMBERS, name) && MEMBERS[name]?.(value) === false)?.[0]
}

/**
 * The objects in TEXT, what `ip -j ARGS` says. For what its filter leaves out it may give objects without members.
 * @throws CalicoError `failed` where it is something else, or a member that is read has another type than iproute2's
 */
export function ipObjects(text: string, args: readonly string[]): object[] {
  if (text.trim() === '') return []
  const fail = (cause?: unknown): never => {
    throw new CalicoError('failed', `'ip -j ${args.join(' ')}' did not answer in JSON`, {hint: 'iproute2 4.15 or newer is needed.', cause})
  }
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch (error) {
    return fail(error)
  }
  if (!Array.isArray(answer)) return fail()
  const objects = answer.filter((each: unknown): each is object => isObject(each) && Object.keys(each).length > 0)
  for (const each of objects) {
    const wrong = wrongMember(each)
    if (wrong !== undefined) throw new CalicoError('failed', `'ip -j ${args.join(' ')}' gave an object whose '${wrong}' cannot be read`, {hint: 'The program ip of iproute2 is needed.'})
  }
  return objects
}

/** Runs `ip ARGS` in WHERE. NAMESPACE is another one that ARGS name as NAMESPACE_FILE. */
export async function ip(where: Where, args: readonly string[], options: {namespace?: Where} = {}): Promise<void> {
  await runIn(where, 'ip', args, options)
}

/** One of several commands failed. */
export class BatchError extends CommandError {
  /** DONE: how many commands before it were done; undefined if that is not known. */
  constructor(
    line: string,
    failure: CommandError['failure'],
    readonly done: number | undefined,
  ) {
    super(line, failure)
  }
}

/** `ip -batch` splits its lines at blanks, and knows quotes, comments and continued lines: what is none of these says the same as an argument. */
const PLAIN_WORD = /^[A-Za-z0-9_.:/@%+=,-]+$/

/**
 * Runs several `ip` COMMANDS in WHERE, in their order and no further than to the first one that fails: in one process, or, where a word has characters
 * that mean something to `ip -batch`, in one for each. `ip` takes the family from the addresses; -4 and -6 are no words of a command.
 * @throws BatchError, which reads as if the command that failed had been run alone; CalicoError, see runCommand
 */
export async function ipBatch(where: Where, commands: readonly (readonly string[])[]): Promise<void> {
  if (commands.length > 1 && commands.flat().every((word) => PLAIN_WORD.test(word))) return runBatch(where, commands)
  for (const [done, args] of commands.entries()) {
    try {
      await ip(where, args)
    } catch (error) {
      throw error instanceof CommandError ? new BatchError(error.line, error.failure, done) : error
    }
  }
}

async function runBatch(where: Where, commands: readonly (readonly string[])[]): Promise<void> {
  try {
    await runIn(where, 'ip', ['-batch', '-'], {input: commands.map((args) => `${args.join(' ')}\n`).join('')})
  } catch (error) {
    throw error instanceof CommandError ? ofCommand(error, where, commands) : error
  }
}

/** ERROR, of all COMMANDS, as that of the one that failed. */
function ofCommand(error: CommandError, where: Where, commands: readonly (readonly string[])[]): BatchError {
  const {stderr} = error.failure
  const [said, number] = /^Command failed -:(\d+)$/m.exec(stderr) ?? []
  const args = commands[Number(number) - 1]
  // A command that `ip` does not understand ends it at once, without a number; so does its end for another reason.
  if (said === undefined || args === undefined) return new BatchError(`${error.line}: ${commands.map((each) => each.join(' ')).join('; ')}`, error.failure, undefined)
  const words = stderr.split('\n').filter((line) => line !== said).join('\n')
  return new BatchError([...(where ? ENTER : []), 'ip', ...args].join(' '), {...error.failure, stderr: words}, Number(number) - 1)
}
