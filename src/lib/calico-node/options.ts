/** What the options and variables of `node` say, checked: all problems at once (cli-v0.20 §4.3, calico-node.md §7). Pure. */
import {type Address, type Cidr, type Family, formatAddress, formatCidr, networkOf, notHostIn, notUnicast, parseAddress, parseCidr, parseLenientAsNumber, shortFormProblem} from '../net/index.js'
import {type Method, parseMethod} from './autodetect.js'

export const DEFAULT_IMAGE = 'quay.io/calico/node:v3.32.1'
export const DEFAULT_LOG_DIRECTORY = '/var/log/calico'

/** The options as typed. */
export interface RawOptions {
  readonly ip?: string | undefined
  readonly ip6?: string | undefined
  readonly as?: string | undefined
  readonly 'node-image'?: string | undefined
  readonly runtime?: string | undefined
  readonly 'log-dir'?: string | undefined
  readonly detach?: string | undefined
  readonly libnetwork?: boolean | undefined
  readonly 'libnetwork-image'?: string | undefined
}

/** How the node gets an address: a given one, with its prefix if that was given too, or one to be found. */
export type AddressWish = {readonly type: 'given'; readonly address: Address; readonly prefix: number | undefined} | {readonly type: 'detect'; readonly method: Method; readonly typed: boolean}

export interface NodeOptions {
  /** Undefined: no BGP, and no address asked for. */
  readonly ip: AddressWish | undefined
  readonly ip6: AddressWish | undefined
  readonly asNumber: number | undefined
  readonly image: string
  readonly runtime: 'docker' | 'none'
  readonly logDirectory: string
  /** Go back to the shell once the node runs. */
  readonly detach: boolean
  /** Off: policy only. */
  readonly networking: boolean
  readonly defaultPools: boolean
  /** With the driver for Docker networks; `image`: as a container of that image, wherever it runs. */
  readonly libnetwork: {readonly image: string | undefined} | undefined
}

/** What the options TYPED and ENV say; an empty one is none. Everything that is wrong goes to PROBLEM, one sentence each, and then the result must not be used. */
export function readNodeOptions(typed: RawOptions, env: Readonly<Record<string, string | undefined>>, problem: (text: string) => void): NodeOptions {
  // A script's variable that is empty means that the option is not wanted.
  const options = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== '')) as RawOptions
  const networking = env.CALICO_NETWORKING?.toLowerCase() !== 'false'
  const {runtime = 'docker', detach = 'true'} = options
  if (runtime === 'rkt') problem('--runtime: rkt has been abandoned. Use docker or none.')
  else if (runtime !== 'docker' && runtime !== 'none') problem(`--runtime: '${runtime}' is neither docker nor none.`)
  if (detach !== 'true' && detach !== 'false') problem(`--detach: '${detach}' is neither true nor false.`)
  const asNumber = options.as === undefined ? undefined : parseLenientAsNumber(options.as)
  if (options.as && asNumber === undefined) problem(`--as: '${options.as}' is not an AS number: 1 to 4294967295, or 1.10 as HIGH.LOW.`)
  const logDirectory = options['log-dir'] ?? DEFAULT_LOG_DIRECTORY
  if (!isMountable(logDirectory)) problem(`--log-dir: '${logDirectory}' must be an absolute path without ':' (Docker would treat a relative path as the name of a volume).`)
  const image = options['node-image'] ?? DEFAULT_IMAGE
  if (!isImageName(image)) problem(`--node-image: '${image}' is not the name of an image.`)
  const driverImage = options['libnetwork-image']
  if (driverImage !== undefined && !isImageName(driverImage)) problem(`--libnetwork-image: '${driverImage}' is not the name of an image.`)
  if (driverImage !== undefined && runtime === 'none') problem('--libnetwork-image: with --runtime=none, no container is started; omit this option to run the driver as a systemd unit.')
  return {
    ip: readAddress('--ip', options.ip, 4, problem) ?? (networking ? {type: 'detect', method: {type: 'autodetect'}, typed: false} : undefined),
    ip6: readAddress('--ip6', options.ip6, 6, problem),
    asNumber,
    image,
    runtime: runtime === 'none' ? 'none' : 'docker',
    logDirectory,
    detach: detach === 'true',
    networking,
    defaultPools: env.NO_DEFAULT_POOLS?.toLowerCase() !== 'true',
    libnetwork: options.libnetwork ? {image: driverImage} : undefined,
  }
}

/** Unlike v0.20, `1.2.3` is no address: calico/node would refuse it. */
function readAddress(option: string, text: string | undefined, family: Family, problem: (text: string) => void): AddressWish | undefined {
  if (text === undefined) return undefined
  const method = parseMethod(text)
  if (typeof method === 'string') {
    problem(`${option}: ${method}.`)
    return undefined
  }
  if (method) return {type: 'detect', method, typed: true}
  const cidr = text.includes('/') ? parseCidr(text) : undefined
  const address = cidr ? {family: cidr.family, value: cidr.value} : parseAddress(text)
  // As in Go, ::ffff:10.0.0.1 is 10.0.0.1; whoever writes it for an IPv4 address means something else.
  if (address?.family !== family || text.includes(':') !== (family === 6)) {
    problem(`${option}: '${text}' ${shortFormProblem(text, text.includes('/') ? 'cidr' : 'address') ?? `is not an IPv${family} address`}.`)
    return undefined
  }
  const wrong = notNodes(address, cidr)
  if (wrong !== undefined) {
    problem(`${option}: ${formatAddress(address)} cannot be a node's address: it is ${wrong}.`)
    return undefined
  }
  return {type: 'given', address, prefix: cidr?.prefix}
}

/** What ADDRESS is, where no node can have it: no host's at all, or none in CIDR, the network that was typed with it. */
function notNodes(address: Address, cidr: Cidr | undefined): string | undefined {
  const special = notUnicast(address)
  if (special !== undefined || !cidr) return special
  if (cidr.prefix === 0) return 'given with the prefix length 0'
  const inNetwork = notHostIn(cidr, address)
  return inNetwork === undefined ? undefined : `${inNetwork} ${formatCidr(networkOf(cidr))}`
}

/** Whether the Engine takes PATH for a folder of this host: in its `source:target` a colon would end it. */
export const isMountable = (path: string): boolean => /^\/[^:\0\n]*$/.test(path)

const isImageName = (text: string): boolean => text.length <= 400 && /^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/.test(text)
