/** What Docker is answered where it can have no address or pool: the texts that Calico's drivers have always had (mesos-docker §3.4), and what to do. */
import {CalicoError, isError} from '../errors.js'
import {type Address, type Cidr, type Family, formatAddress, formatCidr} from '../net/index.js'

const POOL_SHOW = 'To see the pools: calicoctl pool show'

const NONE_AVAILABLE = 'There are no available IP addresses in the configured Calico IP pools'

/** ERROR of an assignment of ADDRESS by name, in Docker's terms; any other error as it is. */
export function addressProblem(error: unknown, address: Address): unknown {
  const text = formatAddress(address)
  if (isError(error, 'conflict')) {
    return new CalicoError('conflict', `The address ${text} is already in use`, {details: [error.message], hint: `To see by whom: calicoctl ipam info ${text}`, cause: error})
  }
  if (isError(error, 'invalid')) {
    return new CalicoError('invalid', `The address ${text} is not in one of the configured Calico IP pools`, {details: [error.message], hint: POOL_SHOW, cause: error})
  }
  return error
}

/** No address could be had; REASONS tell why. */
export const noneAvailable = (reasons: readonly string[], hint = 'To see how many addresses are in use: calicoctl ipam show', cause?: unknown): CalicoError =>
  new CalicoError('refused', NONE_AVAILABLE, {details: reasons, hint, cause})

/** ERROR of an assignment of any address, in Docker's terms; any other error as it is. */
export function assignmentProblem(error: unknown): unknown {
  return isError(error, 'refused') ? noneAvailable([error.message, ...error.details], error.hint, error) : error
}

/** The pool of a network is not there any more, or is disabled. */
export function poolGone(pool: Cidr, {disabled}: {disabled: boolean}): CalicoError {
  const text = formatCidr(pool)
  const message = 'The network references a Calico pool which has been deleted.  Please re-instate the Calico pool before using the network.'
  return disabled
    ? new CalicoError('refused', `The network references the Calico pool ${text}, which is disabled.`, {hint: `To enable it: calicoctl pool set ${text} --enabled`})
    : new CalicoError('not-found', message, {details: [`The deleted pool was ${text}.`], hint: `To add it again: calicoctl pool add ${text}`})
}

const MUST_MATCH = 'The requested subnet must match the CIDR of a configured Calico IP Pool.'

/** SUBNET is no pool; USABLE are those of its family. */
export function noSuchPool(subnet: Cidr, usable: readonly string[]): CalicoError {
  const {family} = subnet
  const which = usable.length === 0 ? `There is no IPv${family} pool.` : `The IPv${family} pools are: ${usable.join(', ')}.`
  return new CalicoError('not-found', MUST_MATCH, {details: [which], hint: `Use one of them for --subnet, or add a pool: calicoctl pool add ${formatCidr(subnet)}`})
}

/** SUBNET is a pool, but one that no address can come from. */
export function unusablePool(subnet: Cidr, usable: readonly string[], network: string | undefined): CalicoError {
  const text = formatCidr(subnet)
  const why = network === undefined ? `The pool ${text} is disabled.` : `The pool ${text} belongs to the Docker network ${network}, which uses Docker's own IPAM.`
  const others = usable.length === 0 ? [] : [`The IPv${subnet.family} pools that can be used are: ${usable.join(', ')}.`]
  return new CalicoError('refused', MUST_MATCH, {details: [why, ...others], hint: network === undefined ? `To enable it: calicoctl pool set ${text} --enabled` : POOL_SHOW})
}

/** TEXT, given as the subnet of a network, is none, or one of the other family. */
export const invalidSubnet = (text: string, family: Family): CalicoError => new CalicoError('invalid', `Invalid CIDR: ${JSON.stringify(text)} is not an IPv${family} network`)
