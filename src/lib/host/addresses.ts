/** This host's addresses and routes, as `ip` tells them. */
import {parseAddress, type Address} from '../net/index.js'
import {CalicoError} from '../errors.js'
import {ipJson} from './ip.js'

/** All interfaces with their addresses: the objects of `ip -j address`, of which TYPE says what is used. */
export const hostAddresses = <T>(): Promise<T[]> => ipJson<T>(undefined, ['address', 'show'])

/** The address of this host from which TARGET, an address or a host name, is reached. @throws CalicoError `invalid` if it is not reached from any */
export async function sourceAddressFor(target: string, family: 4 | 6): Promise<Address> {
  const address = parseAddress(target) ? target : await lookUp(target, family)
  const [route] = await ipJson<{prefsrc?: string}>(undefined, [`-${family}`, 'route', 'get', address]).catch((error: unknown) => {
    throw new CalicoError('invalid', `There is no route to ${target}`, {cause: error})
  })
  const source = parseAddress(route?.prefsrc ?? '')
  if (!source) throw new CalicoError('invalid', `The source address for ${target} cannot be determined`)
  return source
}

async function lookUp(name: string, family: 4 | 6): Promise<string> {
  const {lookup} = await import('node:dns/promises')
  try {
    return (await lookup(name, {family})).address
  } catch (error) {
    throw new CalicoError('invalid', `${name} has no IPv${family} address: ${(error as Error).message}`, {cause: error})
  }
}
