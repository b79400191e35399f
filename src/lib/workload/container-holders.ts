/** Who has addresses on this host by the word of its containers: the witness of `ipam check --docker` (operator-demand §1 row 2). */
import {append} from '../append.js'
import type {Engine} from '../docker/engine.js'
import {CalicoError, isError} from '../errors.js'
import {ipJson} from '../host/ip.js'
import {openNamespaceOfProcess} from '../host/network-namespace.js'
import type {Holder} from '../ipam/findings.js'
import {type Address, ADDRESS_BITS, parseAddress} from '../net/index.js'

/** An interface as `ip -j address` shows it, as far as it is examined. */
interface ShownInterface {
  readonly addr_info?: readonly {readonly local?: string; readonly prefixlen?: number; readonly scope?: string}[]
}

/**
 * The addresses that the running containers of ENGINE have on their interfaces as Calico gives them: for one host each. Docker's own networks give
 * addresses with the prefix of their subnet. A container that stops meanwhile has none.
 * @throws CalicoError `invalid` for an Engine that is not this host's; `not-root`; and as Engine's methods
 */
export async function containerHolders(engine: Engine): Promise<Holder[]> {
  if (!engine.local) throw new CalicoError('invalid', `The Docker Engine at ${engine.address} is not this host's; its containers cannot be checked`, {hint: 'Unset DOCKER_HOST, or run the command on that host.'})
  if (process.geteuid?.() !== 0) throw new CalicoError('not-root', 'Only root can check the containers (--docker).')
  const holders: Holder[] = []
  for (const [id, {running}] of await engine.list()) if (running) append(holders, await holdersIn(engine, id))
  return holders
}

async function holdersIn(engine: Engine, id: string): Promise<Holder[]> {
  try {
    const {name, pid, running, networkMode, startedAt} = await engine.inspect(id)
    if (!running || networkMode === 'host') return []
    const namespace = openNamespaceOfProcess(pid)
    try {
      const interfaces = await ipJson<ShownInterface>(namespace, ['address', 'show'])
      // The process may have ended, and its number become another's, before the namespace was opened (decisions.md 27).
      if ((await engine.inspect(id)).startedAt !== startedAt) return []
      return hostRouteAddresses(interfaces).map((address) => ({address, description: `container ${name}`}))
    } finally {
      namespace.close()
    }
  } catch (error) {
    if (isError(error, 'not-found') || !(await stillRuns(engine, id))) return []
    throw error
  }
}

const stillRuns = async (engine: Engine, id: string): Promise<boolean> => (await engine.list()).get(id)?.running === true

/** Those addresses of INTERFACES that are for one host, as Calico's are; a link-local one is no one's but the link's. */
export const hostRouteAddresses = (interfaces: readonly ShownInterface[]): Address[] =>
  interfaces.flatMap(({addr_info: shown = []}) =>
    shown.flatMap(({local = '', prefixlen, scope}) => {
      const address = scope === 'global' ? parseAddress(local) : undefined
      return address && prefixlen === ADDRESS_BITS[address.family] ? [address] : []
    }),
  )
