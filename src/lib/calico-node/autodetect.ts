/** Which of this host's addresses is the node's: the methods of calico/node (datamodel-v3 §5.4), with a reason for every candidate. Pure. */
import {addressesOf, type HostAddress, type HostInterface, isForContainers, isOnlyForContainers, unusable} from '../host/candidates.js'
import {type Address, contains, equalAddresses, formatAddress, formatCidr, type Family, networkOf, notHostIn, parseAddress, parseCidr, shortFormProblem} from '../net/index.js'

export type Method =
  | {readonly type: 'autodetect' | 'first-found'}
  | {readonly type: 'interface' | 'skip-interface'; readonly patterns: readonly string[]}
  | {readonly type: 'can-reach'; readonly target: string}
  | {readonly type: 'cidr'; readonly networks: readonly string[]}

export interface Candidate extends HostAddress {
  /** Why it is not the node's address; undefined = it may be. */
  readonly rejected: string | undefined
}

const TEMPORARY = 'a temporary address'

const METHODS = 'autodetect, first-found, interface=REGEX, skip-interface=REGEX, can-reach=HOST and cidr=CIDR'

/** The method that TEXT, the value of --ip or --ip6, names; undefined if it names none; a string says what is wrong with it. */
export function parseMethod(text: string): Method | string | undefined {
  if (text === 'autodetect' || text === 'first-found') return {type: text}
  const split = text.indexOf('=')
  if (split < 0) return undefined
  const [type, value] = [text.slice(0, split), text.slice(split + 1)]
  const values = value.split(',').map((each) => each.trim())
  switch (type) {
    case 'interface':
    case 'skip-interface': {
      const wrong = values.find((each) => each === '' || !isPattern(each))
      return wrong === undefined ? {type, patterns: values} : `'${wrong}' is not a regular expression for the name of an interface`
    }
    case 'can-reach': {
      const short = shortFormProblem(value, 'address')
      if (short !== undefined) return `'${value}' ${short}`
      return /^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$/.test(value) || parseAddress(value) ? {type, target: value} : `'${value}' is neither an address nor a host name`
    }
    case 'cidr': {
      const wrong = values.find((each) => parseCidr(each) === undefined)
      return wrong === undefined ? {type, networks: values} : `'${wrong}' ${shortFormProblem(wrong, 'cidr') ?? 'is not a CIDR'}`
    }
    default:
      return `'${type}=' is not a detection method. The methods are ${METHODS}`
  }
}

/** METHOD as calico/node takes it in IP_AUTODETECTION_METHOD. */
export function methodText(method: Method): string {
  switch (method.type) {
    case 'autodetect':
    case 'first-found':
      return 'first-found'
    case 'interface':
    case 'skip-interface':
      return `${method.type}=${method.patterns.join(',')}`
    case 'can-reach':
      return `can-reach=${method.target}`
    case 'cidr':
      return `cidr=${method.networks.join(',')}`
  }
}

function isPattern(text: string): boolean {
  if (text.length > 200) return false
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}

/** The prefix length that ADDRESS has on this host; undefined if it is on none of the interfaces. */
export const prefixOf = (interfaces: readonly HostInterface[], address: Address): number | undefined =>
  addressesOf(interfaces, address.family).find((each) => each.address.value === address.value)?.prefix

/**
 * Why ADDRESS, which the user gave, cannot be the node's on a host with INTERFACES: what autodetection would not take either, whatever its method; undefined if
 * it can. An address that is on none of them may be (behind NAT, or not yet assigned), unless it is no host's in one of their networks.
 */
export function unsuitable(interfaces: readonly HostInterface[], address: Address): string | undefined {
  const all = addressesOf(interfaces, address.family)
  const own = all.filter((each) => equalAddresses(each.address, address))
  if (own.length > 0) {
    const reasons = own.map((each) => unusable(each) ?? (isOnlyForContainers(each.interfaceName) ? `${each.interfaceName} belongs to containers or to Calico` : each.temporary ? TEMPORARY : undefined))
    return reasons.includes(undefined) ? undefined : reasons[0]
  }
  for (const {address: {family, value}, prefix, interfaceName} of all) {
    const network = networkOf({family, value, prefix})
    const reason = notHostIn(network, address)
    if (reason !== undefined) return `it is ${reason} ${formatCidr(network)} on ${interfaceName}`
  }
  return undefined
}

/** Every address of FAMILY, and whether METHOD allows it. REACHED is the source address of the route that can-reach asked for. */
export function candidates(interfaces: readonly HostInterface[], family: Family, method: Method, reached?: Address): Candidate[] {
  const judge = judgeOf(method, reached)
  return addressesOf(interfaces, family).map((each) => {
    const {interfaceName, address, prefix} = each
    const rejected = unusable(each) ?? judge(each)
    return {interfaceName, address, prefix, rejected: rejected ?? (each.temporary ? TEMPORARY : undefined)}
  })
}

type Judge = (candidate: HostAddress) => string | undefined

function judgeOf(method: Method, reached: Address | undefined): Judge {
  const byDefault: Judge = ({interfaceName}) => (isForContainers(interfaceName) ? `${interfaceName} belongs to containers or to Calico` : undefined)
  switch (method.type) {
    case 'autodetect':
    case 'first-found':
      return byDefault
    case 'interface': {
      const wanted = method.patterns.map((pattern) => new RegExp(pattern))
      return ({interfaceName}) => (wanted.some((pattern) => pattern.test(interfaceName)) ? undefined : `${interfaceName} does not match the given interfaces`)
    }
    case 'skip-interface': {
      const unwanted = method.patterns.map((pattern) => new RegExp(pattern))
      return (candidate) => (unwanted.some((pattern) => pattern.test(candidate.interfaceName)) ? `${candidate.interfaceName} is excluded by skip-interface` : byDefault(candidate))
    }
    case 'can-reach':
      return ({address}) => (address.value === reached?.value ? undefined : `not the address from which ${method.target} is reached`)
    case 'cidr': {
      const networks = method.networks.flatMap((text) => parseCidr(text) ?? [])
      return ({address}) => (networks.some((network) => network.family === address.family && contains(network, address)) ? undefined : `not in ${method.networks.join(', ')}`)
    }
  }
}

export type Choice =
  | {readonly type: 'chosen'; readonly candidate: Candidate}
  | {readonly type: 'none'}
  /** Several could be meant, and METHOD does not say which. */
  | {readonly type: 'ambiguous'; readonly candidates: readonly Candidate[]}

/** The one of CANDIDATES: the first, except that plain `autodetect` does not guess; there STORED, the node's address until now, decides if it is one of them. */
export function choose(all: readonly Candidate[], method: Method, stored?: Address): Choice {
  const allowed = all.filter(({rejected}) => rejected === undefined)
  const [first, ...more] = allowed
  if (first === undefined) return {type: 'none'}
  if (method.type !== 'autodetect' || more.length === 0) return {type: 'chosen', candidate: first}
  const before = allowed.find(({address}) => address.family === stored?.family && address.value === stored.value)
  return before ? {type: 'chosen', candidate: before} : {type: 'ambiguous', candidates: allowed}
}

/**
 * Whether calico-node, which looks for its address at every start, would come to CHOSEN, one of ALL, by METHOD: it takes the first that METHOD allows, and
 * does not know of temporary addresses. Where plain `autodetect` left the choice among several to another process, it would not know of that either.
 */
export function isFoundAgain(all: readonly Candidate[], method: Method, chosen: Candidate): boolean {
  const allowed = all.filter(({rejected}) => rejected === undefined)
  if (method.type === 'autodetect' && allowed.length > 1) return false
  return all.find(({rejected}) => rejected === undefined || rejected === TEMPORARY) === chosen
}

/** ALL as lines for people: each with what became of it. */
export function candidateLines(all: readonly Candidate[], choice: Choice): string[] {
  return all.map((candidate) => {
    const {interfaceName, address, prefix, rejected} = candidate
    const verdict = choice.type === 'chosen' && choice.candidate === candidate ? 'chosen' : (rejected ?? (choice.type === 'chosen' ? 'usable, but another one was chosen' : 'possible'))
    return `${formatAddress(address)}/${prefix} on ${interfaceName}: ${verdict}`
  })
}
