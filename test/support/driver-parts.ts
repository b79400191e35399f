/** Fakes of what the driver's calls rest on: they remember what they were asked. */
import type {Log} from '../../src/lib/libnetwork/log.js'
import type {Parts} from '../../src/lib/libnetwork/driver.js'
import {parseAddress} from '../../src/lib/net/index.js'

export interface FakeParts extends Parts {
  /** The calls so far: `name {"json":"of its argument"}`. */
  readonly calls: string[]
}

const address = (text: string) => {
  const parsed = parseAddress(text)
  if (parsed === undefined) throw new TypeError(text)
  return parsed
}

/** A network of Calico's IPAM with an endpoint at 192.168.0.1; CHANGES replace single functions. */
export function fakeParts(changes: Partial<Parts> = {}): FakeParts {
  const calls: string[] = []
  const parts: Parts = {
    requestPool: () => Promise.resolve({PoolID: 'CalicoPoolIPv4'}),
    requestAddress: () => Promise.resolve({Address: '192.168.0.1/32', Data: {}}),
    releaseAddress: () => Promise.resolve('released'),
    createEndpoint: () => Promise.resolve({created: true, createdProfile: false, createdNode: false}),
    findEndpoint: () => Promise.resolve({mac: 'ee:ee:ee:ee:ee:ee', addresses: [address('192.168.0.1')]}),
    deleteEndpoint: () => Promise.resolve(true),
    removeEndpoint: () => Promise.resolve(),
    createNetwork: () => Promise.resolve({created: true}),
    removeNetwork: () => Promise.resolve(),
    findNetwork: (id) => Promise.resolve({id, profile: 'databases', fromCalico: true, labels: false}),
    refuseConnected: () => Promise.resolve(),
    makeLink: ({endpointId}) => Promise.resolve({srcName: `tmp${endpointId.slice(0, 11)}`, linkLocal: undefined}),
    removeLink: () => Promise.resolve(true),
    describeLater: () => undefined,
    ...changes,
  }
  const told = Object.fromEntries(
    Object.entries(parts).map(([name, work]: [string, (argument: unknown) => unknown]) => [
      name,
      (argument: unknown) => {
        calls.push(`${name} ${JSON.stringify(argument, (_, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value))}`)
        return work(argument)
      },
    ]),
  )
  return {...(told as unknown as Parts), calls}
}

/** A log into LINES: `error TEXT`. */
export function listedLog(): Log & {readonly lines: string[]} {
  const lines: string[] = []
  const at = (level: string) => (text: string): void => void lines.push(`${level} ${text}`)
  return {lines, info: at('info'), warn: at('warn'), error: at('error'), debug: at('debug')}
}
