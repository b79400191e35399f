/** The TCP ports that calico-node listens on must be free, or its own; the ports of a local etcd are reported (mesos-docker §5.1). */
import {type Check, verdict} from './check.js'
import {listeners} from './processes.js'

interface Port {
  readonly port: number
  readonly use: string
  /** Processes that may have it. */
  readonly owners: readonly string[]
}

const PORTS: readonly Port[] = [
  {port: 179, use: 'BGP', owners: ['bird', 'bird6']},
  {port: 9099, use: 'the health of Felix', owners: ['calico-node', 'calico-felix']},
]

export interface PortFacts {
  readonly listeners: ReadonlyMap<number, readonly string[]>
  /** The ports of etcd on this very host. */
  readonly etcd: readonly number[]
}

/** The ports of those ENDPOINTS that are this host's loopback. */
export const localPorts = (endpoints: readonly string[]): number[] =>
  endpoints.flatMap((endpoint) => {
    const {hostname, port, protocol} = new URL(endpoint)
    if (!/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname)) return []
    return [port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)]
  })

const shown = (names: readonly string[]): string => names.map((name) => (name === '' ? 'a process that is not visible from here' : name)).join(', ')

export const ports: Check<PortFacts> = {
  name: 'ports',
  required: true,
  gather({files, endpoints = []}) {
    const etcd = localPorts(endpoints)
    return {listeners: listeners(files, [...PORTS.map(({port}) => port), ...etcd]), etcd}
  },
  judge({listeners: found, etcd}) {
    const taken = PORTS.flatMap(({port, use, owners}) => {
      const others = (found.get(port) ?? []).filter((name) => !owners.includes(name))
      return others.length === 0 ? [] : [`${port} (${use}) is used by ${shown(others)}`]
    })
    const state = (port: number, use: string): string => `${port} (${use}): ${found.has(port) ? shown(found.get(port) ?? []) : 'free'}`
    return verdict(taken, [...PORTS.map(({port, use}) => state(port, use)), ...etcd.filter((port) => found.has(port)).map((port) => state(port, 'etcd'))].join(', '))
  },
  remedy: 'Stop the program that uses the port: calico-node cannot share it.',
}
