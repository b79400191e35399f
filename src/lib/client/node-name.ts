/** Which node a command means, and who said so (decisions.md 23). */
import {hostname} from 'node:os'
import {CalicoError} from '../errors.js'
import {readTextFile} from '../files/read.js'
import {nodeName} from '../model/names.js'

/** Where calico/node keeps the name that it started with. */
const NODENAME_FILE = '/var/lib/calico/nodename'
const LARGEST_NODENAME = 4096

/** Everything that may name the node. */
export interface NodeNameInputs {
  /** The value of --node. */
  readonly option?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** The first line of NODENAME_FILE; undefined if there is none. */
  readonly file: string | undefined
  /** The system's host name. */
  readonly system: string
}

export interface NodeName {
  /** As stored: lower case. */
  readonly name: string
  /** The place that named it: `--node`, `NODENAME`, a file's path, `the host name`. */
  readonly origin: string
  /** What the user should know: the running calico/node calls itself otherwise. */
  readonly warning?: string
}

/** What this process and this machine say; OPTION is the value of --node. */
export function nodeNameInputs(option?: string): NodeNameInputs {
  return {option, env: process.env, file: readNodenameFile(), system: hostname()}
}

/**
 * The node's name: --node, CALICO_NODENAME, NODENAME, HOSTNAME, calico/node's own file, the system's name; the first that is there, in lower case.
 * FILE_FIRST (the plugins, which serve the running calico/node) asks the file before the environment; a variable that says otherwise is a warning.
 * @throws CalicoError `invalid` if it cannot be a node's name. An empty variable counts as unset (v0.20 refused an empty HOSTNAME).
 */
export function resolveNodeName({option, env, file, system}: NodeNameInputs, {fileFirst = false}: {fileFirst?: boolean} = {}): NodeName {
  const fromFile = {text: unlessEmpty(file), origin: NODENAME_FILE}
  const variables = [
    {text: unlessEmpty(env.CALICO_NODENAME), origin: 'CALICO_NODENAME'},
    {text: unlessEmpty(env.NODENAME), origin: 'NODENAME'},
    {text: unlessEmpty(env.HOSTNAME), origin: 'HOSTNAME'},
  ]
  const sources = [{text: option, origin: '--node'}, ...(fileFirst ? [fromFile, ...variables] : [...variables, fromFile]), {text: system, origin: 'the host name'}]
  const {text = '', origin = ''} = sources.find((source) => source.text !== undefined) ?? {}
  const name = checked(text, origin)
  const own = fromFile.text?.toLowerCase()
  if (own === undefined) return {name, origin}
  if (origin === NODENAME_FILE) {
    const other = variables.find(({text: said}) => said !== undefined)
    if (other?.text === undefined || other.text.toLowerCase() === own) return {name, origin}
    return {name, origin, warning: `${other.origin} is ${other.text}, but calico-node on this host uses the name ${own} (${NODENAME_FILE}); ${own} is used.`}
  }
  if (own === name || (origin === '--node' && !fileFirst)) return {name, origin}
  return {name, origin, warning: `The node name is ${name} (from ${origin}), but calico-node on this host uses the name ${own} (${NODENAME_FILE}).`}
}

/**
 * The name of this host's node, for a command that looks at the host itself (its Docker, kernel or files) or removes what it has (decisions.md 23).
 * @throws CalicoError `refused` if the nodename file says that this host is another node than the one that is named; and as {@link resolveNodeName}
 */
export function thisHostsName(inputs: NodeNameInputs): NodeName {
  const {name, origin} = resolveNodeName(inputs)
  const own = unlessEmpty(inputs.file)?.toLowerCase()
  if (own === undefined || own === name) return {name, origin}
  throw new CalicoError('refused', `This host is node ${own} (${NODENAME_FILE}), but the command was given node ${name} (from ${origin}); nothing was done`, {
    details: ['This command reads or changes the host itself, so it can be used only for the node of this host.'],
    hint: origin === '--node' ? `Omit --node, or run the command on ${name}.` : `Unset ${origin}, or set it to ${own}; to work on ${name}, run the command on that host.`,
  })
}

/** What this host's node may be called: by the variables, and by calico-node's own file. What cannot be a node's name is left out. */
export function namesOfThisHost({env, file, system}: NodeNameInputs): string[] {
  const names = [false, true].flatMap((fileFirst) => {
    try {
      return resolveNodeName({env, file, system}, {fileFirst}).name
    } catch {
      return []
    }
  })
  return [...new Set(names)]
}

const unlessEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

function checked(text: string, origin: string): string {
  if (text === '') throw new CalicoError('invalid', `${origin} is empty, which is not a valid node name`, {hint: 'Give the node name with --node or NODENAME.'})
  try {
    return nodeName(text)
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    throw new CalicoError('invalid', `${origin}: ${error.message}`, {hint: 'Give the node name with --node or NODENAME.', cause: error})
  }
}

function readNodenameFile(): string | undefined {
  try {
    return readTextFile(NODENAME_FILE, {largest: LARGEST_NODENAME}).split('\n', 1)[0]?.trim()
  } catch {
    return undefined
  }
}

/** As {@link resolveNodeName}, for those who only want to show it: what is wrong is a warning, not an error. */
export function tryNodeName(inputs: NodeNameInputs): {found: NodeName | undefined; warnings: readonly string[]} {
  try {
    const found = resolveNodeName(inputs)
    return {found, warnings: found.warning === undefined ? [] : [found.warning]}
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    return {found: undefined, warnings: [error.message]}
  }
}
